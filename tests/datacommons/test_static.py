"""A static catalog is read by strangers' clients without a server, and comes back without loss."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import geopandas
import numpy as np
import odc.stac
import pyarrow.parquet
import pystac
import pytest
import rustac

import datacommons as dc
from catalog.store import OWNER, Query
from datacommons.commons import Commons
from datacommons.errors import FolderNotEmpty, LayerDamaged
from datacommons.layers import search_all
from datacommons.upkeep.geoparquet import write_items
from datacommons.upkeep.holdings import hold_commons
from datacommons.upkeep.static import write_static
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import RunCli
from tests.inventory import unchanged

COG = "layers/land-cover/valley-land-cover-1990/valley-land-cover-1990.tif"

# odc-geo projects points by a function that shapely 2.2 has renamed.
odc_geo_is_older_than_shapely = pytest.mark.filterwarnings("ignore:The 'shapely.ops.transform:DeprecationWarning")


@pytest.fixture(scope="module")
def exported(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export of everything, to be read and not touched."""
    folder = tmp_path_factory.mktemp("export") / "static"
    with dc.open(lived_in) as commons:
        assert write_static(hold_commons(commons), folder) == 8
    # What is read below must not be read from the commons.
    return folder.rename(folder.parent / "moved")


@pytest.fixture(scope="module")
def catalog(exported: Path) -> pystac.Catalog:
    return pystac.Catalog.from_file(str(exported / "catalog.json"))


def items_of(root: Path, **query: Any) -> list[dict[str, Any]]:
    with dc.open(root) as commons:
        return list(search_all(commons.store, Query(**query)))


def test_every_document_is_valid(exported: Path) -> None:
    documents = [json.loads(path.read_text()) for path in exported.rglob("*.json") if "layers" not in path.parts]
    stac = [document for document in documents if "stac_version" in document]
    assert len(stac) == 1 + 6 + 8
    assert {document["id"]: found for document in stac if (found := find_faults(document))} == {}


def test_pystac_walks_it_and_finds_every_file(catalog: pystac.Catalog, lived_in: Path) -> None:
    found = {(item.collection_id, item.id) for item in catalog.get_items(recursive=True)}
    assert found == {(item["collection"], item["id"]) for item in items_of(lived_in)}
    for item in catalog.get_items(recursive=True):
        for asset in item.assets.values():
            assert Path(asset.get_absolute_href() or "").exists()
        assert item.get_collection().id == item.collection_id
    for collection in catalog.get_children():
        for asset in collection.assets.values():
            assert Path(asset.get_absolute_href() or "").is_file()


def test_no_link_needs_a_server(catalog: pystac.Catalog) -> None:
    run = next(item for item in catalog.get_items(recursive=True) if item.collection_id == "runs")
    sources = [link.resolve_stac_object(catalog).target for link in run.get_links("derived_from")]
    assert sorted(item.id for item in sources) == ["valley-land-cover-1990", "valley-land-cover-2000", "valley-road"]
    assert run.get_links("tilejson") == []


@odc_geo_is_older_than_shapely
def test_odc_stac_loads_the_maps(catalog: pystac.Catalog, lived_in: Path) -> None:
    items = [item for item in catalog.get_items(recursive=True) if item.collection_id == "land-cover"]
    loaded = odc.stac.load(items, bands=["data"])["data"]
    with dc.open(lived_in) as commons:
        np.testing.assert_array_equal(loaded.values, commons.land_cover("valley").values)


def test_geopandas_reads_the_tables(exported: Path) -> None:
    table = geopandas.read_parquet(exported / "collections/run-maps/items.parquet")
    assert table.crs == "OGC:CRS84"
    assert sorted(table["id"]) == ["valley-roads-1-2001", "valley-roads-1-2002"]
    assert table.geometry.is_valid.all()
    assert sorted(table["datetime"].dt.year) == [2001, 2002]


def test_duckdb_reads_the_tables(exported: Path) -> None:
    tables = f"{exported}/collections/*/items.parquet"
    sql = "SELECT collection, count(*) FROM read_parquet(?, union_by_name = true) GROUP BY 1 ORDER BY 1"
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as database:
        assert database.execute(sql, [tables]).fetchall() == [
            ("drivers", 2),
            ("land-cover", 2),
            ("landscapes", 1),
            ("run-maps", 2),
            ("runs", 1),
        ]


def test_the_tables_name_the_files_from_where_they_are(exported: Path) -> None:
    folder = exported / "collections" / "land-cover"
    for row in pyarrow.parquet.read_table(folder / "items.parquet").to_pylist():
        assert (folder / row["assets"]["data"]["href"]).is_file()


def test_rustac_reads_and_searches_it(exported: Path) -> None:
    async def walk(collection: str) -> list[str]:
        root = await rustac.read(str(exported / "collections" / collection / "collection.json"))
        return sorted([item["id"] async for _, _, items in rustac.walk(root) for item in items])

    # Not the drivers: rustac 0.9 refuses the nodata "nan", which STAC 1.1 allows.
    assert asyncio.run(walk("land-cover")) == ["valley-land-cover-1990", "valley-land-cover-2000"]
    assert asyncio.run(walk("runs")) == ["valley-roads-1"]
    table = str(exported / "collections" / "land-cover" / "items.parquet")
    assert [item["id"] for item in rustac.read_sync(table)["features"]] == [
        "valley-land-cover-2000",
        "valley-land-cover-1990",
    ]


def test_values_of_different_kinds_become_text(tmp_path: Path, lived_in: Path) -> None:
    first, second = items_of(lived_in, collections=("land-cover",))
    first["properties"] |= {"soil": 3, "depth": 1, "tags": ["a"], "empty": {}}
    second["properties"] |= {"soil": "clay", "depth": 1.5, "tags": ["b", "c"], "empty": {"a": 1}}
    nowhere = {key: value for key, value in second.items() if key != "bbox"} | {"geometry": None, "id": "nowhere"}
    (path,) = write_items(tmp_path, [first, second, nowhere])
    rows = pyarrow.parquet.read_table(path).to_pylist()
    assert [row["soil"] for row in rows] == ["3", '"clay"']
    assert [row["depth"] for row in rows] == [1, 1.5]
    assert [row["tags"] for row in rows] == [["a"], ["b", "c"]]
    assert [row["empty"] for row in rows] == ["{}", '{"a":1}']
    assert write_items(tmp_path, [nowhere]) == []


def test_only_what_is_public(lived_in: Path, tmp_path: Path, cli: RunCli) -> None:
    outcome = cli("export", "all", "-C", lived_in)
    assert outcome.out.splitlines() == [
        "Wrote 8 items to all.",
        "  note: 1 of them are not public, and files know no labels; --public leaves them out",
    ]
    assert cli("export", "open", "--public", "-C", lived_in).out == "Wrote 7 items to open.\n"
    rights = "layers/drivers/valley-rights/valley-rights.tif"
    assert (tmp_path / "all" / rights).is_file()
    assert not (tmp_path / "open" / rights).exists()
    assert "valley-rights" not in (tmp_path / "open/collections/drivers/collection.json").read_text()


def test_hard_links(lived_in: Path, tmp_path: Path, cli: RunCli) -> None:
    assert cli("export", "static", "--link", "-C", lived_in).code == 0
    assert (tmp_path / "static" / COG).samefile(lived_in / COG)
    assert cli("export", "static", "--replace", "-C", lived_in).code == 0
    assert not (tmp_path / "static" / COG).samefile(lived_in / COG)


def test_a_folder_with_anything_else_in_it_is_left_alone(commons: Commons, tmp_path: Path) -> None:
    for folder, mend in [(tmp_path / "mine", "name a new or an empty folder"), (tmp_path / "old", "say --replace")]:
        folder.mkdir()
        (folder / ("catalog.json" if folder.name == "old" else "notes.txt")).write_text("{}")
        with pytest.raises(FolderNotEmpty, match=mend):
            write_static(hold_commons(commons), folder)
        assert len(list(folder.iterdir())) == 1
    with pytest.raises(FolderNotEmpty):
        write_static(hold_commons(commons), commons.root, replace=True)


def test_damage_stops_the_export_and_leaves_nothing(commons: Commons, tmp_path: Path) -> None:
    (commons.root / COG).write_bytes(b"short")
    (tmp_path / "exports").mkdir()
    with unchanged(commons.root), pytest.raises(LayerDamaged, match="it has 5 bytes"):
        write_static(hold_commons(commons), tmp_path / "exports" / "static")
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_file_outside_of_the_commons_is_not_taken_along(commons: Commons, tmp_path: Path) -> None:
    item = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
    shutil.move(commons.root / COG, tmp_path / "elsewhere.tif")
    (commons.root / COG).symlink_to(tmp_path / "elsewhere.tif")
    with pytest.raises(LayerDamaged, match="it lies outside of the commons"):
        write_static(hold_commons(commons), tmp_path / "static")
    assert item["id"] == "valley-land-cover-1990"
