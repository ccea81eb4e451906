"""The doctor finds each fault, says it in plain words, and mends what is safe."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import datacommons as dc
from catalog.collections import LAND_COVER
from catalog.sqlite.integrity import Finding, check_catalog
from catalog.sqlite.store import SqliteStore
from catalog.store import ANONYMOUS, OWNER, Query
from datacommons.commons import Commons
from datacommons.founding import open_as_is
from datacommons.publication import Staging
from datacommons.upkeep.doctor import examine
from tests.datacommons.conftest import RunCli

COG = "layers/land-cover/valley-land-cover-1990/valley-land-cover-1990.tif"


@contextmanager
def catalog_of(root: Path) -> Iterator[sqlite3.Connection]:
    """Write into the catalog as no store would."""
    with closing(sqlite3.connect(root / "catalog.sqlite")) as connection, connection:
        yield connection


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.subject, finding.message) for finding in findings]


def mends(commons: Commons) -> bool:
    """Repair, and tell whether everything was mended and stays so."""
    return all(finding.repaired for finding in examine(commons, repair=True)) and examine(commons) == []


def test_a_sound_commons(commons: Commons, cli: RunCli) -> None:
    assert examine(commons) == []
    outcome = cli("doctor", cwd=commons.root)
    assert (outcome.code, outcome.out) == (0, "The commons is sound.\n")


def test_a_missing_file(commons: Commons, cli: RunCli) -> None:
    (commons.root / COG).unlink()
    outcome = cli("doctor", "--repair", cwd=commons.root)
    assert outcome.code == 1
    first, *_, last = outcome.out.splitlines()
    assert first.startswith(f"{COG}: it is missing (item land-cover/valley-land-cover-1990); put back a copy")
    assert last == "1 of 1 findings left to mend."


def test_another_size_and_other_bytes(commons: Commons) -> None:
    path = commons.root / COG
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert told(examine(commons)) == [
        (COG, "its checksum is another: its bytes were changed (item land-cover/valley-land-cover-1990)")
    ]
    assert examine(commons, checksums=False) == []
    path.write_bytes(data[:-10])
    size = len(data)
    wanted = f"it has {size - 10:,} bytes and not {size:,} (item land-cover/valley-land-cover-1990)"
    assert told(examine(commons, checksums=False)) == [(COG, wanted)]


def test_files_that_nothing_names_are_left_alone(commons: Commons) -> None:
    stray = commons.root / "layers" / "notes.txt"
    stray.write_text("mine")
    (commons.root / f"{COG}.ovr").write_bytes(b"II*")
    assert told(examine(commons, repair=True)) == [("layers/notes.txt", "nothing in the catalog names this file")]
    assert stray.read_text() == "mine"


def test_empty_folders(commons: Commons) -> None:
    (commons.root / "runs" / "valley" / "restoration" / "valley-restoration-1").mkdir(parents=True)
    with Staging(commons.root):
        assert examine(commons, repair=True) == [], "a run is at work, and this may be its name"
    assert told(examine(commons)) == [("runs/valley/restoration/valley-restoration-1", "the folder is empty")]
    assert mends(commons)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE items SET starts = starts + 1 WHERE id = 'valley-land-cover-1990'",
        "UPDATE items SET access = 'partners' WHERE id = 'valley-land-cover-1990'",
        "UPDATE items SET east = east - 1 WHERE id = 'valley-land-cover-1990'",
        "UPDATE items SET gsd = 999 WHERE id = 'valley-land-cover-1990'",
        "DELETE FROM words WHERE rowid = (SELECT key FROM items WHERE id = 'valley-land-cover-1990')",
    ],
)
def test_an_index_that_differs_from_its_documents(commons: Commons, change: str) -> None:
    with catalog_of(commons.root) as connection:
        connection.execute(change)
    subject = "item land-cover/valley-land-cover-1990"
    assert (subject, "the index says another thing of it than its document") in told(examine(commons))
    assert mends(commons)


def test_places_that_searches_do_not_find(commons: Commons) -> None:
    with catalog_of(commons.root) as connection:
        connection.execute("DELETE FROM footprints")
        connection.execute("INSERT INTO footprints VALUES (9998, 0, 1, 0, 1)")
    messages = {message for _, message in told(examine(commons))}
    assert messages == {"searches by place do not find it", "footprint 9998 belongs to no item"}
    assert mends(commons)
    bbox = commons.store.item(LAND_COVER, "valley-land-cover-1990", OWNER)["bbox"]
    assert len(commons.store.search(Query(bbox=tuple(bbox), collections=(LAND_COVER,)), OWNER).items) == 2


def test_documents_that_cannot_be_read(commons: Commons) -> None:
    with catalog_of(commons.root) as connection:
        connection.execute("UPDATE items SET document = '{' || document WHERE id = 'valley-land-cover-1990'")
        connection.execute(
            "UPDATE items SET document = (SELECT document FROM items WHERE id = 'valley') "
            "WHERE id = 'valley-land-cover-2000'"
        )
    assert isinstance(commons.store, SqliteStore)
    first, second = check_catalog(commons.store)
    assert first.subject == "item land-cover/valley-land-cover-1990"
    assert first.message.startswith("its document cannot be read")
    assert second.message == "its document is that of landscapes/valley"
    assert first.repair is second.repair is None


def test_items_whose_collection_was_lost_come_back_for_the_owner_only(commons: Commons) -> None:
    item = commons.store.item(LAND_COVER, "valley-land-cover-1990", OWNER)
    commons.store.put_collection({**commons.store.collection(LAND_COVER, OWNER), "id": "soils"})
    commons.store.put_items([{**item, "collection": "soils", "assets": {}}])
    with catalog_of(commons.root) as connection:
        connection.execute("DELETE FROM collections WHERE id = 'soils'")
    assert told(examine(commons))[0] == ("collection soils", "items name it and it is not there")
    assert mends(commons)
    assert commons.store.collection("soils", OWNER)["landscape:access"] == "private"
    assert commons.store.search(Query(collections=("soils",)), ANONYMOUS).items == ()


def test_extents_that_do_not_cover_their_items(commons: Commons) -> None:
    collection = commons.store.collection(LAND_COVER, OWNER)
    whole = collection["extent"]
    narrow = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": whole["temporal"]}
    commons.store.put_collection({**collection, "extent": narrow})
    assert told(examine(commons)) == [("collection land-cover", "its extent does not cover its items")]
    assert mends(commons)


def test_a_damaged_file(commons: Commons) -> None:
    commons.store.close()
    path = commons.root / "catalog.sqlite"
    with catalog_of(commons.root) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items_by_id'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(b"\0" * 64)
    with open_as_is(commons.root) as opened:
        subject, message = told(examine(opened))[0]
        assert subject == "catalog.sqlite"
        assert message.startswith("the file is damaged (")
        assert mends(opened), "it was an index, which can be built anew"


def test_a_process_at_work_is_left_alone(commons: Commons) -> None:
    with Staging(commons.root) as staging:
        (staging.folder("layers/drivers/valley-slope") / "a.tif").write_text("half")
        assert examine(commons, repair=True) == []
        assert (staging.files / "layers/drivers/valley-slope/a.tif").read_text() == "half"


def abandon(root: Path, *, journal: list[str] | None = None) -> Path:
    """Make the staging folder of a process that is gone."""
    aside = root / ".staging-gone"
    (aside / "files").mkdir(parents=True)
    (aside / "lock").touch()
    if journal is not None:
        (aside / "places.json").write_text(json.dumps(journal))
    return aside


def test_what_a_killed_process_left(commons: Commons, cli: RunCli) -> None:
    aside = abandon(commons.root)
    (aside / "files" / "half.tif").write_text("half")
    outcome = cli("doctor", cwd=commons.root)
    assert outcome.code == 1
    assert outcome.out.startswith(".staging-gone: a process was ended here while it wrote")
    outcome = cli("doctor", "--repair", cwd=commons.root)
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "All is mended.")
    assert not aside.exists()


def put_new_folder(root: Path, aside: Path) -> None:
    (root / "layers/drivers/valley-slope").mkdir(parents=True)
    (root / "layers/drivers/valley-slope/a.tif").write_text("not in the catalog")


def move_old_folder(root: Path, aside: Path) -> None:
    place = Path(COG).parent
    (aside / "files" / place).mkdir(parents=True)
    (aside / "replaced" / place).parent.mkdir(parents=True)
    (root / place).rename(aside / "replaced" / place)


def replace_folder(root: Path, aside: Path) -> None:
    move_old_folder(root, aside)
    (aside / "files" / Path(COG).parent).rename(root / Path(COG).parent)
    (root / COG).write_text("new, and not in the catalog")


@pytest.mark.parametrize("interrupt", [put_new_folder, move_old_folder, replace_folder])
def test_an_interrupted_publication_is_undone(commons: Commons, interrupt: Callable[[Path, Path], None]) -> None:
    aside = abandon(commons.root, journal=[str(Path(COG).parent), "layers/drivers/valley-slope"])
    before = (commons.root / COG).read_bytes()
    interrupt(commons.root, aside)
    assert [finding.subject for finding in examine(commons)] == [".staging-gone"]
    assert mends(commons)
    assert (commons.root / COG).read_bytes() == before
    assert not (commons.root / "layers" / "drivers").exists()


def test_a_publication_that_was_interrupted_after_it_was_done_stays(commons: Commons) -> None:
    aside = abandon(commons.root, journal=[str(Path(COG).parent)])
    after = (commons.root / COG).read_bytes()
    old = aside / "replaced" / COG
    old.parent.mkdir(parents=True)
    old.write_text("what was there before")
    assert mends(commons)
    assert (commons.root / COG).read_bytes() == after


def test_opening_settles_what_a_killed_process_left(commons: Commons) -> None:
    aside = abandon(commons.root, journal=[str(Path(COG).parent)])
    replace_folder(commons.root, aside)
    with dc.open(commons.root) as opened:
        assert examine(opened) == []
