"""The commands that make files of tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.commands.options import CommonsOption

tile_commands = typer.Typer(help="Tiles without a server.", no_args_is_help=True)


@tile_commands.command()
def pack(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Identifier of the run.", show_default=False)],
    folder: Annotated[Path, typer.Option("--folder", help="Where the files are written.")] = Path(),
    year: Annotated[list[int] | None, typer.Option("--year", help="Which year; may be repeated. Default: all.")] = None,
    style: Annotated[str | None, typer.Option("--style", help="As for tiles. Default: the legend's colours.")] = None,
    max_zoom: Annotated[
        int | None,
        typer.Option("--max-zoom", min=0, max=24, help="The finest zoom. Default: that of the cells."),
    ] = None,
    commons: CommonsOption = None,
) -> None:
    """Write the maps of a run as PMTiles, one file a year, for a phone or a static host."""
    from catalog.collections import RUN_MAPS
    from catalog.store import OWNER
    from datacommons.commands.display import print_line
    from datacommons.errors import NotWritten
    from datacommons.founding import open_commons
    from datacommons.progress import progress_bar
    from datacommons.runs.run import load_run
    from datacommons.settings import find_commons
    from tiles.drawing.sheets import LayerSheet
    from tiles.drawing.style import choose_style
    from tiles.packing import pack_tiles
    from tiles.routes.layer import LayerIndex

    with open_commons(find_commons(commons, Path.cwd())) as opened:
        index = LayerIndex(opened.store, opened.locate)
        for each in year or load_run(opened, run).scenario.projected_years:
            layer = index.find_run_map(OWNER, run, each)
            path = folder / f"{run}-{each}.pmtiles"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with progress_bar(f"packing {each}", 1) as advance:
                    credit = index.credit(OWNER, RUN_MAPS)
                    sheet = LayerSheet(layer, choose_style(layer, style))
                    count = pack_tiles(sheet, path, max_zoom=max_zoom, credit=credit, advance=advance)
            except OSError as error:
                if isinstance(error, _foreseen()):
                    raise
                raise NotWritten(f"{path} cannot be written: {error.strerror}. Choose another --folder.") from error
            print_line(f"{path}: {count:,} tiles")


def _foreseen() -> type[Exception]:
    from tiles.errors import TileError

    return TileError
