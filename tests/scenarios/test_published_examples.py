"""Metrics against numbers that others have published: what went in and what came out are both theirs."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.legend import Legend
from scenarios.demand.intensity import class_intensity, interval_intensity
from scenarios.demand.transitions import TransitionTable
from scenarios.potential.quality import area_error, area_under_curve, operating_characteristic
from scenarios.validation.metrics import Agreement, compare


def compare_table(table: list[list[int]]) -> Agreement:
    """Compare two maps with this cross-tabulation: rows are the classes of the simulated, columns of the observed."""
    simulated, observed = (
        np.repeat(each.ravel() + 1, np.ravel(table))[None].astype(np.uint8) for each in np.indices((2, 2))
    )
    # All began as one class: then kappa simulation is Cohen's kappa.
    return compare(np.full(observed.shape, 9, np.uint8), observed, simulated)


def test_quantity_allocation_and_kappa() -> None:
    """Two comparisons of 16 observations each, by which "Death to Kappa" is told in short.

    Pontius and Millones 2011, doi:10.1080/01431161.2011.552923, as summed up in the section "Limitations" of "Cohen's
    kappa", Wikipedia: disagreement 14/16, all of it quantity, kappa 0.01; and 2/16, all of it allocation, kappa -0.07.
    """
    first, second = compare_table([[1, 14], [0, 1]]), compare_table([[0, 1], [1, 14]])
    assert (first.quantity, first.allocation) == (0.875, 0)
    assert first.kappa_simulation == pytest.approx(0.01, abs=0.005)
    assert (second.quantity, second.allocation) == (0, 0.125)
    assert second.kappa_simulation == pytest.approx(-0.07, abs=0.005)


def test_hits_misses_and_false_alarms() -> None:
    """The example of `change_detection_metrics` in the R package SITSAR (jodavid.github.io/SITSAR).

    Detection rate 50 %, false positives 20 % and false negatives 20 % of five pixels.
    """
    initial = np.ones((1, 5), np.uint8)
    observed, simulated = np.array([[2, 2, 1, 1, 1]], np.uint8), np.array([[2, 1, 2, 1, 1]], np.uint8)
    found = compare(initial, observed, simulated)
    assert found.found == 0.5
    assert (found.false_alarms / found.cells, found.misses / found.cells) == (0.2, 0.2)


def test_area_under_the_curve_and_its_standard_error() -> None:
    """Ratings of 109 tomographic images, 58 normal and 51 abnormal, from 1 (surely normal) to 5 (surely abnormal).

    Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747: area 0.893. The Stata manual, [R] roctab, gives 0.8932
    with the standard error 0.0307 (DeLong, DeLong and Clarke-Pearson 1988) for the same data.
    """
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    rating = np.concatenate([np.repeat(np.arange(1.0, 6), each) for each in (normal, abnormal)])
    is_abnormal, one_each = np.repeat([False, True], [58, 51]), np.ones(109)
    assert area_under_curve(is_abnormal, rating, one_each) == pytest.approx(0.8932, abs=0.00005)
    assert operating_characteristic(is_abnormal, rating, one_each).area == pytest.approx(0.8932, abs=0.00005)
    assert area_error(is_abnormal, rating, one_each, np.arange(109)) == pytest.approx(0.0307, abs=0.00005)


def test_intensity_of_intervals() -> None:
    """Sao Lourenco river basin, Brazil, 2002 to 2014: the vignette of the R package OpenLand 1.0, slot interval_lvl.

    Exavier and Zeilhofer 2020, doi:10.32614/RJ-2021-021, after Aldwaik and Pontius 2012. Change of the whole interval
    in per cent; then the yearly intensities, and the uniform one.
    """
    legend = Legend.from_json({"nodata": 0, "classes": {"1": "a", "2": "b"}})
    dates = [(2002, 2008, 5.18), (2008, 2010, 0.880), (2010, 2012, 4.23), (2012, 2014, 3.32)]
    tables = [TransitionTable(a, b, legend, np.array([[60, change], [0, 40 - change]])) for a, b, change in dates]
    found = interval_intensity(tables)
    assert 100 * found.change == pytest.approx([0.864, 0.440, 2.12, 1.66], abs=0.006)
    assert 100 * found.uniform == pytest.approx(1.13, abs=0.006)


def test_intensity_of_classes() -> None:
    """Mondego river basin, Portugal, 1990 to 2006: supplementary tables S1 and S2 (scribd.com/document/701147009).

    Gains in per cent of the class a year, and the uniform intensity 0.241. What stayed rice and forest cannot be read
    in the copy of the table; the two numbers are those that the published shares of the domain leave, so that nothing
    is tested of these two classes.
    """
    names = ("urban", "industrial", "rainfed", "rice", "heterogeneous", "forest", "wetland", "water")
    legend = Legend.from_json({"nodata": 0, "classes": {str(n): name for n, name in enumerate(names, start=1)}})
    rice, forest = 16_374, 420_942
    area = [
        [7515, 81, 3, 2, 25, 38, 0, 4],
        [199, 1200, 0, 0, 21, 36, 0, 1],
        [546, 250, 33118, 186, 2201, 970, 0, 0],
        [36, 0, 3, rice, 284, 24, 51, 34],
        [6152, 511, 2127, 94, 154518, 4100, 0, 133],
        [1052, 2441, 1097, 133, 2301, forest, 0, 372],
        [0, 0, 0, 28, 0, 0, 1205, 0],
        [1, 0, 1, 1, 1, 8, 35, 3386],
    ]
    table = TransitionTable(1990, 2006, legend, np.array(area, np.float64))
    assert table.gain_ha.tolist() == [7986, 3283, 3231, 444, 4833, 5176, 86, 544]
    found = class_intensity(table)
    legible = [name not in ("rice", "forest") for name in names]
    assert 100 * found.gain[legible] == pytest.approx([3.220, 4.577, 0.556, 0.190, 0.416, 0.865], abs=0.0006)
    assert 100 * found.uniform == pytest.approx(0.241, abs=0.0006)
