"""What lies over a map: lines of rivers and roads, and places, from vector layers, as fine as a zoom can show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from tiles.errors import LayerUnreadable, TooMuch
from tiles.reading.map_kinds import PLACES, RANK_COLUMNS, rank_classes
from tiles.reading.names import NAME_COLUMNS, find_column, read_names

if TYPE_CHECKING:
    import geopandas

FINEST_ZOOM: Final = 16
MOST_VERTICES: Final = 20_000
"""Of lines in one answer; what has more is drawn as for a coarser zoom."""
MOST_PLACES: Final = 2_000
"""In one answer: the first by rank and by people."""
MOST_ROWS: Final = 300_000
"""Of a layer that is shown at all."""

_PEOPLE_COLUMNS: Final = ("population", "people", "pop", "inhabitants")
_LINES: Final = ("LineString", "MultiLineString")
_SPOTS: Final = ("Point", "MultiPoint", "Polygon", "MultiPolygon")
_MERCATOR: Final = "EPSG:3857"
_WGS84: Final = "EPSG:4326"
_AROUND_M: Final = 40_075_016.68
_TILE: Final = 256
_OFF_PX: Final = 0.5
_SHORTEST_PX: Final = 3.0  # of a line without a name
_DIGITS: Final = 5  # of a degree: about a metre


@dataclass(frozen=True)
class MapFeatures:
    """The features of a layer that are shown, those that matter most first.

    Attributes
    ----------
    shapes : (n,) object
        Lines, those of one name and rank in one; or points. In Web Mercator, metres.
    names : (n,) object
        "" where there is none.
    ranks : (n,) int64
        1 matters most, 3 least.
    """

    shapes: NDArray[Any]
    names: NDArray[Any]
    ranks: NDArray[np.int64]


@lru_cache(maxsize=16)
def read_map_features(source: str, version: str, kind: str) -> MapFeatures:  # noqa: ARG001 (a file made later is another)
    """Read what is shown of a GeoParquet file: lines as rivers and roads; as places points, and a point of polygons.

    Raises
    ------
    LayerUnreadable
        If it is missing or damaged.
    TooMuch
        If it has more features than are read for a picture.
    """
    frame = _read_frame(source)
    frame = frame[frame.geom_type.isin(_SPOTS if kind == PLACES else _LINES)].to_crs(_MERCATOR)
    frame = frame[np.isfinite(frame.bounds.to_numpy(float)).all(axis=1)]
    classes = find_column(frame.columns, RANK_COLUMNS)
    told = {"name": read_names(frame), "rank": rank_classes(frame[classes] if classes else [None] * len(frame))}
    table = pd.DataFrame({**told, "shape": frame.geometry.to_numpy()})
    table = _place(table, frame) if kind == PLACES else _join(table)
    table = table.sort_values(["rank", "size", "name"], ascending=[True, False, True], kind="stable")
    return MapFeatures(*(table[column].to_numpy() for column in ("shape", "name", "rank")))


def _read_frame(source: str) -> geopandas.GeoDataFrame:
    """Read geometry and the columns of name, class and people; no others."""
    import geopandas
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(source)
        primary = str(json.loads((metadata.metadata or {})[b"geo"])["primary_column"])
        rows, columns = metadata.num_rows, [field.name for field in metadata.schema.to_arrow_schema()]
        if rows <= MOST_ROWS:
            found = [find_column(columns, wanted) for wanted in (NAME_COLUMNS, RANK_COLUMNS, _PEOPLE_COLUMNS)]
            wanted = dict.fromkeys([*(name for name in found if name), primary])
            return geopandas.read_parquet(source, columns=list(wanted))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise LayerUnreadable("The vector layer is missing or damaged. Tell whoever runs this server.") from error
    raise TooMuch(f"The layer has {rows:,} features, and {MOST_ROWS:,} are the most that lie over a map.")


def _place(table: pd.DataFrame, frame: geopandas.GeoDataFrame) -> pd.DataFrame:
    """Set a point for each place that has a name; more people matter more."""
    column = find_column(frame.columns, _PEOPLE_COLUMNS)
    people = pd.to_numeric(frame[column], errors="coerce").to_numpy(float) if column else np.zeros(len(frame))
    spots = shapely.point_on_surface(table["shape"].to_numpy())
    return table.assign(shape=spots, size=np.nan_to_num(people))[table["name"] != ""]


def _join(table: pd.DataFrame) -> pd.DataFrame:
    """Join the pieces of lines: all of one name and rank, and others where they meet; longer ones matter more."""
    rows = []
    for (name, rank), pieces in table.groupby(["name", "rank"], sort=True)["shape"]:
        lines = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(pieces.to_numpy())))
        rows += [(name, rank, line) for line in ([lines] if name else shapely.get_parts(lines))]
    joined = pd.DataFrame(rows, columns=["name", "rank", "shape"])
    return joined.assign(size=shapely.length(joined["shape"].to_numpy()))


def simplify(features: MapFeatures, kind: str, zoom: int) -> dict[str, Any]:
    """Return features as GeoJSON in longitude and latitude, no finer than a zoom shows, and no larger than is bearable.

    Parameters
    ----------
    features : MapFeatures
    kind : str
        What they are shown as.
    zoom : int
        Of map tiles of 256 pixels.

    Returns
    -------
    dict
        A FeatureCollection; `zoom` is the one that it is as fine as, and `simplified` says whether a larger one
        would show more.
    """
    if kind == PLACES:
        kept, finest = np.arange(min(len(features.shapes), MOST_PLACES)), FINEST_ZOOM
        shapes = features.shapes[kept]
    else:
        kept, shapes, finest = _thin(features, zoom)
    whole = int(shapely.get_num_coordinates(features.shapes).sum())
    places = _to_degrees(shapes)
    return {
        "type": "FeatureCollection",
        "zoom": min(zoom, finest),
        "simplified": kind != PLACES and int(shapely.get_num_coordinates(shapes).sum()) < whole,
        "features": [
            {"type": "Feature", "properties": {"name": name, "rank": int(rank)}, "geometry": json.loads(place)}
            for name, rank, place in zip(features.names[kept], features.ranks[kept], places, strict=True)
        ],
    }


def _thin(features: MapFeatures, zoom: int) -> tuple[NDArray[np.int64], NDArray[Any], int]:
    """Return which lines are left, their shapes, and the zoom that they are as fine as.

    Where there are too many they are drawn coarser; unless hardly any would be left: then those that matter least go.
    """
    kept, shapes = _thin_to(features, zoom)
    while shapely.get_num_coordinates(shapes).sum() > MOST_VERTICES and zoom > 0:
        coarser = _thin_to(features, zoom - 1)
        if shapely.get_num_coordinates(coarser[1]).sum() < MOST_VERTICES / 4:
            break
        (kept, shapes), zoom = coarser, zoom - 1
    room = shapely.get_num_coordinates(shapes).cumsum() <= MOST_VERTICES
    return kept[room], shapes[room], zoom


def _thin_to(features: MapFeatures, zoom: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    pixel_m = _AROUND_M / _TILE / 2**zoom
    lengths = shapely.length(features.shapes)
    kept = np.flatnonzero((lengths > _SHORTEST_PX * pixel_m) | ((features.names != "") & (lengths > pixel_m)))
    shapes = shapely.simplify(features.shapes[kept], _OFF_PX * pixel_m, preserve_topology=False)
    drawn = ~shapely.is_empty(shapes)
    return kept[drawn], shapes[drawn]


def _to_degrees(shapes: NDArray[Any]) -> list[str]:
    import geopandas

    degrees = geopandas.GeoSeries(list(shapes), crs=_MERCATOR).to_crs(_WGS84).to_numpy()
    rounded = shapely.transform(degrees, lambda points: np.round(points, _DIGITS))
    return [str(text) for text in shapely.to_geojson(rounded)]
