"""Publishing a run: cubes, yearly maps, tables and their STAC items, written aside and put in place at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import orjson
import pystac
from numpy.typing import NDArray

from catalog.collections import RUN_MAPS, RUNS
from catalog.layers import cube_item, file_asset, link_source, raster_item, table_asset
from datacommons.cogs import write_map
from datacommons.cubes import CubeWriter, legend_attributes, write_ensemble
from datacommons.errors import DataCommonsError, NotWritten
from datacommons.progress import Advance, progress_bar
from datacommons.publication import Staging
from datacommons.report import write_report
from datacommons.study import Study
from datacommons.tables import AreaTable
from scenarios.calibration import Calibration
from scenarios.classifiers import name_classifier
from scenarios.ensemble import Ensemble, draw_ensemble
from scenarios.evidence import gather_evidence
from scenarios.interventions import Plan
from scenarios.projection import project
from scenarios.validation import Hindcast
from scenarios.yearbook import Shortfall

One = TypeVar("One")
Other = TypeVar("Other")

MOST_CELLS_SIDE_BY_SIDE = 2**25
"""Cells of a landscape up to which its members and its best map are drawn at the same time."""

_DECIMALS = 4
_ALLOCATION = {"cells": "stochastic top-n allocation", "patches": "patches grown from stochastic top-n seeds"}
_REPORT = "validation.html"
_FEWEST_DATES_TO_TEST = 3
_UNTESTED = "the history has two dates: none is left to test the model on, so the run has no hindcast"


@dataclass(frozen=True)
class RunName:
    """Which run this is, and when it was made."""

    id: str
    created: datetime

    @property
    def created_text(self) -> str:
        """The time in UTC, as STAC writes it."""
        return self.created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def publish_run(study: Study, name: RunName) -> dict[str, Any]:
    """Compute a run and publish it: all of it, or nothing.

    Parameters
    ----------
    study : the scenario, its landscape and layers
    name : identifier, not taken, and time

    Returns
    -------
    dict, the run's STAC item as stored

    Raises
    ------
    NotWritten
        A file or the catalog cannot be written. The commons is as before.
    """
    try:
        return _publish(study, name)
    except OSError as error:
        if isinstance(error, DataCommonsError):
            raise
        raise NotWritten(
            f"The run {name.id} could not be written: {error}. Nothing of it was published; mend that, and run again."
        ) from error


def _publish(study: Study, name: RunName) -> dict[str, Any]:
    commons, scenario = study.commons, study.scenario
    with Staging(commons.root) as staging:
        folder = staging.folder(f"runs/{scenario.landscape}/{scenario.id}/{name.id}")
        writer = _Writer(study, name, folder, staging.files)
        # The best map and the members, and the files of each.
        steps = len(scenario.projected_years) * (scenario.members + 3)
        with progress_bar(f"projecting {scenario.id}", steps, shown=study.progress) as advance:
            (learned, projected, ensemble), score = _do_both(
                study, lambda: writer.write_projection(advance), lambda: _test(study)
            )
        with progress_bar(f"describing {scenario.id}", 0, shown=study.progress):
            table = AreaTable.of(study, projected.areas, ensemble)
            items = [writer.describe_run(table, learned, score, projected.shortfalls), *projected.maps]
        documents = [item.to_dict(include_self_link=False, transform_hrefs=False) for item in items]
        staging.publish(commons.store, documents)
    return documents[0]


def _do_both(study: Study, one: Callable[[], One], other: Callable[[], Other]) -> tuple[One, Other]:
    """Do two jobs side by side; one after the other where the landscape is so large that each keeps all cores busy."""
    rows, columns = study.grid.shape
    return study.workers.both(one, other) if rows * columns <= MOST_CELLS_SIDE_BY_SIDE else (one(), other())


def _test(study: Study) -> Hindcast | None:
    return study.hindcast() if len(study.scenario.history) >= _FEWEST_DATES_TO_TEST else None


class _Projected(NamedTuple):
    """The best map of every year."""

    areas: NDArray[np.float64]  # (year, class) hectares, from the start on
    shortfalls: list[Shortfall]  # what could not be placed
    maps: list[pystac.Item]


@dataclass(frozen=True, eq=False)
class _Writer:
    """Writes one run's files into its staged folder, and describes them.

    Parameters
    ----------
    folder : the run's folder, in the staging area
    root : the staging area, whose files mirror the commons
    """

    study: Study
    name: RunName
    folder: Path
    root: Path

    @property
    def years(self) -> list[int]:
        """The start and every projected year."""
        scenario = self.study.scenario
        return [scenario.start, *scenario.projected_years]

    def write_projection(self, advance: Advance) -> tuple[Calibration, _Projected, Ensemble]:
        """Learn, and write what follows: the best map and the members."""
        learned, start = self.study.calibration(), self.study.land_cover[self.study.scenario.start]
        projected, ensemble = _do_both(
            self.study,
            lambda: self.write_trajectory(learned, start, advance),
            lambda: self.write_ensemble(learned, start, advance),
        )
        return learned, projected, ensemble

    def write_trajectory(self, learned: Calibration, start: NDArray[np.uint8], advance: Advance) -> _Projected:
        """Project the best map of every year, and write the cube as the years come, and then the maps."""
        study, scenario = self.study, self.study.scenario
        areas = [study.grid.weigh(start, study.landscape.legend.values) * study.grid.weight_ha]
        shortfalls: list[Shortfall] = []
        with self._cube("trajectory", self.years) as cube:
            array = cube.add("land_cover", ("time", "y", "x"), legend_attributes(study.landscape.legend))
            array[0] = start
            steps = project(learned.model, scenario, start, chunk=study.chunk, workers=study.workers)
            for n, step in enumerate(steps, start=1):
                array[n] = step.land_cover
                areas.append(step.area_ha)
                shortfalls += step.shortfalls
                advance(1)
        (self.folder / "maps").mkdir()
        items = study.workers.map(lambda year: self._write_map(year, array, advance), scenario.projected_years)
        return _Projected(np.stack(areas), shortfalls, items)

    def _write_map(self, year: int, array: Any, advance: Advance) -> pystac.Item:
        land_cover = array[year - self.study.scenario.start]
        write_map(self._map(year), land_cover, self.study.landscape.geobox, self.study.landscape.legend)
        item = self._describe_map(year)
        advance(1)
        return item

    def _map(self, year: int) -> Path:
        return self.folder / "maps" / f"{year}.tif"

    def write_ensemble(self, learned: Calibration, start: NDArray[np.uint8], advance: Advance) -> Ensemble:
        """Draw the members, and write how often each cell has each class, and when it changes."""
        study, scenario = self.study, self.study.scenario
        ensemble = draw_ensemble(
            learned.model,
            scenario,
            start,
            chunk=study.chunk,
            workers=study.workers,
            on_year=lambda: advance(1),
            scratch=self.folder,
        )
        with self._cube("probability", ensemble.years) as cube:
            write_ensemble(cube, ensemble, study.workers)
        advance(scenario.years)
        return ensemble

    def _cube(self, name: str, years: Sequence[int]) -> CubeWriter:
        scenario = self.study.scenario
        attributes = {
            "title": f"{_plain(scenario.title)}: {name}",
            "source": f"datacommons {version('datacommons')}, scenario {scenario.id}, seed {scenario.seed}",
            "comment": "A projection: what could be, not what will be.",
        }
        landscape = self.study.landscape
        return CubeWriter(self.folder / f"{name}.zarr", landscape.geobox, years, landscape.legend, attributes)

    def describe_run(
        self, table: AreaTable, learned: Calibration, score: Hindcast | None, shortfalls: Sequence[Shortfall]
    ) -> pystac.Item:
        """Write tables and documents, and describe the whole run as one item."""
        scenario = self.study.scenario
        frame = table.to_frame()
        frame.to_parquet(self.folder / "indicators.parquet", index=False)
        frame.to_csv(self.folder / "indicators.csv", index=False)
        self._write_json("areas.json", table.to_json())
        self._write_json("validation.json", score.to_dict() if score else {})
        if score:
            write_report(self.folder / _REPORT, score, title=self.study.landscape.title)
        idle = Plan(scenario, self.study.landscape.legend, self.study.grid).idle(learned.model.rates)
        notes = [*learned.notes, *idle, *(() if score else (_UNTESTED,))]
        self._write_json("model.json", _describe_model(learned, self.study, notes, shortfalls))
        (self.folder / "scenario.yaml").write_text(scenario.to_yaml(), "utf-8")
        item = cube_item(
            {key: self.folder / f"{key}.zarr" for key in ("trajectory", "probability")},
            root=self.root,
            item_id=self.name.id,
            collection=RUNS,
            years=(scenario.start + 1, scenario.end),
            landscape=scenario.landscape,
            legend=self.study.landscape.legend,
            title=_plain(scenario.title),
            properties={**self._properties(score), "description": _plain(scenario.storyline) or _plain(scenario.title)},
            assets=self._files(),
        )
        for layer in self.study.sources:
            link_source(item, layer.collection, layer.item)
        return item

    def _describe_map(self, year: int) -> pystac.Item:
        """Describe the map of a year as an item of its own."""
        scenario = self.study.scenario
        shared = self._properties(None)
        item = raster_item(
            self._map(year),
            root=self.root,
            item_id=f"{self.name.id}-{year}",
            collection=RUN_MAPS,
            year=year,
            landscape=scenario.landscape,
            layer="land-cover",
            legend=self.study.landscape.legend,
            title=f"{_plain(scenario.title)}, {year} (projection)",
            properties={**shared, "forecast:horizon": f"P{year - scenario.start}Y"},
            asset_key="map",
        )
        link_source(item, RUNS, self.name.id)
        return item

    def _properties(self, score: Hindcast | None) -> dict[str, Any]:
        """Return what the run and each of its maps say of their origin."""
        scenario = self.study.scenario
        baseline = f"{scenario.start}-01-01T00:00:00Z"
        return {
            "created": self.name.created_text,
            "landscape:synthetic": self.study.landscape.synthetic,
            "landscape:access": self.study.access,
            "forecast:reference_datetime": baseline,
            "forecast:horizon": f"P{scenario.years}Y",
            "processing:software": {"datacommons": version("datacommons")},
            "processing:lineage": (
                f"Projection: {scenario.demand.rule} demand, {_name_potential(self.study)} potential, "
                f"{_ALLOCATION[scenario.allocation.rule]}."
            ),
            "scenario:id": scenario.id,
            **({"scenario:parent": scenario.parent} if scenario.parent else {}),
            "scenario:run": self.name.id,
            "scenario:title": dict(scenario.title),
            "scenario:storyline": dict(scenario.storyline),
            "scenario:baseline_datetime": baseline,
            "scenario:horizon_years": scenario.years,
            "scenario:members": scenario.members,
            "scenario:seed": scenario.seed,
            "scenario:interventions": [_name_intervention(plan) for plan in scenario.interventions],
            "scenario:fingerprint": self.study.fingerprint,
            **({"scenario:hindcast": score.summary()} if score else {}),
        }

    def _files(self) -> dict[str, pystac.Asset]:
        def asset(name: str, title: str, media_type: str, role: str) -> pystac.Asset:
            return file_asset(self.folder / name, root=self.root, title=title, media_type=media_type, roles=(role,))

        told = (self.folder / _REPORT).exists()
        report = {"validation-report": asset(_REPORT, "Hindcast, with maps", "text/html", "overview")} if told else {}
        return {
            **report,
            "areas": asset("areas.json", "Hectares by class and year", "application/json", "data"),
            "indicators": table_asset(self.folder / "indicators.parquet", root=self.root, title="Indicators"),
            "indicators-csv": asset("indicators.csv", "Indicators", "text/csv", "data"),
            "scenario": asset("scenario.yaml", "The exact scenario", "application/yaml", "metadata"),
            "validation": asset("validation.json", "Hindcast", "application/json", "metadata"),
            "model": asset("model.json", "What was learned", "application/json", "metadata"),
        }

    def _write_json(self, name: str, content: Any) -> None:
        (self.folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _plain(text: dict[str, str]) -> str:
    """Return a text in English, or in the first language that it has."""
    return text.get("en") or next(iter(text.values()), "")


def _name_potential(study: Study) -> str:
    """Return what the potential is learned by, as the scenario or the caller names it."""
    if study.classifier is not None:
        return name_classifier(study.classifier)
    return study.scenario.potential.model.replace("_", " ")


def _name_intervention(plan: Any) -> dict[str, Any]:
    """Return an intervention without its geometries, which the scenario asset holds."""
    document: dict[str, Any] = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    for action in document.values():
        if isinstance(action, dict):
            action.pop("where", None)
    if plan.replace_driver is not None:
        document["replace_driver"]["layer"] = plan.replace_driver.layer_name
    return document


def _describe_model(
    learned: Calibration, study: Study, notes: Sequence[str], shortfalls: Sequence[Shortfall]
) -> dict[str, Any]:
    """Return rates, curves and what was left out, for a reader who asks why."""
    model, names = learned.model, {entry.value: entry.name for entry in learned.model.legend}
    zonal = model.zonal.rates(study.scenario) if model.zonal is not None else {}
    potential, units = model.potential, study.units
    transitions = []
    for transition, evidence in zip(
        potential.transitions, gather_evidence(potential, model.legend).values(), strict=True
    ):
        rule = model.patches.of(transition) if model.patches else None
        transitions.append(
            {
                "from": names[transition.source],
                "to": names[transition.target],
                "annual_rate": model.rates[transition],
                **({"annual_rate_by_zone": {n: rates[transition] for n, rates in zonal.items()}} if zonal else {}),
                **evidence.to_dict(),
                "patches": rule.summary() if rule else None,
                "curves": [
                    {
                        "driver": curve.driver,
                        "unit": units.get(curve.driver, ""),
                        "value": np.round(curve.value, _DECIMALS).tolist(),
                        "log_odds": np.round(curve.log_odds, _DECIMALS).tolist(),
                    }
                    for curve in evidence.curves
                ],
            }
        )
    return {
        "observed_ha": [
            {"start": table.start, "end": table.end, "from_to": np.round(table.area_ha, _DECIMALS).tolist()}
            for table in learned.tables
        ],
        "classes": list(names.values()),
        "model": potential.learner,
        "transitions": transitions,
        "notes": list(notes),
        "shortfalls": [
            {
                "year": s.year,
                "from": names[s.source],
                "to": names[s.target],
                "hectares": round(s.hectares, _DECIMALS),
                "cause": s.cause,
                **({"zone": s.zone} if s.zone else {}),
            }
            for s in shortfalls
        ],
    }
