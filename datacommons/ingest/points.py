"""Tables with coordinates, as spreadsheets write them: CSV to points."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from datacommons.errors import InvalidVector

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

_WGS84 = "EPSG:4326"
_DEGREES = {
    "longitude": ("longitude", "lon", "long", "lng", "decimallongitude", "gps_longitude"),
    "latitude": ("latitude", "lat", "decimallatitude", "gps_latitude"),
}
_METRES = {"x": ("x", "easting", "east", "xcoord", "x_coord", "point_x"), "y": ("y", "northing", "north", "ycoord")}
_METRES["y"] += ("y_coord", "point_y")
_SEPARATORS = ",;\t|"
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def read_points(
    path: Path, *, crs: str | None, columns: tuple[str, str] | None
) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
    """Read a CSV file with a line of names as points.

    Parameters
    ----------
    path : Path
        Separated by commas, semicolons, tabs or bars; UTF-8.
    crs : str or None
        Of the coordinates; WGS84 where their columns are called longitude and latitude.
    columns : tuple of str or None
        The columns of x (longitude) and y (latitude); by default found by their names.

    Returns
    -------
    GeoDataFrame and tuple of str
        The points with the other columns, without a CRS where none is known; and notes.

    Raises
    ------
    InvalidVector
        If the columns are not there, are ambiguous, or hold anything but decimal numbers.
    """
    import geopandas

    table = _read_table(path)
    (x, y), degrees = _find_columns(path, table, columns)
    place = [_to_numbers(path, table[name], name) for name in (x, y)]
    points = geopandas.points_from_xy(*place)
    frame = geopandas.GeoDataFrame(table.drop(columns=[x, y]), geometry=points, crs=_WGS84 if degrees else None)
    known = ~np.isnan(place[0]) & ~np.isnan(place[1])
    frame.loc[~known, "geometry"] = None
    if degrees and crs is None:
        return frame, (f"columns {x!r} and {y!r} were taken as longitude and latitude in WGS 84",)
    return (frame.set_crs(crs, allow_override=True) if crs is not None else frame), ()


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        separator, header = _read_header(path)
        table = pd.read_csv(path, sep=separator, encoding="utf-8-sig", index_col=False, low_memory=False)
    except UnicodeDecodeError as error:
        raise InvalidVector(
            f"{path.name} is not in UTF-8 (byte {error.object[error.start]:#x}): save it as CSV UTF-8, or convert it "
            f"with `iconv -f ISO-8859-1 -t UTF-8`."
        ) from error
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise InvalidVector(
            f"{path.name} cannot be read as CSV: {str(error).strip()}. Save it as CSV again."
        ) from error
    if table.empty:
        raise InvalidVector(f"{path.name} has no rows below its line of names ({', '.join(header)}).")
    return table


def _read_header(path: Path) -> tuple[str, list[str]]:
    """Return the separator and the names; refuse rows that have more values than there are names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if "\0" in first:
            raise InvalidVector(f"{path.name} is no text: save the table as CSV UTF-8.")
        separator = max(_SEPARATORS, key=first.count)
        header = next(csv.reader([first], delimiter=separator), [])
        row = next(csv.reader(file, delimiter=separator), [])
    if len(row) > len(header):
        raise InvalidVector(
            f"{path.name} has {len(row)} values in row 1 for {len(header)} columns ({', '.join(header)}). Were numbers "
            "written with a decimal comma, between commas? Save them with a decimal point, as 12.5."
        )
    return separator, header


def _find_columns(path: Path, table: pd.DataFrame, columns: tuple[str, str] | None) -> tuple[tuple[str, str], bool]:
    """Return the columns of x and y, and whether they are called longitude and latitude."""
    if columns is not None:
        for name in columns:
            if name not in table.columns:
                raise InvalidVector(f"{path.name} has no column {name!r}; it has: {_list(table)}.")
        named = {name.strip().lower() for name in columns}
        return columns, all(named & set(names) for names in _DEGREES.values())
    for known in (_DEGREES, _METRES):
        found = [_find(path, table, what, names) for what, names in known.items()]
        if all(found):
            return (str(found[0]), str(found[1])), known is _DEGREES
    raise InvalidVector(
        f"{path.name} has no columns with coordinates: none is called longitude and latitude, or x and y. It has: "
        f"{_list(table)}. Say which ones, as in --x LON --y LAT."
    )


def _find(path: Path, table: pd.DataFrame, what: str, names: tuple[str, ...]) -> str | None:
    found = [str(name) for name in table.columns if str(name).strip().lower() in names]
    if len(found) > 1:
        raise InvalidVector(
            f"{path.name} has several columns for the {what}: {', '.join(found)}. Say which, as in --x LON --y LAT."
        )
    return found[0] if found else None


def _to_numbers(path: Path, column: pd.Series, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column[numbers.isna() & column.notna()].astype(str)
    if wrong.empty:
        return numbers.to_numpy(np.float64, na_value=np.nan)
    row, text = int(wrong.index[0]) + 1, str(wrong.iloc[0])
    if _DECIMAL_COMMA.fullmatch(text):
        raise InvalidVector(
            f"{path.name} writes its numbers with a decimal comma: {name!r} is {text!r} in row {row}. Save it with a "
            f"decimal point, as {text.strip().replace(',', '.')}: in a spreadsheet, by choosing the locale English."
        )
    raise InvalidVector(
        f"{path.name} has {len(wrong):,} values in {name!r} that are no decimal numbers, as {text!r} in row {row}. "
        "Write coordinates as 12.5, without signs or letters."
    )


def _list(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns))
