"""The commands about samples: real landscapes to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

sample_commands = typer.Typer(help="Real landscapes to begin with.", invoke_without_command=True)


@sample_commands.callback()
def samples(context: typer.Context) -> None:
    """List real landscapes to begin with, which are fetched from the network."""
    from datacommons.commands.display import print_samples
    from datacommons.samples import list_samples

    if context.invoked_subcommand is None:
        print_samples(list_samples())


@sample_commands.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="SAMPLE", help="A sample, as plum-island.", show_default=False)],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="New or empty folder to write into.", show_default="the sample's name"),
    ] = None,
) -> None:
    """Fetch a sample: GeoTIFFs, a legend and a scenario, and the commands that make a commons of them."""
    from datacommons.commands.display import print_sample
    from datacommons.progress import progress_bar
    from datacommons.samples import find_sample
    from datacommons.samples.fetching import fetch_sample

    sample, place = find_sample(name), folder or Path(name)
    with progress_bar(f"Fetching {name}", 0):
        fetch_sample(sample, place)
    print_sample(sample, place)
