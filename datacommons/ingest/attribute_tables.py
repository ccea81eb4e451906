"""What a raster itself says of its classes: attribute table, category names and colour table, read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import rasterio

from catalog.errors import LegendError
from catalog.legend import Legend
from datacommons.errors import InvalidLegend
from datacommons.ingest.rasters import RasterSource

SUFFIX = ".aux.xml"
"""What GDAL, and all that build on it, look for beside a raster (its "persistent auxiliary metadata")."""

_ESRI = ".vat.dbf"
_LARGEST = 20 * 2**20
_VALUE, _NAME, _COUNT, _COLOURS = "5", "2", "1", ("6", "7", "8")  # GDAL's usages of a column
_VALUES = ("value", "code", "class_id", "classid", "id")
_NAMES = ("class", "class_name", "classname", "name", "label", "landcover", "land_cover", "title", "description")
_CHANNELS = (("red", "r"), ("green", "g"), ("blue", "b"))
_INTEGER, _TEXT = "0", "2"


def find_legend(source: RasterSource) -> tuple[Legend, str] | None:
    """Return the legend that a raster carries, and from where it was taken; None if it carries none.

    Names come from an attribute table (``.aux.xml`` of GDAL and QGIS, ``.vat.dbf`` of ArcGIS) or from category names.
    Where there is but a colour table, the classes are the values that occur, and have no names.

    Raises
    ------
    InvalidLegend
        If what it carries is no legend.
    """
    colours = _read_colours(source)
    rows, origin = _read_table(source.path, source.band), "attribute table"
    if not rows and colours:
        rows = [{"value": value, "title": f"Class {value}"} for value in _find_values(source) if value in colours]
        origin = "colour table, which gives classes no names: name them with --legend"
    nodata = int(source.nodata) if source.nodata is not None and source.nodata in range(256) else 0
    rows = [row for row in rows if row["value"] not in (0, nodata)]
    if not rows:
        return None
    for row in rows:
        row.setdefault("colour", colours.get(row["value"]))
    try:
        return Legend.from_rows(rows, nodata), f"its legend was taken from its {origin}"
    except LegendError as error:
        raise InvalidLegend(
            f"{source.name} carries a legend that cannot be used: {error} Say another with --legend."
        ) from error


def write_attribute_table(path: Path, legend: Legend, cells: Mapping[int, int]) -> Path:
    """Write the classes of a classified raster beside it, as GDAL and QGIS read them.

    Parameters
    ----------
    path : Path
        The raster.
    legend : Legend
    cells : mapping of int to int
        Cells by value.

    Returns
    -------
    Path
        The file: that of the raster with ``.aux.xml`` behind.
    """
    dataset = ET.Element("PAMDataset")
    band = ET.SubElement(dataset, "PAMRasterBand", band="1")
    names = {0: "", **{entry.value: entry.label() for entry in legend}}
    categories = ET.SubElement(band, "CategoryNames")
    for value in range(max(names) + 1):
        ET.SubElement(categories, "Category").text = names.get(value, "")
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    columns = [("Value", _INTEGER, _VALUE), ("Count", _INTEGER, _COUNT), ("Class", _TEXT, _NAME)]
    columns += [(name, _INTEGER, usage) for name, usage in zip(("Red", "Green", "Blue"), _COLOURS, strict=True)]
    columns += [("UNCCD", _TEXT, "0"), ("IPCC", _TEXT, "0")]
    for place, (name, kind, usage) in enumerate(columns):
        column = ET.SubElement(table, "FieldDefn", index=str(place))
        for tag, text in (("Name", name), ("Type", kind), ("Usage", usage)):
            ET.SubElement(column, tag).text = text
    for place, entry in enumerate(legend):
        row = ET.SubElement(table, "Row", index=str(place))
        crosswalks = (entry.unccd7 or "", entry.ipcc6 or "")
        for known in (entry.value, cells.get(entry.value, 0), entry.label(), *entry.rgb, *crosswalks):
            ET.SubElement(row, "F").text = str(known)
    target = path.with_name(path.name + SUFFIX)
    ET.indent(dataset)
    ET.ElementTree(dataset).write(target, encoding="utf-8")
    return target


def _read_table(path: Path, band: int) -> list[dict[str, Any]]:
    """Return value, title and perhaps colour of each class, by whichever table lies beside a raster."""
    beside, esri = path.with_name(path.name + SUFFIX), path.with_name(path.name + _ESRI)
    if beside.is_file() and beside.stat().st_size <= _LARGEST:
        try:
            root = ET.parse(beside).getroot()  # noqa: S314  (expat bounds what entities may grow to)
        except ET.ParseError as error:
            raise InvalidLegend(f"{beside.name} is not valid XML: {error}. Mend it, or take it away.") from error
        for each in root.iter("PAMRasterBand"):
            if each.get("band", "1") == str(band):
                return list(_read_rows(each)) or list(_read_categories(each))
    return list(_read_esri(esri)) if esri.is_file() else []


def _read_rows(band: ET.Element) -> Iterator[dict[str, Any]]:
    columns = [
        ((each.findtext("Name") or "").lower(), each.findtext("Usage") or "0")
        for each in band.findall("GDALRasterAttributeTable/FieldDefn")
    ]
    value, name = _find_column(columns, _VALUE, _VALUES), _find_column(columns, _NAME, _NAMES)
    colours = [_find_column(columns, usage, names) for usage, names in zip(_COLOURS, _CHANNELS, strict=True)]
    for row in band.findall("GDALRasterAttributeTable/Row"):
        cells = [each.text or "" for each in row.findall("F")]
        if value is not None and name is not None and cells[name].strip():
            channels = [cells[place] for place in colours if place is not None]
            yield {"value": round(float(cells[value])), "title": cells[name].strip(), **_mix(channels)}


def _find_column(columns: list[tuple[str, str]], usage: str, names: tuple[str, ...]) -> int | None:
    by_usage = [place for place, (_, found) in enumerate(columns) if found == usage]
    by_name = [place for name in names for place, (found, _) in enumerate(columns) if found == name]
    return next(iter((*by_usage, *by_name)), None)


def _mix(channels: list[str]) -> dict[str, str]:
    if len(channels) < len(_COLOURS):
        return {}
    numbers = [float(text) for text in channels]
    # Some write shares of one in place of 0 to 255.
    scale = 255 if max(numbers) <= 1 and any("." in text for text in channels) else 1
    return {"colour": "#" + "".join(f"{min(255, max(0, round(number * scale))):02x}" for number in numbers)}


def _read_categories(band: ET.Element) -> Iterator[dict[str, Any]]:
    for value, category in enumerate(band.findall("CategoryNames/Category")):
        if category.text and category.text.strip():
            yield {"value": value, "title": category.text.strip()}


def _read_esri(path: Path) -> Iterator[dict[str, Any]]:
    import pyogrio
    from pyogrio.errors import DataSourceError

    try:
        table = pyogrio.read_dataframe(path, read_geometry=False)
    except (DataSourceError, UnicodeDecodeError) as error:
        raise InvalidLegend(f"{path.name} cannot be read: {error}. Mend it, or take it away.") from error
    columns = [(str(name).lower(), "") for name in table.columns]
    value, name = _find_column(columns, _VALUE, _VALUES), _find_column(columns, _NAME, _NAMES)
    colours = [_find_column(columns, "none", names) for names in _CHANNELS]
    if value is None or name is None:
        return
    for row in table.itertuples(index=False):
        if row[name] is not None and str(row[name]).strip():
            channels = [str(row[place]) for place in colours if place is not None]
            yield {"value": round(float(row[value])), "title": str(row[name]).strip(), **_mix(channels)}


def _read_colours(source: RasterSource) -> dict[int, str]:
    """Return the colours of a colour table by value; GDAL fills up what is not in it with black."""
    if not source.path.is_file() or source.dtype != "uint8":
        return {}
    with rasterio.open(source.path) as dataset:
        try:
            colours = dataset.colormap(source.band)
        except ValueError:  # there is none
            return {}
    return {value: "#{:02x}{:02x}{:02x}".format(*rgba[:3]) for value, rgba in colours.items() if rgba[3]}


def _find_values(source: RasterSource) -> list[int]:
    seen = np.zeros(256, bool)
    for _, block in source.blocks():
        seen[block.compressed()] = True
    return [int(value) for value in np.flatnonzero(seen)]
