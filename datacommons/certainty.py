"""How sure the members are of each place and year, derived from the probabilities of the classes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import entr


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
