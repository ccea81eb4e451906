"""One STAC item from one layer: a raster, or the cubes and tables of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pystac
from pystac import MediaType

from catalog.errors import LayerError, UnreadableLayer
from catalog.items.extensions import find_extensions
from catalog.items.georeference import describe_grid, find_footprint
from catalog.items.rasters import RasterFacts, read_raster
from catalog.items.versions import DERIVED_FROM, item_href
from catalog.legend import Legend
from catalog.store import Bbox

_TILE_MATRIX_SET: Final = "WebMercatorQuad"
_RUN_MAPS: Final = "run-maps"
_ZARR: Final = f"{MediaType.VND_ZARR}; version=3"
# A multihash names its own function and length: 12 is SHA-256, 20 (hexadecimal) its 32 bytes.
_SHA256: Final = "1220"


def raster_item(
    path: str | Path,
    *,
    root: str | Path,
    item_id: str,
    collection: str,
    year: int | None,
    landscape: str,
    layer: str,
    legend: Legend | None = None,
    title: str = "",
    properties: Mapping[str, Any] | None = None,
    asset_key: str = "data",
    areas_ha: Mapping[int, float] | None = None,
) -> pystac.Item:
    """Describe a raster as a STAC item.

    The first band is read whole, block by block: it must have a CRS, a cell with data and, where there is a
    legend, only classes of it.

    Parameters
    ----------
    path : str or Path
        A GeoTIFF below `root`.
    root : str or Path
        The folder of the commons, to which the asset's href is relative.
    item_id, collection : str
    year : int or None
        The item then spans that year; without one its datetime is now.
    landscape, layer : str
        Which landscape it is of, and how scenario files call it.
    legend : Legend, optional
        Its classes; without one the values are measurements.
    title : str
    properties : mapping, optional
        More properties; they win over the ones read.
    asset_key : str
    areas_ha : mapping of int to float, optional
        Hectares by class, which its classes then say, with their cells and share.

    Returns
    -------
    pystac.Item
        With the extensions projection, file, classification, render and landscape, and links to its tiles.

    Raises
    ------
    UnreadableLayer
        Where the file is missing or no raster.
    LayerError
        Where it has no CRS, no data, or a value that the legend does not know.
    """
    path = Path(path)
    facts = read_raster(path)
    if legend is not None:
        _refuse_unknown_values(facts, legend, path.name)
    fields: dict[str, Any] = {"bands": [facts.band]}
    if legend is not None:
        fields["classification:classes"] = [_add_area(each, facts, areas_ha) for each in legend.to_classification()]
    asset = file_asset(path, root=root, title=title, media_type=MediaType.COG, roles=("data",), fields=fields)
    described = {
        **({"title": title} if title else {}),
        **span_year(year),
        **describe_grid(facts.geobox),
        "renders": {"default": _render(facts, legend, asset_key)},
        "landscape:id": landscape,
        "landscape:layer": layer,
        **(properties or {}),
    }
    item = make_item(item_id, collection, find_footprint(facts.geobox), described, {asset_key: asset})
    item.add_links(_tile_links(collection, item_id, year))
    return item


def cube_item(
    cubes: Mapping[str, str | Path],
    *,
    root: str | Path,
    item_id: str,
    collection: str,
    years: tuple[int, int],
    landscape: str,
    legend: Legend | None = None,
    title: str = "",
    properties: Mapping[str, Any] | None = None,
    assets: Mapping[str, pystac.Asset] | None = None,
) -> pystac.Item:
    """Describe the Zarr cubes of a run, and what belongs to them, as one STAC item.

    Only metadata and coordinates of the cubes are read.

    Parameters
    ----------
    cubes : mapping of str to path
        Asset key to a Zarr v3 group with the dimensions x, y and usually time, all on one grid.
    root : str or Path
        The folder of the commons, to which hrefs are relative.
    item_id, collection, landscape : str
    years : tuple of int
        The first and the last projected year: the time the item spans.
    legend : Legend, optional
        The classes of those cubes that have CF's `flag_values`.
    title : str
    properties : mapping, optional
        More properties; they win over the ones read.
    assets : mapping of str to pystac.Asset, optional
        Tables and files beside the cubes, from `table_asset` and `file_asset`.

    Raises
    ------
    UnreadableLayer
        Where a cube cannot be opened.
    LayerError
        Where a cube has no grid with a CRS.
    """
    from catalog.items.cubes import describe_cube

    found = {key: describe_cube(Path(path), legend) for key, path in cubes.items()}
    geobox = next(iter(found.values()))[0]
    described = {
        **({"title": title} if title else {}),
        "datetime": None,
        "start_datetime": f"{years[0]}-01-01T00:00:00Z",
        "end_datetime": f"{years[1]}-12-31T23:59:59Z",
        **describe_grid(geobox),
        "landscape:id": landscape,
        **(properties or {}),
    }
    made = {
        key: pystac.Asset(
            _relative_href(Path(cubes[key]), Path(root)),
            title=key.capitalize(),
            media_type=_ZARR,
            roles=["data"],
            extra_fields=fields,
        )
        for key, (_, fields) in found.items()
    }
    return make_item(item_id, collection, find_footprint(geobox), described, {**made, **(assets or {})})


def table_asset(path: str | Path, *, root: str | Path, title: str, description: str = "") -> pystac.Asset:
    """Describe a Parquet table: its columns, types and number of rows.

    Raises
    ------
    UnreadableLayer
        Where it is missing or no Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableLayer(f"{path.name} cannot be read as Parquet: {error}.") from error
    columns = [{"name": field.name, "type": str(field.type)} for field in metadata.schema.to_arrow_schema()]
    fields = {"table:columns": columns, "table:row_count": metadata.num_rows}
    if description:
        fields["description"] = description
    return file_asset(
        path, root=root, title=title, media_type=MediaType.VND_APACHE_PARQUET, roles=("data",), fields=fields
    )


def file_asset(
    path: str | Path,
    *,
    root: str | Path,
    title: str,
    media_type: str,
    roles: tuple[str, ...] = ("metadata",),
    fields: Mapping[str, Any] | None = None,
) -> pystac.Asset:
    """Describe any file: its size and checksum, and the further fields given.

    Raises
    ------
    UnreadableLayer
        Where it is missing.
    LayerError
        Where it does not lie below `root`.
    """
    path = Path(path)
    checksum = {"file:checksum": checksum_file(path), "file:size": path.stat().st_size}
    return pystac.Asset(
        _relative_href(path, Path(root)),
        title=title or None,
        media_type=media_type,
        roles=list(roles),
        extra_fields={**(fields or {}), **checksum},
    )


def link_source(item: pystac.Item, collection: str, source_id: str) -> None:
    """Say that an item was derived from another item of the commons."""
    href = item_href(collection, source_id)
    item.add_link(pystac.Link(DERIVED_FROM, href, media_type=MediaType.GEOJSON, title=source_id))


def checksum_file(path: str | Path) -> str:
    """Return the SHA-256 of a file as a multihash in hexadecimal. Raises UnreadableLayer."""
    try:
        with Path(path).open("rb") as file:
            return _SHA256 + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableLayer(f"{Path(path).name} cannot be read: {error.strerror}.") from error


def make_item(
    item_id: str,
    collection: str,
    footprint: tuple[dict[str, Any], Bbox],
    properties: dict[str, Any],
    assets: Mapping[str, pystac.Asset],
) -> pystac.Item:
    """Put an item together, with the extensions that its fields are of.

    Parameters
    ----------
    item_id, collection : str
    footprint : tuple
        A GeoJSON geometry in WGS84, and its bounding box.
    properties : dict
        With its times; they are taken out of it.
    assets : mapping of str to pystac.Asset
    """
    geometry, bbox = footprint
    moments = {name: properties.pop(name, None) for name in ("datetime", "start_datetime", "end_datetime")}
    at, start, end = (datetime.fromisoformat(text) if text else None for text in moments.values())
    item = pystac.Item(
        item_id, geometry, list(bbox), at, properties, start_datetime=start, end_datetime=end, collection=collection
    )
    for key, asset in assets.items():
        item.add_asset(key, asset)
    # STAC wants an item that names its collection to link to it, too.
    item.add_link(pystac.Link("collection", f"stac/collections/{collection}", MediaType.JSON))
    item.stac_extensions = find_extensions(item.to_dict(include_self_link=False))
    return item


def span_year(year: int | None) -> dict[str, str]:
    """Return the times of an item: those of a year, or now."""
    if year is None:
        return {"datetime": datetime.now(UTC).isoformat(timespec="seconds")}
    start = f"{year:04d}-01-01T00:00:00Z"
    return {"datetime": start, "start_datetime": start, "end_datetime": f"{year:04d}-12-31T23:59:59Z"}


def _refuse_unknown_values(facts: RasterFacts, legend: Legend, name: str) -> None:
    if facts.data_type != "uint8":
        raise LayerError(f"{name} has cells of type {facts.data_type}: write a map of classes as uint8.")
    unknown = sorted(set(facts.values) - set(legend.values) - {legend.nodata})
    if unknown:
        raise LayerError(
            f"{name} holds the values {', '.join(map(str, unknown))}, which the legend does not know; it knows "
            f"{', '.join(map(str, legend.values))}. Add them to the legend, or reclassify the map."
        )


def _add_area(entry: dict[str, Any], facts: RasterFacts, areas_ha: Mapping[int, float] | None) -> dict[str, Any]:
    """Return a class with its cells, its share of those with data, and its hectares."""
    if areas_ha is None or entry.get("nodata"):
        return entry
    cells = facts.values.get(entry["value"], 0)
    share = 100 * cells / sum(facts.values.values())
    return entry | {"count": cells, "percentage": share, "landscape:area_ha": areas_ha.get(entry["value"], 0.0)}


def _render(facts: RasterFacts, legend: Legend | None, asset_key: str) -> dict[str, Any]:
    """Say how to draw a layer, as the render extension has it."""
    if legend is not None:
        colours = {str(value): list(colour) for value, colour in legend.colormap().items()}
        return {"title": "Classes", "assets": [asset_key], "colormap": colours, "resampling": "nearest"}
    low, high = float(facts.statistics["minimum"]), float(facts.statistics["maximum"])
    return {"title": "Values", "assets": [asset_key], "rescale": [[low, high]], "resampling": "bilinear"}


def _tile_links(collection: str, item_id: str, year: int | None) -> list[pystac.Link]:
    place = f"collections/{collection}/items/{item_id}"
    if collection == _RUN_MAPS:
        place = f"runs/{item_id.removesuffix(f'-{year}')}/{year}"
    tilejson = pystac.Link(
        "tilejson", f"{place}/{_TILE_MATRIX_SET}/tilejson.json", MediaType.JSON, "TileJSON", {"render": "default"}
    )
    xyz = pystac.Link(
        "xyz", f"{place}/tiles/{_TILE_MATRIX_SET}/{{z}}/{{x}}/{{y}}", MediaType.PNG, "Tiles", {"render": "default"}
    )
    return [tilejson, xyz]


def _relative_href(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise LayerError(f"{path} does not lie below the folder of the commons, {root}: put it there first.") from None
