"""The `datacommons` command: each command calls one method of the Python API and prints what it returns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datacommons.commands.options import CommonsOption
from datacommons.commands.packing import tile_commands
from datacommons.commands.upkeep import catalog_commands, doctor, export, import_

if TYPE_CHECKING:
    from datacommons.commons import Commons

app = typer.Typer(
    help="A geospatial data commons for landscapes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads to use; the result is the same for any number.")
]
ChunkOption = Annotated[
    int | None, typer.Option(min=16, help="Side of a chunk in cells; the result is the same for any size.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="Where members are projected: threads, processes, processes:N or a Dask scheduler as tcp://host:8786.",
        show_default="threads",
    ),
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
ScenarioArgument = Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)]

_BAD_INPUT = (ValueError, LookupError, FileNotFoundError, FileExistsError)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to create; it may exist if it is empty.")],
    name: Annotated[str | None, typer.Option(help="Name shown to people.", show_default="the folder's")] = None,
    landscape: Annotated[
        str | None, typer.Option(help="Name of the first landscape.", show_default="the folder's")
    ] = None,
    contact: Annotated[str, typer.Option(help="Whom to ask.")] = "",
    licence: Annotated[str, typer.Option(help="SPDX identifier of the layers' licence, or 'other'.")] = "other",
    access: Annotated[str, typer.Option(help="Access label of what is ingested.")] = "public",
    language: Annotated[str, typer.Option(help="Language of titles.")] = "en",
) -> None:
    """Create a commons."""
    import datacommons
    from datacommons.commands.display import print_line

    with datacommons.init(
        folder,
        name=name,
        landscape=landscape,
        contact=contact,
        licence=licence,
        default_access=access,
        language=language,
    ) as commons:
        print_line(f"Created the commons {commons.settings.name!r} in {folder}.")


@app.command()
def ingest(
    files: Annotated[
        list[Path], typer.Argument(help="Rasters or vector files, one layer each.", readable=False, show_default=False)
    ],
    collection: Annotated[
        str,
        typer.Option(help="land-cover, drivers (measurements; with --legend, zones) or vectors.", show_default=False),
    ],
    legend: Annotated[
        Path | None,
        typer.Option(help="What values mean: .json, .csv, .qml, or a product's name.", show_default="the landscape's"),
    ] = None,
    landscape: Annotated[str | None, typer.Option(help="Which landscape.", show_default="the only one")] = None,
    new_landscape: Annotated[
        bool, typer.Option("--new-landscape", help="Create --landscape beside those there are.")
    ] = False,
    title: Annotated[
        str | None, typer.Option(help="Title of a landscape that is created.", show_default="made of its name")
    ] = None,
    year: Annotated[
        list[int] | None,
        typer.Option(min=1000, max=9999, help="Year, once a file.", show_default="told from the file name"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of a single driver.", show_default="the file's")] = None,
    crs: Annotated[
        str | None, typer.Option(help="CRS of files that name none, as EPSG:32618.", show_default=False)
    ] = None,
    band: Annotated[
        int | None, typer.Option(min=1, help="Band of files that have several.", show_default=False)
    ] = None,
    product: Annotated[
        str | None, typer.Option(help="Product that the files are of, as MapBiomas.", show_default="by their tags")
    ] = None,
    product_version: Annotated[
        str | None, typer.Option(help="Version of the product.", show_default="by their tags")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="SPDX identifier of the files' licence.", show_default="the commons'")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer of a vector file that has several.", show_default=False)
    ] = None,
    x: Annotated[
        str | None, typer.Option(help="Column of a CSV with x or longitude.", show_default="by its name")
    ] = None,
    y: Annotated[
        str | None, typer.Option(help="Column of a CSV with y or latitude.", show_default="by its name")
    ] = None,
    variable: Annotated[
        str | None, typer.Option(help="Variable of a NetCDF or Zarr that has several.", show_default=False)
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Time of a NetCDF or Zarr that has several, as 2000-07.", show_default=False)
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of layers of the same name and year; those stay.")
    ] = False,
    commons: CommonsOption = None,
) -> None:
    """Take rasters or vector files into the commons; if one cannot be taken, none is."""
    from datacommons.commands.display import print_reports

    with _open(commons) as opened:
        reports = opened.ingest(
            files,
            collection=collection,
            legend=legend,
            landscape=landscape,
            new_landscape=new_landscape,
            landscape_title=title,
            years=year,
            name=name,
            crs=crs,
            band=band,
            replace=replace,
            product=product,
            product_version=product_version,
            licence=licence,
            layer=layer,
            x=x,
            y=y,
            variable=variable,
            time=time,
            progress=True,
        )
        known = licence or opened.settings.licence
    print_reports(reports, licence=known)


@app.command()
def pull(
    source: Annotated[str, typer.Argument(help="A ready-made source, as esa-cci-lc.", show_default=False)],
    landscape: Annotated[str, typer.Option(help="Which landscape; with --bbox a new one.", show_default=False)],
    years: Annotated[
        str | None, typer.Option(help="1995/2020 for a span, or 1995,2005,2015.", show_default=False)
    ] = None,
    asset: Annotated[str | None, typer.Option(help="Which part of the source.", show_default="its first")] = None,
    bbox: Annotated[
        str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH of a new landscape, in degrees.", show_default=False)
    ] = None,
    api: Annotated[str | None, typer.Option(help="Another STAC API that has it.", show_default="the source's")] = None,
    sign: Annotated[
        str | None, typer.Option(help="Where that API signs links; '' if links are open.", show_default="the source's")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace years that are there.")] = False,
    commons: CommonsOption = None,
) -> None:
    """Take layers from a ready-made source on the network; pull again to go on after a failure."""
    from datacommons.archives.pull import read_bbox, read_years
    from datacommons.commands.display import print_pull

    with _open(commons) as opened:
        report = opened.pull(
            source,
            landscape=landscape,
            years=read_years(years) if years is not None else None,
            asset=asset,
            bbox=read_bbox(bbox) if bbox is not None else None,
            api=api,
            sign=sign,
            replace=replace,
            progress=True,
        )
    print_pull(report)


@app.command()
def sources() -> None:
    """List the ready-made sources."""
    from datacommons.commands.display import print_sources
    from datacommons.sources import list_sources

    print_sources(list_sources())


@app.command()
def layers(
    landscape: Annotated[str | None, typer.Option(help="Of which landscape.", show_default="all")] = None,
    commons: CommonsOption = None,
) -> None:
    """List the layers of the commons."""
    from datacommons.commands.display import print_layers, print_line

    with _open(commons) as opened:
        if landscape is not None:
            opened.landscape(landscape)
        found = opened.layers(landscape)
    if found:
        print_layers(found)
    else:
        print_line("No layers yet: add some with `datacommons ingest`.")


@app.command()
def validate(
    scenario: ScenarioArgument,
    report: Annotated[
        Path | None, typer.Option(help="Write a report with maps to this HTML file.", show_default=False)
    ] = None,
    members: Annotated[
        int | None, typer.Option(min=1, max=255, help="Maps drawn by likelihood.", show_default="8")
    ] = None,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    cluster: ClusterOption = None,
    commons: CommonsOption = None,
) -> None:
    """Learn from the earlier dates, project to the last one, and score the result."""
    from datacommons.commands.display import print_hindcast, print_line

    with _open(commons) as opened:
        found = opened.validate(scenario, threads=threads, chunk=chunk, members=members, cluster=cluster, progress=True)
        print_hindcast(found)
        if report is not None:
            from datacommons.reports.hindcast import write_report
            from datacommons.runs.run import read_scenario

            write_report(report, found, title=opened.landscape(read_scenario(opened, scenario)[0].landscape).title)
            print_line(f"The report with maps: {report}")


@app.command()
def plan(
    scenario: ScenarioArgument,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    commons: CommonsOption = None,
) -> None:
    """Say what a run will take on this machine: memory, disk and time."""
    from datacommons.commands.display import print_estimate

    with _open(commons) as opened:
        print_estimate(opened.plan(scenario, threads=threads, chunk=chunk, progress=True))


@app.command()
def run(
    scenario: ScenarioArgument,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    cluster: ClusterOption = None,
    commons: CommonsOption = None,
) -> None:
    """Project a scenario and publish the run."""
    from datacommons.commands.display import print_run

    with _open(commons) as opened:
        print_run(opened.run(scenario, threads=threads, chunk=chunk, cluster=cluster, progress=True))


@app.command()
def runs(commons: CommonsOption = None) -> None:
    """List the published runs."""
    from datacommons.commands.display import print_line

    with _open(commons) as opened:
        found = opened.runs()
    for line in found or ["No runs yet: make one with `datacommons run SCENARIO`."]:
        print_line(line)


@app.command()
def publish(
    run: Annotated[str, typer.Argument(help="Name of a run; `datacommons runs` lists them.", show_default=False)],
    url: Annotated[str, typer.Argument(help="Place in a bucket, as s3://bucket/folder.", show_default=False)],
    commons: CommonsOption = None,
) -> None:
    """Copy a published run into a bucket."""
    from datacommons.commands.display import print_line

    with _open(commons) as opened:
        print_line(f"Copied: {opened.copy_run(run, url, progress=True)}")


@app.command()
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

    with _open(commons) as opened:
        # The server takes seconds to import; that the folder is no commons is said at once.
        from datacommons.door.server import serve as serve_commons

        serve_commons(
            opened,
            host,
            port,
            write_token=write_token,
            announce=lambda url: print_line(f"The door is open: {url} (Ctrl+C closes it)"),
        )


@app.command()
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


app.command()(doctor)
app.command()(export)
app.command("import")(import_)
app.add_typer(catalog_commands, name="catalog")
app.add_typer(tile_commands, name="tiles")


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


def _open(named: Path | None) -> Commons:
    import datacommons
    from datacommons.settings import find_commons

    return datacommons.open(find_commons(named, Path.cwd()))


if __name__ == "__main__":
    sys.exit(main())
