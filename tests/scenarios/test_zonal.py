"""Demand by zone: as far as a zone can tell, at its own rates, inside its borders, adding up to the landscape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.calibration import Calibration, calibrate
from scenarios.cluster import ONE, Workers
from scenarios.demand.futures import Demand
from scenarios.demand.transitions import Transition, TransitionTable
from scenarios.demand.zonal import ZonalDemand, learn_zones
from scenarios.demand.zones import REST, Zones
from scenarios.projection.years import CENTRAL
from scenarios.validation.hindcast import hindcast
from tests.scenarios.landscapes import BUILT, FOREST, LEGEND, Map, place, projected_grid, scenario, walk

SHAPE = (48, 60)
GRID = projected_grid(SHAPE)
FORTH = Transition(FOREST, BUILT)
WEST_EAST = Zones((REST, "west", "east"), np.repeat([[1, 2]], 48, axis=0).repeat(30, axis=1).astype(np.uint8))


def seen_by_hand(*rows: tuple[float, float]) -> ZonalDemand:
    """Return a demand learned from 1000 ha of forest in one year, 100 of them built over; observations by zone."""
    table = TransitionTable(1999, 2000, LEGEND, np.array([[900.0, 100.0, 0.0], [0, 50.0, 0], [0, 0, 50.0]]))
    whole = Demand((table,), (FORTH,), (np.full(3, 100.0),))
    seen = np.zeros((1, len(rows), 3, 3))
    seen[0, :, 0, :2] = rows
    return ZonalDemand(whole, Zones(tuple("abc"[: len(rows)]), np.zeros(SHAPE, np.uint8)), seen, np.full(3, 20.0))


def rates_by_hand(zonal: ZonalDemand, member: int | None = None, **fields: Any) -> list[float]:
    area = np.full((len(zonal.zones), 3), 100.0)
    rates = zonal.foretell(scenario(**fields), member, area)
    return [each[FORTH] for each in rates(2001, area)]


def test_a_zone_is_drawn_towards_the_landscape_by_hand() -> None:
    # (30 + 20 * 0.1) / (80 + 20), (0 + 2) / (5 + 20), and nothing seen: the landscape's own 0.1.
    assert rates_by_hand(seen_by_hand((50, 30), (5, 0), (0, 0))) == pytest.approx([0.32, 0.08, 0.1], abs=1e-8)


def test_an_expression_holds_in_every_zone_and_frozen_too() -> None:
    zonal = seen_by_hand((50, 30), (5, 0))
    given_rate = {"rule": "expression", "rates": {"forest to built": "0.001 * (year - 2000)"}}
    assert rates_by_hand(zonal, demand=given_rate) == [0.001, 0.001]
    assert rates_by_hand(zonal, demand={"rule": "frozen"}) == [0, 0]


def test_members_draw_around_the_rates_of_their_zone() -> None:
    zonal = seen_by_hand((500, 300), (1000, 0))
    drawn = np.array([rates_by_hand(zonal, member) for member in range(120)])
    np.testing.assert_allclose(drawn.mean(axis=0), rates_by_hand(zonal), rtol=0.05)
    # The spread of a Dirichlet share of 820 observations, sqrt(p (1 - p) / 821), and a little for the landscape's draw.
    assert drawn[:, 0].std() == pytest.approx(np.sqrt(0.368 * 0.632 / 821), rel=0.25)
    assert rates_by_hand(zonal, 3) == drawn[3].tolist()
    assert rates_by_hand(zonal, 3, demand={"uncertainty": False}) == rates_by_hand(zonal)


@pytest.mark.parametrize(("weight", "three_errors"), [(5.0, 0.33), (50.0, 0.5)])
def test_how_far_zones_differ_is_found_again(weight: float, three_errors: float) -> None:
    rng, zones, each = np.random.default_rng(5), 150, 60
    share = np.array([0.8, 0.15, 0.05])
    changed = np.stack([rng.multinomial(each, rng.dirichlet(weight * share)) for _ in range(zones)])
    # A cell is an observation: each zone is a row of forest, whose change is written into the later map.
    first = np.full((zones, each), FOREST, np.uint8)
    last = np.stack([np.repeat(LEGEND.values, row) for row in changed]).astype(np.uint8)
    names = ("", *(str(n) for n in range(zones - 1)))
    code = np.repeat(np.arange(zones, dtype=np.uint8)[:, None], each, axis=1)
    area = np.zeros((3, 3))
    area[0] = changed.sum(axis=0)
    table = TransitionTable(1990, 2000, LEGEND, area)
    whole = Demand((table,), (FORTH,), (np.full(3, float(zones * each)),))
    found = learn_zones(whole, {1990: first, 2000: last}, Zones(names, code), projected_grid((zones, each)))
    assert found.prior[0] == pytest.approx(weight, rel=three_errors)


def grow(rates: dict[int, float], seed: int = 0) -> dict[int, Map]:
    """Return three maps between which forest is built over at these yearly rates in the zones."""
    rng = np.random.default_rng(seed)
    now = np.where(rng.random(SHAPE) < 0.8, FOREST, BUILT).astype(np.uint8)
    history = {1990: now}
    for year in (1995, 2000):
        now = now.copy()
        for zone, rate in rates.items():
            free = (now == FOREST) & (WEST_EAST.code == zone)
            now[free & (rng.random(SHAPE) < 1 - (1 - rate) ** 5)] = BUILT
        history[year] = now
    return history


def learn(history: dict[int, Map], zones: Zones | None = WEST_EAST, **fields: Any) -> Calibration:
    named = {"demand": {"zones": "sides"} | fields.pop("demand", {})} if zones else fields.pop("plain", {})
    wanted = scenario(history=tuple(history), **named, **fields)
    return calibrate(wanted, history, {}, legend=LEGEND, grid=GRID, workers=ONE, zones=zones)


def changed_by_zone(start: Map, end: Map) -> list[int]:
    return [int(((start != end) & (WEST_EAST.code == zone)).sum()) for zone in range(3)]


def test_zones_go_on_at_their_own_rates() -> None:
    history = grow({1: 0.04, 2: 0.004})
    found = learn(history)
    rates = found.model.zonal.rates(scenario())
    assert rates["west"][FORTH] == pytest.approx(0.04, rel=0.25)
    assert rates["east"][FORTH] < 0.01
    assert rates[REST] == pytest.approx(found.model.rates)  # nothing was seen there
    assert any(note.startswith("rates by zone") for note in found.notes)
    years = walk(found.model, scenario(), history[2000])
    forest = [int(((history[2000] == FOREST) & (WEST_EAST.code == zone)).sum()) for zone in (1, 2)]
    _, west, east = changed_by_zone(history[2000], years[-1].land_cover)
    for cells, rate, changed in zip(forest, [rates["west"], rates["east"]], [west, east], strict=True):
        assert changed == pytest.approx(cells * (1 - (1 - rate[FORTH]) ** 5), abs=1)


def test_zones_that_are_alike_share_the_rates_of_the_landscape() -> None:
    found = learn(grow({1: 0.02, 2: 0.02}))
    for rates in found.model.zonal.rates(scenario()).values():
        assert rates[FORTH] == pytest.approx(found.model.rates[FORTH], rel=0.1)


def test_one_zone_for_all_changes_nothing() -> None:
    history = grow({1: 0.03, 2: 0.01})
    one = learn(history, Zones((REST, "all"), np.ones(SHAPE, np.uint8)))
    none = learn(history, None)
    for a, b in zip(*(walk(m.model, scenario(), history[2000]) for m in (one, none)), strict=True):
        np.testing.assert_array_equal(a.land_cover, b.land_cover)


@pytest.mark.parametrize("allocation", ["cells", "patches"])
@given(st.integers(0, 2**16), st.sampled_from(["markov", "trend"]), st.integers(6, 60), st.sampled_from([1, 2]))
@settings(deadline=None, max_examples=6)
def test_hectares_add_up_and_chunks_do_not_show(
    allocation: str, seed: int, rule: str, chunk: int, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    history = grow({1: 0.05, 2: 0.01}, seed)
    zones = Zones((REST, "a", "b", "c"), rng.integers(0, 4, SHAPE).astype(np.uint8))
    rules = {"demand": {"rule": rule}, "allocation": {"rule": allocation}}
    model, wanted = learn(history, zones, **rules).model, scenario(**rules)
    one = walk(model, wanted, history[2000], member=1, temperature=1.0)
    other = walk(model, wanted, history[2000], member=1, temperature=1.0, chunk=chunk, workers=Workers(threads))
    before = history[2000]
    for a, b in zip(one, other, strict=True):
        assert sum(a.placed_ha.values()) == pytest.approx((before != a.land_cover).sum() * GRID.weight_ha)
        before = a.land_cover
        assert a.land_cover.tobytes() == b.land_cover.tobytes()
        np.testing.assert_allclose(a.zone_area_ha.sum(axis=0), a.area_ha)
        np.testing.assert_allclose(a.zone_area_ha, zones.weigh(a.land_cover, LEGEND.values, GRID) * GRID.weight_ha)


@pytest.mark.parametrize("member", [CENTRAL, 2])
def test_a_table_is_reached_by_all_zones_together(member: int) -> None:
    history = grow({1: 0.04, 2: 0.004})
    start = GRID.weigh(history[2000], LEGEND.values)
    table = {"year": [2005], "forest": [start[0] - 300.0], "built": [start[1] + 300.0], "other": [0.0]}
    demand = {"rule": "table", "table": table}
    model = learn(history, demand=demand).model
    first, *_, last = walk(model, scenario(demand=demand), history[2000], member=member)
    assert last.area_ha == pytest.approx([table["forest"][0], table["built"][0], 0], abs=3)
    if member == CENTRAL:  # 60 cells a year, by what each zone would change by itself
        own = [rates[FORTH] for rates in model.zonal.rates(scenario()).values()]
        pull = WEST_EAST.weigh(history[2000], LEGEND.values, GRID)[:, 0] * own
        assert changed_by_zone(history[2000], first.land_cover) == pytest.approx(60 * pull / pull.sum(), abs=0.6)


def test_what_a_zone_lacks_is_told_with_its_name() -> None:
    history = grow({1: 0.04, 2: 0.04})
    start = np.where(WEST_EAST.code == 1, BUILT, history[2000]).astype(np.uint8)
    start[0, :5] = FOREST
    model = learn(history).model
    rates = {"rule": "expression", "rates": {"forest to built": 1}}
    where = {"type": "Polygon", "coordinates": [[[-90, 30], [-60, 30], [-60, 45], [-90, 45], [-90, 30]]]}
    keep = {"id": "keep", "years": (2001, 2001), "protect": {"where": where, "classes": ["forest"]}}
    first = walk(model, scenario(keep, demand=rates), start)[0]
    lacking = {s.zone: s.hectares for s in first.shortfalls}
    assert lacking == {"west": 5, "east": int(((start == FOREST) & (WEST_EAST.code == 2)).sum())}


def test_protection_in_one_zone_spares_no_demand_of_another() -> None:
    history = grow({1: 0.03, 2: 0.03})
    model = learn(history).model
    plain = walk(model, scenario(), history[2000])[-1].land_cover
    where = place(GRID, (0, 48), (0, 30))
    keep = {"id": "keep", "years": (2001, 2005), "protect": {"where": where, "classes": ["forest"], "leakage": 0}}
    kept = walk(model, scenario(keep), history[2000])[-1]
    _, west, east = changed_by_zone(history[2000], kept.land_cover)
    assert (west, east) == (0, changed_by_zone(history[2000], plain)[2])
    assert east > 0
    assert kept.shortfalls == ()


def test_a_hindcast_knows_the_zones() -> None:
    history = grow({1: 0.04, 2: 0.002})
    demand = {"zones": "sides"}
    wanted = scenario(history=tuple(history), demand=demand)
    found = hindcast(wanted, history, {}, legend=LEGEND, grid=GRID, members=1, zones=WEST_EAST)
    _, west, east = changed_by_zone(history[1995], found.simulated)
    assert west > 4 * east


def test_a_hindcast_of_a_table_keeps_the_zones() -> None:
    history = grow({1: 0.04, 2: 0.002})
    table = {"year": [2005], "forest": [1.0], "built": [1.0], "other": [0.0]}
    wanted = scenario(history=tuple(history), demand={"rule": "table", "table": table, "zones": "sides"})
    found = hindcast(wanted, history, {}, legend=LEGEND, grid=GRID, members=1, zones=WEST_EAST)
    _, west, east = changed_by_zone(history[1995], found.simulated)
    assert west > 4 * east


def test_a_model_without_zones_has_one() -> None:
    model = replace(learn(grow({1: 0.03, 2: 0.03})).model, zonal=None)
    (year, *_) = walk(model, scenario(), grow({1: 0.03, 2: 0.03})[2000])
    assert year.zone_area_ha.shape == (1, 3)
