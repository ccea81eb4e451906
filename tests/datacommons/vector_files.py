"""Vector files as a user has them, about the valley of the fixtures."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import shapely

from tests.datacommons.conftest import UTM_18N

# In the valley of 60 x 40 cells of 30 m, by metres from its north-western corner.
WEST, NORTH = 500_000, 4_000_000
NAMES = ["Müllerhof", "Old Town"]
PEOPLE = [12, 3400]
DRIVERS = {
    "places.gpkg": "GPKG",
    "places.shp": "ESRI Shapefile",
    "places.geojson": "GeoJSON",
    "places.kml": "LIBKML",
    "places.fgb": "FlatGeobuf",
}


def square(east: float, south: float, side: float = 300) -> shapely.Polygon:
    """Return a square, by metres to the east and south of the corner of the valley."""
    return shapely.box(WEST + east, NORTH - south - side, WEST + east + side, NORTH - south)


def villages(*shapes: Any, crs: str | None = UTM_18N, **columns: Any) -> geopandas.GeoDataFrame:
    """Return two villages as polygons, or other shapes."""
    if not shapes:
        shapes, columns = (square(90, 90), square(900, 600)), {"name": NAMES, "people": PEOPLE}
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def write(frame: geopandas.GeoDataFrame, path: Path, driver: str | None = None, **options: Any) -> Path:
    """Write features by GDAL, in the format of the name."""
    path.parent.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        # That a file has no CRS, and what a format cannot hold, is what a test is about.
        warnings.simplefilter("ignore")
        frame.to_file(path, driver=driver or DRIVERS[f"places{path.suffix}"], engine="pyogrio", **options)
    return path


def pack(target: Path, *files: Path, prefix: str = "") -> Path:
    """Pack files into an archive, with all parts of a shapefile."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            parts = sorted(file.parent.glob(f"{file.stem}.*")) if file.suffix == ".shp" else [file]
            for part in parts:
                archive.write(part, prefix + part.name)
    return target
