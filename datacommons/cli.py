"""The `datacommons` command: each command calls one method of the Python API and prints what it returns."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from datacommons.commands.door import demo, serve
from datacommons.commands.layers import ingest, layers, pull, sources
from datacommons.commands.packing import tile_commands
from datacommons.commands.runs import plan, publish, run, runs, validate
from datacommons.commands.samples import sample_commands
from datacommons.commands.upkeep import catalog_commands, doctor, export, import_, init

app = typer.Typer(
    help="A geospatial data commons for landscapes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (
    *(init, ingest, pull, sources, layers),
    *(validate, plan, run, runs, publish),
    *(serve, demo, doctor, export),
):
    app.command()(_command)
app.command("import")(import_)
app.add_typer(catalog_commands, name="catalog")
app.add_typer(tile_commands, name="tiles")
app.add_typer(sample_commands, name="samples")

_BAD_INPUT = (ValueError, LookupError, FileNotFoundError, FileExistsError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors of ours are printed without a traceback.

    Returns
    -------
    int
        0, or 2 for bad input, or 1 for other errors that were foreseen.
    """
    try:
        app(args=arguments)
    except Exception as error:
        if not isinstance(error, _foreseen()):
            raise
        from datacommons.commands.display import print_error

        print_error(error)
        return 2 if isinstance(error, _BAD_INPUT) else 1
    return 0


def _foreseen() -> tuple[type[Exception], ...]:
    from catalog.errors import CatalogError
    from datacommons.errors import DataCommonsError
    from scenarios.errors import ScenarioError
    from tiles.errors import TileError

    return (DataCommonsError, CatalogError, ScenarioError, TileError)


if __name__ == "__main__":
    sys.exit(main())
