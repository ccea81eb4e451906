"""From the user's vector files to layers of a commons: roads, villages, reserves; all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from catalog.collections import LAND_COVER, VECTORS
from catalog.items.georeference import find_footprint
from catalog.items.vectors import vector_item
from catalog.store import CatalogStore
from datacommons.errors import InvalidIngest, InvalidVector
from datacommons.ingest.drafts import refuse_twins
from datacommons.ingest.intake import IngestOptions, check_source, refuse_contradictions
from datacommons.ingest.raster_layers import IngestReport
from datacommons.ingest.vectors import VectorSource, open_vector
from datacommons.ingest.versions import Version, choose_version, link_versions
from datacommons.landscape import Landscape
from datacommons.naming import name_of, title_of, years_in
from datacommons.progress import progress_bar
from datacommons.publication import Staging

if TYPE_CHECKING:
    import geopandas

_WGS84 = "EPSG:4326"
_GEOPARQUET = "1.1.0"
_ROWS_PER_GROUP = 50_000


@dataclass(frozen=True)
class VectorDraft:
    """A vector layer on its way into the commons.

    Attributes
    ----------
    source : VectorSource
    version : Version
        Which item it becomes.
    layer : str
        How scenario files will call it.
    year : int or None
    notes : tuple of str
        What was unusual.
    """

    source: VectorSource
    version: Version
    layer: str
    year: int | None
    notes: tuple[str, ...]

    @property
    def item(self) -> str:
        """The id of its item."""
        return self.version.item

    @property
    def folder(self) -> str:
        """The item's folder, relative to the commons."""
        return f"layers/{VECTORS}/{self.item}"

    @property
    def href(self) -> str:
        """The GeoParquet file, relative to the commons."""
        return f"{self.folder}/{self.item}.parquet"


def ingest_vectors(
    root: Path, store: CatalogStore, paths: Sequence[Path], options: IngestOptions, *, progress: bool
) -> list[IngestReport]:
    """Turn vector files into GeoParquet and register them; on any failure the commons is as before.

    Parameters
    ----------
    root : Path
        The folder of the commons.
    store : CatalogStore
    paths : sequence of Path
    options : IngestOptions
        Its landscape exists.
    progress : bool
        Whether to show a bar on stderr.

    Raises
    ------
    DataCommonsError, catalog.errors.CatalogError
        What is wrong with which file, and the mend.
    """
    refuse_contradictions(paths, options)
    with progress_bar("Ingesting", 2 * len(paths), shown=progress) as advance:
        drafts = []
        for place, path in enumerate(paths):
            drafts.append(_draft(store, path, place, options))
            advance(1)
        refuse_twins([(draft.item, draft.source.name) for draft in drafts])
        with Staging(root) as staging:
            items = []
            for draft in drafts:
                items.append(_write(draft, options, staging))
                advance(1)
            staging.publish(store, link_versions(store, items, [draft.version for draft in drafts]))
    return [_report(draft, options) for draft in drafts]


def _draft(store: CatalogStore, path: Path, place: int, options: IngestOptions) -> VectorDraft:
    landscape = options.landscape
    assert isinstance(landscape, Landscape)  # only land cover creates one
    check_source(path)
    source = open_vector(path, layer=options.source_layer, crs=options.crs, columns=options.columns)
    layer = _name_layer(path, options)
    years = options.years or ()
    found = years_in(path)
    return VectorDraft(
        source,
        choose_version(store, VECTORS, landscape.id, layer, None, replace=options.replace),
        layer,
        years[place] if years else found[0] if len(found) == 1 else None,
        (*source.notes, *_compare_places(source, landscape)),
    )


def _name_layer(path: Path, options: IngestOptions) -> str:
    name = name_of(options.name or options.source_layer or path.name.split(".")[0])
    if name == LAND_COVER:
        raise InvalidIngest(f"Vectors cannot be called {LAND_COVER!r}: give them another name with --name.")
    return name


def _compare_places(source: VectorSource, landscape: Landscape) -> tuple[str, ...]:
    """Refuse features of which none touches the landscape; note how many do not."""
    outline = shape(find_footprint(landscape.geobox)[0])
    features = source.frame.geometry.to_crs(_WGS84).to_numpy()
    shapely.prepare(outline)
    inside = shapely.intersects(outline, features)
    if not inside.any():
        raise InvalidVector(_describe_elsewhere(source, features, landscape, outline))
    outside = int((~inside).sum())
    return (f"{outside:,} of {len(features):,} features lie outside {landscape.id}",) if outside else ()


def _describe_elsewhere(
    source: VectorSource, features: np.ndarray[Any, Any], landscape: Landscape, outline: BaseGeometry
) -> str:
    here, there = shapely.total_bounds(features), outline.bounds
    turned = shapely.transform(features, lambda points: points[:, ::-1])
    swapped = bool(shapely.intersects(outline, turned).any())
    mend = (
        "Longitude and latitude are perhaps swapped, for then it would: longitude comes first (in a CSV: --x LON --y "
        "LAT)."
        if swapped
        else "Check its CRS, or say which landscape is meant with --landscape."
    )
    return (
        f"{source.name} does not touch {landscape.id}: it lies at {_corners(here)}, the landscape at {_corners(there)} "
        f"(west, south, east, north in degrees). {mend}"
    )


def _corners(bounds: Iterable[float]) -> str:
    return ", ".join(f"{edge:.3f}" for edge in bounds)


def _write(draft: VectorDraft, options: IngestOptions, staging: Staging) -> dict[str, Any]:
    path = staging.folder(draft.folder) / Path(draft.href).name
    write_geoparquet(draft.source.frame, path, name=draft.source.name)
    item = vector_item(
        path,
        root=staging.files,
        item_id=draft.item,
        collection=VECTORS,
        year=draft.year,
        landscape=options.landscape_id,
        layer=draft.layer,
        title=title_of(draft.layer),
        properties={
            "landscape:access": options.access,
            "landscape:synthetic": options.synthetic,
            **({"landscape:shown_as": options.shown_as} if options.shown_as else {}),
            **options.origin,
            **draft.version.properties,
        },
    )
    return dict(item.to_dict(include_self_link=False))


def write_geoparquet(frame: geopandas.GeoDataFrame, path: Path, *, name: str) -> None:
    """Write features as GeoParquet 1.1, with a box of every feature so that readers find those of a window.

    Raises
    ------
    InvalidVector
        If a column holds what no table can.
    """
    import pyarrow as pa

    try:
        frame.to_parquet(
            path,
            index=False,
            compression="zstd",
            schema_version=_GEOPARQUET,
            write_covering_bbox=True,
            row_group_size=_ROWS_PER_GROUP,
        )
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InvalidVector(
            f"{name} has attributes that cannot be written as a table: {str(error).splitlines()[0]}. Take out the "
            "column, "
            "or make its values of one kind."
        ) from error


def _report(draft: VectorDraft, options: IngestOptions) -> IngestReport:
    return IngestReport(
        source=draft.source.path,
        collection=VECTORS,
        item=draft.item,
        landscape=options.landscape_id,
        layer=draft.layer,
        year=draft.year,
        href=draft.href,
        cells=0,
        replaced=bool(draft.version.older),
        notes=draft.notes,
        features=len(draft.source.frame),
        licence=options.licence or "",
    )
