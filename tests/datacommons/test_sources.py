"""Ready-made sources: whole as data, and those that are no STAC items, a file and a Zarr."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine

import datacommons as dc
from catalog.store import ANONYMOUS
from datacommons.commons import Commons
from datacommons.errors import InvalidIngest
from tests.catalog.stac_validation import find_faults
from tests.datacommons.archives import Archive
from tests.datacommons.conftest import GRID, UTM_18N
from tests.inventory import unchanged


def test_a_file_without_a_catalog(commons: Commons, tmp_path: Path) -> None:
    """As SoilGrids: a VRT of tiles that lie beside it."""
    archive = Archive(tmp_path / "soil", "none")
    (archive.folder / "soc").mkdir(parents=True)
    cells = np.full((80, 120), 35, np.int16)
    archive.add("soc/tile", cells, Affine(250, 0, GRID.c - 9000, 0, -250, GRID.f + 9000), UTM_18N, nodata=-32768)
    (archive.folder / "soc" / "soc_0-5cm_mean.vrt").write_text(
        f"""<VRTDataset rasterXSize="120" rasterYSize="80"><SRS>{UTM_18N}</SRS>
        <GeoTransform>{GRID.c - 9000}, 250, 0, {GRID.f + 9000}, 0, -250</GeoTransform>
        <VRTRasterBand dataType="Int16" band="1"><NoDataValue>-32768</NoDataValue><SimpleSource>
        <SourceFilename relativeToVRT="1">tile.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>
        </VRTRasterBand></VRTDataset>"""
    )
    with archive.open() as there:
        api = there.pop("api").replace("/stac", "/data")
        [report] = commons.pull("soilgrids", landscape="valley", asset="soc_0-5cm", api=api, **there).taken
    assert report.layer == "soil-soc_0-5cm"
    np.testing.assert_array_equal(commons.layer("valley", "soil-soc_0-5cm"), np.full((40, 60), 35))
    item = commons.store.item("drivers", "valley-soil-soc_0-5cm", ANONYMOUS)
    assert (item["properties"]["license"], item["properties"]["landscape:product"]) == ("CC-BY-4.0", "SoilGrids 2.0")


@pytest.fixture
def climate(tmp_path: Path) -> Archive:
    """Return an archive of a Zarr as that of TerraClimate: months of three years, rain that grows by year and month."""
    archive = Archive(tmp_path / "climate", "terraclimate", signed=True)
    archive.folder.mkdir()
    lat, lon = 40.02 - np.arange(200) / 24, -79.98 + np.arange(240) / 24
    months = np.arange("2000-01", "2003-01", dtype="datetime64[M]").astype("datetime64[ns]")
    east = np.broadcast_to(np.arange(240.0), (36, 200, 240)) + np.arange(36)[:, None, None]
    rain = xr.DataArray(east, dims=("time", "lat", "lon"), coords={"time": months, "lat": lat, "lon": lon}, name="ppt")
    rain.attrs["units"] = "mm"
    packed = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": np.int16(-999), "chunks": (12, 50, 60)}
    rain.to_dataset().to_zarr(archive.folder / "raw.zarr", zarr_format=2, consolidated=True, encoding={"ppt": packed})
    archive.described = {"assets": {"zarr-https": {"href": "BASE/data/raw.zarr"}}}
    return archive


def test_the_mean_of_a_zarr_over_years(commons: Commons, climate: Archive) -> None:
    climate.fail(r"ppt/1\.", "503", 2)
    climate.fail(r"ppt/2\.", "cut", 1)
    with climate.open() as there:
        [report] = commons.pull("terraclimate", landscape="valley", asset="ppt", years=(2001, 2002), **there).taken
    assert report.layer == "climate-ppt"
    with rasterio.open(commons.locate(report.href)) as cog:
        cells, centre = cog.read(1), cog.transform @ (0.5, 0.5)
        assert cog.units == ("mm",)
    # The column, counted from the west, and the mean of the months 12 to 35.
    first = round((centre[0] + 79.98) * 24)
    np.testing.assert_allclose(cells[0], first + np.arange(cells.shape[1]) + 23.5, atol=1e-4)
    assert max(cells.shape) < 10
    assert not np.isnan(commons.layer("valley", "climate-ppt")).any()
    chunks = [each for each in climate.requests if "/ppt/" in each["path"] and each["bytes"]]
    assert 0 < len({each["path"] for each in chunks}) < 10  # of 48
    item = commons.store.item("drivers", "valley-climate-ppt", ANONYMOUS)
    assert find_faults(item) == []
    assert item["properties"]["license"] == "CC0-1.0"


def test_what_a_zarr_does_not_have(commons: Commons, climate: Archive) -> None:
    climate.signed = False
    with climate.open() as there, unchanged(commons.root):
        with pytest.raises(InvalidIngest, match=r"raw.zarr has no variable 'rain'; it has: ppt"):
            commons.pull("terraclimate", landscape="valley", asset="rain", years=(2001,), **there)
        with pytest.raises(InvalidIngest, match=r"gives the mean of years: say of which"):
            commons.pull("terraclimate", landscape="valley", asset="ppt", **there)
        with pytest.raises(InvalidIngest, match=r"has many variables: say which, as in --asset NAME"):
            commons.pull("terraclimate", landscape="valley", years=(2001,), **there)


def test_worldcover_of_two_versions_is_two_products() -> None:
    from datacommons.sources import find_source

    source = find_source("esa-worldcover")
    assert [source.product_of(year) for year in (2020, 2021)] == ["ESA WorldCover v100", "ESA WorldCover v200"]


def test_every_source_is_whole_and_its_legend_is_there() -> None:
    from datacommons.sources import list_sources

    assert [each.id for each in list_sources()] == [
        "cop-dem-glo-30",
        "esa-cci-lc",
        "esa-worldcover",
        "io-lulc-annual",
        "jrc-gsw",
        "soilgrids",
        "terraclimate",
        "worldpop",
    ]
    for source in list_sources():
        assert source.status.startswith("VERIFIED"), source.id
        assert not source.legend or len(dc.Legend.of_product(source.legend)) > 5


def test_how_long_a_server_asks_to_wait() -> None:
    from datacommons.archives.links import read_delay

    assert (read_delay("2.5"), read_delay(None), read_delay("soon")) == (2.5, None, None)
    assert read_delay("Wed, 21 Oct 2015 07:28:00 GMT") == 0
