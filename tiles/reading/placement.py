"""Where the pixels of a tile lie among the cells of a raster, exactly and fast.

Projecting every pixel costs more than all the rest of a tile, and GDAL's short cut (linear along rows, up to
1/8 cell aside) shows the wrong class along every edge. But a projection is smooth: a Chebyshev interpolant
through a few hundred projected points gives the place of all pixels to a ten-millionth of a cell.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from affine import Affine
from numpy.polynomial.chebyshev import chebpts1, chebvander
from numpy.typing import NDArray
from pyproj import Transformer

from tiles.reading.projections import find_turn
from tiles.reading.view import View

Floats = NDArray[np.float64]

_NODES: Final = 12
# The coefficients left out are smaller than the last ones kept: where those are below this, so is the error.
_PRECISION_CELLS: Final = 1e-8
_POINTS: Final[Floats] = chebpts1(_NODES)


def _invert() -> Floats:
    """Return the matrix that takes values at the Chebyshev points to coefficients."""
    # The columns of the basis are orthogonal over these points, so its transpose, scaled, is its inverse.
    inverse: Floats = chebvander(_POINTS, _NODES - 1).T * 2 / _NODES
    inverse[0] /= 2
    return inverse


_INVERSE: Final = _invert()


def place_pixels(view: View, *, raster_crs: str, transform: Affine) -> tuple[Floats, Floats]:
    """Return the place of every pixel's centre in cells of a raster.

    Parameters
    ----------
    view : View
    raster_crs : str
        As WKT or authority code.
    transform : Affine
        Of the raster, from cells to its CRS.

    Returns
    -------
    columns, rows : (height, width) float64
        Counted from the raster's upper left corner; the integer part names the cell. Infinite or NaN where
        the raster's CRS does not reach. What lies a turn around the world further east or west is the same place: it
        has the column, of those, that is the first from the corner on.
    """
    left, bottom, right, top = view.bounds
    projection, to_cell = _projection(view.crs, raster_crs), ~transform
    turn = find_turn(raster_crs)
    around = None if turn is None else (to_cell.a * turn, to_cell.d * turn)

    def place(across: Floats, down: Floats) -> tuple[Floats, Floats]:
        """Project all crossings of the given places, from -1 to 1 across and down the view."""
        x = (left + right) / 2 + (right - left) / 2 * across
        y = (top + bottom) / 2 - (top - bottom) / 2 * down
        east, north = projection.transform(*np.meshgrid(x, y))
        with np.errstate(invalid="ignore"):  # infinite places stay infinite, or are no number
            columns = to_cell.a * east + to_cell.b * north + to_cell.c
            rows = to_cell.d * east + to_cell.e * north + to_cell.f
        return columns, rows

    nodes = place(_POINTS, _POINTS)
    if around is not None:
        nodes = _join(*nodes, around)
    coefficients = [_INVERSE @ values @ _INVERSE.T for values in nodes]
    if all(_has_converged(one) for one in coefficients):
        columns, rows = (_evaluate(_trim(one), view) for one in coefficients)
    else:
        columns, rows = place(_centres(view.width), _centres(view.height))
    return (columns, rows) if around is None else _bring_back(columns, rows, around)


def _join(columns: Floats, rows: Floats, around: tuple[float, float]) -> tuple[Floats, Floats]:
    """Take away the jump at the edge of the raster's map: all places go on from the one in the middle."""
    with np.errstate(invalid="ignore"):
        turns = np.rint((columns[_NODES // 2, _NODES // 2] - columns) / around[0])
        return columns + turns * around[0], rows + turns * around[1]


def _bring_back(columns: Floats, rows: Floats, around: tuple[float, float]) -> tuple[Floats, Floats]:
    """Move places by whole turns, so that their columns begin at 0."""
    step = abs(around[0])
    if columns.min() >= 0 and columns.max() < step:
        return columns, rows
    with np.errstate(invalid="ignore"):
        turns = np.floor(columns / step)
        return columns - turns * step, rows - turns * step * (around[1] / around[0])


def _evaluate(coefficients: Floats, view: View) -> Floats:
    """Return the polynomial at every crossing: by einsum, for BLAS threads would fight the server's."""
    kept = len(coefficients)
    across = np.einsum("kl,jl->kj", coefficients, _basis(view.width)[:, :kept])
    values: Floats = np.einsum("ik,kj->ij", _basis(view.height)[:, :kept], across)
    return values


def _trim(coefficients: Floats) -> Floats:
    """Leave out the highest orders, of which the small tiles of high zooms need few."""
    size = np.abs(coefficients)
    # All that is left out, added up.
    left_out = np.cumsum((size.sum(axis=0) + size.sum(axis=1))[::-1])[::-1]
    return coefficients[: (kept := max(1, int(np.count_nonzero(left_out >= _PRECISION_CELLS)))), :kept]


def _has_converged(coefficients: Floats) -> bool:
    last = np.concatenate([coefficients[-2:].ravel(), coefficients[:, -2:].ravel()])
    return bool(np.all(np.abs(last) < _PRECISION_CELLS))


def _centres(size: int) -> Floats:
    centres: Floats = (np.arange(size) + 0.5) / size * 2 - 1
    return centres


@lru_cache(maxsize=16)
def _basis(size: int) -> Floats:
    return np.asarray(chebvander(_centres(size), _NODES - 1), dtype=np.float64)


@lru_cache(maxsize=64)
def _projection(source: str, target: str) -> Any:
    return Transformer.from_crs(source, target, always_xy=True)
