"""From the user's rasters to layers of a commons: checked first, then all of them or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pystac import Asset, Link, MediaType

from catalog.items.layers import file_asset, raster_item
from catalog.legend import Legend
from catalog.store import CatalogStore
from datacommons.cogs import write_classified, write_continuous
from datacommons.ingest.attribute_tables import write_attribute_table
from datacommons.ingest.drafts import Draft, draft_items
from datacommons.ingest.inspection import inspect_classified, inspect_continuous
from datacommons.ingest.intake import IngestOptions, refuse_contradictions
from datacommons.ingest.thumbnails import write_thumbnail
from datacommons.ingest.versions import link_versions
from datacommons.landscape import outline_landscape, to_item
from datacommons.progress import Advance, progress_bar
from datacommons.publication import Staging
from scenarios.cluster import Workers


@dataclass(frozen=True)
class IngestReport:
    """What became of one file.

    Attributes
    ----------
    source : Path
        The user's file.
    collection, item, landscape, layer : str
        What it is called in the commons.
    year : int or None
    href : str
        The COG or GeoParquet file, relative to the commons.
    cells : int
        Cells with data; 0 of vectors.
    replaced : bool
        Whether the commons had this layer before; that version stays beside it.
    notes : tuple of str
        What was unusual, and how it was or will be dealt with.
    features : int
        Features of a vector layer; 0 of rasters.
    licence : str
        SPDX identifier of its licence; empty if nobody said, and the commons' counts.
    """

    source: Path
    collection: str
    item: str
    landscape: str
    layer: str
    year: int | None
    href: str
    cells: int
    replaced: bool
    notes: tuple[str, ...]
    features: int = 0
    licence: str = ""


def ingest_files(
    root: Path, store: CatalogStore, paths: Sequence[Path], options: IngestOptions, *, progress: bool
) -> list[IngestReport]:
    """Turn GeoTIFFs into COGs and register them; on any failure the commons is as before.

    Parameters
    ----------
    root : Path
        The folder of the commons.
    store : CatalogStore
    paths : sequence of Path
    options : IngestOptions
    progress : bool
        Whether to show a bar on stderr.

    Returns
    -------
    list of IngestReport
        One a file, in their order.

    Raises
    ------
    DataCommonsError, catalog.errors.CatalogError
        What is wrong with which file, and the mend.
    """
    refuse_contradictions(paths, options)
    drafts = draft_items(store, paths, options)
    with progress_bar("Ingesting", 2 * len(drafts), shown=progress) as advance:
        drafts = [_inspect(draft, options.legend, advance) for draft in drafts]
        with Staging(root) as staging:
            items = Workers().map(lambda draft: _write(draft, options, staging, advance), drafts)
            if isinstance(options.landscape, str) and options.stored_legend:
                items.insert(0, _create_landscape(drafts[0], options, options.stored_legend, staging))
            staging.publish(store, link_versions(store, items, [draft.version for draft in drafts]))
    return [_report(draft, options) for draft in drafts]


def _inspect(draft: Draft, legend: Legend | None, advance: Advance) -> Draft:
    if legend is None:
        found = inspect_continuous(draft.source, advance)
    else:
        found = inspect_classified(draft.source, legend, advance)
    return replace(draft, cells=found.cells, tally=found.tally, notes=(*draft.notes, *found.notes))


def _write(draft: Draft, options: IngestOptions, staging: Staging, advance: Advance) -> dict[str, Any]:
    path = staging.folder(draft.folder) / Path(draft.href).name
    if options.legend is None:
        write_continuous(draft.source, path, advance)
    else:
        write_classified(draft.source, path, options.legend, advance)
    folder = path.parent
    write_thumbnail(path, folder / "thumbnail.png", options.stored_legend)
    item = raster_item(
        path,
        root=staging.files,
        item_id=draft.item,
        collection=draft.collection,
        year=draft.year,
        landscape=options.landscape_id,
        layer=draft.layer,
        legend=options.stored_legend,
        title=draft.title,
        areas_ha=draft.tally.areas_ha if draft.tally else None,
        properties={
            "landscape:access": options.access,
            "landscape:synthetic": options.synthetic,
            "gsd": options.cell_size_m or draft.cell_size_m,
            **options.origin,
            **draft.origin,
            **draft.version.properties,
        },
    )
    item.add_asset("thumbnail", _describe(folder / "thumbnail.png", staging, "Thumbnail", MediaType.PNG, "thumbnail"))
    if options.stored_legend is not None and draft.tally is not None:
        table = write_attribute_table(path, options.stored_legend, draft.tally.cells)
        item.add_asset("attributes", _describe(table, staging, "Attribute table", MediaType.XML, "metadata"))
    item.add_links([Link("derived_from", href, MediaType.JSON) for href in options.derived_from])
    return dict(item.to_dict(include_self_link=False))


def _describe(path: Path, staging: Staging, title: str, media_type: str, role: str) -> Asset:
    return file_asset(path, root=staging.files, title=title, media_type=media_type, roles=(role,))


def _create_landscape(first: Draft, options: IngestOptions, legend: Legend, staging: Staging) -> dict[str, Any]:
    landscape = outline_landscape(
        staging.files / first.href, options.landscape_id, options.title, legend, synthetic=options.synthetic
    )
    place = f"layers/landscapes/{landscape.id}"
    document = json.dumps(legend.to_json(), ensure_ascii=False, indent=2)
    (staging.folder(place) / "legend.json").write_text(document, "utf-8")
    return to_item(landscape, legend_href=f"{place}/legend.json", access=options.access)


def _report(draft: Draft, options: IngestOptions) -> IngestReport:
    return IngestReport(
        source=draft.source.path,
        collection=draft.collection,
        item=draft.item,
        landscape=options.landscape_id,
        layer=draft.layer,
        year=draft.year,
        href=draft.href,
        cells=draft.cells,
        replaced=bool(draft.version.older),
        notes=draft.notes,
        licence=options.licence or "",
    )
