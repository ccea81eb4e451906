"""Legends as others write them: tables, styles of QGIS, and those of public products."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from catalog.errors import LegendError

Rows = tuple[list[dict[str, Any]], object]
"""Classes with value, title and perhaps colour and crosswalks; and the value without data."""

PRODUCTS = Path(str(files("catalog"))) / "legends"
_LANGUAGE = re.compile(r"name_([a-z]{2,3}(?:-[a-z]+)?)")
_YES = {"yes", "true", "1"}
_LARGEST_STYLE = 10 * 2**20


def read_rows(path: Path) -> Rows:
    """Read a legend from a `.csv` or `.qml` file.

    Raises
    ------
    LegendError
        Where it is neither, or cannot be understood.
    OSError
        Where it cannot be opened.
    """
    readers = {".csv": _read_csv, ".qml": _read_style}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise LegendError(f"{path.name} is neither .json nor .csv nor .qml: save the legend as one of these.")
    try:
        return reader(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise LegendError(f"{path.name} cannot be read: {error}. Save it as UTF-8.") from None


def list_products() -> list[str]:
    """List the products whose legends are shipped."""
    return sorted(path.stem for path in PRODUCTS.glob("*.csv"))


def find_product(name: str) -> Path:
    """Return the file with the legend of a product. Raises LegendError."""
    if name not in list_products():
        raise LegendError(
            f"There is no product {name!r} whose legend is known; known are: {', '.join(list_products())}."
        )
    return PRODUCTS / f"{name}.csv"


def _read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    table = [{key.strip().lower(): value for key, value in row.items() if key} for row in lines]
    missing = {"code", "name"} - set(table[0] if table else ())
    if missing:
        raise LegendError(f"{path.name} lacks the column {min(missing)!r}, or has no rows.")
    nodata = [row["code"] for row in table if (row.get("nodata") or "").strip().lower() in _YES]
    rows = [_csv_row(row) for row in table if row["code"] not in nodata]
    return rows, nodata[0] if nodata else 0


def _csv_row(row: Mapping[str, str | None]) -> dict[str, Any]:
    others = {found[1]: text for key, text in row.items() if text and (found := _LANGUAGE.fullmatch(key))}
    title: Any = {"en": (row["name"] or "").strip(), **others} if others else row["name"]
    crosswalks = {name: row.get(name) or None for name in ("ipcc6", "unccd7")}
    return {"value": row["code"], "title": title, "colour": row.get("colour_hex"), **crosswalks}


def _read_style(path: Path) -> Rows:
    """Read the entries of a paletted raster style of QGIS; one that is wholly transparent is nodata."""
    if path.stat().st_size > _LARGEST_STYLE:
        raise LegendError(f"{path.name} is larger than any style: save the style of the layer again, from QGIS.")
    try:
        tree = ET.parse(path)  # noqa: S314  (expat bounds what entities may grow to)
    except ET.ParseError as error:
        raise LegendError(f"{path.name} is not valid XML: {error}. Save the style again, from QGIS.") from None
    entries = [entry.attrib for entry in tree.iter("paletteEntry")]
    if not entries:
        kinds = ", ".join(sorted({each.get("type", "") for each in tree.iter("rasterrenderer")})) or "no raster style"
        raise LegendError(
            f"{path.name} holds no classes ({kinds}): in QGIS, draw the layer as «Paletted/Unique values», and save "
            "its style."
        )
    hidden = [entry["value"] for entry in entries if entry.get("alpha") == "0"]
    rows = [
        {"value": entry.get("value"), "title": entry.get("label") or entry.get("value"), "colour": entry.get("color")}
        for entry in entries
        if entry.get("value") not in (*hidden, "0")
    ]
    return rows, hidden[0] if hidden else 0
