"""The journal of a walk: what each year has changed, so that the walk can go on from there, or be told again.

A year changes few cells. What it has changed takes a small part of its map, and says as much: with the map that the
walk begins from, every later one follows, and all that a walk keeps besides.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.growth import Cut, PatchNotes
from scenarios.demand.rates import Account
from scenarios.demand.transitions import Transition
from scenarios.projection.yearbook import Changes, Shortfall, Year

_NO_CELLS = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Entry:
    """What one year has changed.

    Parameters
    ----------
    year : calendar year
    changes : of the map
    area : (zone, class) int64 at its end, in units of the grid's weights
    placed_ha : hectares by (source, target)
    shortfalls : what could not be placed
    rests : what the ledger carries over, by account
    patches : what the patches of each zone have come to; none where there are no patches
    """

    year: int
    changes: Changes
    area: NDArray[np.int64]
    placed_ha: Mapping[tuple[int, int], float]
    shortfalls: tuple[Shortfall, ...]
    rests: Mapping[Account, float]
    patches: tuple[PatchNotes, ...] = ()

    def tell(self, land_cover: NDArray[np.uint8], weight_ha: float) -> Year:
        """Return the year, given its map and the size of one unit of the weights."""
        by_zone = np.asarray(self.area * weight_ha, np.float64)
        total = np.asarray(self.area.sum(axis=0) * weight_ha, np.float64)
        return Year(self.year, land_cover, total, self.placed_ha, self.shortfalls, by_zone, self.changes)


class Journal(Protocol):
    """Keeps the entries of one walk."""

    def write(self, entry: Entry) -> None:
        """Add the entry of the year after the last."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of all years without a gap, from the first on."""
        ...


@dataclass(frozen=True)
class FolderJournal:
    """A journal in a folder, one file a year.

    A file is there whole or not at all. One that was damaged since ends the journal: what comes after it is done again.

    Parameters
    ----------
    folder : made with the first entry
    first : the first projected year
    """

    folder: Path
    first: int

    def write(self, entry: Entry) -> None:
        """Add the entry of a year."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(entry.year)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(pack(entry))
        draft.replace(path)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of all years without a gap, from the first on."""
        year = self.first
        while (entry := _read(self._path(year))) is not None:
            yield entry
            year += 1

    @property
    def years(self) -> int:
        """How many years are told; nothing is read."""
        year = self.first
        while self._path(year).exists():
            year += 1
        return year - self.first

    def _path(self, year: int) -> Path:
        return self.folder / f"{year}.npz"


@dataclass(frozen=True)
class HeldJournal:
    """A journal in memory, in the form that it has in a file.

    Parameters
    ----------
    packed : its entries
    """

    packed: list[bytes] = field(default_factory=list)

    def write(self, entry: Entry) -> None:
        """Add the entry of a year."""
        self.packed.append(pack(entry))

    def entries(self) -> Iterator[Entry]:
        """Yield the entries that are there when it is asked."""
        yield from map(unpack, tuple(self.packed))


def _read(path: Path) -> Entry | None:
    try:
        return unpack(path.read_bytes())
    except (FileNotFoundError, zipfile.BadZipFile, ValueError, KeyError, EOFError):
        return None


def replay(entries: Iterator[Entry], start: NDArray[np.uint8], weight_ha: float) -> Iterator[Year]:
    """Tell a walk again.

    Parameters
    ----------
    entries : of all years, from the first on
    start : (y, x) uint8, the map that it began from
    weight_ha : hectares of one unit of the grid's weights

    Yields
    ------
    Year, as `project` did; its map is a view on the running state
    """
    land_cover = start.copy()
    for entry in entries:
        land_cover.ravel()[entry.changes.cells] = entry.changes.after
        yield entry.tell(land_cover, weight_ha)


def pack(entry: Entry) -> bytes:
    """Write an entry as a NumPy archive: distances between the changed cells, classes, and the rest as JSON.

    Floats are written so that they are read again to the last bit.
    """
    told = {
        "year": entry.year,
        "placed_ha": [[*pair, hectares] for pair, hectares in entry.placed_ha.items()],
        "shortfalls": [asdict(each) for each in entry.shortfalls],
        "rests": [[*_name(account), rest] for account, rest in entry.rests.items()],
        "patches": [_tell_patches(notes) for notes in entry.patches],
    }
    arrays: dict[str, NDArray[Any]] = {
        "told": np.frombuffer(json.dumps(told).encode(), np.uint8),
        "cells": _space(entry.changes.cells),
        "before": entry.changes.before,
        "after": entry.changes.after,
        "area": entry.area,
    }
    for n, notes in enumerate(entry.patches):
        arrays |= {f"{n} cells": _space(notes.cells), f"{n} numbers": notes.numbers}
        arrays |= {f"{n} kinds": notes.kinds, f"{n} born": notes.born}
        arrays |= {f"{n} cut": np.concatenate([_NO_CELLS, *(cut.cells for cut in notes.cuts.values())])}
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def unpack(content: bytes) -> Entry:
    """Read an entry.

    Raises
    ------
    zipfile.BadZipFile, ValueError, KeyError
        It is damaged.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        told = json.loads(arrays["told"].tobytes())
        return Entry(
            year=int(told["year"]),
            changes=Changes(np.cumsum(arrays["cells"], dtype=np.int64), arrays["before"], arrays["after"]),
            area=arrays["area"],
            placed_ha={(source, target): hectares for source, target, hectares in told["placed_ha"]},
            shortfalls=tuple(Shortfall(**each) for each in told["shortfalls"]),
            rests={_account(name): rest for *name, rest in told["rests"]},
            patches=tuple(_read_patches(n, each, arrays) for n, each in enumerate(told["patches"])),
        )


def _space(cells: NDArray[np.int64]) -> NDArray[np.integer]:
    """Return the distances between rising cells, from 0 on, in as few bits as hold them."""
    gaps = np.diff(cells, prepend=0)
    return gaps.astype(np.min_scalar_type(int(gaps.max(initial=0))))


def _name(account: Account) -> tuple[str] | tuple[int, int, int]:
    if isinstance(account, str):
        return (account,)
    zone, transition = account
    return zone, transition.source, transition.target


def _account(name: list[Any]) -> Account:
    return name[0] if len(name) == 1 else (name[0], Transition(*name[1:]))


def _tell_patches(notes: PatchNotes) -> dict[str, Any]:
    return {
        "known": [[t.source, t.target] for t in notes.known],
        "cuts": [
            {
                "of": [[t.source, t.target] for t in of],
                "k": k,
                "cells": cut.cells.size,
                "rest": cut.rest,
                "kind": cut.kind,
            }
            for (of, k), cut in notes.cuts.items()
        ],
    }


def _read_patches(n: int, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PatchNotes:
    cuts = told["cuts"]
    cells = np.split(arrays[f"{n} cut"], np.cumsum([cut["cells"] for cut in cuts]))
    return PatchNotes(
        cells=np.cumsum(arrays[f"{n} cells"], dtype=np.int64),
        numbers=arrays[f"{n} numbers"],
        kinds=arrays[f"{n} kinds"],
        born=arrays[f"{n} born"],
        known=tuple(Transition(*pair) for pair in told["known"]),
        cuts={
            (tuple(Transition(*pair) for pair in cut["of"]), cut["k"]): Cut(some, cut["rest"], cut["kind"])
            for cut, some in zip(cuts, cells, strict=False)
        },
    )
