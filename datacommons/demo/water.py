"""Lakes, rivers and what lies near them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from datacommons.demo.drainage import CENTIMETRE, Drainage, drain
from datacommons.demo.terrain import widen_valleys
from datacommons.demo.texture import BoolGrid, FloatGrid, quantise

# Drainage areas as shares of the basin: where a stream begins, is mapped as water, and is a large river.
STREAM, MAPPED, LARGE = 0.004, 0.02, 0.15

_EIGHT = np.ones((3, 3), np.bool_)


@dataclass(frozen=True)
class Waters:
    """A drained terrain with its water.

    Parameters
    ----------
    drainage : Drainage
        Of the finished terrain, lakes included.
    basin : (y, x) bool
        All that drains to the main outlet.
    streams : (y, x) bool
        Courses of every stream, one cell wide, through lakes too.
    lakes : (y, x) bool
    river_size : (y, x) float64
        Drainage area of the stream that each cell drains into, as a share of the basin.
    height_above_stream_m : (y, x) float64
    """

    drainage: Drainage
    basin: BoolGrid
    streams: BoolGrid
    lakes: BoolGrid
    river_size: FloatGrid
    height_above_stream_m: FloatGrid

    @property
    def elevation_m(self) -> FloatGrid:
        """Height of the terrain and of the lakes, (y, x) float64, whole centimetres."""
        return self.drainage.height


def shape_waters(terrain: FloatGrid) -> Waters:
    """Lay valley floors, dam two lakes, and follow the rivers of the largest basin.

    Parameters
    ----------
    terrain : (y, x) float64, metres
    """
    extent = (min(terrain.shape) / 1000.0) ** 0.6
    drainage = drain(terrain)
    basin_cells = int(_main_basin(drainage).sum())
    terrain = widen_valleys(drainage, int(basin_cells * STREAM), 45.0 * extent)
    lakes = np.zeros(terrain.shape, np.bool_)
    upland = terrain > np.median(terrain[_main_basin(drainage)])
    for share, depth_m, where in ((0.06, 26.0 * extent, ~upland), (0.012, 20.0 * extent, upland)):
        room = ~ndimage.binary_dilation(lakes, _EIGHT, iterations=3)
        terrain, lake = _dam(terrain, share, round(depth_m, 2), where, room)
        lakes |= lake
    return _survey(drain(terrain), lakes)


def paint_water(waters: Waters) -> BoolGrid:
    """Draw the mapped rivers, wider as they grow and connected by their sides, and the lakes, (y, x) bool."""
    area = waters.drainage.area() / waters.basin.sum()
    rivers = (area >= MAPPED) & waters.basin
    _follow_down(waters, rivers)
    distance, nearest = ndimage.distance_transform_edt(~rivers, return_indices=True)
    size = area[nearest[0], nearest[1]]
    width = np.clip(0.5 + 1.3 * np.sqrt(np.maximum(size - LARGE, 0.0)), 0.5, 1.6)
    wide: BoolGrid = distance < width
    return (wide | _corners(waters.drainage, rivers) | waters.lakes) & waters.basin


def confluences(waters: Waters) -> FloatGrid:
    """Return where streams join, weighted by the share of the basin that the smaller brings, (y, x)."""
    area, receiver = waters.drainage.area().ravel(), waters.drainage.receiver
    stream = np.flatnonzero(waters.streams.ravel())
    incoming, largest = np.zeros(area.size), np.zeros(area.size)
    np.add.at(incoming, receiver[stream], area[stream])
    np.maximum.at(largest, receiver[stream], area[stream])
    joined: FloatGrid = (incoming - largest) / waters.basin.sum()
    return joined.reshape(waters.basin.shape)


def _follow_down(waters: Waters, rivers: BoolGrid) -> None:
    """Map the stream that leaves each lake down to the first mapped river."""
    receiver = waters.drainage.receiver
    lakes = waters.lakes.ravel()
    below = receiver[np.flatnonzero(lakes)]
    for cell in below[~lakes[below]]:
        while not rivers.flat[cell] and receiver[cell] != cell:
            rivers.flat[cell] = True
            cell = receiver[cell]


def _survey(drainage: Drainage, lakes: BoolGrid) -> Waters:
    basin = _main_basin(drainage)
    area = drainage.area() / basin.sum()
    streams = (area >= STREAM) & basin
    reached = drainage.reach(streams)
    reached[reached < 0] = drainage.outlet()[reached < 0]
    above = quantise(drainage.height - drainage.height.ravel()[reached], CENTIMETRE)
    return Waters(drainage, basin, streams, lakes & basin, area.ravel()[reached], above)


def _main_basin(drainage: Drainage) -> BoolGrid:
    outlet = drainage.outlet()
    basin: BoolGrid = outlet == np.bincount(outlet.ravel()).argmax()
    return basin


def _dam(
    terrain: FloatGrid, share: float, depth_m: float, where: BoolGrid, room: BoolGrid
) -> tuple[FloatGrid, BoolGrid]:
    """Flood the valley that makes the best lake above a stream with a given share of the basin.

    The dam is somewhere in one mask and the lake inside another. A good lake is large and has few cells through
    which it would leak.
    """
    drainage = drain(terrain)
    basin = _main_basin(drainage)
    sites = _stream_heads(drainage, int(share * basin.sum())) & basin & where
    site = drainage.reach(sites)
    level = np.where(site < 0, -np.inf, drainage.height.ravel()[site] + depth_m)
    flooded = (drainage.height < level) & basin & room
    shore = ndimage.minimum_filter(np.where(flooded, np.inf, drainage.height), footprint=_EIGHT)
    leaking = flooded & (shore < level)
    cells, leaks = (np.bincount(site[mask], minlength=terrain.size) for mask in (flooded, leaking))
    wanted = 0.004 * basin.sum()
    # A leak is a length and a lake an area: weighed so that the choice is alike at every size.
    best = int(np.argmax(-np.abs(cells - wanted) - 0.15 * np.sqrt(wanted) * leaks))
    lake = flooded & (site == best)
    height = float(drainage.height.flat[best] + depth_m)
    return _hold(drainage, lake, best, height), lake


def _hold(drainage: Drainage, lake: BoolGrid, outlet: int, level_m: float) -> FloatGrid:
    """Raise a lake to its level and its rim above it, but for the river that leaves it."""
    terrain = drainage.height.copy()
    terrain[lake] = level_m
    rim = ndimage.binary_dilation(lake, _EIGHT) & ~lake & (terrain <= level_m)
    rim.flat[drainage.receiver[outlet]] = False
    terrain[rim] = level_m + 1.0
    return quantise(terrain, CENTIMETRE)


def _stream_heads(drainage: Drainage, cells: int) -> BoolGrid:
    """Find where streams reach a drainage area: none of these cells drains into another."""
    area = drainage.area()
    stream = np.flatnonzero(area.ravel() >= cells)
    heads: NDArray[np.bool_] = area.ravel() >= cells
    below = drainage.receiver[stream]
    heads[below[below != stream]] = False
    return heads.reshape(area.shape)


def _corners(drainage: Drainage, rivers: BoolGrid) -> BoolGrid:
    """Find the cells that close the diagonal steps of one-cell rivers."""
    columns = rivers.shape[1]
    river = np.flatnonzero(rivers.ravel())
    below = drainage.receiver[river]
    corner = np.zeros(rivers.size, np.bool_)
    corner[(river // columns) * columns + below % columns] = True
    return corner.reshape(rivers.shape)
