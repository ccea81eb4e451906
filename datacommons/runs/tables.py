"""A run's areas: of the trajectory, of the members and of the observed dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.legend import Legend
from scenarios.indicators.area import UNIT, class_area_ha
from scenarios.projection.ensemble import Ensemble

if TYPE_CHECKING:
    import pandas as pd

    from datacommons.runs.study import Study

_LOW, _MEDIAN, _HIGH = 0.05, 0.5, 0.95
_DECIMALS = 4  # a square metre


@dataclass(frozen=True, eq=False)
class AreaTable:
    """Hectares by year and class.

    Parameters
    ----------
    legend : gives the classes, in the order of the columns
    years : the start and every projected year
    area_ha : (year, class) of the trajectory's own maps
    low_ha, median_ha, high_ha : (year, class), 5, 50 and 95 % of the members; the observed area at the start
    members : how many there are
    observed_years, observed_ha : (date, class) of the observed maps
    """

    legend: Legend
    years: tuple[int, ...]
    area_ha: NDArray[np.float64]
    low_ha: NDArray[np.float64]
    median_ha: NDArray[np.float64]
    high_ha: NDArray[np.float64]
    members: int
    observed_years: tuple[int, ...]
    observed_ha: NDArray[np.float64]

    @classmethod
    def of(cls, study: Study, area_ha: NDArray[np.float64], ensemble: Ensemble) -> AreaTable:
        """Put together a trajectory's areas and its ensemble's."""
        legend = study.landscape.legend
        low, median, high = (
            np.vstack([area_ha[:1], ensemble.area_quantile_ha(quantile)]) for quantile in (_LOW, _MEDIAN, _HIGH)
        )
        observed = {year: class_area_ha(cover, legend, study.grid) for year, cover in study.land_cover.items()}
        return cls(
            legend=legend,
            years=(study.scenario.start, *ensemble.years),
            area_ha=area_ha,
            low_ha=low,
            median_ha=median,
            high_ha=high,
            members=ensemble.members,
            observed_years=tuple(observed),
            observed_ha=np.stack(list(observed.values())),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per year and class: indicator, unit, value, and the members' 5, 50 and 95 % quantiles."""
        import pandas as pd

        classes = len(self.legend)
        return pd.DataFrame(
            {
                "year": np.repeat(self.years, classes),
                "class": list(self.legend.names) * len(self.years),
                "indicator": "area",
                "unit": UNIT,
                "value": self.area_ha.ravel(),
                "low": self.low_ha.ravel(),
                "median": self.median_ha.ravel(),
                "high": self.high_ha.ravel(),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Return what the page draws from; areas to the square metre."""
        classes = [
            {"value": entry.value, "name": entry.name, "title": dict(entry.title), "colour": entry.colour}
            for entry in self.legend
        ]
        return {
            "unit": UNIT,
            "classes": classes,
            "years": list(self.years),
            "area_ha": np.round(self.area_ha, _DECIMALS).tolist(),
            "low_ha": np.round(self.low_ha, _DECIMALS).tolist(),
            "median_ha": np.round(self.median_ha, _DECIMALS).tolist(),
            "high_ha": np.round(self.high_ha, _DECIMALS).tolist(),
            "members": self.members,
            "observed": {
                "years": list(self.observed_years),
                "area_ha": np.round(self.observed_ha, _DECIMALS).tolist(),
            },
        }
