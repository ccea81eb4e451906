"""The cubes of a run that a reader may see, and the tables of its changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from catalog.collections import RUNS
from catalog.legend import Legend
from catalog.store import Reader
from tiles.errors import LayerNotDrawable, LayerNotFound
from tiles.reading.changes import ChangeTable, open_changes
from tiles.reading.cube import Cube, open_cube
from tiles.routes.layer import LayerIndex, read_legend, trusted_href

_CHANGES = ("changes", "trajectory-changes")


@dataclass(frozen=True)
class RunCubes:
    """A run, as far as its cubes and its changes tell.

    Attributes
    ----------
    run_id, title : str
    created : str
        When it was made: no later run of the same name has it.
    legend : Legend
    sources : mapping of str to str
        Asset key to what is opened; never shown to anybody.
    public, synthetic : bool
    landscape : str
        Where its places are; empty where the catalog does not tell.
    """

    run_id: str
    title: str
    created: str
    legend: Legend
    sources: dict[str, str] = field(repr=False, hash=False)
    public: bool = False
    synthetic: bool = False
    landscape: str = ""

    @property
    def trajectory(self) -> Cube:
        """The best map of every year, ``land_cover`` (time, y, x). Raises LayerUnreadable."""
        return self._open("trajectory")

    @property
    def probability(self) -> Cube:
        """In how many members each cell has each class, ``probability`` (time, class, y, x). Raises LayerUnreadable."""
        return self._open("probability")

    @property
    def changes(self) -> ChangeTable | None:
        """Every change of every member; None where the run keeps none. Raises LayerUnreadable."""
        return self._open_changes("changes")

    @property
    def trajectory_changes(self) -> ChangeTable | None:
        """Every change of the best map; None where the run keeps none. Raises LayerUnreadable."""
        return self._open_changes("trajectory-changes")

    def _open_changes(self, key: str) -> ChangeTable | None:
        return open_changes(self.sources[key], self.created) if key in self.sources else None

    def _open(self, key: str) -> Cube:
        if key not in self.sources:
            raise LayerNotFound(f"The run {self.run_id!r} has no {key}.")
        return open_cube(self.sources[key], self.created)


def _is_read(key: str, href: str) -> bool:
    """Tell whether an asset is a cube or, on this machine, a table of changes."""
    return href.endswith(".zarr") or (key in _CHANGES and href.endswith(".parquet") and "://" not in href)


def find_run(index: LayerIndex, reader: Reader, run_id: str) -> RunCubes:
    """Find a run.

    Raises
    ------
    LayerNotFound
        If there is none of this name for the reader.
    LayerNotDrawable
        If it has no legend.
    """
    try:
        item, public = index.find_document(reader, RUNS, run_id)
    except LayerNotFound:
        raise LayerNotFound(
            f"There is no run {run_id!r}. The STAC collection {RUNS!r} lists those there are."
        ) from None
    assets: dict[str, Any] = item["assets"]
    legend = read_legend(assets.get("trajectory", {}))
    if legend is None:
        raise LayerNotDrawable(f"The run {run_id!r} has no classes.")
    files = {key: asset for key, asset in assets.items() if _is_read(key, str(asset.get("href", "")))}
    properties = item["properties"]
    return RunCubes(
        run_id=run_id,
        title=str(properties.get("title") or run_id),
        created=str(properties.get("created", "")),
        legend=legend,
        sources={key: index.locate(trusted_href(asset["href"], run_id)) for key, asset in files.items()},
        public=public,
        synthetic=bool(properties.get("landscape:synthetic")),
        landscape=str(properties.get("landscape:id") or ""),
    )
