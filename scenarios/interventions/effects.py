"""What each intervention does: the same scenario with it and without it, on the same draws."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scenarios.cluster import ONE, Workers
from scenarios.model import Model
from scenarios.projection.years import CENTRAL, DEFAULT_CHUNK, project
from scenarios.spec import Scenario

if TYPE_CHECKING:
    import pandas as pd

TOGETHER = "together"


def compare_effects(
    model: Model,
    scenario: Scenario,
    start: NDArray[np.uint8],
    *,
    member: int = CENTRAL,
    temperature: float = 0.0,
    chunk: int = DEFAULT_CHUNK,
    workers: Workers = ONE,
) -> pd.DataFrame:
    """Say how many hectares of each class every intervention adds or takes, alone and among the others.

    Parameters
    ----------
    model, scenario, start, member, temperature, chunk, workers : as for `project`

    Returns
    -------
    DataFrame with one row per intervention, year and class, and the columns

    - ``intervention``: its id; ``"together"`` stands for all of them
    - ``year``, ``class``: projected year; name of the class
    - ``alone_ha``: hectares with this intervention only, less those without any
    - ``added_ha``: hectares with all interventions, less those with all but this one

    Notes
    -----
    All projections draw the same numbers, so that a difference is the intervention and nothing else. Where plans
    do not touch each other, ``alone_ha`` and ``added_ha`` agree; where they compete for land, they tell how. A scenario
    with n interventions is projected ``2 n + 2`` times at most.
    """
    import pandas as pd

    ids = [plan.id for plan in scenario.interventions]
    areas: dict[frozenset[str], NDArray[np.float64]] = {}

    def area_with(chosen: Collection[str]) -> NDArray[np.float64]:
        key = frozenset(chosen)
        if key not in areas:
            plans = tuple(plan for plan in scenario.interventions if plan.id in key)
            part = scenario.model_copy(update={"interventions": plans})
            steps = project(model, part, start, member=member, temperature=temperature, chunk=chunk, workers=workers)
            areas[key] = np.stack([step.area_ha for step in steps])
        return areas[key]

    none, everything = area_with(()), area_with(ids)
    rows = [(name, area_with([name]) - none, everything - area_with([i for i in ids if i != name])) for name in ids]
    rows.append((TOGETHER, everything - none, everything - none))
    years, classes = list(scenario.projected_years), list(model.legend.names)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "intervention": name,
                    "year": np.repeat(years, len(classes)),
                    "class": classes * len(years),
                    "alone_ha": alone.ravel(),
                    "added_ha": added.ravel(),
                }
            )
            for name, alone, added in rows
        ],
        ignore_index=True,
    )
