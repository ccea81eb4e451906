"""Legends that rasters carry, and the tables and pictures that layers get."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from affine import Affine
from PIL import Image
from pyproj import Geod

from catalog.legend import Legend
from catalog.store import ANONYMOUS
from datacommons.commons import Commons
from datacommons.ingest.attribute_tables import find_legend
from datacommons.ingest.rasters import open_source
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import BUILT, FOREST, LEGEND, OTHER, Cells, WriteRaster

TABLE = """<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable tableType="thematic">
<FieldDefn index="0"><Name>VALUE</Name><Type>0</Type><Usage>5</Usage></FieldDefn>
<FieldDefn index="1"><Name>Klasse</Name><Type>2</Type><Usage>2</Usage></FieldDefn>
<FieldDefn index="2"><Name>R</Name><Type>0</Type><Usage>6</Usage></FieldDefn>
<FieldDefn index="3"><Name>G</Name><Type>0</Type><Usage>7</Usage></FieldDefn>
<FieldDefn index="4"><Name>B</Name><Type>0</Type><Usage>8</Usage></FieldDefn>
<Row index="0"><F>1</F><F>Wald</F><F>0</F><F>128</F><F>16</F></Row>
<Row index="1"><F>2</F><F>Siedlung</F><F>200</F><F>0</F><F>0</F></Row>
<Row index="2"><F>3</F><F>Übriges</F><F>9</F><F>9</F><F>9</F></Row>
</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"""
CATEGORIES = """<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category></Category><Category>Wald</Category>
<Category>Siedlung</Category><Category>Übriges</Category></CategoryNames></PAMRasterBand></PAMDataset>"""


def titles(commons: Commons) -> list[str]:
    return [entry.label() for entry in commons.landscape("valley").legend]


def test_the_legend_of_an_attribute_table(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    path.with_name("lc_1990.tif.aux.xml").write_text(TABLE, "utf-8")
    [report] = empty_commons.ingest([path], collection="land-cover")
    assert report.notes == ("its legend was taken from its attribute table",)
    assert titles(empty_commons) == ["Wald", "Siedlung", "Übriges"]
    assert [entry.colour for entry in empty_commons.landscape("valley").legend] == ["#008010", "#c80000", "#090909"]


def test_category_names_with_a_colour_table(write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    path.with_name("lc_1990.tif.aux.xml").write_text(CATEGORIES, "utf-8")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {1: (1, 2, 3, 255), 2: (4, 5, 6, 255), 3: (7, 8, 9, 255)})
    found = find_legend(open_source(path))
    assert found is not None
    assert [(each.name, each.colour) for each in found[0]] == [
        ("wald", "#010203"),
        ("siedlung", "#040506"),
        ("ubriges", "#070809"),
    ]


def test_a_colour_table_alone_gives_no_names(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells
) -> None:
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {1: (1, 2, 3, 255), 2: (4, 5, 6, 255), 3: (7, 8, 9, 255), 9: (5, 5, 5, 255)})
    [report] = empty_commons.ingest([path], collection="land-cover")
    assert report.notes[0].startswith("its legend was taken from its colour table, which gives classes no names")
    assert titles(empty_commons) == ["Class 1", "Class 2", "Class 3"]
    assert empty_commons.landscape("valley").legend.get(2).colour == "#040506"


def test_the_table_of_arcgis(write_raster: WriteRaster, land_cover: Cells) -> None:
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    table = pd.DataFrame({"Value": [1, 2], "Count": [5, 6], "Class_Name": ["Forest", "Built"]})
    dbf = path.with_name("table.dbf")
    pyogrio.write_dataframe(table, dbf, driver="ESRI Shapefile")
    shutil.move(dbf, path.with_name("lc_1990.tif.vat.dbf"))
    found = find_legend(open_source(path))
    assert found is not None
    assert found[0].names == ("forest", "built")


def test_a_raster_without_any(write_raster: WriteRaster, land_cover: Cells) -> None:
    assert find_legend(open_source(write_raster("lc_1990.tif", land_cover))) is None


def test_what_is_written_is_read_again(commons: Commons) -> None:
    item = commons.store.item("land-cover", "valley-land-cover-2000", ANONYMOUS)
    assert find_faults(item) == []
    assert item["assets"]["attributes"]["href"].endswith("valley-land-cover-2000.tif.aux.xml")
    found = find_legend(open_source(Path(commons.locate(item["assets"]["data"]["href"]))))
    assert found is not None
    legend = commons.landscape("valley").legend
    assert [(each.value, each.label(), each.colour) for each in found[0]] == [
        (each.value, each.label(), each.colour) for each in legend
    ]


def test_gdal_reads_the_attribute_table(commons: Commons) -> None:
    item = commons.store.item("land-cover", "valley-land-cover-1990", ANONYMOUS)
    with rasterio.open(commons.locate(item["assets"]["data"]["href"])) as cog:
        assert [Path(name).name for name in cog.files] == [
            "valley-land-cover-1990.tif",
            "valley-land-cover-1990.tif.aux.xml",
        ]


def test_cells_share_and_hectares_of_each_class(commons: Commons, land_cover: Cells) -> None:
    item = commons.store.item("land-cover", "valley-land-cover-1990", ANONYMOUS)
    classes = {each["value"]: each for each in item["assets"]["data"]["classification:classes"] if each["value"]}
    for value in (FOREST, BUILT, OTHER):
        cells = int((land_cover == value).sum())
        assert classes[value]["count"] == cells
        assert classes[value]["percentage"] == pytest.approx(100 * cells / (38 * 60))
        assert classes[value]["landscape:area_ha"] == pytest.approx(cells * 0.09)


def test_hectares_in_degrees_are_on_the_ellipsoid(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells
) -> None:
    transform = Affine(0.01, 0, -75, 0, -0.01, 60)
    path = write_raster("lc_1990.tif", land_cover, nodata=0, crs="EPSG:4326", transform=transform)
    empty_commons.ingest([path], collection="land-cover", legend=Legend.from_json(LEGEND))
    item = empty_commons.store.item("land-cover", "valley-land-cover-1990", ANONYMOUS)
    classes = {each["name"]: each for each in item["assets"]["data"]["classification:classes"]}
    geod = Geod(ellps="WGS84")
    rows = (land_cover == BUILT).sum(axis=1)
    strips = [
        abs(geod.polygon_area_perimeter([0, 0.01, 0.01, 0], [top, top, top - 0.01, top - 0.01])[0]) / 1e4
        for top in 60 - 0.01 * np.arange(40)
    ]
    assert classes["built"]["landscape:area_ha"] == pytest.approx(float(rows @ np.array(strips)), rel=1e-5)


def test_thumbnails(commons: Commons, write_raster: WriteRaster, land_cover: Cells) -> None:
    height = np.where(land_cover > 0, np.arange(60, dtype=np.float32), np.nan)
    commons.ingest([write_raster("height.tif", height)], collection="drivers")
    pictures = {}
    for collection, item_id in (("land-cover", "valley-land-cover-1990"), ("drivers", "valley-height")):
        asset = commons.store.item(collection, item_id, ANONYMOUS)["assets"]["thumbnail"]
        assert (asset["type"], asset["roles"]) == ("image/png", ["thumbnail"])
        pictures[collection] = np.asarray(Image.open(commons.locate(asset["href"])).convert("RGBA"))
    legend = commons.landscape("valley").legend
    assert pictures["land-cover"].shape == (40, 60, 4)
    assert tuple(pictures["land-cover"][15, 15]) == (*legend.get("built").rgb, 255)
    assert (pictures["land-cover"][:2, :, 3] == 0).all()
    bright = pictures["drivers"][20, :, :3].sum(axis=1)
    assert bright[5] < bright[30] < bright[55]


# Legends as others write them.

STYLE = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.34"><pipe><rasterrenderer type="paletted" band="1"><colorPalette>
<paletteEntry value="0" color="#000000" alpha="0" label="0"/>
<paletteEntry value="1" color="#1b7837" alpha="255" label="Wald"/>
<paletteEntry value="2" color="#b2182b" alpha="255" label="Siedlung"/>
<paletteEntry value="3" color="#f7f7f7" alpha="255" label=""/>
</colorPalette></rasterrenderer></pipe></qgis>"""


def test_a_style_of_qgis(empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells, tmp_path: Path) -> None:
    style = tmp_path / "land.qml"
    style.write_text(STYLE, "utf-8")
    empty_commons.ingest([write_raster("lc_1990.tif", land_cover)], collection="land-cover", legend=style)
    legend = empty_commons.landscape("valley").legend
    assert [(each.value, each.label(), each.colour) for each in legend] == [
        (1, "Wald", "#1b7837"),
        (2, "Siedlung", "#b2182b"),
        (3, "3", "#f7f7f7"),
    ]


def test_classes_in_several_languages_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "legend.csv"
    path.write_text("code,name,name_es,name_sw,unccd7,ipcc6\n1,Forest,Bosque,Msitu,Tree-covered,Forest land\n", "utf-8")
    (entry,) = Legend.read(path)
    assert (entry.label("es"), entry.label("sw"), entry.label("fr")) == ("Bosque", "Msitu", "Forest")
    assert entry.crosswalks == {"ipcc6": "Forest land", "unccd7": "Tree-covered"}


def test_the_legend_of_a_product_with_its_crosswalks(
    empty_commons: Commons, write_raster: WriteRaster, land_cover: Cells
) -> None:
    cells = np.array([0, 10, 190, 210], np.uint8)[land_cover]
    empty_commons.ingest([write_raster("lc_1990.tif", cells)], collection="land-cover", legend="esa-cci-lc")
    legend = empty_commons.landscape("valley").legend
    assert len(legend) == 37
    assert legend.get(190).crosswalks == {"ipcc6": "Settlements", "unccd7": "Artificial"}
    assert (legend.get(210).label(), legend.get(210).unccd7, legend.get(210).colour) == (
        "Water bodies",
        "Water body",
        "#0046c8",
    )
    item = empty_commons.store.item("land-cover", "valley-land-cover-1990", ANONYMOUS)
    classes = {each["value"]: each for each in item["assets"]["data"]["classification:classes"]}
    assert (classes[10]["landscape:ipcc6"], classes[10]["landscape:unccd7"]) == ("Cropland", "Cropland")


def test_every_legend_that_is_shipped_is_one() -> None:
    from catalog.legend_files import PRODUCTS, list_products

    assert "esa-worldcover" in list_products()
    for name in list_products():
        legend = Legend.of_product(name)
        assert len(legend) > 5
        statuses = set(pd.read_csv(PRODUCTS / f"{name}.csv")["status"])
        assert all(status.startswith("VERIFIED") for status in statuses)
    with pytest.raises(ValueError, match=r"no product 'corine'.*known are: cgls-lc100, esa-cci-lc"):
        Legend.of_product("corine")
