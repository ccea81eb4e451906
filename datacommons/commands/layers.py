"""The commands about layers: taken in, and listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.commands.options import CommonsOption, open_named


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
    show_as: Annotated[
        str | None,
        typer.Option(help="Show vectors over maps as rivers, roads, places or nothing.", show_default="by the name"),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of layers of the same name and year; those stay.")
    ] = False,
    commons: CommonsOption = None,
) -> None:
    """Take rasters or vector files into the commons; if one cannot be taken, none is."""
    from datacommons.commands.display import print_reports

    with open_named(commons) as opened:
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
            shown_as=show_as,
            progress=True,
        )
        known = licence or opened.settings.licence
    print_reports(reports, licence=known)


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

    with open_named(commons) as opened:
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


def sources() -> None:
    """List the ready-made sources."""
    from datacommons.commands.display import print_sources
    from datacommons.sources import list_sources

    print_sources(list_sources())


def layers(
    landscape: Annotated[str | None, typer.Option(help="Of which landscape.", show_default="all")] = None,
    commons: CommonsOption = None,
) -> None:
    """List the layers of the commons."""
    from datacommons.commands.display import print_layers, print_line

    with open_named(commons) as opened:
        if landscape is not None:
            opened.landscape(landscape)
        found = opened.layers(landscape)
    if found:
        print_layers(found)
    else:
        print_line("No layers yet: add some with `datacommons ingest`.")
