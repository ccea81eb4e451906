"""A run as a moving picture: every frame shows the map of its year, in the very colours."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image

from datacommons.runs.run import Run
from tiles.drawing.animation import BAND

Served = tuple[Run, TestClient]


def read_frames(content: bytes) -> list[NDArray[np.uint8]]:
    image = Image.open(BytesIO(content))
    frames = []
    for number in range(image.n_frames):
        image.seek(number)
        frames.append(np.asarray(image.convert("RGB")))
    return frames


@pytest.mark.parametrize("ending", ["apng", "webp"])
def test_every_frame_is_the_map_of_its_year(served_run: Served, ending: str) -> None:
    run, client = served_run
    answer = client.get(f"/runs/{run.id}/animation.{ending}?width=120")
    assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{ending}")
    frames = read_frames(answer.content)
    told = client.get(f"/runs/{run.id}/2004/legend.json").json()["classes"]
    colours = {entry["value"]: tuple(bytes.fromhex(entry["colour"][1:])) for entry in told}
    maps = run.trajectory.land_cover.values
    assert len(frames) == len(maps) == 5
    bands = set()
    for frame, cells in zip(frames, maps, strict=True):
        below = frame[BAND:]
        for value, colour in colours.items():
            assert (below == colour).all(axis=2).any() == (cells == value).any()
        shown = {tuple(int(band) for band in each) for each in np.unique(below.reshape(-1, 3), axis=0)}
        assert shown <= {*colours.values(), (244, 242, 236)}
        bands.add(frame[:BAND].tobytes())
    assert len(bands) == 5, "each has its own year"


def test_it_can_be_cut_slowed_and_cached(served_run: Served) -> None:
    run, client = served_run
    west, south, east, north = run.item["bbox"]
    url = f"/runs/{run.id}/animation.apng?width=64&step=2&bbox={west},{south},{(west + east) / 2},{north}"
    answer = client.get(url)
    assert len(read_frames(answer.content)) == 3
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert client.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        (".gif", 400, "format"),
        (".apng?width=5000", 400, "width"),
        (".apng?width=1024&bbox=-75,36.1,-74.9999,36.14", 413, "pixels"),
        (".apng?step=0", 400, "step"),
        (".webp?bbox=1,2,3", 400, "bbox"),
        (".webp?style=none", 400, "style"),
    ],
)
def test_what_is_too_much_or_wrong_is_refused(served_run: Served, query: str, status: int, word: str) -> None:
    run, client = served_run
    answer = client.get(f"/runs/{run.id}/animation{query}")
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text
    assert client.get("/runs/none-1/animation.apng").status_code == 404
