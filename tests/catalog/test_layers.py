"""Items from layers: right in every figure, valid for the official validator."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from affine import Affine
from shapely.geometry import shape

from catalog.errors import LayerError, UnreadableLayer
from catalog.items.layers import cube_item, file_asset, link_source, raster_item, table_asset
from catalog.legend import Legend
from tests.catalog.conftest import WriteRaster
from tests.catalog.stac_validation import find_faults

CELLS = np.array([[0, 1, 1], [2, 3, 3]], np.uint8)


def describe(path, root, **options):
    settings = {"item_id": "valley-land-cover-1999", "collection": "land-cover", "year": 1999}
    settings |= {"landscape": "valley", "layer": "land-cover", "title": "Land cover 1999"}
    return raster_item(path, root=root, **(settings | options)).to_dict(include_self_link=False)


def test_a_classified_raster_becomes_a_valid_item(write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    item = describe(write_raster("map.tif", CELLS), tmp_path, legend=legend)
    assert find_faults(item) == []
    assert {uri.split("/")[-3] for uri in item["stac_extensions"]} == {
        "classification",
        "file",
        "landscape",
        "projection",
        "render",
    }
    assert item["properties"]["proj:code"] == "EPSG:32618"
    assert item["properties"]["proj:shape"] == [2, 3]
    assert item["properties"]["proj:transform"] == [30, 0, 500_000, 0, -30, 4_000_000]
    assert item["properties"]["start_datetime"] == item["properties"]["datetime"] == "1999-01-01T00:00:00Z"
    assert item["properties"]["end_datetime"] == "1999-12-31T23:59:59Z"


def test_the_asset_states_what_the_file_holds(write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    path = write_raster("map.tif", CELLS)
    asset = describe(path, tmp_path, legend=legend)["assets"]["data"]
    assert asset["href"] == "map.tif"
    assert asset["file:size"] == path.stat().st_size
    assert asset["file:checksum"] == "1220" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert Legend.from_classification(asset["classification:classes"]) == legend
    statistics = asset["bands"][0].pop("statistics")
    assert asset["bands"] == [{"data_type": "uint8", "nodata": 0}]
    assert statistics == pytest.approx(
        {"minimum": 1, "maximum": 3, "mean": 2, "stddev": np.std([1, 1, 2, 3, 3]), "count": 5, "valid_percent": 500 / 6}
    )


def test_statistics_do_not_depend_on_the_blocks(write_raster: WriteRaster, tmp_path: Path) -> None:
    cells = np.random.default_rng(3).normal(1e6, 2, (300, 40)).astype(np.float32)
    cells[5:9] = np.nan
    path = write_raster("height.tif", cells, nodata=np.nan, blockysize=7)
    band = describe(path, tmp_path, layer="height")["assets"]["data"]["bands"][0]
    known = cells[np.isfinite(cells)].astype(np.float64)
    assert band["nodata"] == "nan"
    assert band["statistics"]["mean"] == pytest.approx(known.mean(), rel=1e-12)
    assert band["statistics"]["stddev"] == pytest.approx(known.std(), rel=1e-6)
    assert band["statistics"]["count"] == known.size


def test_a_driver_without_a_year_has_the_time_of_its_ingest(write_raster: WriteRaster, tmp_path: Path) -> None:
    item = describe(write_raster("height.tif", CELLS.astype("float32")), tmp_path, year=None, layer="height")
    assert find_faults(item) == []
    assert item["properties"]["datetime"] is not None
    assert "start_datetime" not in item["properties"]
    assert item["properties"]["renders"]["default"]["rescale"] == [[1.0, 3.0]]


def test_properties_given_win_and_declare_their_extensions(write_raster: WriteRaster, tmp_path: Path) -> None:
    given = {
        "scenario:id": "bau",
        "scenario:run": "bau-1",
        "landscape:synthetic": True,
        "processing:software": {"datacommons": "0.1.0"},
        "sci:doi": "10.1000/xyz123",
        "version": "1",
        "title": "Mine",
    }
    item = describe(write_raster("map.tif", CELLS), tmp_path, properties=given)
    assert find_faults(item) == []
    assert item["properties"]["title"] == "Mine"
    assert {"processing", "scenario", "scientific", "version"} <= {
        uri.split("/")[-3] for uri in item["stac_extensions"]
    }


def test_a_run_map_links_to_the_tiles_of_its_run(write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    item = describe(
        write_raster("2005.tif", CELLS),
        tmp_path,
        item_id="bau-1-2005",
        collection="run-maps",
        year=2005,
        legend=legend,
        asset_key="map",
    )
    links = {link["rel"]: link["href"] for link in item["links"]}
    assert links["tilejson"] == "runs/bau-1/2005/WebMercatorQuad/tilejson.json"
    assert links["xyz"] == "runs/bau-1/2005/tiles/WebMercatorQuad/{z}/{x}/{y}"
    assert item["properties"]["renders"]["default"]["assets"] == ["map"]
    assert find_faults(item) == []


def test_the_footprint_encloses_every_corner(write_raster: WriteRaster, tmp_path: Path) -> None:
    item = describe(write_raster("map.tif", CELLS), tmp_path)
    outline = shape(item["geometry"])
    assert outline.bounds == pytest.approx(tuple(item["bbox"]))
    assert outline.exterior.is_ccw
    # 500 km east in zone 18 is its central meridian.
    assert outline.bounds[0] == pytest.approx(-75.0, abs=1e-6)
    assert shapely.get_num_coordinates(outline) > 20


@pytest.mark.parametrize(
    ("cells", "profile", "message"),
    [
        (CELLS, {"crs": None}, "has no CRS"),
        (np.zeros((2, 2), np.uint8), {}, "has no cell with data: all 4"),
        (CELLS + 7, {}, "holds the values 7, 8, 9, 10, which the legend does not know; it knows 1, 2, 3"),
        (CELLS.astype(np.float32), {}, "cells of type float32"),
    ],
)
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_raster_that_cannot_be_described(
    write_raster: WriteRaster, tmp_path: Path, legend: Legend, cells, profile, message: str
) -> None:
    path = write_raster("map.tif", cells, **profile)
    with pytest.raises(LayerError, match=message):
        describe(path, tmp_path, legend=legend)


@pytest.mark.parametrize("content", [None, b"", b"not a raster"])
def test_a_file_that_is_no_raster(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "map.tif"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableLayer, match=r"map\.tif cannot be read"):
        describe(path, tmp_path)


def test_a_raster_that_was_cut_short(write_raster: WriteRaster, tmp_path: Path) -> None:
    path = write_raster("map.tif", np.random.default_rng(1).integers(1, 200, (400, 400)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(UnreadableLayer, match="Is it whole"):
        describe(path, tmp_path)


def test_a_layer_outside_the_commons(write_raster: WriteRaster, tmp_path: Path) -> None:
    path = write_raster("map.tif", CELLS)
    with pytest.raises(LayerError, match="does not lie below the folder of the commons"):
        describe(path, tmp_path / "elsewhere")


def test_a_run_becomes_a_valid_item(cube_path: Path, tmp_path: Path, legend: Legend) -> None:
    table = tmp_path / "indicators.parquet"
    pd.DataFrame({"year": [1999, 2000], "area_ha": [1.5, 2.5]}).to_parquet(table)
    (tmp_path / "areas.json").write_text(json.dumps({"unit": "ha"}))
    run = cube_item(
        {"trajectory": cube_path},
        root=tmp_path,
        item_id="bau-1",
        collection="runs",
        years=(2000, 2000),
        landscape="valley",
        legend=legend,
        title="As before",
        properties={"scenario:id": "bau", "scenario:run": "bau-1", "forecast:horizon": "P1Y"},
        assets={
            "indicators": table_asset(table, root=tmp_path, title="Indicators", description="By year"),
            "areas": file_asset(
                tmp_path / "areas.json", root=tmp_path, title="Hectares", media_type="application/json"
            ),
        },
    )
    link_source(run, "land-cover", "valley-land-cover-1999")
    item = run.to_dict(include_self_link=False)
    assert find_faults(item) == []
    assert {uri.split("/")[-3] for uri in item["stac_extensions"]} == {
        "classification",
        "datacube",
        "file",
        "landscape",
        "projection",
        "scenario",
        "table",
    }
    assert item["properties"]["start_datetime"] == "2000-01-01T00:00:00Z"
    assert item["assets"]["indicators"]["table:columns"] == [
        {"name": "year", "type": "int64"},
        {"name": "area_ha", "type": "double"},
    ]
    assert item["assets"]["indicators"]["table:row_count"] == 2
    sources = [link["href"] for link in item["links"] if link["rel"] == "derived_from"]
    assert sources == ["stac/collections/land-cover/items/valley-land-cover-1999"]


def test_a_cube_states_its_dimensions(cube_path: Path, tmp_path: Path) -> None:
    run = cube_item(
        {"trajectory": cube_path},
        root=tmp_path,
        item_id="bau-1",
        collection="runs",
        years=(2000, 2000),
        landscape="valley",
    )
    asset = run.to_dict(include_self_link=False)["assets"]["trajectory"]
    assert asset["href"] == "trajectory.zarr"
    assert asset["type"] == "application/vnd.zarr; version=3"
    dimensions = asset["cube:dimensions"]
    assert dimensions["time"]["values"] == ["1999-01-01T00:00:00Z", "2000-01-01T00:00:00Z"]
    assert dimensions["x"] == {
        "type": "spatial",
        "axis": "x",
        "extent": [500_015.0, 500_135.0],
        "reference_system": 32618,
    }
    assert asset["cube:variables"]["land_cover"] == {
        "dimensions": ["time", "y", "x"],
        "type": "data",
        "unit": "1",
        "description": "land cover",
    }


def test_only_cubes_of_classes_have_classes(cube_path: Path, tmp_path: Path, legend: Legend) -> None:
    share = tmp_path / "probability.zarr"
    with xr.open_zarr(cube_path, consolidated=False, decode_coords="all") as cube:
        probability = (cube["land_cover"] / 10).rename("probability")
        probability.attrs = {"units": "1"}
        probability.to_dataset().drop_encoding().to_zarr(share, zarr_format=3, consolidated=False)
    run = cube_item(
        {"trajectory": cube_path, "probability": share},
        root=tmp_path,
        item_id="bau-1",
        collection="runs",
        years=(2000, 2000),
        landscape="valley",
        legend=legend,
    )
    classes = {key: "classification:classes" in asset.extra_fields for key, asset in run.assets.items()}
    assert classes == {"trajectory": True, "probability": False}


def test_a_cube_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableLayer, match="cannot be opened as a Zarr cube"):
        cube_item(
            {"trajectory": tmp_path / "none.zarr"},
            root=tmp_path,
            item_id="r",
            collection="runs",
            years=(1, 2),
            landscape="valley",
        )


def test_a_table_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR?")
    with pytest.raises(UnreadableLayer, match="cannot be read as Parquet"):
        table_asset(tmp_path / "t.parquet", root=tmp_path, title="T")


def test_the_validator_would_find_a_fault(write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    item = describe(write_raster("map.tif", CELLS), tmp_path, legend=legend)
    for field, value in (("landscape:access", 3), ("proj:shape", "2x3"), ("renders", {"default": {}})):
        broken = {**item, "properties": {**item["properties"], field: value}}
        assert find_faults(broken), field
    assert find_faults({**item, "bbox": [1]})


def test_a_grid_of_another_turn(write_raster: WriteRaster, tmp_path: Path) -> None:
    path = write_raster("map.tif", CELLS, crs="EPSG:4326", transform=Affine(2, 0, 177, 0, -2, 10))
    item = describe(path, tmp_path)
    assert item["bbox"] == [177, 6, -177, 10]
    assert item["geometry"]["type"] == "MultiPolygon"
    assert find_faults(item) == []
