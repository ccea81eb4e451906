"""The demonstration landscape as files that anyone could have brought: GeoTIFF, GeoJSON, JSON and YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import rasterio

from datacommons.demo.landscape import DemoLandscape
from scenarios.cluster import Workers

if TYPE_CHECKING:
    import geopandas as gpd

_NODATA: Final = -9999.0
_UNITS: Final = {"slope": "degree"}
_LAYOUT: Final = {"driver": "GTiff", "count": 1, "compress": "deflate", "tiled": True}


@dataclass(frozen=True)
class DemoFiles:
    """Where the files of the demonstration landscape are.

    Parameters
    ----------
    land_cover : dict of int to Path
        GeoTIFF with colour table, by year.
    drivers : dict of str to Path
        GeoTIFF float32, by name.
    legend : Path
    boundary : Path
        GeoJSON.
    vectors : dict of str to Path
        GeoJSON, by name.
    zones, scenarios : dict of str to Path
        GeoJSON and YAML, by name. The zones lie beside the scenarios that name them.
    """

    land_cover: dict[int, Path]
    drivers: dict[str, Path]
    legend: Path
    boundary: Path
    vectors: dict[str, Path]
    zones: dict[str, Path]
    scenarios: dict[str, Path]


def write(landscape: DemoLandscape, folder: str | Path) -> DemoFiles:
    """Write a landscape into a folder, which is made where it is missing.

    Parameters
    ----------
    landscape : DemoLandscape
    folder : path

    Returns
    -------
    DemoFiles

    Raises
    ------
    OSError
        Where the folder cannot be written.
    """
    folder = Path(folder)
    zones = folder / "scenarios" / "zones"
    zones.mkdir(parents=True, exist_ok=True)
    legend = folder / "legend.json"
    legend.write_text(json.dumps(landscape.legend, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    workers = Workers()
    covers = workers.map(partial(_write_cover, folder, landscape), range(len(landscape.years)))
    drivers = workers.map(partial(_write_driver, folder, landscape), landscape.drivers)
    return DemoFiles(
        land_cover=dict(zip(landscape.years, covers, strict=True)),
        drivers=dict(zip(landscape.drivers, drivers, strict=True)),
        legend=legend,
        boundary=_write_features(folder / "boundary.geojson", landscape.boundary),
        vectors={name: _write_features(folder / f"{name}.geojson", each) for name, each in landscape.vectors.items()},
        zones={name: _write_features(zones / f"{name}.geojson", zone) for name, zone in landscape.zones.items()},
        scenarios=_copy_scenarios(zones.parent),
    )


def _write_cover(folder: Path, landscape: DemoLandscape, date: int) -> Path:
    year, cover = landscape.years[date], landscape.land_cover[date]
    path = folder / f"landcover_{year}.tif"
    colours = {entry["value"]: _rgba(entry["colour"]) for entry in landscape.legend["classes"]}
    nodata = landscape.legend["nodata"]
    with rasterio.open(path, "w", dtype="uint8", nodata=nodata, **_profile(landscape)) as raster:
        raster.write_colormap(1, {nodata: (0, 0, 0, 0), **colours})
        raster.update_tags(**_tags(landscape), TIFFTAG_DATETIME=f"{year}:01:01 00:00:00")
        raster.set_band_description(1, f"land cover {year} (synthetic)")
        raster.write(cover, 1)
    return path


def _write_driver(folder: Path, landscape: DemoLandscape, name: str) -> Path:
    path = folder / f"{name}.tif"
    values = landscape.drivers[name]
    with rasterio.open(path, "w", dtype="float32", nodata=_NODATA, predictor=3, **_profile(landscape)) as raster:
        raster.update_tags(**_tags(landscape))
        raster.set_band_description(1, f"{name.replace('_', ' ')} (synthetic)")
        raster.set_band_unit(1, _UNITS.get(name, "m"))
        raster.write(np.where(np.isnan(values), np.float32(_NODATA), values), 1)
    return path


def _write_features(path: Path, features: gpd.GeoDataFrame) -> Path:
    features.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=6)
    return path


def _copy_scenarios(folder: Path) -> dict[str, Path]:
    copies = {}
    for source in sorted((resources.files("datacommons.demo") / "scenarios").iterdir(), key=lambda file: file.name):
        if source.name.endswith(".yaml"):
            copy = folder / source.name
            copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
            copies[copy.stem] = copy
    return copies


def _profile(landscape: DemoLandscape) -> dict[str, Any]:
    rows, columns = landscape.shape
    grid = {"height": rows, "width": columns, "crs": landscape.crs, "transform": landscape.transform}
    return _LAYOUT | grid


def _tags(landscape: DemoLandscape) -> dict[str, str]:
    return {"SYNTHETIC": "YES", "LANDSCAPE": landscape.title, "TIFFTAG_IMAGEDESCRIPTION": landscape.description}


def _rgba(colour: str) -> tuple[int, int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue, 255
