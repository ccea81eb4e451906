"""The map of a run's hindcast: in the catalog, as tiles, and as the hindcast reckons it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import rasterio
from fastapi.testclient import TestClient
from PIL import Image

import datacommons as dc
from datacommons.door.server import create_app
from datacommons.runs.outcomes import OUTCOME_LEGEND
from datacommons.runs.run import Run
from tests.datacommons.conftest import BUILT, LEGEND, draw_land_cover, raster_writer

Examined = tuple[Run, TestClient, Path]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    """Return a run whose history has three dates, and a client of its commons."""
    folder = tmp_path_factory.mktemp("examined")
    write = raster_writer(folder / "sources")
    files = []
    for number, year in enumerate((1980, 1990, 2000)):
        cells = draw_land_cover()
        cells[20 : 20 + 5 * number, 10:25] = BUILT
        files.append(write(f"lc_{year}.tif", cells, nodata=0))
    scenario = dc.Scenario(
        id="usual",
        title="Usual",
        landscape="valley",
        years=2,
        start=2000,
        members=2,
        history=(1980, 1990, 2000),
        transitions={"minimum_hectares": 0},
    )
    with dc.init(folder / "valley") as commons:
        commons.ingest(files, collection="land-cover", legend=dc.Legend.from_json(LEGEND))
        run = commons.run(scenario, threads=1, progress=False)
        with TestClient(create_app(commons)) as client:
            yield run, client, folder / "valley"


def test_the_map_counts_what_the_hindcast_counts(examined: Examined) -> None:
    run, client, root = examined
    asset = client.get(f"/stac/collections/runs/items/{run.id}").json()["assets"]["hindcast"]
    with rasterio.open(root / asset["href"].partition("/files/")[2]) as dataset:
        cells, colours = dataset.read(1), dataset.colormap(1)
    hindcast = run.item["properties"]["scenario:hindcast"]
    known = cells > 0
    changed = np.isin(cells, [2, 3, 4])
    assert changed.sum() == 5 * 15
    assert hindcast["figure_of_merit"] == pytest.approx(
        (cells == 2).sum() / np.isin(cells, [2, 3, 4, 5]).sum(), abs=1e-4
    )
    assert (known == (draw_land_cover() > 0)).all()
    assert {value: colours[value][:3] for value in OUTCOME_LEGEND.values} == {
        entry.value: entry.rgb for entry in OUTCOME_LEGEND
    }
    assert [entry["value"] for entry in asset["classification:classes"] if entry["value"]] == [1, 2, 3, 4, 5]


def test_its_tiles_show_the_colours_of_its_legend(examined: Examined) -> None:
    run, client, _ = examined
    told = client.get(f"/runs/{run.id}/hindcast/legend.json?lang=es").json()
    assert told["title"].endswith("Hindcast of 2000")
    assert [entry["name"] for entry in told["classes"]] == ["stayed", "hit", "wrong-hit", "miss", "false-alarm"]
    assert told["classes"][1]["label"] == "Cambio acertado"
    picture = client.get(f"/runs/{run.id}/hindcast/preview.png")
    assert picture.headers["content-datetime"] == "2000"
    seen = np.asarray(Image.open(BytesIO(picture.content)).convert("RGBA")).reshape(-1, 4)
    shown = {f"#{bytes(pixel[:3]).hex()}" for pixel in np.unique(seen, axis=0) if pixel[3]}
    assert {told["classes"][0]["colour"]} < shown <= {entry["colour"] for entry in told["classes"]}
    (template,) = client.get(f"/runs/{run.id}/hindcast/WebMercatorQuad/tilejson.json").json()["tiles"]
    tile = client.get(template.format(z=12, x=1194, y=1605).removeprefix("http://testserver"))
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_run_without_hindcast_has_no_such_map(examined: Examined) -> None:
    _, client, _ = examined
    for tail in ("legend.json", "tiles/WebMercatorQuad/3/2/3.png", "preview.png"):
        answer = client.get(f"/runs/valley-none-1/hindcast/{tail}")
        assert (answer.status_code, "no hindcast" in answer.json()["detail"]) == (404, True)
