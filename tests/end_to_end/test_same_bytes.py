"""The same scenario and seed give the same bytes, however they are computed."""

from __future__ import annotations

from tests.end_to_end.conftest import RUN, Job
from tests.inventory import Inventory, take_inventory


def test_threads_and_chunks_do_not_show(job: Job, twin: Job) -> None:
    one, other = (files_of(take_inventory(each.root)) for each in (job, twin))
    run = f"runs/plum-island/business-as-usual/{RUN}"
    for file in ("trajectory.zarr/zarr.json", "probability.zarr/zarr.json", "maps/2019.tif", "indicators.parquet"):
        assert f"{run}/{file}" in one
    assert any(name.startswith(f"{run}/trajectory.zarr/land_cover/c/") for name in one)
    assert sorted(one) == sorted(other)
    assert {name for name in one if one[name] != other[name]} == set()


def test_what_the_catalog_says_of_the_runs_differs_by_the_time_alone(job: Job, twin: Job) -> None:
    one, other = (items_of_runs(take_inventory(each.root)) for each in (job, twin))
    assert len(one) == 21
    for items in (one, other):
        assert len({document["properties"].pop("created") for document in items.values()}) == 1
    assert one == other


def files_of(inventory: Inventory) -> Inventory:
    return {name: held for name, held in inventory.items() if not name.startswith(("item ", "collection "))}


def items_of_runs(inventory: Inventory) -> Inventory:
    return {name: held for name, held in inventory.items() if name.startswith(("item runs/", "item run-maps/"))}


def test_the_table_on_screen_is_the_same(job: Job, twin: Job) -> None:
    assert twin.outcomes["run"] == job.outcomes["run"]


def test_nothing_is_left_aside(job: Job) -> None:
    assert sorted(path.name for path in job.root.iterdir() if not path.name.startswith("catalog.sqlite-")) == [
        "catalog.sqlite",
        "commons.toml",
        "layers",
        "runs",
    ]
    assert not list(job.root.rglob("*.draft.tif"))
