"""Counts of an ensemble, in memory and on the disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenarios.projection import counts
from scenarios.projection.counts import Counts

YEARS, SHAPE = 3, (2, 50, 60)


def fill(made: Counts) -> None:
    rng = np.random.default_rng(1)
    for year in range(len(made)):
        for _ in range(2):
            made[year][:] += rng.integers(0, 3, SHAPE, np.uint8)
            made.let_go(year)


def test_counts_on_the_disk_are_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Counts(YEARS, SHAPE, tmp_path)
    monkeypatch.setattr(counts, "MOST_IN_MEMORY", YEARS * 2 * 50 * 60 - 1)
    put_aside = Counts(YEARS, SHAPE, tmp_path)
    for made in (held, put_aside):
        fill(made)
    assert np.asarray(held).shape == (YEARS, *SHAPE)
    assert np.asarray(held).max() == 4
    assert np.asarray(put_aside).tobytes() == np.asarray(held).tobytes()
    assert all(one.tobytes() == other.tobytes() for one, other in zip(held, put_aside, strict=True))


def test_the_disk_keeps_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_IN_MEMORY", 0)
    made = Counts(YEARS, SHAPE, tmp_path)
    fill(made)
    assert list(tmp_path.iterdir()) == []


def test_all_years_can_only_be_had_as_a_copy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="copy"):
        np.array(Counts(YEARS, SHAPE, tmp_path), copy=False)
