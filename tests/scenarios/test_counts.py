"""Counts of an ensemble, in memory and on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenarios.cluster import Workers
from scenarios.projection import counts
from scenarios.projection.counts import Counts
from scenarios.scratch import Scratch

YEARS, SHAPE = 3, (2, 300, 60)


def fill(made: Counts) -> None:
    rng = np.random.default_rng(1)
    for year in range(len(made)):
        made[year][:] += rng.integers(0, 3, SHAPE, np.uint8)
    first = rng.integers(0, 3, SHAPE, np.uint8)
    made.add_up(lambda rows: first[:, rows], Workers(2))


def test_counts_on_the_disk_are_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, scratch = Counts(YEARS, SHAPE), Scratch(2**20, tmp_path)
    monkeypatch.setattr(counts, "MOST_IN_MEMORY", YEARS * 2 * 300 * 60 - 1)
    put_aside = Counts(YEARS, SHAPE, scratch)
    assert scratch.bytes_aside == YEARS * 2 * 300 * 60
    for made in (held, put_aside):
        fill(made)
    assert np.asarray(held).shape == (YEARS, *SHAPE)
    assert np.asarray(held).max() > 4
    assert np.asarray(put_aside).tobytes() == np.asarray(held).tobytes()
    assert list(tmp_path.iterdir()) == []


def test_counts_add_up_from_year_to_year() -> None:
    made = Counts(2, (1, 1, 3))
    made[0][:], made[1][:] = [[[1, 0, 255]]], [[[0, 2, 255]]]
    made.add_up(lambda rows: np.array([[[5, 6, 7]]], np.uint8)[:, rows], Workers(1))
    assert np.asarray(made).tolist() == [[[[6, 6, 6]]], [[[6, 8, 5]]]]


def test_all_years_can_only_be_had_as_a_copy() -> None:
    with pytest.raises(ValueError, match="copy"):
        np.array(Counts(YEARS, SHAPE), copy=False)
