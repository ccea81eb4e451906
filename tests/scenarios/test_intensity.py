"""Net, swap and intensity: a table of three classes, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.demand.intensity import class_intensity, interval_intensity, transition_intensity
from scenarios.demand.transitions import TransitionTable
from tests.scenarios.landscapes import LEGEND

# Start: forest 100, built 20, other 80. End: forest 80, built 60, other 60. Five years, 55 ha of change.
TABLE = TransitionTable(2000, 2005, LEGEND, np.array([[75.0, 15.0, 10.0], [0.0, 20.0, 0.0], [5.0, 25.0, 50.0]]))
LATER = TransitionTable(2005, 2015, LEGEND, np.array([[70.0, 10.0, 0.0], [0.0, 60.0, 0.0], [0.0, 0.0, 60.0]]))


def test_net_and_swap_by_hand() -> None:
    assert TABLE.gain_ha.tolist() == [5, 40, 10]
    assert TABLE.loss_ha.tolist() == [25, 0, 30]
    assert TABLE.net_ha.tolist() == [-20, 40, -20]
    assert TABLE.swap_ha.tolist() == [10, 0, 20]


def test_intervals_by_hand() -> None:
    found = interval_intensity([TABLE, LATER])
    # Of 200 ha: 55 in 5 years, 10 in 10 years; together 65 in 15 years.
    np.testing.assert_allclose(found.change, [55 / 1000, 10 / 2000])
    assert found.uniform == pytest.approx(65 / 3000)


def test_classes_by_hand() -> None:
    found = class_intensity(TABLE)
    np.testing.assert_allclose(found.gain, [5 / 400, 40 / 300, 10 / 300])
    np.testing.assert_allclose(found.loss, [25 / 500, 0, 30 / 400])
    assert found.uniform == pytest.approx(55 / 1000)


def test_transitions_by_hand() -> None:
    found = transition_intensity(TABLE)
    # The gain of built takes 15 of 100 ha forest and 25 of 80 ha other, 40 of 180 ha that were not built.
    np.testing.assert_allclose(found.gain[:, 1], [15 / 500, np.nan, 25 / 400])
    assert found.gain_uniform[1] == pytest.approx(40 / 900)
    # The loss of forest goes to 15 of 60 ha built and 10 of 60 ha other, 25 of 120 ha that are not forest.
    np.testing.assert_allclose(found.loss[0], [np.nan, 15 / 300, 10 / 300])
    assert found.loss_uniform[0] == pytest.approx(25 / 600)


def test_a_class_without_area_has_no_intensity() -> None:
    empty = TransitionTable(2000, 2005, LEGEND, np.array([[10.0, 0, 0], [0, 0, 0], [0, 0, 0]]))
    assert np.isnan(class_intensity(empty).gain[1:]).all()
    assert np.isnan(transition_intensity(empty).gain[1:]).all()
    assert np.isnan(transition_intensity(empty).gain_uniform[0])


@given(st.lists(st.floats(0.1, 1000), min_size=9, max_size=9), st.integers(1, 20))
@settings(deadline=None, max_examples=30)
def test_the_uniform_intensities_lie_between_those_they_sum_up(cells: list[float], years: int) -> None:
    table = TransitionTable(2000, 2000 + years, LEGEND, np.reshape(cells, (3, 3)))
    np.testing.assert_allclose(np.abs(table.net_ha) + table.swap_ha, table.gain_ha + table.loss_ha, atol=1e-9)
    by_class, by_transition = class_intensity(table), transition_intensity(table)
    for part in (by_class.gain, by_class.loss):
        assert part.min() - 1e-12 <= by_class.uniform <= part.max() + 1e-12
    for n in range(3):
        assert np.nanmin(by_transition.gain[:, n]) - 1e-12 <= by_transition.gain_uniform[n]
        assert by_transition.gain_uniform[n] <= np.nanmax(by_transition.gain[:, n]) + 1e-12
        assert np.nanmin(by_transition.loss[n]) - 1e-12 <= by_transition.loss_uniform[n]
        assert by_transition.loss_uniform[n] <= np.nanmax(by_transition.loss[n]) + 1e-12
