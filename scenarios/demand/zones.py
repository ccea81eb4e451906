"""Zones: parts of a landscape whose changes are counted, foretold and placed each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.demand.transitions import History, TransitionTable
from scenarios.errors import ScenarioInvalid
from scenarios.grid import Block, Grid
from scenarios.spec import DemandRule

REST = "outside the zones"
_MOST = 255


@dataclass(frozen=True, eq=False)
class Zones:
    """A landscape cut into zones.

    Parameters
    ----------
    names : of the zones; the first is the rest, which belongs to no other
    code : (y, x) uint8, number of the zone of each cell, in the order of the names
    """

    names: tuple[str, ...]
    code: NDArray[np.uint8]

    @classmethod
    def of_layer(cls, classes: NDArray[np.uint8], legend: Legend) -> Self:
        """Make zones of a map of classes, (y, x) uint8; what has no class is the rest."""
        number = np.zeros(256, np.uint8)
        number[list(legend.values)] = np.arange(1, len(legend) + 1)
        return cls((REST, *legend.names), number[classes])

    @classmethod
    def of_places(cls, places: Mapping[str, dict[str, Any]], grid: Grid) -> Self:
        """Make zones of GeoJSON polygons (WGS 84) by name.

        Raises
        ------
        ScenarioInvalid
            One is no polygon or holds no cell, two share cells, or there are too many.
        """
        if len(places) > _MOST:
            raise ScenarioInvalid(f"The demand has {len(places)} zones; there can be {_MOST}. Merge some.")
        code = np.zeros(grid.shape, np.uint8)
        for number, (name, place) in enumerate(places.items(), start=1):
            try:
                inside = grid.rasterize(place)
            except ValueError as error:
                raise ScenarioInvalid(
                    f"The zone {name!r} is {error}. Give a GeoJSON Polygon or MultiPolygon."
                ) from error
            if not inside.any():
                raise ScenarioInvalid(
                    f"The zone {name!r} holds no cell of the landscape. Check its coordinates: GeoJSON is longitude, "
                    "latitude."
                )
            if code[inside].any():
                other = list(places)[int(code[inside].max()) - 1]
                raise ScenarioInvalid(f"The zones {other!r} and {name!r} overlap. Cut one of them, or merge them.")
            code[inside] = number
        return cls((REST, *places), code)

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Self:
        """Make one zone of everything."""
        return cls(("",), np.broadcast_to(np.uint8(0), shape))

    def __len__(self) -> int:
        """Return the number of zones, the rest included."""
        return len(self.names)

    def outside(self, zone: int) -> NDArray[np.bool_] | None:
        """Return the cells, (y, x), that are not in a zone; None if all are."""
        return None if len(self) == 1 else np.asarray(self.code != zone)

    def inside(self, zone: int, classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a map with nothing but the cells of a zone; the map itself if all are."""
        return classes if len(self) == 1 else np.where(self.code == zone, classes, 0).astype(np.uint8)

    def blocks(self, zone: int, blocks: Sequence[Block]) -> list[Block]:
        """Return the blocks that hold cells of a zone."""
        if len(self) == 1:
            return list(blocks)
        return [each for each in blocks if (self.code[each[0] : each[1], each[2] : each[3]] == zone).any()]

    def weigh(self, classes: NDArray[np.uint8], values: tuple[int, ...], grid: Grid) -> NDArray[np.int64]:
        """Add up the cells of each class in each zone, (zone, class), in units of the grid's weights."""
        return np.stack([grid.weigh(self.inside(zone, classes), values) for zone in range(len(self))])


def choose_zones(rule: DemandRule, grid: Grid, given: Zones | None = None) -> Zones | None:
    """Return the zones of a demand; None if it has none.

    Parameters
    ----------
    rule : names a layer, or holds polygons by name
    given : made of the layer that it names

    Raises
    ------
    ScenarioInvalid
        The layer is not at hand, or the polygons are no zones of this grid.
    """
    if rule.zones is None or not isinstance(rule.zones, str):
        return None if rule.zones is None else Zones.of_places(rule.zones, grid)
    if given is None:
        raise ScenarioInvalid(
            f"The demand names the zones {rule.zones!r}, which are not at hand. If it is a layer, give its zones "
            "(Zones.of_layer); if it is a file, read the scenario with load_scenario."
        )
    return given


def tabulate_zones(
    history: History, tables: Sequence[TransitionTable], zones: Zones, grid: Grid
) -> NDArray[np.float64]:
    """Cross-tabulate every zone by itself.

    Parameters
    ----------
    history : land-cover maps by year
    tables : cross-tabulations of two of its dates each, which say what to count
    zones : their number is the second axis

    Returns
    -------
    (interval, zone, class, class) float64 hectares. The zones of an interval add up to its table.
    """
    values = tables[0].legend.values
    size = len(values)
    index = np.full(256, -1, np.int64)
    index[list(values)] = np.arange(size)
    weight = np.broadcast_to(grid.row_weight[:, None], grid.shape)
    counts: list[NDArray[np.float64]] = []
    for table in tables:
        first, last = index[history[table.start]], index[history[table.end]]
        both = (first >= 0) & (last >= 0)
        code = (zones.code[both].astype(np.int64) * size + first[both]) * size + last[both]
        counts.append(np.bincount(code, weight[both], minlength=len(zones) * size**2).astype(np.float64))
    area = np.stack(counts).reshape(len(tables), len(zones), size, size)
    return np.asarray(area * grid.weight_ha, np.float64)
