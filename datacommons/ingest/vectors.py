"""The user's vector files: opened by what they are, one layer of them, read and checked."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datacommons.errors import InvalidVector
from datacommons.ingest.features import check_features, crs_name_of
from datacommons.ingest.points import read_points
from datacommons.ingest.unpacking import LARGEST_BYTES, unpack

if TYPE_CHECKING:
    import geopandas

_FORMATS = "GeoPackage, Shapefile (also zipped), GeoJSON, KML, KMZ, FlatGeobuf, GeoParquet, or CSV with coordinates"
_ARCHIVE, _TABLE, _PARQUET, _SHAPEFILE = "ZIP", "CSV", "Parquet", "ESRI Shapefile"
_MAGIC = {
    b"SQLite format 3\0": "GPKG",
    b"fgb\x03": "FlatGeobuf",
    b"\x00\x00\x27\x0a": _SHAPEFILE,
    b"PK\x03\x04": _ARCHIVE,
    b"PK\x05\x06": _ARCHIVE,
    b"PAR1": _PARQUET,
}
_KML = re.compile(rb"(<\?xml[^>]*\?>)?\s*(<!DOCTYPE\s+kml|<(\w+:)?kml[\s>]|<!--)")
_DRIVERS: dict[str, tuple[str, ...]] = {"GPKG": ("GPKG",), "FlatGeobuf": ("FlatGeobuf",), _SHAPEFILE: (_SHAPEFILE,)}
_DRIVERS |= {"GeoJSON": ("GeoJSON", "GeoJSONSeq", "TopoJSON"), "KML": ("LIBKML", "KML")}
_TABLES = (".csv", ".tsv", ".txt", ".tab")
_INDOORS = (".gpkg", ".fgb", ".shp", ".geojson", ".json", ".kml", ".parquet", ".csv")
# What KML says of drawing, and not of the land.
_DRAWING = ("id", "altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon", "snippet")


@dataclass(frozen=True)
class VectorSource:
    """One layer of a vector file on the user's disk, read and checked.

    Attributes
    ----------
    path : Path
        What the user named.
    frame : GeoDataFrame
        All features valid, with a CRS; the geometry is the last column.
    notes : tuple of str
        What was unusual, and how it was helped.
    """

    path: Path
    frame: geopandas.GeoDataFrame
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file, for messages."""
        return self.path.name


def open_vector(
    path: Path, *, layer: str | None = None, crs: str | None = None, columns: tuple[str, str] | None = None
) -> VectorSource:
    """Read a layer of a vector file, and check its features.

    Parameters
    ----------
    path : Path
        A file that is there.
    layer : str, optional
        Which layer, if there are several; in an archive also the name of the file.
    crs : str, optional
        The CRS of a file that names none.
    columns : tuple of str, optional
        The columns of x and y in a CSV.

    Raises
    ------
    InvalidVector
        If it is of no known format, damaged, too large, or without a layer, features, CRS or valid geometry.
    """
    kind = _recognise(path)
    if kind != _ARCHIVE:
        return _read(path, path, kind, layer, crs, columns)
    with tempfile.TemporaryDirectory(prefix="datacommons-") as folder:
        inner = _choose_file(path, unpack(path, Path(folder)), layer)
        return _read(path, inner, _recognise(inner), None if inner.stem == layer else layer, crs, columns)


def _read(
    path: Path, inner: Path, kind: str, layer: str | None, crs: str | None, columns: tuple[str, str] | None
) -> VectorSource:
    """Read a file, which may lie in the archive that the user named, and put the notes together."""
    _refuse_too_large(inner)
    if kind == _TABLE:
        frame, notes = read_points(inner, crs=_check_crs(crs), columns=columns)
    elif kind == _PARQUET:
        frame, notes = _read_parquet(inner), ()
    else:
        frame, notes = _read_layer(inner, kind, layer)
    frame = _name_crs(_tidy(frame, kind), path, crs)
    frame, unusual = check_features(frame, path.name)
    return VectorSource(path, frame, (*notes, *unusual))


def _recognise(path: Path) -> str:
    """Tell a format by how the file begins; by its name only where text tells nothing."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise InvalidVector(f"{path.name} is empty. Copy or export it again.")
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return "GeoJSON"
    if _KML.match(text):
        return "KML"
    if path.suffix.lower() in _TABLES:
        return _TABLE
    raise InvalidVector(_unknown_format(path))


def _unknown_format(path: Path) -> str:
    if path.suffix.lower() in (".shx", ".dbf", ".prj", ".cpg"):
        return f"{path.name} is a part of a shapefile: name the part that ends in .shp; the others lie beside it."
    return (
        f"{path.name} is of another format. What can be read is {_FORMATS}: convert it, as with "
        f"`ogr2ogr layer.gpkg {path.name}`. Rasters go to --collection drivers or land-cover."
    )


def _choose_file(path: Path, files: Sequence[Path], layer: str | None) -> Path:
    known = [file for file in files if file.suffix.lower() in _INDOORS]
    chosen = [file for file in known if layer in (None, file.stem, file.name)]
    if len(known) == 1:
        return known[0]
    if not known:
        found = ", ".join(file.name for file in files[:10]) or "nothing"
        raise InvalidVector(
            f"{path.name} holds no geodata that can be read, but {found}. What can be read is {_FORMATS}."
        )
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(file.name for file in known)
    raise InvalidVector(f"{path.name} holds several layers: {names}. Say which one, as in --layer {known[0].stem}.")


def _refuse_too_large(path: Path) -> None:
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise InvalidVector(
            f"{path.name} has {size / 2**30:.1f} GiB; a vector file is read whole, and at most "
            f"{LARGEST_BYTES / 2**30:.0f} GiB. Cut out the landscape: `ogr2ogr -clipsrc W S E N part.gpkg {path.name}`."
        )


def _read_layer(path: Path, kind: str, layer: str | None) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
    """Read a layer with GDAL. What GDAL finds unusual becomes notes."""
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
    from shapely.errors import GEOSException

    missing = _find_missing_parts(path) if kind == _SHAPEFILE else ()
    broken = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError, GEOSException)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            name = _choose_layer(path, kind, [(str(n), t) for n, t in pyogrio.list_layers(path)], layer)
            driver = str(pyogrio.read_info(path, layer=name)["driver"])
            if driver not in _DRIVERS[kind]:
                raise InvalidVector(_unknown_format(path))
            frame = pyogrio.read_dataframe(path, layer=name)
        except broken as error:
            raise InvalidVector(
                f"{path.name} cannot be read as {kind}: {_first_line(error)}. It was perhaps cut short or written by "
                "half: "
                "copy or export it again."
            ) from error
        except UnicodeDecodeError as error:
            raise InvalidVector(
                f"{path.name} has names or attributes that are not in the encoding it says (byte "
                f"{error.object[error.start]:#x}). Correct the encoding, for a shapefile in its .cpg file, as "
                "ISO-8859-1; "
                "or export it as GeoPackage."
            ) from error
    said = dict.fromkeys(f"GDAL says of {path.name}: {_first_line(each.message)}" for each in caught)
    return frame, (*missing, *(note for note in said if "NaN" not in note and "invalid value" not in note))


def _choose_layer(path: Path, kind: str, layers: Sequence[tuple[str, Any]], layer: str | None) -> str:
    names = [name for name, geometry in layers if geometry is not None]
    if not names:
        tables = f", but the tables {', '.join(name for name, _ in layers)}" if layers else ""
        raise InvalidVector(f"{path.name} is a {kind} with no layer that has a geometry{tables}. Export it again.")
    if layer is None and len(names) == 1:
        return names[0]
    if layer is None:
        raise InvalidVector(
            f"{path.name} holds several layers: {', '.join(names)}. Say which one, as in --layer {names[0]}."
        )
    if layer not in names:
        raise InvalidVector(f"{path.name} has no layer {layer!r}; it has: {', '.join(names)}.")
    return layer


def _find_missing_parts(path: Path) -> tuple[str, ...]:
    """Refuse a shapefile without its index; note one without attributes."""
    beside = {each.suffix.lower() for each in path.parent.iterdir() if each.stem == path.stem}
    if ".shx" not in beside:
        raise InvalidVector(
            f"{path.name} lacks its index, {path.stem}.shx: a shapefile is several files of one name. Copy all of them "
            f"together, or make the index anew with `ogr2ogr --config SHAPE_RESTORE_SHX YES mended.gpkg {path.name}`."
        )
    with path.open("rb") as file:
        said = 2 * int.from_bytes(file.read(28)[24:], "big")
    if path.stat().st_size < said:
        raise InvalidVector(
            f"{path.name} cannot be read as {_SHAPEFILE}: it says that it has {said:,} bytes, and has "
            f"{path.stat().st_size:,}. It was perhaps cut short: copy or export it again."
        )
    return () if ".dbf" in beside else (f"{path.name} has no attributes: {path.stem}.dbf is not beside it",)


def _read_parquet(path: Path) -> geopandas.GeoDataFrame:
    import geopandas
    import pyarrow as pa

    try:
        return geopandas.read_parquet(path)
    except (ValueError, OSError, pa.ArrowException) as error:
        raise InvalidVector(f"{path.name} cannot be read as GeoParquet: {_first_line(error)}.") from error


def _tidy(frame: geopandas.GeoDataFrame, kind: str) -> geopandas.GeoDataFrame:
    """Call the geometry by its name, put it last, and take out what only says how to draw."""
    if frame.geometry.name != "geometry":
        frame = frame.rename(columns={"geometry": "geometry_"}).rename_geometry("geometry")
    if kind == "KML":
        frame = frame.drop(columns=[name for name in _DRAWING if name in frame]).rename(
            columns={"Name": "name"} if "name" not in frame else {}
        )
        frame = frame.drop(columns=[name for name in frame if name != "geometry" and frame[name].isna().all()])
    if "bbox" in frame:
        frame = frame.rename(columns={"bbox": "bbox_"})
    return frame[[*(name for name in frame if name != "geometry"), "geometry"]]


def _name_crs(frame: geopandas.GeoDataFrame, path: Path, crs: str | None) -> geopandas.GeoDataFrame:
    given = _check_crs(crs)
    if frame.crs is None and given is None:
        raise InvalidVector(
            f"{path.name} has no coordinate reference system (CRS): for a shapefile it stands in the .prj file beside "
            "it. "
            "If you know it, say it, as in --crs EPSG:32618."
        )
    if frame.crs is None:
        return frame.set_crs(given)
    if given is not None and frame.crs != given:
        raise InvalidVector(
            f"{path.name} says its CRS is {crs_name_of(frame)}, and --crs says {crs}. Leave out --crs, which is for "
            "files "
            f"that name none; if the file is wrong, correct it with `ogr2ogr -a_srs {crs} mended.gpkg {path.name}`."
        )
    return frame


def _check_crs(crs: str | None) -> str | None:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(crs).to_wkt() if crs is not None else None
    except CRSError as error:
        raise InvalidVector(f"--crs {crs} is not a known CRS: write a code, as in EPSG:32618.") from error


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
