"""MapLibre draws the tiles by their TileJSON, in the very colours of the legend."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser
from starlette.responses import FileResponse, HTMLResponse

import tiles.viewer
from tests.page.conftest import served
from tests.page.visits import PATIENCE_MS
from tests.tiles.conftest import LEGEND, TileCommons

LIBRARY = Path(tiles.viewer.__file__).parent / "node_modules" / "maplibre-gl" / "dist"
SIZE = 400
PAPER = (255, 0, 255)  # no class has it
PAGE = """<!doctype html><style>body { margin: 0; background: rgb%s } #map { width: %dpx; height: %dpx }</style>
<div id="map"></div><script src="/maplibre-gl.js"></script><script>
const map = new maplibregl.Map({
  container: "map", attributionControl: false, fadeDuration: 0, interactive: false, center: [%f, %f], zoom: %f,
  style: {
    version: 8,
    sources: { cover: { type: "raster", url: "%s", tileSize: 256 } },
    layers: [{ id: "cover", type: "raster", source: "cover",
      paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 } }],
  },
});
map.once("idle", () => { document.title = "drawn" });
map.on("error", ({ error }) => { document.title = `failed: ${error.message}` });
</script>"""


@pytest.fixture
def library() -> Path:
    script = LIBRARY / "maplibre-gl.js"
    if not script.exists():
        reason = "MapLibre is not unpacked: `npm ci` in tiles/viewer does it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return script


@pytest.mark.parametrize(
    ("zoom", "style"),
    [
        (9.0, "legend"),
        *(pytest.param(*each, marks=pytest.mark.long) for each in ((10.4, "greyscale"), (12.0, "legend"))),
    ],
)
def test_maplibre_shows_the_colours_of_the_legend_and_no_others(
    browser: Browser, library: Path, tmp_path: Path, zoom: float, style: str
) -> None:
    made = TileCommons(tmp_path)
    rng = np.random.default_rng(3)
    cells = np.kron(rng.choice(np.array([0, 1, 2, 5, 9], np.uint8), size=(30, 26)), np.ones((10, 10), np.uint8))
    base = made.add_layer("land-cover", "a", cells, legend=LEGEND, checksum="1220" + "ab" * 32)
    url = f"{base}/WebMercatorQuad/tilejson.json?style={style}"
    west, south, east, north = made.get(url).json()["bounds"]
    told = made.get(f"{base}/legend.json?style={style}").json()["classes"]

    @made.app.get("/")
    def page() -> HTMLResponse:
        middle = (west + east) / 2, (south + north) / 2
        return HTMLResponse(PAGE % (PAPER, SIZE, SIZE, *middle, zoom, url))

    @made.app.get("/maplibre-gl.js")
    def script() -> FileResponse:
        return FileResponse(library)

    with served(made.app) as address:
        opened = browser.new_page(viewport={"width": SIZE, "height": SIZE})
        try:
            opened.goto(address)
            opened.wait_for_function("document.title !== ''", timeout=PATIENCE_MS)
            assert opened.title() == "drawn"
            image = np.asarray(Image.open(BytesIO(opened.screenshot())).convert("RGB"))
        finally:
            opened.close()
    seen = {tuple(int(band) for band in colour) for colour in np.unique(image.reshape(-1, 3), axis=0)}
    assert seen == {tuple(bytes.fromhex(entry["colour"][1:])) for entry in told} | {PAPER}
