"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CommonsOption = Annotated[
    Path | None,
    typer.Option(
        "--commons",
        "-C",
        envvar="DATACOMMONS_COMMONS",
        help="Folder of the commons; by default the current one, one above it, or the only one in it.",
        show_default=False,
    ),
]
