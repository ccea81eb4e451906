"""Names and years told from file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from datacommons.errors import InvalidIngest
from datacommons.naming import check_name, name_of, title_of, years_in


@pytest.mark.parametrize(
    ("file", "years"),
    [
        ("landcover_1985.tif", (1985,)),
        ("2020.tif", (2020,)),
        ("lc1999v2.tif", (1999,)),
        ("S2_20200101_tile.tif", ()),
        ("zone_1832.tif", ()),
        ("change_1985-1999.tif", (1985, 1999)),
        ("1985_and_1985.tif", (1985,)),
        ("elevation.tif", ()),
        ("2001/elevation.tif", ()),
    ],
)
def test_years_in(file: str, years: tuple[int, ...]) -> None:
    assert years_in(Path(file)) == years


@pytest.mark.parametrize(
    ("text", "name"), [("Plum Island (MA)", "plum-island-ma"), ("dist_built_1985", "dist_built_1985"), ("-a-", "a")]
)
def test_name_of(text: str, name: str) -> None:
    assert name_of(text) == name


def test_name_of_nothing() -> None:
    with pytest.raises(InvalidIngest, match="No name can be made of '???'".replace("?", r"\?")):
        name_of("???")


def test_title_of() -> None:
    assert title_of("plum-island_west") == "Plum Island West"


def test_check_name_proposes_one() -> None:
    assert check_name("upper-valley", "landscape") == "upper-valley"
    with pytest.raises(InvalidIngest, match="as in 'upper-valley'"):
        check_name("Upper Valley", "landscape")
