"""The commands that look after a commons as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.options import CommonsOption


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without loss.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes of files, not their checksums.")] = False,
    commons: CommonsOption = None,
) -> None:
    """Examine the catalog, the files, and whether they agree."""
    from datacommons.display import print_findings
    from datacommons.doctor import examine
    from datacommons.founding import open_as_is
    from datacommons.settings import find_commons

    with open_as_is(find_commons(commons, Path.cwd())) as opened:
        findings = examine(opened, repair=repair, checksums=not quick, progress=True)
    print_findings(findings)
    if not all(finding.repaired for finding in findings):
        raise typer.Exit(1)
