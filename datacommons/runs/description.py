"""Describing a run: its tables and documents, and its STAC items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pystac

from catalog.collections import RUN_MAPS, RUNS
from catalog.items.layers import cube_item, file_asset, link_source, raster_item, table_asset
from datacommons.cogs import write_map
from datacommons.reports.hindcast import write_report
from datacommons.runs.outcomes import OUTCOME_LEGEND, describe_outcomes
from datacommons.runs.study import Study
from datacommons.runs.tables import AreaTable
from scenarios.calibration import Calibration
from scenarios.interventions.plan import Plan
from scenarios.potential.classifiers import name_classifier
from scenarios.potential.evidence import gather_evidence
from scenarios.projection.yearbook import Shortfall
from scenarios.validation.hindcast import Hindcast

_DECIMALS = 4
_ALLOCATION = {"cells": "stochastic top-n allocation", "patches": "patches grown from stochastic top-n seeds"}
_REPORT = "validation.html"
_OUTCOMES = "hindcast.tif"
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


@dataclass(frozen=True, eq=False)
class Description:
    """Describes one run in its staged folder.

    Parameters
    ----------
    study : what was projected
    name : identifier and time of the run
    folder : the run's folder, in the staging area
    root : the staging area, whose files mirror the commons
    """

    study: Study
    name: RunName
    folder: Path
    root: Path

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
            write_map(self.folder / _OUTCOMES, score.outcomes, self.study.landscape.geobox, OUTCOME_LEGEND)
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
            title=plain(scenario.title),
            properties={
                **self._properties(score),
                "description": plain(scenario.storyline) or plain(scenario.title),
                "scenario:sources": [
                    {"collection": layer.collection, "id": layer.item, "checksum": layer.checksum}
                    for layer in self.study.sources
                ],
            },
            assets=self._files(score),
        )
        for layer in self.study.sources:
            link_source(item, layer.collection, layer.item)
        return item

    def describe_map(self, path: Path, year: int) -> pystac.Item:
        """Describe the map of a year as an item of its own."""
        scenario = self.study.scenario
        shared = self._properties(None)
        item = raster_item(
            path,
            root=self.root,
            item_id=f"{self.name.id}-{year}",
            collection=RUN_MAPS,
            year=year,
            landscape=scenario.landscape,
            layer="land-cover",
            legend=self.study.landscape.legend,
            title=f"{plain(scenario.title)}, {year} (projection)",
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

    def _files(self, score: Hindcast | None) -> dict[str, pystac.Asset]:
        def asset(name: str, title: str, media_type: str, role: str) -> pystac.Asset:
            return file_asset(self.folder / name, root=self.root, title=title, media_type=media_type, roles=(role,))

        report = {"validation-report": asset(_REPORT, "Hindcast, with maps", "text/html", "overview")} if score else {}
        return {
            **report,
            **({"hindcast": self._describe_outcomes(score)} if score else {}),
            "areas": asset("areas.json", "Hectares by class and year", "application/json", "data"),
            "changes": table_asset(
                self.folder / "changes.parquet",
                root=self.root,
                title="Changes of every member",
                description="One row for each change: in which member and year, in which row and column of the grid "
                "(from 0, the first in the north and in the west), from which class to which (legend values)",
            ),
            "trajectory-changes": table_asset(
                self.folder / "trajectory-changes.parquet",
                root=self.root,
                title="Changes of the best map",
                description="The same of the trajectory",
            ),
            "indicators": table_asset(self.folder / "indicators.parquet", root=self.root, title="Indicators"),
            "indicators-csv": asset("indicators.csv", "Indicators", "text/csv", "data"),
            "scenario": asset("scenario.yaml", "The exact scenario", "application/yaml", "metadata"),
            "validation": asset("validation.json", "Hindcast", "application/json", "metadata"),
            "model": asset("model.json", "What was learned", "application/json", "metadata"),
        }

    def _describe_outcomes(self, score: Hindcast) -> pystac.Asset:
        return file_asset(
            self.folder / _OUTCOMES,
            root=self.root,
            title=f"Hindcast of {score.end}",
            media_type=pystac.MediaType.COG,
            roles=("data",),
            fields=describe_outcomes(score.end),
        )

    def _write_json(self, name: str, content: Any) -> None:
        (self.folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def plain(text: dict[str, str]) -> str:
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
