"""From GeoTIFFs to layers: what a good ingest leaves in the commons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from catalog.legend import Legend
from catalog.store import ANONYMOUS, OWNER
from datacommons.commons import Commons
from datacommons.errors import InvalidIngest, ItemExists
from tests.datacommons.conftest import BUILT, FOREST, GRID, LEGEND, OTHER, UTM_18N, WriteRaster

Cells = np.ndarray[Any, np.dtype[np.uint8]]


def ingest_land_cover(commons: Commons, *paths: Path, **options: Any) -> list[str]:
    reports = commons.ingest(paths, collection="land-cover", legend=Legend.from_json(LEGEND), **options)
    return [note for report in reports for note in report.notes]


def test_first_land_cover_creates_the_landscape(commons: Commons, land_cover: Cells) -> None:
    assert commons.landscapes() == ["valley"]
    landscape = commons.landscape("valley")
    assert landscape.title == "Valley"
    assert landscape.geobox.shape == land_cover.shape
    assert landscape.geobox.affine == GRID
    assert landscape.legend.names == ("forest", "built", "other")
    assert landscape.boundary.area == pytest.approx(np.count_nonzero(land_cover) * 900, rel=0.01)
    assert not landscape.synthetic


def test_land_cover_item_and_cog(commons: Commons, land_cover: Cells) -> None:
    item = commons.store.item("land-cover", "valley-land-cover-1990", ANONYMOUS)
    assert item["properties"]["landscape:id"] == "valley"
    assert item["properties"]["landscape:layer"] == "land-cover"
    assert item["properties"]["datetime"] == "1990-01-01T00:00:00Z"
    href = item["assets"]["data"]["href"]
    assert href == "layers/land-cover/valley-land-cover-1990/valley-land-cover-1990.tif"
    with rasterio.open(commons.locate(href)) as cog:
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (cog.dtypes, cog.nodata, cog.block_shapes) == (("uint8",), 0, [(512, 512)])
        assert cog.colormap(1)[FOREST] == commons.landscape("valley").legend.colormap()[FOREST]
        np.testing.assert_array_equal(cog.read(1), land_cover)


def test_overviews_keep_classes_and_average_measurements(empty_commons: Commons, write_raster: WriteRaster) -> None:
    cells = np.full((1100, 1100), FOREST, np.uint8)
    cells[::2] = OTHER
    cells[:, ::2] = OTHER
    ingest_land_cover(empty_commons, write_raster("lc_1990.tif", cells))
    empty_commons.ingest([write_raster("height.tif", cells.astype(np.float32))], collection="drivers")
    hrefs = {layer.name: layer.href for layer in empty_commons.layers()}
    with rasterio.open(empty_commons.locate(hrefs["land-cover"]), overview_level=0) as cog:
        assert set(np.unique(cog.read(1))) == {OTHER}
    with rasterio.open(empty_commons.locate(hrefs["height"]), overview_level=0) as cog:
        np.testing.assert_allclose(cog.read(1), 2.5)
        assert cog.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"


def test_drivers_are_named_after_their_files(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    height = np.where(land_cover > 0, 12.5, -9999).astype(np.float32)
    files = [write_raster(name, height, nodata=-9999) for name in ("elevation.tif", "dist_built_1985.tif")]
    reports = commons.ingest(files, collection="drivers")
    assert [(report.layer, report.year) for report in reports] == [("elevation", None), ("dist_built_1985", 1985)]
    assert [layer.name for layer in commons.layers("valley")] == ["dist_built_1985", "elevation"] + ["land-cover"] * 2
    elevation = commons.layer("valley", "elevation")
    assert elevation.dims == ("y", "x")
    assert elevation.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(elevation), land_cover == 0)


def test_driver_by_another_name(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("v3 final.tif", land_cover.astype(np.int16))
    [report] = commons.ingest([path], collection="drivers", name="slope")
    assert (report.layer, report.item) == ("slope", "valley-slope")


def test_zones_are_drivers_with_a_legend(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    zones = Legend.from_json({"nodata": 0, "classes": {"1": "Reserve", "2": "Village", "3": "Rest"}})
    commons.ingest([write_raster("zones.tif", land_cover)], collection="drivers", legend=zones)
    layer = commons.layer("valley", "zones")
    assert layer.dtype == np.uint8
    assert layer.attrs["flag_meanings"] == "reserve village rest"
    np.testing.assert_array_equal(layer, land_cover)


def test_scaled_measurements_are_written_in_their_unit(commons: Commons, write_raster: WriteRaster) -> None:
    path = write_raster("ph.tif", np.full((40, 60), 65, np.int16), nodata=-1)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (1.0,)
        file.set_band_unit(1, "pH")
    [report] = commons.ingest([path], collection="drivers")
    layer = commons.layer("valley", "ph")
    np.testing.assert_allclose(layer, 7.5, rtol=1e-6)
    assert layer.attrs["units"] == "pH"
    assert report.notes == ("stored values were scaled by 0.1 and shifted by 1",)


def test_land_cover_as_a_labelled_cube(commons: Commons, land_cover: Cells) -> None:
    cube = commons.land_cover("valley")
    assert (cube.name, cube.dims) == ("land_cover", ("time", "y", "x"))
    assert cube.dtype == np.uint8
    assert cube.time.dtype == "datetime64[ns]"
    assert [str(time)[:10] for time in cube.time.values] == ["1990-01-01", "2000-01-01"]
    assert cube.odc.geobox == commons.landscape("valley").geobox
    assert cube.attrs["flag_values"] == [1, 2, 3]
    assert cube.attrs["flag_meanings"] == "forest built other"
    assert Legend.from_json(json.loads(cube.attrs["legend"])) == commons.landscape("valley").legend
    assert cube.attrs["alignment"] == [f"{year}: read as it is, on the landscape's grid" for year in (1990, 2000)]
    np.testing.assert_array_equal(cube[0], land_cover)
    assert commons.land_cover("valley", years=[2000]).sizes["time"] == 1


def test_same_layer_again_only_with_replace(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    land_cover[30:, :10] = OTHER
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    with pytest.raises(ItemExists, match="valley-land-cover-1990 in land-cover already: say --replace"):
        ingest_land_cover(commons, path)
    [report] = commons.ingest([path], collection="land-cover", replace=True)
    assert report.replaced
    np.testing.assert_array_equal(commons.land_cover("valley", [1990])[0], land_cover)
    assert len(commons.layers()) == 2


def test_second_landscape(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("lc_1990.tif", land_cover, transform=GRID @ Affine.translation(9000, 0))
    ingest_land_cover(commons, path, landscape="delta", new_landscape=True, landscape_title="The delta", synthetic=True)
    assert commons.landscapes() == ["delta", "valley"]
    assert commons.landscape("delta").title == "The delta"
    assert commons.landscape("delta").synthetic
    assert [layer.synthetic for layer in commons.layers("delta")] == [True]
    with pytest.raises(InvalidIngest, match="several landscapes: say which with --landscape: delta, valley"):
        commons.ingest([path], collection="drivers")


def test_access_label_is_that_of_the_settings(tmp_path: Path, write_raster: WriteRaster, land_cover: Cells) -> None:
    import datacommons as dc

    with dc.init(tmp_path / "secret", default_access="private", landscape="glen") as commons:
        ingest_land_cover(commons, write_raster("lc_1990.tif", land_cover))
        assert commons.landscapes() == ["glen"]
        item = commons.store.item("land-cover", "glen-land-cover-1990", OWNER)
        assert item["properties"]["landscape:access"] == "private"
        with pytest.raises(LookupError):
            commons.store.item("land-cover", "glen-land-cover-1990", ANONYMOUS)


def test_year_given_by_the_user(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    ingest_land_cover(empty_commons, write_raster("now.tif", land_cover), years=[2024])
    assert [layer.year for layer in empty_commons.layers()] == [2024]


def test_crs_given_by_the_user(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    ingest_land_cover(empty_commons, write_raster("lc_1990.tif", land_cover, crs=None), crs=UTM_18N)
    assert empty_commons.landscape("valley").crs.epsg == 32618


def test_band_given_by_the_user(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    bands = np.stack([np.full_like(land_cover, 99), land_cover])
    ingest_land_cover(empty_commons, write_raster("lc_1990.tif", bands), band=2)
    np.testing.assert_array_equal(empty_commons.land_cover("valley")[0], land_cover)


# What is unusual but can be helped is done, and said.


def test_another_grid_is_kept_and_aligned_when_loaded(commons: Commons, write_raster: WriteRaster) -> None:
    path = write_raster("lc_2010.tif", np.full((20, 30), FOREST, np.uint8), transform=GRID @ Affine.scale(2))
    notes = ingest_land_cover(commons, path)
    assert notes[0] == (
        "another grid, EPSG:32618 (60 x 60): kept as it is, aligned to EPSG:32618 (30 x 30) when loaded"
    )
    cube = commons.land_cover("valley", [2010])
    assert cube.attrs["alignment"] == ["2010: nearest, from EPSG:32618 (60 x 60) to EPSG:32618 (30 x 30)"]
    assert (cube == FOREST).all()


def test_another_crs_is_kept_and_aligned_when_loaded(commons: Commons, write_raster: WriteRaster) -> None:
    transform = Affine(0.0005, 0, -75.005, 0, -0.0005, 36.16)
    path = write_raster("slope.tif", np.full((60, 60), 7, np.float32), crs="EPSG:4326", transform=transform)
    [report] = commons.ingest([path], collection="drivers")
    assert report.notes[0].startswith("another grid, EPSG:4326 (0.0005 x 0.0005): kept as it is")
    with rasterio.open(commons.locate(report.href)) as cog:
        assert cog.crs.to_epsg() == 4326
    np.testing.assert_allclose(commons.layer("valley", "slope"), 7)


def test_partial_cover_is_noted(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("slope.tif", land_cover[:, :30].astype(np.float32))
    [report] = commons.ingest([path], collection="drivers")
    assert report.notes[1] == "covers 50% of the landscape's grid; the rest is nodata"


def test_absent_class_is_noted(empty_commons: Commons, write_raster: WriteRaster) -> None:
    notes = ingest_land_cover(empty_commons, write_raster("lc_1990.tif", np.full((9, 9), FOREST, np.uint8)))
    assert notes == [
        "class 2 'built' of the legend does not occur in lc_1990.tif",
        "class 3 'other' of the legend does not occur in lc_1990.tif",
    ]


def test_undeclared_nodata_is_told_by_the_legend(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells
) -> None:
    notes = ingest_land_cover(empty_commons, write_raster("lc_1990.tif", land_cover))
    assert notes == ["lc_1990.tif declares no nodata; its 120 cells of 0 are nodata by the legend"]


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", 255), ("int16", -1), ("float32", np.nan), ("float32", -9999)])
def test_other_nodata_is_remapped(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells, dtype: str, nodata: float
) -> None:
    cells = np.where(land_cover == 0, nodata, land_cover.astype(np.float32)).astype(dtype)
    notes = ingest_land_cover(empty_commons, write_raster("lc_1990.tif", cells, nodata=nodata))
    assert notes == [f"nodata {nodata:g} of lc_1990.tif is stored as 0"]
    np.testing.assert_array_equal(empty_commons.land_cover("valley")[0], land_cover)


def test_nodata_of_the_legend_is_remapped(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    cells = np.where(land_cover == 0, 255, land_cover).astype(np.uint8)
    legend = Legend.from_json(LEGEND | {"nodata": 255})
    [report] = empty_commons.ingest([write_raster("lc_1990.tif", cells)], collection="land-cover", legend=legend)
    assert report.notes[-1] == "nodata 255 of the legend is stored as 0, as everywhere in a commons"
    assert empty_commons.landscape("valley").legend.nodata == 0
    np.testing.assert_array_equal(empty_commons.land_cover("valley")[0], land_cover)


def test_built_is_built(commons: Commons) -> None:
    built = (commons.land_cover("valley") == BUILT).sum(("y", "x"))
    assert built.values.tolist() == [150, 300]
