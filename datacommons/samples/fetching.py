"""From a sample to a folder of files that a commons is made of: GeoTIFFs, a legend and a scenario."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.io import MemoryFile

from catalog.collections import LAND_COVER
from datacommons.archives.links import Patience
from datacommons.errors import DataCommonsError, FolderNotEmpty, InvalidRaster, NotWritten
from datacommons.samples import LEGEND_FILE, SCENARIO_FILE, Sample, SampleRaster
from datacommons.samples.download import PATIENCE, download
from datacommons.samples.rda import RasterLayer, read_rasters

ABOUT_FILE = "README.md"
_NO_CLASS = 0
_NO_MEASUREMENT = -9999.0


def fetch_sample(sample: Sample, folder: Path, *, cache: Path | None = None, patience: Patience = PATIENCE) -> None:
    """Fetch a sample, and write what a commons is made of into a folder: all of it, or nothing.

    Land cover becomes uint8 with nodata 0, drivers float32 with nodata -9999.

    Parameters
    ----------
    sample : Sample
    folder : Path
        New or empty.
    cache, patience
        See :func:`datacommons.samples.download.download`.

    Raises
    ------
    FolderNotEmpty
        Before anything is asked for.
    RemoteFailed, NotInstalled
        If the file cannot be fetched.
    InvalidRaster
        If it does not hold what the sample says.
    NotWritten
        If there is no room, or nobody may write there.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(
            f"{folder} exists and is {'not empty' if folder.is_dir() else 'a file'}: name a new or an empty folder "
            "with --folder."
        )
    file = download(sample, cache, patience)
    layers = read_rasters(file, sample.object)
    missing = [name for name in sample.rasters if name not in layers]
    if missing:
        raise InvalidRaster(f"{file} lacks {', '.join(missing)}; it has: {', '.join(layers)}.")
    try:
        _write_aside(sample, layers, folder)
    except OSError as error:
        if isinstance(error, DataCommonsError):
            raise
        raise NotWritten(f"{folder} cannot be written: {error}. Make room, or choose another --folder.") from error


def _write_aside(sample: Sample, layers: dict[str, RasterLayer], folder: Path) -> None:
    """Write the files where nobody looks, and put them in place at once."""
    there = folder.exists()
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder if there else folder.parent))
    try:
        files = aside / folder.name
        files.mkdir()
        for name, raster in sample.rasters.items():
            _write_raster(files / raster.file, raster, layers[name], sample.crs)
        (files / LEGEND_FILE).write_text(json.dumps(sample.legend, indent=1) + "\n", "utf-8")
        (files / SCENARIO_FILE).write_text(sample.scenario.lstrip(), "utf-8")
        (files / ABOUT_FILE).write_text(describe(sample), "utf-8")
        if there:
            _move_into(files, folder)
        else:
            files.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move_into(files: Path, folder: Path) -> None:
    # Put in the place of it, they would leave who stands in the folder in one that is gone.
    for path in files.iterdir():
        path.rename(folder / path.name)


def _write_raster(path: Path, raster: SampleRaster, layer: RasterLayer, crs: str) -> None:
    classified = raster.kind == LAND_COVER
    nodata = _NO_CLASS if classified else _NO_MEASUREMENT
    cells = np.where(np.isnan(layer.cells), nodata, layer.cells).astype(np.uint8 if classified else np.float32)
    profile: dict[str, Any] = {
        "height": cells.shape[0],
        "width": cells.shape[1],
        "dtype": cells.dtype,
        "nodata": nodata,
        "crs": crs,
        "transform": layer.transform,
    }
    # In memory: of a disk that is full GDAL may say nothing, and leave a map with holes.
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", count=1, compress="DEFLATE", tiled=True, **profile) as dataset:
            dataset.write(cells, 1)
            dataset.set_band_description(1, raster.title)
            if raster.unit:
                dataset.set_band_unit(1, raster.unit)
        path.write_bytes(memory.read())


def describe(sample: Sample) -> str:
    """Return what goes with the files: where they come from, on what terms, and what to cite."""
    return f"""# {sample.title}

Origin: {sample.origin}.
Licence: {sample.licence}, {sample.terms}.
Cite: {sample.citation}

Made from {sample.address} ({sample.checksum}).
"""
