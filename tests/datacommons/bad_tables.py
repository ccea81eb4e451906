"""Tables with coordinates that mean nothing. Each maker writes one into a folder and returns the arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Arguments = list[str | Path]
Make = Callable[[Path], Arguments]


def decimal_comma(folder: Path) -> Arguments:
    return _table(folder, "name;longitude;latitude\nA;-74,99;36,14\n")


def decimal_comma_between_commas(folder: Path) -> Arguments:
    return _table(folder, "name,longitude,latitude\nA,-74,99,36,14\n")


def no_coordinates(folder: Path) -> Arguments:
    return _table(folder, "name,people\nA,12\n")


def two_longitudes(folder: Path) -> Arguments:
    return _table(folder, "lon,longitude,lat\n-74.99,-74.98,36.14\n")


def degrees_and_minutes(folder: Path) -> Arguments:
    return _table(folder, "lon,lat\n74°59'W,36°8'N\n")


def table_of_names_only(folder: Path) -> Arguments:
    return _table(folder, "lon,lat\n")


def table_in_another_encoding(folder: Path) -> Arguments:
    path = folder / "wells.csv"
    path.write_bytes("name,lon,lat\nMüller,-74.99,36.14\n".encode("latin-1"))
    return [path]


def a_column_that_is_not_there(folder: Path) -> Arguments:
    return [*_table(folder, "p,q\n-74.99,36.14\n"), "--x", "p", "--y", "r"]


def one_column_of_two(folder: Path) -> Arguments:
    return [*_table(folder, "p,q\n-74.99,36.14\n"), "--x", "p"]


def metres_without_crs(folder: Path) -> Arguments:
    return _table(folder, "easting,northing\n500100,3999900\n")


def swapped_columns(folder: Path) -> Arguments:
    return _table(folder, "lon,lat\n36.14,-74.99\n")


def _table(folder: Path, text: str) -> Arguments:
    (folder / "wells.csv").write_text(text, "utf-8")
    return [folder / "wells.csv"]


CASES: dict[Make, str] = {
    decimal_comma: r"decimal comma: 'longitude' is '-74,99' in row 1. Save it with a decimal point, as -74.99",
    decimal_comma_between_commas: r"wells.csv has 5 values in row 1 for 3 columns.*decimal comma.*decimal point",
    no_coordinates: r"wells.csv has no columns with coordinates.*It has: name, people.*--x LON --y LAT",
    two_longitudes: r"wells.csv has several columns for the longitude: lon, longitude.*--x",
    degrees_and_minutes: r"1 values in 'lon' that are no decimal numbers, as .74°59'W. in row 1. Write.*12.5",
    table_of_names_only: r"wells.csv has no rows below its line of names \(lon, lat\)",
    table_in_another_encoding: r"wells.csv is not in UTF-8 \(byte 0xfc\): save it as CSV UTF-8",
    a_column_that_is_not_there: r"wells.csv has no column 'r'; it has: p, q",
    one_column_of_two: r"Coordinates are in two columns: say both, as in --x LON --y LAT",
    metres_without_crs: r"wells.csv has no coordinate reference system.*--crs EPSG:32618",
    swapped_columns: r"wells.csv does not touch valley.*perhaps swapped.*--x LON --y LAT",
}
