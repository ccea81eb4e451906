"""The extent of a collection covers its items, whoever else opens, describes or examines the commons meanwhile."""

from __future__ import annotations

from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import datacommons as dc
from catalog.collections import widen_extent
from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, Reader
from datacommons.commons import Commons
from datacommons.founding import describe_collections, open_as_is
from datacommons.settings import read_settings, write_settings
from datacommons.upkeep.doctor import examine

ROUNDS = 25
FAR = {"bbox": [-75, -60, -74, 60], "properties": {"datetime": "2000-01-01T00:00:00Z"}}


def _put_items(root: Path, start: Any) -> None:
    """Put items ever further to the north and the south, each as a publication would."""
    with open_as_is(root) as commons:
        template = commons.store.item("land-cover", "valley-land-cover-1990", OWNER)
        start.wait()
        for number in range(ROUNDS):
            north = 40 + 0.5 * number
            item = {**template, "id": f"far-{number}", "assets": {}, "bbox": [-75, -north, -74, north]}
            commons.store.put_items([item])


def _describe(root: Path, start: Any) -> None:
    """Open the commons again and again with other settings, which the collections then follow."""
    settings = read_settings(root)
    start.wait()
    for number in range(ROUNDS):
        write_settings(root, settings.model_copy(update={"contact": f"Ada {number}"}))
        open_as_is(root).close()


def test_two_processes_write_a_collection_at_once(commons: Commons) -> None:
    context = get_context("spawn")
    start = context.Barrier(2)
    workers = [context.Process(target=work, args=(commons.root, start)) for work in (_put_items, _describe)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with dc.open(commons.root) as again:
        (described,) = [each for each in again.store.collections(OWNER) if each["id"] == "land-cover"]
    north = 40 + 0.5 * (ROUNDS - 1)
    assert described["extent"]["spatial"]["bbox"][0][1::2] == [-north, north]
    assert described["contacts"][0]["name"] == f"Ada {ROUNDS - 1}"


class BusyStore(SqliteStore):
    """A store in which another process puts an item as soon as a collection was read."""

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        found = super().collection(collection_id, reader)
        self.change_collection(collection_id, lambda there: widen_extent(there, [FAR]))
        return found


def test_an_extent_that_is_widened_meanwhile_stays_wide(commons: Commons) -> None:
    with closing(BusyStore(commons.root / "catalog.sqlite")) as store:
        describe_collections(store, commons.settings.model_copy(update={"contact": "Ada"}))
    for described in commons.store.collections(OWNER):
        assert described["contacts"][0]["name"] == "Ada"
        assert described["extent"]["spatial"]["bbox"][0][1::2] == [-60, 60]


def test_the_doctor_widens_what_is_there_when_it_mends(commons: Commons) -> None:
    store = commons.store
    whole = store.collection("land-cover", OWNER)
    narrow = {**whole["extent"], "spatial": {"bbox": [[0, 0, 1, 1]]}}
    store.change_collection("land-cover", lambda found: {**found, "extent": narrow})
    (finding,) = examine(commons)
    store.change_collection("land-cover", lambda found: widen_extent({**found, "title": "Maps"}, [FAR]))
    assert finding.repair is not None
    finding.repair()
    mended = store.collection("land-cover", OWNER)
    assert mended["title"] == "Maps"
    assert mended["extent"]["spatial"]["bbox"][0][1::2] == [-60, 60]
