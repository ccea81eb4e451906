"""Biproportional fit: the transitions nearest to the observed ones that lead from given areas to given areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioInvalid

_EXACT = 1e-10
_NEAR = 1e-6
_ROUNDS = 200
_LONGEST_STEP = 5.0


def fit_margins(
    observed: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Scale rows and columns of a table until it has the wanted margins.

    Parameters
    ----------
    observed : (class, class) float64, 0 or more; what is 0 stays 0
    before, after : (class,) wanted row and column sums, of equal total

    Returns
    -------
    (class, class) float64; None where no table with these zeros has these margins

    Notes
    -----
    The table ``observed_ij · exp(u_i + v_j)`` with the wanted margins: the limit of alternate scaling (Deming and
    Stephan 1940, doi:10.1214/aoms/1177731829). ``u`` and ``v`` minimise a convex function, here by Newton's method,
    because alternate scaling takes thousands of rounds where nearly all land stays as it is.
    """
    size, total = before.size, before.sum()
    open_cells = (before[:, None] > 0) & (after[None, :] > 0)
    wanted = np.concatenate([before, after])
    scale = np.zeros(2 * size)
    fitted = _scale(observed, open_cells, scale)
    for _ in range(_ROUNDS):
        surplus = np.concatenate([fitted.sum(axis=1), fitted.sum(axis=0)]) - wanted
        if np.abs(surplus).max() <= _EXACT * total:
            break
        curvature = np.block([[np.diag(fitted.sum(axis=1)), fitted], [fitted.T, np.diag(fitted.sum(axis=0))]])
        step = np.linalg.lstsq(curvature, -surplus, rcond=1e-14)[0]
        step *= min(1.0, _LONGEST_STEP / max(np.abs(step).max(), 1e-300))
        value = fitted.sum() - wanted @ scale
        for _ in range(40):
            fitted = _scale(observed, open_cells, scale + step)
            if fitted.sum() - wanted @ (scale + step) <= value + 1e-4 * (surplus @ step) + _EXACT * total:
                break
            step /= 2
        scale = scale + step
    surplus = np.concatenate([fitted.sum(axis=1), fitted.sum(axis=0)]) - wanted
    return fitted if np.abs(surplus).max() <= _NEAR * total else None


def _scale(
    observed: NDArray[np.float64], open_cells: NDArray[np.bool_], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    size = observed.shape[0]
    power = np.clip(scale[:size, None] + scale[None, size:], -700, 700)
    return np.where(open_cells, observed * np.exp(power), 0.0)


def yearly_rates(
    matrix: NDArray[np.float64],
    areas: NDArray[np.float64],
    years: Sequence[int],
    names: Sequence[str],
    *,
    nearest: bool = False,
) -> NDArray[np.float64]:
    """Turn areas of following years into shares that change.

    Parameters
    ----------
    matrix : (class, class) observed yearly shares, diagonal included; 0 = not modelled
    areas : (year + 1, class) hectares, the first row those before the first year
    years, names : of the projected years and the classes, for messages
    nearest : go as far as the modelled transitions lead, instead of refusing

    Returns
    -------
    (year, class, class) float64, share of the class at the beginning of the year

    Raises
    ------
    ScenarioInvalid
        The modelled transitions cannot lead from one year's areas to the next.
    """
    out = np.zeros((len(years), *matrix.shape))
    before = areas[0]
    for n, year in enumerate(years):
        after = areas[n + 1]
        fitted = fit_margins(matrix * before[:, None], before, after)
        if fitted is None and nearest:
            missing, stuck = _leftovers(matrix > 0, before, after)
            after = after - missing + stuck
            fitted = fit_margins(matrix * before[:, None], before, after)
        if fitted is None:
            raise ScenarioInvalid(explain(matrix > 0, before, after, year, names))
        np.divide(fitted, before[:, None], out=out[n], where=before[:, None] > 0)
        before = after
    return out


def explain(
    possible: NDArray[np.bool_],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    year: int,
    names: Sequence[str],
) -> str:
    """Say which class cannot have the area that it should, and for want of which change."""
    missing, stuck = _leftovers(possible, before, after)
    reasons = []
    for n in _indices(missing > _NEAR * before.sum()):
        sources = [names[k] for k in _indices(possible[:, n]) if k != n]
        found = f"only {', '.join(sources)} can become it" if sources else "no modelled change leads to it"
        reasons.append(f"{names[n]} lacks a source of {missing[n]:.1f} ha ({found})")
    for n in _indices(stuck > _NEAR * before.sum()):
        targets = [names[k] for k in _indices(possible[n]) if k != n]
        found = f"it can only become {', '.join(targets)}" if targets else "no modelled change leads out of it"
        reasons.append(f"{names[n]} should lose {stuck[n]:.1f} ha more than it can ({found})")
    return (
        f"The areas wanted in {year} cannot be reached by the changes that were observed: {'; '.join(reasons)}. "
        "Change these areas, or lower transitions.minimum_hectares so that more changes are modelled."
    )


def _indices(mask: NDArray[np.bool_]) -> list[int]:
    return [n for n, chosen in enumerate(mask) if chosen]


def _leftovers(
    possible: NDArray[np.bool_], before: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each class lacks and what it cannot get rid of when as much as possible is moved."""
    from scipy.optimize import linprog

    size = before.size
    sums = np.vstack([np.kron(np.eye(size), np.ones(size)), np.kron(np.ones(size), np.eye(size))])
    bounds = [(0, None if free else 0) for free in possible.ravel()]
    found = linprog(-np.ones(size**2), A_ub=sums, b_ub=np.concatenate([before, after]), bounds=bounds)
    moved = found.x.reshape(size, size)
    return after - moved.sum(axis=0), before - moved.sum(axis=1)
