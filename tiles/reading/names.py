"""What features are called: the column of a table that holds their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import geopandas

NAME_COLUMNS: Final = ("name", "title", "nombre", "nom", "nome", "nama", "jina", "village", "district", "zone")
"""In this order; the first that a table has."""

_NO_NAME: Final = ("", "none", "nan", "<na>")


def find_column(columns: Iterable[object], wanted: Sequence[str]) -> str | None:
    """Return the first column of a list of names that a table has, however its letters are written."""
    known = {str(column).lower(): str(column) for column in reversed(list(columns))}
    return next((known[name] for name in wanted if name in known), None)


def read_names(frame: geopandas.GeoDataFrame, wanted: Sequence[str] = NAME_COLUMNS) -> list[str]:
    """Return the names of features; "" where one has none."""
    column = find_column([each for each in frame.columns if each != frame.geometry.name], wanted)
    if column is None:
        return [""] * len(frame)
    told = (str(value).strip() for value in frame[column])
    return ["" if name.lower() in _NO_NAME else name for name in told]
