"""What made a generated landscape change is found again: curves of drivers, neighbours, and yearly rates.

Every bound follows from the size of the sample and is named where it is derived; none was fitted to what the engine
finds. Where a bound is a quantile, a landscape of another seed passes it with that probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm, expm_frechet
from scipy.special import expit, logit
from scipy.stats import chi2

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import Workers
from scenarios.demand.rates import annual_generator
from scenarios.demand.transitions import Transition, TransitionTable
from tests.scenarios.landscapes import BUILT, FOREST, LEGEND, OTHER, scenario
from tests.scenarios.processes import KnownLandscape, Law, make_landscape, share_around

pytestmark = pytest.mark.long

CLEARING, BUILDING, REGROWTH = Transition(FOREST, OTHER), Transition(OTHER, BUILT), Transition(OTHER, FOREST)
LAWS = (
    Law(CLEARING, 0.005, {"height": lambda x: -2 * x, "road": lambda x: 2 * (1 - x) ** 2}),
    Law(BUILDING, 0.006, {"road": lambda x: -2 * np.abs(x - 0.4)}),
    Law(REGROWTH, 0.004, {"height": lambda x: 2 * x}),
)
DATES = {"two dates": (2000, 2008), "three dates at unequal intervals": (2000, 2006, 2018)}

CENTRAL = (0.05, 0.95)  # of a driver's values, which are spread evenly from 0 to 1
FREEDOM = 8  # free numbers of a cubic spline on six knots
MOST_CHANGED, MOST_STAYED = 3_000, 6_000  # cells of a transition that are learned from

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """A landscape of known making, and what was learned from its maps."""

    known: KnownLandscape
    learned: Calibration

    def curve(self, transition: Transition, driver: str) -> tuple[Floats, Floats]:
        """Return the central values of a driver, and the log odds that were found there."""
        potential = self.learned.model.potential
        curves = potential.explained[potential.transitions.index(transition)]
        (curve,) = (each for each in curves if each.driver == driver)
        central = (curve.value > CENTRAL[0]) & (curve.value < CENTRAL[1])
        return curve.value[central], curve.log_odds[central]


def find(known: KnownLandscape, **potential: object) -> Found:
    years = tuple(sorted(known.history))
    asked = scenario(start=years[-1], history=years, potential=potential)
    learned = calibrate(asked, known.history, known.drivers, legend=LEGEND, grid=known.grid, workers=Workers())
    return Found(known, learned)


@pytest.fixture(scope="module", params=DATES, ids=str)
def found(request: pytest.FixtureRequest) -> Found:
    return find(make_landscape(LAWS, years=DATES[request.param], idle=("soil",), seed=1))


def sampling_error(known: KnownLandscape, transition: Transition, freedom: int = FREEDOM) -> float:
    """Return the root mean square error, in log odds, that a curve exceeds in one sample of a thousand.

    A logistic regression on n1 cells that changed and n0 that did not knows the coefficient of a column of variance 1
    to within a variance of 1/n1 + 1/n0, while effects are not extreme. So the squared error of a curve of k free
    numbers, on average over the cells, is (1/n1 + 1/n0) times a chi-squared number of k degrees of freedom. A penalty
    that cross-validation chooses trades that variance for bias, and gains by it.
    """
    maps = [known.history[year] for year in sorted(known.history)]
    changed = sum(int(((a == transition.source) & (b == transition.target)).sum()) for a, b in pairwise(maps))
    return float(np.sqrt(chi2.ppf(0.999, freedom) * (1 / min(changed, MOST_CHANGED) + 1 / MOST_STAYED)))


def true_curve(known: KnownLandscape, law: Law, driver: str, values: Floats) -> Floats:
    """Return the log odds of changing within an interval, by the value of a driver and on average over all cells.

    A cell with the yearly chance p changes within m years with the chance 1 - (1 - p)^m. Intervals are averaged.
    """
    here = known.history[min(known.history)] == law.transition.source
    others = [curve(known.drivers[name][here].astype(float)) for name, curve in law.curves.items() if name != driver]
    rest = known.intercepts[known.laws.index(law)] + sum(others, np.zeros(here.sum()))[::20]
    own = law.curves[driver](values) if driver in law.curves else np.zeros(values.size)
    yearly = expit(own[:, None] + rest)
    lengths = np.diff(sorted(known.history))
    return np.mean([logit(1 - (1 - yearly) ** m).mean(axis=1) for m in lengths], axis=0)


@pytest.mark.parametrize("law", LAWS, ids=["clearing", "building", "regrowth"])
def test_curves_of_drivers_are_found(found: Found, law: Law) -> None:
    bound = sampling_error(found.known, law.transition)
    assert bound < 0.25
    for driver in law.curves:
        value, log_odds = found.curve(law.transition, driver)
        truth = true_curve(found.known, law, driver, value)
        assert truth.std() > 1.5 * bound  # a flat curve would not pass
        assert (log_odds - truth).std() < bound


@pytest.mark.parametrize(
    ("transition", "driver"),
    [(CLEARING, "soil"), (BUILDING, "soil"), (BUILDING, "height"), (REGROWTH, "soil"), (REGROWTH, "road")],
)
def test_a_driver_without_effect_is_flat(found: Found, transition: Transition, driver: str) -> None:
    _, log_odds = found.curve(transition, driver)
    assert log_odds.std() < sampling_error(found.known, transition)


@pytest.mark.parametrize("transition", [CLEARING, BUILDING, REGROWTH])
def test_yearly_rates_are_found(found: Found, transition: Transition) -> None:
    # A count of n changes has a standard error of 1/sqrt(n) of itself: 10 % is more than three of them from 1,000 on.
    error = 1 / np.sqrt(found.known.chance[transition])
    rate = found.learned.model.rates[transition]
    assert rate == pytest.approx(found.known.rate(transition), rel=3 * error)


def chose_momentum(known: KnownLandscape, radius_m: float = 500.0) -> dict[Transition, bool]:
    """Tell for each transition whether recent change was found to count."""
    potential = find(known, momentum_m=(radius_m,)).learned.model.potential
    recent = potential.recent
    chosen = recent is not None and (recent != 0).any(axis=(1, 2))
    return dict(zip(potential.transitions, np.broadcast_to(chosen, len(potential.transitions)), strict=True))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("years", DATES.values(), ids=DATES)
def test_momentum_is_not_found_where_there_is_none(years: tuple[int, ...], seed: int) -> None:
    # Cells change one by one, for the reasons of the drivers alone. By chance, three standard errors are gained once in
    # a thousand times.
    assert not any(chose_momentum(make_landscape(LAWS, years=years, seed=seed)).values())


@pytest.mark.parametrize("years", DATES.values(), ids=DATES)
def test_momentum_is_found_where_it_alone_knows(years: tuple[int, ...]) -> None:
    laws = (Law(CLEARING, 0.006, {"unseen": lambda x: 10 * (x - 1)}), Law(BUILDING, 0.006))
    known = make_landscape(laws, years=years, idle=("soil",), seed=1)
    chosen = chose_momentum(replace(known, drivers={"soil": known.drivers["soil"]}))
    assert chosen[CLEARING]
    assert not chosen[BUILDING]


def test_what_the_neighbours_do_is_found() -> None:
    # Within one year, so that the neighbours are those of the first map. One window a class has three curves.
    laws = (Law(CLEARING, 0.04, {"height": lambda x: -2 * x}, neighbours=5.0), Law(BUILDING, 0.03))
    known = make_landscape(laws, years=(2000, 2001), seed=1)
    potential = find(known, neighbourhood_m=(300.0,), momentum_m=()).learned.model.potential
    cover = known.history[2000]
    forest = cover == FOREST
    curves = potential.explained[potential.transitions.index(CLEARING)][-len(LEGEND) :]
    score = sum(
        np.interp(share_around(cover, value)[forest], curve.value, curve.log_odds)
        for value, curve in zip(LEGEND.values, curves, strict=True)
    )
    truth = 5 * share_around(cover, OTHER)[forest]
    bound = sampling_error(known, CLEARING, len(LEGEND) * FREEDOM)
    assert truth.std() > 1.5 * bound
    assert np.std(score - truth) < bound


def standard_errors(generator: Floats, lengths: Sequence[int], cells: int) -> Floats:
    """Return the standard errors of the rates off the diagonal, in row order, from the Fisher information."""
    size = len(generator)
    pairs = [(i, j) for i in range(size) for j in range(size) if i != j]
    information = np.zeros((len(pairs), len(pairs)))
    for length in lengths:
        slopes = []
        for i, j in pairs:
            step = np.zeros_like(generator)
            step[i, j], step[i, i] = length, -length
            slopes.append(expm_frechet(generator * length, step, compute_expm=False).ravel())
        chance = expm(generator * length).ravel()
        information += cells * np.array(slopes) / chance @ np.array(slopes).T
    return np.sqrt(np.diag(np.linalg.inv(information)))


@pytest.mark.usefixtures("one_thread_of_algebra")
@settings(max_examples=10)
@given(
    rates=st.lists(st.floats(0.002, 0.02), min_size=6, max_size=6),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_rates_of_a_chain_are_found_from_any_intervals(rates: list[float], lengths: list[int], seed: int) -> None:
    generator = np.zeros((3, 3))
    generator[~np.eye(3, dtype=bool)] = rates
    np.fill_diagonal(generator, -generator.sum(axis=1))
    rng, cells, year, tables = np.random.default_rng(seed), 50_000, 2000, []
    for length in lengths:
        drawn = rng.multinomial(cells, expm(generator * length)).astype(float)
        tables.append(TransitionTable(year, year + length, LEGEND, drawn))
        year += length
    error = annual_generator(tables)[~np.eye(3, dtype=bool)] - rates
    # Six standard errors: less than one false alarm in ten million draws.
    assert (np.abs(error) < 6 * standard_errors(generator, lengths, cells)).all()
