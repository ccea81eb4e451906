"""The items of a collection as stac-geoparquet: one row an item, for DuckDB, GeoPandas, QGIS and their like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
ROLE: Final = "collection-mirror"
ROWS_PER_FILE: Final = 50_000

_PLAIN_ASSET: Final = ("href", "type", "title", "description", "roles")


def write_items(folder: Path, items: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Write items as stac-geoparquet, in files of at most 50,000 rows.

    Parameters
    ----------
    folder : Path
        Where ``items.parquet`` is written, or ``items-1.parquet`` and so on.
    items : sequence of mapping
        STAC items. Those without a geometry are passed over, for the format has no row for them. Where values of one
        property are of kinds that no column can hold together, the column holds them as JSON text, and bands are left
        out: the documents are the truth, and the tables a way to search them.

    Returns
    -------
    list of Path
        The files; none without items.
    """
    placed = [item for item in items if item.get("geometry")]
    parts = [placed[start : start + ROWS_PER_FILE] for start in range(0, len(placed), ROWS_PER_FILE)]
    names = ["items.parquet"] if len(parts) == 1 else [f"items-{number}.parquet" for number in range(1, len(parts) + 1)]
    for name, part in zip(names, parts, strict=True):
        _write(folder / name, part)
    return [folder / name for name in names]


def _write(path: Path, items: Sequence[Mapping[str, Any]]) -> None:
    import rustac

    rows = [_make_row(item) for item in items]
    try:
        rustac.write_sync(str(path), {"type": "FeatureCollection", "features": rows})
    except rustac.RustacError:
        rustac.write_sync(str(path), {"type": "FeatureCollection", "features": _flatten(rows)})


def _make_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the format has no column for: members outside of STAC, and nodata that is no number."""
    row = {key: value for key, value in item.items() if ":" not in key}
    return row | {"assets": {key: _make_asset(asset) for key, asset in item["assets"].items()}}


def _make_asset(asset: Mapping[str, Any]) -> dict[str, Any]:
    bands = [
        {key: value for key, value in band.items() if key != "nodata" or not isinstance(value, str)}
        for band in asset.get("bands", [])
    ]
    return {**asset, **({"bands": bands} if bands else {})}


def _flatten(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write as JSON text what differs in kind from item to item, or is nested."""
    columns = {key for item in items for key in item["properties"]}
    mixed = {key for key in columns if not _fit_one_column(item["properties"].get(key) for item in items)}
    return [
        {
            **item,
            "properties": {
                key: _to_text(value) if key in mixed else value for key, value in item["properties"].items()
            },
            "assets": {key: _flatten_asset(asset) for key, asset in item["assets"].items()},
        }
        for item in items
    ]


def _flatten_asset(asset: Mapping[str, Any]) -> dict[str, Any]:
    # The column of bands is of one kind in all files of the format, so they cannot be text.
    return {key: value if key in _PLAIN_ASSET else _to_text(value) for key, value in asset.items() if key != "bands"}


def _fit_one_column(values: Iterable[object]) -> bool:
    kinds = {_kind(value) for value in values if value is not None}
    return len(kinds) <= 1 and "nested" not in kinds


def _kind(value: object) -> str:
    """Name the kind of column that holds a value: numbers of all kinds share one."""
    if isinstance(value, list):
        kinds = {_kind(part) for part in value}
        return f"list of {kinds.pop()}" if len(kinds) == 1 and "nested" not in kinds else "nested"
    if isinstance(value, bool | str):
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "nested"


def _to_text(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
