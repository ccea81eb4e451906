"""The commands that open the door to others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.commands.options import CommonsOption, open_named

PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets others in.")] = "127.0.0.1",
    port: PortOption = 8000,
    write_token: Annotated[
        str,
        typer.Option(
            envvar="DATACOMMONS_WRITE_TOKEN",
            help="Who sends it may write to the catalog by the STAC API; better given by the environment.",
            show_default=False,
        ),
    ] = "",
    commons: CommonsOption = None,
) -> None:
    """Open the door: STAC API, tiles, files and page."""
    from datacommons.commands.display import print_line

    with open_named(commons) as opened:
        # The server takes seconds to import; that the folder is no commons is said at once.
        from datacommons.door.server import serve as serve_commons

        serve_commons(
            opened,
            host,
            port,
            write_token=write_token,
            announce=lambda url: print_line(f"The door is open: {url} (Ctrl+C closes it)"),
        )


def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the demonstration is made; an earlier one there is replaced.")
    ] = Path("demo-commons"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End after the table.")] = False,
    port: PortOption = 8000,
    members: Annotated[int | None, typer.Option(min=1, help="Members of each ensemble.", show_default=False)] = None,
) -> None:
    """Make a commons with a generated landscape, open the door, and run three scenarios."""
    from datacommons.demo.job import run_demo
    from datacommons.door.listening import listen
    from datacommons.founding import remove_demo

    listener = None if no_serve else listen("127.0.0.1", port)
    remove_demo(folder)
    run_demo(folder, listener=listener, members=members)
