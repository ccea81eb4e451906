"""A layer that is replaced stays, and so does all that a run was made of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datacommons as dc
from catalog.errors import StillNeeded
from catalog.items.versions import LATEST, PREDECESSOR, SUCCESSOR, list_linked
from catalog.store import OWNER, Query
from datacommons.commons import Commons
from datacommons.errors import ItemExists
from datacommons.layers import search_all
from datacommons.upkeep.doctor import examine
from datacommons.upkeep.holdings import hold_commons
from datacommons.upkeep.static import read_static, write_static
from datacommons.upkeep.transfer import take_in
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import RunCli, WriteRaster, raster_writer
from tests.inventory import take_inventory

ROAD = "valley-road"
NAMES = [ROAD, f"{ROAD}-v2", f"{ROAD}-v3"]


@pytest.fixture
def lived_in_commons(lived_in: Path, tmp_path: Path) -> Iterator[Commons]:
    """Return a commons with a run, one driver of which is ``road``."""
    with dc.open(shutil.copytree(lived_in, tmp_path / "valley")) as commons:
        yield commons


def replace_road(commons: Commons, write: WriteRaster, value: float) -> str:
    path = write("road.tif", np.full((40, 60), value, np.float32))
    (report,) = commons.ingest([path], collection="drivers", replace=True)
    assert report.replaced
    return report.item


def road(commons: Commons, name: str) -> dict[str, Any]:
    return commons.store.item("drivers", name, OWNER)


def linked(item: dict[str, Any]) -> dict[str, list[str]]:
    return {rel: [name for _, name in list_linked(item, rel)] for rel in (PREDECESSOR, SUCCESSOR, LATEST)}


def test_each_version_keeps_its_item_its_file_and_its_bytes(
    lived_in_commons: Commons, write_raster: WriteRaster
) -> None:
    commons = lived_in_commons
    before = road(commons, ROAD)
    bytes_before = Path(commons.locate(before["assets"]["data"]["href"])).read_bytes()
    assert [replace_road(commons, write_raster, value) for value in (5, 7)] == NAMES[1:]
    first, second, third = (road(commons, name) for name in NAMES)
    assert linked(first) == {PREDECESSOR: [], SUCCESSOR: [NAMES[1]], LATEST: [NAMES[2]]}
    assert linked(second) == {PREDECESSOR: [NAMES[0]], SUCCESSOR: [NAMES[2]], LATEST: [NAMES[2]]}
    assert linked(third) == {PREDECESSOR: [NAMES[1]], SUCCESSOR: [], LATEST: []}
    versions = [(item["properties"]["version"], item["properties"]["deprecated"]) for item in (first, second, third)]
    assert versions == [("1", True), ("2", True), ("3", False)]
    assert [find_faults(item) for item in (first, second, third)] == [[], [], []]
    assert first["assets"] == before["assets"]
    assert Path(commons.locate(first["assets"]["data"]["href"])).read_bytes() == bytes_before
    assert examine(commons) == []


def test_the_latest_version_is_what_is_listed_and_read(lived_in_commons: Commons, write_raster: WriteRaster) -> None:
    commons = lived_in_commons
    replace_road(commons, write_raster, 5)
    (layer,) = [layer for layer in commons.layers() if layer.name == "road"]
    assert (layer.item, layer.version) == (NAMES[1], "2")
    assert (commons.layer("valley", "road") == 5).all()
    with pytest.raises(ItemExists, match="valley-road-v2 in drivers already: say --replace"):
        commons.ingest([write_raster("road.tif", np.ones((40, 60)))], collection="drivers")
    query = Query(collections=("drivers",), filter="\"landscape:layer\" = 'road' AND deprecated = false")
    assert [item["id"] for item in commons.store.search(query, OWNER).items] == [NAMES[1]]


def test_a_run_goes_on_pointing_to_what_it_was_made_of(lived_in_commons: Commons, write_raster: WriteRaster) -> None:
    commons = lived_in_commons
    replace_road(commons, write_raster, 5)
    run = commons.open_run("valley-roads-1").item
    (source,) = [each for each in run["properties"]["scenario:sources"] if each["collection"] == "drivers"]
    assert ("drivers", ROAD) in set(list_linked(run, "derived_from"))
    assert source == {
        "collection": "drivers",
        "id": ROAD,
        "checksum": road(commons, ROAD)["assets"]["data"]["file:checksum"],
    }
    later = commons.run(commons.open_run("valley-roads-1").scenario, threads=1).item
    assert ("drivers", NAMES[1]) in set(list_linked(later, "derived_from"))
    assert find_faults(later) == []
    assert examine(commons) == []


def test_land_cover_has_versions_by_year(commons: Commons, write_raster: WriteRaster, land_cover: Any) -> None:
    path = write_raster("lc_1990.tif", land_cover, nodata=0)
    (report,) = commons.ingest([path], collection="land-cover", replace=True)
    assert report.item == "valley-land-cover-1990-v2"
    assert [layer.item for layer in commons.layers()] == [report.item, "valley-land-cover-2000"]
    assert not any(linked(commons.store.item("land-cover", "valley-land-cover-2000", OWNER)).values())


def test_a_layer_whose_name_looks_like_a_version(commons: Commons, write_raster: WriteRaster) -> None:
    for name in ("slope-v2", "slope"):
        commons.ingest([write_raster(f"{name}.tif", np.ones((40, 60), np.float32))], collection="drivers")
    path = write_raster("slope.tif", np.ones((40, 60), np.float32))
    (report,) = commons.ingest([path], collection="drivers", replace=True)
    assert report.item == "valley-slope-v3"
    assert not commons.store.item("drivers", "valley-slope-v2", OWNER)["properties"]["deprecated"]


def test_what_a_run_was_made_of_is_not_deleted(lived_in_commons: Commons, write_raster: WriteRaster) -> None:
    commons = lived_in_commons
    replace_road(commons, write_raster, 5)
    with pytest.raises(StillNeeded, match="'valley-road' cannot be deleted: valley-roads-1 was derived from it"):
        commons.store.delete_items("drivers", [ROAD])
    with pytest.raises(StillNeeded, match="collection 'drivers' cannot be deleted"):
        commons.store.delete_collection("drivers")
    commons.store.delete_items("drivers", [NAMES[1]])
    told = {str(finding.message) for finding in examine(commons)}
    assert "it leads to the version valley-road-v2, which is not there" in told
    examine(commons, repair=True)
    assert linked(road(commons, ROAD)) == {PREDECESSOR: [], SUCCESSOR: [], LATEST: []}
    assert [layer.item for layer in commons.layers() if layer.name == "road"] == [ROAD]


def test_the_doctor_finds_lost_and_changed_sources(lived_in_commons: Commons, cli: RunCli) -> None:
    commons = lived_in_commons
    run = commons.store.item("runs", "valley-roads-1", OWNER)
    other = {**run, "id": "valley-roads-9", "assets": {}, "links": [*run["links"]]}
    lost = {"rel": "derived_from", "href": "stac/collections/drivers/items/valley-gone"}
    other["links"] = [link for link in other["links"] if link["rel"] != "derived_from"] + [lost]
    changed = [{"collection": "drivers", "id": ROAD, "checksum": "1220" + 64 * "0"}]
    other["properties"] = {**run["properties"], "scenario:sources": changed}
    commons.store.put_items([other])
    outcome = cli("doctor", "-C", commons.root)
    assert outcome.code == 1
    for told in (
        "item runs/valley-roads-9: it was derived from drivers/valley-gone, which is not there; put back a copy",
        "item runs/valley-roads-9: it was derived from other bytes of drivers/valley-road than are there now",
    ):
        assert told in outcome.out


def test_versions_survive_the_way_out_and_back(
    lived_in_commons: Commons, write_raster: WriteRaster, tmp_path: Path, cli: RunCli
) -> None:
    replace_road(lived_in_commons, write_raster, 5)
    root, before = lived_in_commons.root, take_inventory(lived_in_commons.root)
    for steps in (
        [("export", "static", "-C", root), ("import", "static", "-C", "back")],
        [("catalog", "copy", root, "copied")],
    ):
        for step in steps:
            assert cli(*step).code == 0
    for place in ("back", "copied"):
        assert take_inventory(tmp_path / place) == before
        with dc.open(tmp_path / place) as again:
            assert examine(again) == []


def test_an_import_does_not_change_what_a_run_was_made_of(lived_in_commons: Commons, tmp_path: Path) -> None:
    commons = lived_in_commons
    write_static(hold_commons(commons), tmp_path / "static")
    with dc.init(tmp_path / "other" / "valley") as other:
        take_in(other, read_static(tmp_path / "static"))
        other.store.delete_items("run-maps", ["valley-roads-1-2001", "valley-roads-1-2002"])
        other.store.delete_items("runs", ["valley-roads-1"])
        road_path = other.root / road(other, ROAD)["assets"]["thumbnail"]["href"]
        road_path.write_bytes(b"another picture")
        item = road(other, ROAD)
        item["assets"]["thumbnail"].pop("file:checksum")
        item["assets"]["thumbnail"]["file:size"] = road_path.stat().st_size
        other.store.put_items([item])
        write_static(hold_commons(other), tmp_path / "changed")
    before = take_inventory(commons.root)
    with pytest.raises(StillNeeded, match="assets of the item 'valley-road' cannot be changed: valley-roads-1"):
        take_in(commons, read_static(tmp_path / "changed"), replace=True)
    assert take_inventory(commons.root) == before


def _replace_in_a_process(root: Path, folder: Path, value: int, results: Any) -> None:
    folder.mkdir()
    path = raster_writer(folder / "sources")("road.tif", np.full((40, 60), value, np.float32))
    with dc.open(root) as commons:
        for _ in range(4):
            with suppress(ItemExists):  # the other one was first
                (report,) = commons.ingest([path], collection="drivers", replace=True)
                results.put((report.item, value))


def test_two_processes_replace_a_layer_at_once(lived_in_commons: Commons, tmp_path: Path) -> None:
    root = lived_in_commons.root
    context = get_context("spawn")
    results = context.SimpleQueue()
    workers = [
        context.Process(target=_replace_in_a_process, args=(root, tmp_path / f"worker-{value}", value, results))
        for value in (1, 2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    written: dict[str, int] = {}
    while not results.empty():
        item, value = results.get()
        assert item not in written
        written[item] = value
    versions = [
        item for item in search_all(lived_in_commons.store, Query(collections=("drivers",))) if ROAD in item["id"]
    ]
    assert {item["id"] for item in versions} == {ROAD, *written}
    chain, place = [], ROAD
    while place:
        chain.append(place)
        place = next(iter(linked(road(lived_in_commons, place))[SUCCESSOR]), "")
    assert sorted(chain) == sorted(item["id"] for item in versions)
    assert linked(road(lived_in_commons, ROAD))[LATEST] == chain[-1:]
    assert (lived_in_commons.layer("valley", "road") == written[chain[-1]]).all()
    assert examine(lived_in_commons) == []
