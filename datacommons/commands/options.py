"""What many commands share: which commons is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datacommons.commons import Commons

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


def open_named(commons: Path | None) -> Commons:
    """Open the commons that was named, or the one that lies nearest."""
    import datacommons
    from datacommons.settings import find_commons

    return datacommons.open(find_commons(commons, Path.cwd()))
