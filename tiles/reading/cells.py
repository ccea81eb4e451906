"""The cells of a raster under the pixels of a tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Cells:
    """Values for the pixels of a tile.

    Attributes
    ----------
    values : (y, x)
        In the type of the raster.
    missing : (y, x) bool
        Where there is no data.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_]

    def masked(self) -> np.ma.MaskedArray[Any, np.dtype[np.float64]]:
        """Return the values as float64, masked where there are none."""
        return np.ma.masked_invalid(np.ma.MaskedArray(self.values.astype(float), self.missing), copy=False)

    def classes(self, nodata: int = 0) -> NDArray[np.uint8]:
        """Return the values as classes, (y, x) uint8; what is no class can have is nodata."""
        values = self.values
        if values.dtype != np.uint8:
            values = np.where((values < 0) | (values > 255), nodata, values).astype(np.uint8)
        return np.where(self.missing, np.uint8(nodata), values)
