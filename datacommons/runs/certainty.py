"""How sure one can be of each place and year: what the members' shares are worth, and how far the members agree."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import entr

from scenarios.projection.chances import tell_chances

_RECALIBRATED = "chance of the class, recalibrated by what the members' shares were worth in the hindcast"
_AS_THEY_ARE = "share of the members with the class; there is no hindcast to recalibrate it by"


def measure_chance(cube: xr.Dataset) -> xr.DataArray:
    """Return how likely each class is, by what the members' shares are worth.

    Parameters
    ----------
    cube : ``probability`` (time, class, y, x); where the run has a hindcast also ``recalibration`` (time,
        class_at_start, class, members_drawn) and ``recalibrated_class`` (y, x)

    Returns
    -------
    (time, class, y, x) float32, 0 to 1, adding up to 1 over the classes; NaN outside the landscape. Lazy. Without a
    hindcast it is the share of the members, and ``long_name`` says so.
    """
    share = cube.probability
    recalibrated = "recalibration" in cube
    chance = _look_up(cube) if recalibrated else _share(share).astype(np.float32)
    attributes = {"units": "1", "long_name": _RECALIBRATED if recalibrated else _AS_THEY_ARE}
    return chance.rename("chance").assign_attrs(attributes, members=share.attrs["members"], recalibrated=recalibrated)


def _look_up(cube: xr.Dataset) -> xr.DataArray:
    share, values = cube.probability, tuple(cube["class"].to_numpy().tolist())
    counts = (share * share.attrs["members"]).round().astype(np.uint8).chunk({"class": -1})

    def tell(drawn: NDArray[np.uint8], start: NDArray[np.uint8], table: NDArray[np.float32]) -> NDArray[np.float32]:
        chances = np.empty(drawn.shape, np.float32)
        for year in range(len(drawn)):
            told = tell_chances(np.moveaxis(drawn[year], -1, 0), start, table[year, 0, 0], values)
            chances[year] = np.moveaxis(told, 0, -1)
        return chances

    chance: xr.DataArray = xr.apply_ufunc(
        tell,
        counts,
        cube.recalibrated_class,
        cube.recalibration,
        input_core_dims=[["class"], [], ["class_at_start", "class", "members_drawn"]],
        output_core_dims=[["class"]],
        dask="parallelized",
        output_dtypes=[np.float32],
    )
    return chance.transpose(*share.dims)


def measure_agreement(probability: xr.DataArray) -> xr.DataArray:
    """Return the share of the members that have the most frequent class of the cell.

    Parameters
    ----------
    probability : (time, class, y, x), 0 to 1, with the number of members in ``attrs["members"]``

    Returns
    -------
    (time, y, x) float64, above 0, 1 where all members agree; NaN outside the landscape. Lazy.
    """
    share = _share(probability).max("class", skipna=False)
    return _label(share, "agreement", "share of the members that have the cell's most frequent class")


def measure_entropy(probability: xr.DataArray) -> xr.DataArray:
    """Return how evenly the members are spread over the classes.

    Parameters
    ----------
    probability : as for `measure_agreement`

    Returns
    -------
    (time, y, x) float64, 0 where all members agree, 1 where every class of the legend is as frequent; NaN outside the
    landscape. Lazy.

    Notes
    -----
    ``H = - Σ p ln p / ln K``, over the K classes of the legend (Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x);
    0 where the legend has one class.
    """
    share = _share(probability)
    entropy: xr.DataArray = xr.apply_ufunc(entr, share, dask="allowed").sum("class", skipna=False)
    return _label(
        entropy / np.log(max(share.sizes["class"], 2)),
        "entropy",
        "Shannon entropy of the members' classes over that of equal shares",
    )


def _share(probability: xr.DataArray) -> xr.DataArray:
    """Return the shares without the rounding that decoding brings in, NaN outside the landscape."""
    members = probability.attrs["members"]
    share: xr.DataArray = (probability * members).round() / members
    return share.where(probability.any("class"))


def _label(values: xr.DataArray, name: str, meaning: str) -> xr.DataArray:
    return values.rename(name).assign_attrs(units="1", long_name=meaning)
