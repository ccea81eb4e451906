"""The table of changes of a run: with the start it gives back every member's every map, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

import datacommons as dc
from datacommons.errors import LayerNotFound
from datacommons.runs.changes import write_changes
from datacommons.runs.run import Run
from scenarios.projection.record import BLOCK, HELD_BYTES, Record
from scenarios.projection.yearbook import Changes, Year

SHAPE = (700, 530)


def make_walks(rng: np.random.Generator, members: int = 3, years: int = 4) -> dict[int, list[Year]]:
    """Make walks that change a hundred cells a year, somewhere on a grid of 3 x 3 blocks."""
    walks: dict[int, list[Year]] = {}
    for member in range(members):
        walks[member] = []
        for year in range(2001, 2001 + years):
            cells = np.sort(rng.choice(SHAPE[0] * SHAPE[1], 100, replace=False))
            before = rng.integers(1, 4, cells.size).astype(np.uint8)
            found = Changes(cells, before, (before % 3 + 1).astype(np.uint8))
            walks[member].append(
                Year(year, np.empty((0, 0), np.uint8), np.empty(0), {}, (), np.empty((0, 0)), found),
            )
    return walks


def write(walks: dict[int, list[Year]], folder: Path, order: list[int], held_bytes: int = HELD_BYTES) -> Path:
    with Record(SHAPE, folder, held_bytes) as record:
        for member in order:
            assert list(record.listen(member, iter(walks[member]))) == walks[member]
        write_changes(record, folder / "changes.parquet")
    return folder / "changes.parquet"


def test_every_change_is_kept_in_the_order_of_the_blocks(tmp_path: Path) -> None:
    walks = make_walks(np.random.default_rng(5))
    table = pq.read_table(write(walks, tmp_path, [0, 1, 2])).to_pandas()
    told = [tuple(row) for row in table.itertuples(index=False)]
    truth = [
        (member, step.year, int(cell) // SHAPE[1], int(cell) % SHAPE[1], int(before), int(after))
        for member, steps in walks.items()
        for step in steps
        for cell, before, after in zip(step.changes.cells, step.changes.before, step.changes.after, strict=True)
    ]

    def place(row: tuple[int, ...]) -> tuple[int, ...]:
        member, year, y, x, *_ = row
        return (y // BLOCK, x // BLOCK, y, x, member, year)

    assert told == sorted(truth, key=place)


def test_a_row_group_is_a_block_and_says_so(tmp_path: Path) -> None:
    file = write(make_walks(np.random.default_rng(6)), tmp_path, [0, 1, 2])
    metadata = pq.read_metadata(file)
    assert metadata.num_row_groups == 9
    for number in range(9):
        rows, columns = (metadata.row_group(number).column(n).statistics for n in (2, 3))
        block = number // 3, number % 3
        assert (rows.min // BLOCK, columns.min // BLOCK) == (rows.max // BLOCK, columns.max // BLOCK) == block
    assert metadata.metadata[b"block"] == b"256"
    assert metadata.metadata[b"members"] == b"3"


def test_neither_the_order_of_the_members_nor_the_memory_shows(tmp_path: Path) -> None:
    walks, contents = make_walks(np.random.default_rng(7)), []
    for held_bytes, order in ((2**20, [0, 1, 2]), (1000, [2, 0, 1])):
        folder = tmp_path / str(held_bytes)
        folder.mkdir()
        contents.append(write(walks, folder, order, held_bytes).read_bytes())
        assert [path.name for path in folder.iterdir()] == ["changes.parquet"]
    assert contents[0] == contents[1]


def test_no_change_is_a_table_without_rows(tmp_path: Path) -> None:
    table = pq.read_table(write({0: []}, tmp_path, [0]))
    assert (table.num_rows, table.column_names) == (0, ["member", "year", "row", "column", "from", "to"])


@pytest.fixture
def run(lived_in: Path) -> Iterator[Run]:
    """Return the run of a commons that nobody writes to."""
    with dc.open(lived_in) as commons:
        yield commons.open_run("valley-roads-1")


def test_with_the_start_it_gives_every_map_of_every_member(served_run: tuple[Run, TestClient]) -> None:
    run, _ = served_run
    start = run.trajectory.land_cover.values[0]
    table = run.changes.to_table().to_pandas()
    shares = run.probability.probability.values
    counts = np.zeros((4, 3, *start.shape))
    for member in range(5):
        land_cover = start.copy()
        for n, year in enumerate(range(2001, 2005)):
            now = table[(table.member == member) & (table.year == year)]
            assert (land_cover[now.row, now.column] == now["from"]).all()
            land_cover[now.row, now.column] = now["to"]
            counts[n] += np.stack([land_cover == value for value in (1, 2, 3)])
    assert len(table) > 0
    np.testing.assert_allclose(counts / 5, shares, atol=1e-6)


def test_the_best_map_has_a_table_of_its_own(served_run: tuple[Run, TestClient]) -> None:
    run, _ = served_run
    maps = run.trajectory.land_cover.values
    table = pq.read_table(run.locate(run.item["assets"]["trajectory-changes"]["href"])).to_pandas()
    found = np.zeros(maps[1:].shape, np.uint8)
    found[table.year - 2001, table.row, table.column] = table["to"]
    np.testing.assert_array_equal(found, np.where(maps[1:] != maps[:-1], maps[1:], 0))


def test_duckdb_reads_it_as_it_lies(run: Run) -> None:
    href = run.locate(run.item["assets"]["changes"]["href"])
    asked = f"""SELECT year, count(*) / 2 FROM '{href}' WHERE "from" = 1 AND "to" = 2 GROUP BY year ORDER BY year"""
    built = run.probability.probability.sel({"class": 2}).sum(("y", "x")).values
    gained = np.diff(np.concatenate([[(run.trajectory.land_cover.values[0] == 2).sum()], built]))
    told = duckdb.sql(asked).fetchall()
    assert [year for year, _ in told] == [2001, 2002]
    np.testing.assert_allclose([change for _, change in told], gained, atol=1e-6)


def test_the_catalog_says_what_it_holds(run: Run) -> None:
    asset = run.item["assets"]["changes"]
    assert [(each["name"], each["type"]) for each in asset["table:columns"]] == [
        ("member", "uint8"),
        ("year", "uint16"),
        ("row", "uint32"),
        ("column", "uint32"),
        ("from", "uint8"),
        ("to", "uint8"),
    ]
    assert asset["table:row_count"] == run.changes.count_rows()
    assert "member" not in [each["name"] for each in run.item["assets"]["trajectory-changes"]["table:columns"]]


def test_a_part_of_it_is_read_lazily(run: Run) -> None:
    some = run.changes.to_table(columns=["row"], filter=(pc.field("row") < 25) & (pc.field("member") == 1))
    every = run.changes.to_table().to_pandas()
    assert some.num_rows == ((every.row < 25) & (every.member == 1)).sum()


def test_a_run_of_an_earlier_version_says_that_it_has_none(run: Run) -> None:
    old: dict[str, Any] = {**run.item, "assets": {k: v for k, v in run.item["assets"].items() if k != "changes"}}
    with pytest.raises(LayerNotFound, match="keeps no changes: an earlier version has made it"):
        _ = Run(old, run.locate).changes
