"""Making a plan: the best map of every year on the fitted model, as files that tiles are drawn of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.collections import RUN_MAPS, RUNS
from catalog.items.layers import cube_item, raster_item, table_asset
from catalog.legend import Legend
from datacommons.background import Background
from datacommons.cogs import write_map
from datacommons.landscape import Landscape
from datacommons.plans.job import Job
from datacommons.runs.changes import write_changes
from datacommons.runs.cubes import CubeWriter, legend_attributes
from datacommons.runs.run import Run
from scenarios.cluster import Workers
from scenarios.grid import Grid
from scenarios.indicators.area import UNIT
from scenarios.model import Model
from scenarios.projection.record import Record
from scenarios.projection.walks import Walks, walk_members
from scenarios.projection.yearbook import Shortfall, Year
from scenarios.projection.years import CENTRAL

if TYPE_CHECKING:
    from datacommons.commons import Commons
    from datacommons.plans.shelf import Shelf

_DECIMALS: Final = 4
_QUANTILES: Final = {"low_ha": 0.05, "median_ha": 0.5, "high_ha": 0.95}
_ACCESS: Final = "plan"  # not public: no shared cache may keep it


@dataclass(frozen=True, eq=False)
class Ground:
    """What all plans on one run's scenario begin with: learned once.

    Parameters
    ----------
    run : the base
    landscape, grid : where
    model : learned
    start : (y, x) uint8, land cover at the start
    workers : who works on the blocks
    """

    run: Run
    landscape: Landscape
    grid: Grid
    model: Model
    start: NDArray[np.uint8]
    workers: Workers

    @classmethod
    def of(cls, commons: Commons, run: Run) -> Ground:
        """Learn, unless it was learned before."""
        from datacommons.runs.study import Study

        study = Study.of(commons, run.scenario, threads=None, chunk=None, progress=False)

        def learn() -> Ground:
            # Of the study no more is kept: it holds every driver that was learned from.
            model, start = study.calibration().model, study.land_cover[run.scenario.start].copy()
            return cls(run, study.landscape, study.grid, model, start, study.workers)

        return commons.remember(("plans", run.id, study.fingerprint), learn)

    @property
    def legend(self) -> Legend:
        """The landscape's."""
        return self.landscape.legend

    def weigh(self) -> NDArray[np.float64]:
        """Return the hectares of each class at the start, (class,)."""
        return np.asarray(self.grid.weigh(self.start, self.legend.values) * self.grid.weight_ha, np.float64)


def make_plan(job: Job, commons: Commons, shelf: Shelf) -> None:
    """Make a plan.

    Parameters
    ----------
    job : which
    commons : where its base is
    shelf : where its items are put as soon as they are there

    Raises
    ------
    datacommons.plans.job.Cancelled
        Nobody wants it any more.
    """
    job.turn("learning")
    ground = Ground.of(commons, commons.open_run(job.base))
    job.check()
    _Making(job, ground, shelf).make()


@dataclass(frozen=True, eq=False)
class _Making:
    """Makes one plan on the ground that it begins with."""

    job: Job
    ground: Ground
    shelf: Shelf

    def make(self) -> None:
        """Project the best map, then draw the members that were asked for."""
        job = self.job
        job.turn("projecting")
        (job.folder / "maps").mkdir(parents=True)
        areas, shortfalls = self._project()
        self._describe()
        job.report(self._tell(areas, shortfalls))
        if job.proposal.members:
            job.turn("drawing")
            spread = self._draw()
            self._describe()
            job.report({**job.result, "areas": {**job.result["areas"], **spread}})

    def _project(self) -> tuple[NDArray[np.float64], list[Shortfall]]:
        ground = self.ground
        areas = [ground.weigh()]
        shortfalls: list[Shortfall] = []
        self._write_start()
        with Record(ground.grid.shape, self.job.folder) as record, Background[None](ground.workers.threads) as maps:

            def see(best: int, years: Iterator[Year]) -> None:
                for year in record.listen(best, years):
                    self.job.pass_year(year.year)
                    areas.append(year.area_ha)
                    shortfalls.extend(year.shortfalls)
                    maps.do(self._write_map, year.land_cover.copy(), year.year)

            walk_members(self._walks(), [CENTRAL], see, ground.workers)
            maps.results()
            write_changes(record, self.job.folder / "trajectory-changes.parquet", by_member=False)
        return np.stack(areas), shortfalls

    def _draw(self) -> dict[str, Any]:
        """Draw the members; return the quantiles of their areas, from the start on."""
        job, ground, scenario = self.job, self.ground, self.job.scenario
        areas = np.empty((scenario.members, scenario.years + 1, len(ground.legend)))
        areas[:, 0] = ground.weigh()
        with Record(ground.grid.shape, job.folder) as record:

            def see(member: int, years: Iterator[Year]) -> None:
                for n, year in enumerate(record.listen(member, years), start=1):
                    job.check()
                    areas[member, n] = year.area_ha
                job.pass_member()

            walk_members(self._walks(), range(scenario.members), see, ground.workers)
            write_changes(record, job.folder / "changes.parquet")
        found = {name: np.quantile(areas, level, axis=0) for name, level in _QUANTILES.items()}
        return {"members": scenario.members} | {name: _round(each) for name, each in found.items()}

    def _walks(self) -> Walks:
        return Walks(self.ground.model, self.job.scenario, self.ground.start)

    def _write_start(self) -> None:
        """Write the cube's first year: the others follow from the changes, and nobody reads them here."""
        ground, scenario = self.ground, self.job.scenario
        years = [scenario.start, *scenario.projected_years]
        path = self.job.folder / "trajectory.zarr"
        with CubeWriter(path, ground.landscape.geobox, years, ground.legend, {}) as cube:
            array = cube.add("land_cover", ("time", "y", "x"), legend_attributes(ground.legend))
            array[0] = ground.start

    def _write_map(self, land_cover: NDArray[np.uint8], year: int) -> None:
        path = self.job.folder / "maps" / f"{year}.tif"
        write_map(path, land_cover, self.ground.landscape.geobox, self.ground.legend)
        item = raster_item(
            path,
            root=self.job.root,
            item_id=f"{self.job.id}-{year}",
            collection=RUN_MAPS,
            year=year,
            landscape=self.job.scenario.landscape,
            layer="land-cover",
            legend=self.ground.legend,
            title=f"{self.job.proposal.title}, {year} (projection)",
            properties=self._properties(),
            asset_key="map",
        )
        self.shelf.put(self.job.id, item.to_dict(include_self_link=False, transform_hrefs=False))

    def _describe(self) -> None:
        job, root, scenario = self.job, self.job.root, self.job.scenario
        tables = ("trajectory-changes", "changes")
        item = cube_item(
            {"trajectory": job.folder / "trajectory.zarr"},
            root=root,
            item_id=job.id,
            collection=RUNS,
            years=(scenario.start + 1, scenario.end),
            landscape=scenario.landscape,
            legend=self.ground.legend,
            title=job.proposal.title,
            properties=self._properties(),
            assets={
                name: table_asset(path, root=root, title=name)
                for name in tables
                if (path := job.folder / f"{name}.parquet").exists()
            },
        )
        document = item.to_dict(include_self_link=False, transform_hrefs=False)
        document["links"] += [link for link in self.ground.run.item["links"] if link["rel"] == "derived_from"]
        self.shelf.put(job.id, document)

    def _properties(self) -> dict[str, Any]:
        scenario = self.job.scenario
        return {
            "created": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "landscape:synthetic": self.ground.landscape.synthetic,
            "landscape:access": _ACCESS,
            "scenario:id": scenario.id,
            "scenario:run": self.job.id,
            "scenario:baseline_datetime": f"{scenario.start}-01-01T00:00:00Z",
        }

    def _tell(self, areas: NDArray[np.float64], shortfalls: list[Shortfall]) -> dict[str, Any]:
        """Return the result: hectares by class and year, and what they are more or less than the base's."""
        legend, scenario = self.ground.legend, self.job.scenario
        names = {entry.value: entry.name for entry in legend}
        base = np.array(self.ground.run.areas["area_ha"])
        classes = [{"value": e.value, "name": e.name, "title": dict(e.title), "colour": e.colour} for e in legend]
        return {
            "areas": {
                "unit": UNIT,
                "classes": classes,
                "years": [scenario.start, *scenario.projected_years],
                "area_ha": _round(areas),
                "base_ha": _round(base),
                "difference_ha": _round(areas - base),
                "members": 0,
            },
            "shortfalls": [
                {
                    "year": each.year,
                    "from": names[each.source],
                    "to": names[each.target],
                    "hectares": round(each.hectares, _DECIMALS),
                    "cause": each.cause,
                }
                for each in shortfalls
            ],
        }


def _round(areas: NDArray[np.float64]) -> list[list[float]]:
    rounded: list[list[float]] = np.round(areas, _DECIMALS).tolist()
    return rounded
