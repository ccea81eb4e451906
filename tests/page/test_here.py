"""What changes here: a point, an area that is drawn or uploaded, the whole landscape; and what can be taken away."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, expect
from shapely.geometry import shape

from tests.page import valley
from tests.page.commons_answers import measure
from tests.page.commons_server import areas
from tests.page.visits import SIZES, WIDE, Visit, Visitor

RING = [[-74.36, 4.58], [-74.31, 4.58], [-74.31, 4.63], [-74.36, 4.63], [-74.36, 4.58]]
AREA: dict[str, Any] = {"type": "Polygon", "coordinates": [RING]}
LINK = "#landscape=valley&run=as-before-run-2&year=2038&open=here&place=-74.36,4.58;-74.31,4.58;-74.31,4.63;-74.36,4.63"


def shown_hectares(visited: Visit, column: int) -> list[float]:
    cells = visited.page.locator(f".side-by-side tbody td:nth-of-type({column}) data")
    return [float(value) for value in cells.evaluate_all("cells => cells.map((cell) => cell.value)")]


def hectares_of(run: str) -> list[float]:
    return [years[-1] for years in measure(AREA, run)["area_ha"].values()]


def wait_for_table(visited: Visit) -> None:
    expect(visited.page.locator(".side-by-side tbody tr")).to_have_count(len(valley.LEGEND))


@SIZES
def test_a_tap_tells_the_classes_of_the_place(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url, size)
    visited.wait_until_whole(2038)
    place = (820, 300) if size == WIDE else (190, 300)
    visited.page.mouse.click(*place)
    expect(visited.page.locator(".course")).to_have_count(3)
    expect(visited.first(".course p")).to_contain_text(re.compile(r"in 2038: a chance of (80|4) in 100\."))
    expect(visited.page).to_have_url(re.compile(r"open=here&place=-74\.\d+,4\.\d+"))
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"here-point-{size[0]}.png")


@pytest.mark.long
def test_classes_of_a_linked_point_are_those_of_the_server(visit: Visitor, commons_url: str) -> None:
    longitude, latitude = -74.33, 4.6
    cell = valley.find_cell(longitude, latitude)
    assert cell is not None
    visited = visit(f"{commons_url}#landscape=valley&open=here&place={longitude},{latitude}")
    titles = {entry.value: entry.title["en"] for entry in valley.LEGEND}
    years = range(valley.START_YEAR, valley.LAST_YEAR + 1)
    for index, plan in enumerate(("as-before", "zoning", "restoration")):
        course = [titles[int(valley.land_cover(plan, year)[cell])] for year in years]
        expect(visited.page.locator(".course").nth(index).locator(".spells li").first).to_contain_text(course[0])
        expect(visited.page.locator(".course").nth(index).locator(".spells li").last).to_contain_text(course[-1])


@SIZES
def test_hectares_of_a_linked_area_are_those_of_the_server(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(commons_url + LINK, size)
    visited.wait_for_map(2038)
    wait_for_table(visited)
    for column, run in enumerate(("as-before-run-2", "zoning-run-2", "restoration-run-2"), start=1):
        assert shown_hectares(visited, column) == hectares_of(run)
    expect(visited.page.locator(".chart canvas")).to_be_visible()
    expect(visited.page.locator(".chart-key")).to_have_count(3)
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"here-area-{size[0]}.png")


def test_whole_landscape_has_the_hectares_of_the_legend(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2")
    visited.wait_until_whole(2038)
    visited.page.get_by_role("button", name="What changes here").click()
    visited.page.get_by_role("button", name="Whole landscape").click()
    wait_for_table(visited)
    assert shown_hectares(visited, 1) == areas("as-before")["area_ha"][-1]
    expect(visited.page.get_by_text("The grey band: where 9 of every 10 runs")).to_be_visible()
    visited.slide_to(2025)
    expect(visited.first(".side-by-side caption")).to_have_text("Hectares in 2025, and the change since 2018")


@SIZES
def test_village_is_chosen_by_its_name(
    visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]
) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&open=here", size)
    visited.wait_until_whole(2038)
    choice = visited.page.get_by_label("By name")
    choice.select_option(label="San Roque / Río Claro")
    wait_for_table(visited)
    assert shown_hectares(visited, 1) == hectares_of("as-before-run-2")
    expect(choice.locator("option:checked")).to_have_text("San Roque / Río Claro")
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"here-village-{size[0]}.png")
    visited.page.get_by_role("button", name="Whole landscape").click()
    expect(choice.locator("option:checked")).to_have_text("Choose a place")


def test_village_that_is_a_point_is_measured_with_what_lies_around_it(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=as-before-run-2&open=here")
    visited.wait_until_whole(2038)
    choice = visited.page.get_by_label("By name")
    choice.select_option(label="La Loma, 2 km around")
    wait_for_table(visited)
    expect(choice.locator("option:checked")).to_have_text("La Loma, 2 km around")


@SIZES
def test_area_is_drawn_by_taps(visit: Visitor, commons_url: str, screenshots: Path, size: tuple[int, int]) -> None:
    visited = visit(commons_url, size)
    visited.wait_until_whole(2038)
    visited.page.get_by_role("button", name="What changes here").click()
    visited.page.get_by_role("button", name="Draw an area").click()
    middle = (800, 330) if size == WIDE else (180, 300)
    for right, down in ((-60, -60), (60, -60), (60, 60), (-60, 60)):
        visited.page.mouse.click(middle[0] + right, middle[1] + down)
    expect(visited.first(".drawing-bar p")).to_contain_text("Corners so far: 4.")
    visited.wait_until_still()
    visited.page.screenshot(path=screenshots / f"here-drawing-{size[0]}.png")
    visited.page.get_by_role("button", name="Done").click()
    wait_for_table(visited)
    assert len(re.findall(";", visited.page.url)) == 3


@pytest.mark.long
def test_area_is_drawn_by_keyboard(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=here")
    visited.wait_until_whole(2038)
    visited.page.get_by_role("button", name="Draw an area").press("Enter")
    canvas = visited.page.locator(".map.first canvas")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        visited.page.get_by_role("button", name="Corner at the cross").press("Enter")
        canvas.focus()
        visited.page.keyboard.press(key)
        visited.let_pass(400)  # in which the map glides
    expect(visited.first(".drawing-bar p")).to_contain_text("Corners so far: 3.")
    visited.page.get_by_role("button", name="Done").press("Enter")
    wait_for_table(visited)


@pytest.mark.long
def test_drawing_can_be_taken_back_and_left(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=here")
    visited.wait_until_whole(2038)
    visited.page.get_by_role("button", name="Draw an area").click()
    visited.page.mouse.click(800, 300)
    expect(visited.first(".drawing-bar p")).to_contain_text("Corners so far: 1.")
    visited.page.get_by_role("button", name="Take back").click()
    expect(visited.first(".drawing-bar p")).to_contain_text("Corners so far: 0.")
    visited.page.keyboard.press("Escape")
    expect(visited.page.locator(".drawing")).to_have_count(0)
    expect(visited.page.locator(".drawer")).to_be_visible()


def kml() -> bytes:
    ring = " ".join(f"{x},{y},0" for x, y in RING)
    return (
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><Polygon>'
        f"<outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs>"
        "</Polygon></Placemark></Document></kml>"
    ).encode()


def zipped_shapefile(folder: Path) -> bytes:
    frame = gpd.GeoDataFrame({"name": ["village"]}, geometry=[shape(AREA)], crs=4326).to_crs(32618)
    frame.to_file(folder / "village.shp")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in sorted(folder.glob("village.*")):
            archive.write(part, part.name)
    return packed.getvalue()


def upload(visited: Visit, name: str, content: bytes) -> None:
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    visited.page.locator("input[type=file]").set_input_files(file)


@pytest.mark.parametrize(
    "kind",
    ["village.geojson", *(pytest.param(name, marks=pytest.mark.long) for name in ("village.kml", "village.zip"))],
)
def test_uploaded_area_is_measured(visit: Visitor, commons_url: str, tmp_path: Path, kind: str) -> None:
    content = {
        "village.geojson": lambda: json.dumps({"type": "Feature", "properties": {}, "geometry": AREA}).encode(),
        "village.kml": kml,
        "village.zip": lambda: zipped_shapefile(tmp_path),
    }[kind]()
    visited = visit(f"{commons_url}#landscape=valley&open=here")
    visited.wait_until_whole(2038)
    upload(visited, kind, content)
    wait_for_table(visited)
    assert shown_hectares(visited, 1) == hectares_of("as-before-run-2")
    expect(visited.first(".place-name")).to_have_text(kind)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.geojson", b"not json", "This file could not be read."),
        ("empty.zip", b"PK", "This file could not be read."),
        ("point.geojson", b'{"type": "Point", "coordinates": [0, 0]}', "There is no area in this file"),
        (
            "metres.geojson",
            b'{"type": "Polygon", "coordinates": [[[560000, 500000], [561000, 500000], [561000, 501000], '
            b"[560000, 500000]]]}",
            "are not longitude and latitude",
        ),
    ],
)
def test_file_without_an_area_says_what_is_wrong(
    visit: Visitor, commons_url: str, name: str, content: bytes, words: str
) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=here")
    visited.wait_until_whole(2038)
    upload(visited, name, content)
    expect(visited.first(".place-chooser [role=alert]")).to_contain_text(words)


@pytest.mark.long
def test_place_outside_says_so(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=here&place=10,10", trouble_expected=True)
    expect(visited.first(".drawer .notice")).to_contain_text("This place lies outside the landscape.")


def test_table_can_be_taken_away(visit: Visitor, commons_url: str) -> None:
    visited = visit(commons_url + LINK)
    wait_for_table(visited)
    with visited.page.expect_download() as saved:
        visited.page.get_by_role("button", name="Save table (CSV)").click()
    assert saved.value.suggested_filename == "valley-hectares.csv"
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == 3 * 21 * 6
    last = [float(row["area_ha"]) for row in rows if row["run"] == "zoning-run-2" and row["year"] == "2038"]
    assert last == hectares_of("zoning-run-2")
    assert {row["kind"] for row in rows} == {"observed", "projection"}


def test_picture_can_be_taken_away(visit: Visitor, commons_url: str, screenshots: Path) -> None:
    visited = visit(commons_url + LINK)
    visited.wait_until_whole(2038)
    wait_for_table(visited)
    visited.wait_until_still()
    with visited.page.expect_download() as saved:
        visited.page.get_by_role("button", name="Save picture").click()
    assert saved.value.suggested_filename == "valley-2038.png"
    saved.value.save_as(screenshots / "saved-picture.png")
    picture = Image.open(screenshots / "saved-picture.png").convert("RGB")
    assert picture.width == 1600
    colours = {colour for _, colour in picture.getcolors(2**24) or []}
    for entry in valley.LEGEND:
        assert tuple(bytes.fromhex(entry.colour[1:])) in colours
