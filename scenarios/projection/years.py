"""The yearly loop: land cover in, land cover out, until the horizon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.allocation.allocator import Allocator, Change, Market, Placement, share_out
from scenarios.allocation.growth import PatchAllocator
from scenarios.cluster import ONE, Workers
from scenarios.demand.rates import Account, Ledger
from scenarios.demand.transitions import Transition
from scenarios.errors import ScenarioInvalid
from scenarios.interventions.conversions import Conversions, Residence
from scenarios.interventions.local_rates import LocalRate, drop_stopped, see_locally
from scenarios.interventions.plan import Goal, Plan, Restoration
from scenarios.interventions.priority import BestPlaces, take_best
from scenarios.kernels import draws
from scenarios.kernels.keys import TEMPERATURE_ONE, Claims
from scenarios.kernels.scores import odds_table, sum_odds
from scenarios.kernels.tally import move_weights
from scenarios.model import Model
from scenarios.projection.journal import Entry, Journal
from scenarios.projection.lookout import Lookout
from scenarios.projection.view import View
from scenarios.projection.yearbook import Book, Changes, Year
from scenarios.spec import Scenario

CENTRAL = 2**31
"""Number of the central projection, which takes the likeliest cells; members are counted from 0."""

DEFAULT_CHUNK = 512


def project(
    model: Model,
    scenario: Scenario,
    start: NDArray[np.uint8],
    *,
    member: int = CENTRAL,
    temperature: float = 0.0,
    chunk: int = DEFAULT_CHUNK,
    workers: Workers = ONE,
    plan: Plan | None = None,
    view: View | None = None,
    journal: Journal | None = None,
) -> Iterator[Year]:
    """Project one member year by year.

    Parameters
    ----------
    model : fitted on the landscape's history
    scenario : interventions, seed and years
    start : (y, x) uint8, land cover at the scenario's start, legend values, 0 = no data
    member : number of the member, which its random draws hang on
    temperature : 0 takes the likeliest cells; 1 draws cells by their likelihood
    chunk : edge of the blocks that are worked on side by side, in cells. It does not show in the result.
    workers : who works on the blocks
    plan : the scenario's interventions on the model's grid, where they were made before; places take time to draw
    view : `View.of` the model's potential and the start, at this temperature, where many members begin from it
    journal : where each year is noted as it ends. Years that it holds already are told from it, and the walk goes on
        from the last of them: the years are the same as without it.

    Yields
    ------
    Year, for every projected year
    """
    walk = _Walk(model, scenario, start, member, temperature, chunk, workers, plan)
    for entry in walk.set_out(view, () if journal is None else journal.entries()):
        yield walk.tell(entry)
    for year in range(walk.year + 1, scenario.end + 1):
        entry = walk.step(year)
        if journal is not None:
            journal.write(entry)
        yield walk.tell(entry)


def _choose_market(model: Model, scenario: Scenario, cells: Allocator) -> Market:
    """Return what places the changes of the market, by the scenario's rule."""
    if scenario.allocation.rule == "cells":
        return cells
    if model.patches is None:
        raise ScenarioInvalid(
            "The scenario wants its changes placed in patches (allocation.rule), and the model has learned none. "
            "Calibrate it with this scenario, or say 'rule: cells'."
        )
    return PatchAllocator(cells, model.patches)


class _Walk:
    """One member's state while it walks through the years."""

    def __init__(
        self,
        model: Model,
        scenario: Scenario,
        start: NDArray[np.uint8],
        member: int,
        temperature: float,
        chunk: int,
        workers: Workers,
        plan: Plan | None,
    ) -> None:
        self.year = scenario.start
        model = model if member == CENTRAL else model.resample(scenario, member, workers)
        self.model, self.scenario, self.member = model, scenario, member
        self.temperature = round(temperature * TEMPERATURE_ONE)
        self.plan = plan or Plan(scenario, model.legend, model.grid)
        self.plan.check_drivers(model.potential.edges)
        self.plan.check_layers(model.layers, model.potential.edges)
        self.conversions = Conversions(scenario.conversions, model.legend)
        self.residence = Residence(self.conversions, model.changed, model.grid.shape)
        blocks = model.grid.blocks(chunk, of_strips=True)
        self.allocator = Allocator(model.grid, blocks, workers)
        self.zones = model.zones
        self.markets = [
            _choose_market(model, scenario, Allocator(model.grid, self.zones.blocks(zone, blocks), workers))
            for zone in range(len(self.zones))
        ]
        self.best_places = BestPlaces(model.grid, workers)
        self.ledger = Ledger()
        self.local: dict[Transition, LocalRate | None] = {}
        self.land_cover = workers.scratch.copy(start)
        self.settled = workers.scratch.zeros(start.shape, np.uint8)  # none between two years
        self.lookout = Lookout(model, self.land_cover, self.temperature, workers)
        self.area = self.zones.weigh(start, model.legend.values, model.grid)  # (zone, class)
        self.foretold = model.foretell(scenario, None if member == CENTRAL else member, self._area_ha())

    def set_out(self, view: View | None, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Go the way of the entries again, and look around where it ends.

        Where each cell is looked up, one look there shows what many on the way would. A classifier's last bits may hang
        on which cells it is asked for together, so that it is asked as before.
        """
        stepwise = self.model.potential.predictor is not None
        if stepwise:
            self.lookout.begin(view)
        for entry in entries:
            self._retrace(entry, stepwise)
            yield entry
        if not stepwise and self.year == self.scenario.start:
            self.lookout.begin(view)
        elif not stepwise:
            self.lookout.resume(self.plan.replacements(self.year))

    def _retrace(self, entry: Entry, stepwise: bool) -> None:
        """Do what an entry says was done."""
        if stepwise:
            self.lookout.replace_drivers(self.plan.replacements(entry.year))
        self._turn(entry.changes, entry.year)
        self.ledger = Ledger(entry.rests)
        for market, notes in zip(self._in_patches, entry.patches, strict=True):
            market.read_notes(notes, entry.year)
        if stepwise:
            self._look_on(entry.changes)
        else:
            self.lookout.touched.append(entry.changes.cells)
            if self._looks_around(entry.year):
                self.lookout.take_note()

    @property
    def _in_patches(self) -> list[PatchAllocator]:
        return [market for market in self.markets if isinstance(market, PatchAllocator)]

    def tell(self, entry: Entry) -> Year:
        """Say what a year has brought."""
        return entry.tell(self.land_cover, self.model.grid.weight_ha)

    def step(self, year: int) -> Entry:
        """Restore, let the market change, then go on towards the targets, which count what the year has brought.

        No step changes a cell that an earlier one has changed in the same year.
        """
        self.lookout.replace_drivers(self.plan.replacements(year))
        book = Book(year, self.settled, self.model.grid.weight_ha)
        for restoration in self.plan.restorations(year):
            self._restore(restoration, book)
        foretold = self.foretold(year, self._area_ha())
        self.local = {t: self.plan.local_rate(t, year) for t in foretold[0]}
        for zone, rates in enumerate(foretold):
            demand = self._demand(zone, rates, year)
            for source in sorted({t.source for t in demand}):
                self._change(zone, {t: amount for t, amount in demand.items() if t.source == source}, book)
        for goal in self.plan.goals(year):
            self._approach(goal, book)
        changes = book.list_changes()
        self._apply(changes, year)
        self.settled.ravel()[changes.cells] = 0  # a new one each year would take longer
        patches = tuple(market.take_notes() for market in self._in_patches)
        return Entry(
            year, changes, self.area.copy(), book.placed_ha, tuple(book.shortfalls), self.ledger.rests, patches
        )

    def _area_ha(self) -> NDArray[np.float64]:
        """Return the hectares of each class in each zone, (zone, class)."""
        return np.asarray(self.area * self.model.grid.weight_ha, np.float64)

    def _demand(self, zone: int, rates: Mapping[Transition, float], year: int) -> Mapping[Transition, float]:
        """Return what this year asks of every transition in a zone, in units of the weights."""
        place = {value: n for n, value in enumerate(self.model.legend.values)}
        demand = {}
        for t, rate in rates.items():
            if not self.conversions.forbids(t):
                yearly = (
                    rate * self.plan.factor(t, year) * (1 - self._spared(zone, t, year)) * self._lift(zone, t, year)
                )
                demand[t] = float(self.area[zone, place[t.source]]) * yearly
        return self.conversions.hold(demand)

    def _change(self, zone: int, wanted: Mapping[Transition, float], book: Book) -> None:
        """Place the demand of every modelled transition out of one class inside a zone."""
        transitions = list(wanted)
        source = transitions[0].source
        closed, outside = self._closed(source, book), self.zones.outside(zone)
        claims = self._claims(transitions, closed if outside is None else closed | outside, book.year)
        local = [self.local.get(t) for t in transitions]
        claims = see_locally(claims, local)
        demand = [self.ledger.ask((zone, t), amount) for t, amount in wanted.items()]
        result = self.markets[zone].place(claims, np.array(demand), Change(tuple(transitions), book.year))
        result = drop_stopped(result, local, self.model.grid.row_weight)
        book.enter(transitions, result)
        for t, asked, placed in zip(transitions, demand, result.placed, strict=True):
            self._settle((zone, t), asked - int(placed), t, self._lack(source), book, self.zones.names[zone])

    def _lack(self, source: int) -> str:
        """Say why a class has no more cells to give."""
        years = self.conversions.residence_years(source)
        young = f", or have been of the class for less than {years} years" if years else ""
        return f"no more cells of the class are free to change{young}"

    def _spared(self, zone: int, transition: Transition, year: int) -> float:
        """Return which share of a transition's demand in a zone protection does away with.

        It is the part that the potential sees in the kept cells, less what leaks elsewhere.
        """
        leakage = self.plan.leakage(transition.source, year)
        kept = self.plan.barred(transition.source, year) if leakage < 1 else None
        if kept is None:
            return 0.0
        scores = self.lookout.score(transition)
        here = self.zones.inside(zone, self.land_cover)
        held, everywhere = sum_odds(here, transition.source, kept, scores, odds_table())
        return (1 - leakage) * float(held) / float(max(everywhere, np.int64(1)))

    def _lift(self, zone: int, transition: Transition, year: int) -> float:
        """Return by what changed rates inside places multiply a transition's demand in a zone."""
        local = self.local.get(transition)
        if local is None:
            return 1.0
        here, kept = self.zones.inside(zone, self.land_cover), self.plan.barred(transition.source, year)
        here = here if kept is None else np.where(kept, 0, here).astype(np.uint8)
        return local.lift(here, transition.source, self.lookout.score(transition))

    def _restore(self, restoration: Restoration, book: Book) -> None:
        wanted = self.ledger.ask(restoration.id, restoration.hectares / self.model.grid.weight_ha)
        rest = wanted - self._convert(restoration, wanted, restoration.priority, book)
        first = Transition(restoration.sources[0], restoration.target)
        self._settle(restoration.id, rest, first, f"{restoration.id!r} has no more land to restore in its place", book)

    def _approach(self, goal: Goal, book: Book) -> None:
        """Close this year's part of the gap to a target: equal parts of what is left of it, all in the last year."""
        weight_ha = self.model.grid.weight_ha
        now = float(self.area[:, self.model.legend.values.index(goal.target)].sum()) + book.gain(goal.target)
        gap = max(0.0, goal.hectares / weight_ha - now)
        placed = self._convert(goal, int(gap / goal.years_left + 0.5), None, book)
        rest = round(gap) - placed
        if goal.years_left == 1 and rest >= int(self.model.grid.row_weight.max()):
            first = Transition(goal.sources[0], goal.target)
            book.fall_short(first, rest, f"{goal.id!r} is not reached: no more land to convert")

    def _convert(self, action: Restoration | Goal, wanted: int, priority: str | None, book: Book) -> int:
        """Convert an amount inside a place; return how much was placed.

        By the potential, it is shared among the source classes by their area in the place; by a priority layer, the
        highest values come first, whatever their class.
        """
        closed = {source: self._closed(source, book, action.place) for source in action.sources}
        if priority is not None:
            return self._convert_best(action, wanted, priority, closed, book)
        area = np.array([self._open_area(source, closed[source]) for source in action.sources], np.int64)
        rest = 0
        shares = share_out(min(wanted, int(area.sum())), area)
        for source, share in zip(action.sources, shares, strict=True):
            transition = Transition(source, action.target)
            claims = self._claims([transition], closed[source], book.year)
            # What whole cells of one class could not meet goes on to the next.
            result = self.allocator.place(claims, np.array([share + rest]), (type(action), action.id, source))
            book.enter([transition], result)
            rest += share - int(result.placed[0])
        return sum(shares) - rest

    def _convert_best(
        self,
        action: Restoration | Goal,
        wanted: int,
        priority: str,
        closed: Mapping[int, NDArray[np.uint8]],
        book: Book,
    ) -> int:
        grid, values = self.model.grid, np.asarray(self.model.layers[priority], np.float32)
        free = self.best_places.find(values, self.land_cover, closed, wanted, (action.id, priority))
        key = draws.stream(self.scenario.seed, self.member, book.year, action.target)
        cells = take_best(values, free, wanted, grid, key)
        weights, classes = grid.row_weight[cells // grid.shape[1]], self.land_cover.ravel()[cells]
        for source in action.sources:
            chosen = cells[classes == source]
            placed = np.array([weights[classes == source].sum()], np.int64)
            book.enter([Transition(source, action.target)], Placement(chosen, np.zeros(chosen.size, np.int64), placed))
        return int(weights.sum())

    def _closed(self, source: int, book: Book, place: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
        """Return where no cell of a class may change any more this year, or may not outside a place."""
        kept, young = self.plan.barred(source, book.year), self.residence.young(source, book.year)
        closed = book.settled
        for mask in (kept, young, None if place is None else ~place):
            closed = closed if mask is None else closed | mask
        return closed

    def _open_area(self, source: int, closed: NDArray[np.uint8]) -> int:
        free = (self.land_cover == source) & (closed == 0)
        return int(self.model.grid.row_weight @ np.count_nonzero(free, axis=1))

    def _settle(
        self, account: Account, rest: int, transition: Transition, cause: str, book: Book, zone: str = ""
    ) -> None:
        """Carry a rest below one cell into the next year; report a larger one as a shortfall."""
        if abs(rest) < int(self.model.grid.row_weight.max()):
            self.ledger.carry(account, rest)
        else:
            book.fall_short(transition, rest, cause, zone)

    def _claims(self, transitions: Sequence[Transition], closed: NDArray[np.uint8], year: int) -> Claims:
        seed, member = self.scenario.seed, self.member
        streams = [draws.stream(seed, member, year, t.source, t.target) for t in transitions]
        return self.lookout.claim(transitions, closed, streams)

    def _apply(self, changes: Changes, year: int) -> None:
        self._turn(changes, year)
        self._look_on(changes)

    def _look_on(self, changes: Changes) -> None:
        """Hear what has changed, and look around in the years to do so."""
        self.lookout.note(changes)
        if self._looks_around(self.year):
            self.lookout.look_around()

    def _looks_around(self, year: int) -> bool:
        """Whether this is a year to look around; nobody asks what the end looks like."""
        return (year - self.scenario.start) % self.model.pace == 0 and year < self.scenario.end

    def _turn(self, changes: Changes, year: int) -> None:
        cells, legend = changes.cells, self.model.legend
        self.year = year
        self.land_cover.ravel()[cells] = changes.after
        self.residence.enter(cells, year)
        place = np.zeros(256, np.int64)
        place[list(legend.values)] = np.arange(len(legend))
        row_weight = self.model.grid.row_weight
        move_weights(cells, changes.before, changes.after, self.zones.code, row_weight, place, self.area)
