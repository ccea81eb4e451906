"""Nothing is read but what a visible item of the catalog names, and nothing is told about the rest."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from catalog.legend import Legend

TILE = "tiles/WebMercatorQuad/12/1172/1508.png"
TAILS = [TILE, "WebMercatorQuad/tilejson.json", "info", "legend.json", "legend.png"]
VRT = "<VRTDataset rasterXSize='1' rasterYSize='1'><SRS>EPSG:4326</SRS></VRTDataset>"


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="rasterio")


@pytest.mark.parametrize("tail", TAILS)
def test_a_hidden_item_is_as_if_it_were_not_there(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, tail: str
) -> None:
    hidden = commons.add_layer("land-cover", "secret", land_cover, legend=legend, **{"landscape:access": "council"})
    missing = hidden.replace("secret", "nowhere")
    seen, truth = commons.get(f"{hidden}/{tail}", 404), commons.get(f"{missing}/{tail}", 404)
    assert seen.text.replace("secret", "nowhere") == truth.text
    assert seen.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("tail", TAILS)
def test_who_may_see_a_hidden_item_sees_it_and_shared_caches_do_not_keep_it(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, tail: str
) -> None:
    labels = {"landscape:access": "council"}
    for collection, item in (("land-cover", "secret"), ("run-maps", "plan-a-2030")):
        base = commons.add_layer(collection, item, land_cover, legend=legend, asset="map", **labels)
        response = commons.get(f"{base}/{tail}", headers={"Authorization": "owner"})
        assert response.headers["cache-control"].startswith("private, ")


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../..",
        "..%2F..%2Fetc",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%252F..%252Fetc",
        "..%5C..%5Cetc",
        "%00",
        "a%00.tif",
        "%0d%0aSet-Cookie:x=1",
        "http:%2F%2F127.0.0.1%2Fa.tif",
        "%2Fvsicurl%2Fhttp:%2F%2F127.0.0.1%2Fa.tif",
        "%EF%BC%8E%EF%BC%8E",
        "' OR 1=1 --",
        "x" * 4000,
    ],
)
def test_names_in_the_url_never_become_paths(commons: Any, name: str) -> None:
    for tail in TAILS:
        for prefix in (f"/collections/{name}/items/a", f"/collections/a/items/{name}", f"/runs/{name}/2030"):
            response = commons.get(f"{prefix}/{tail}", 404)
            assert "set-cookie" not in response.headers


@pytest.mark.parametrize("asset", ["../data", "%2Fetc%2Fpasswd", "data%00", "/vsimem/a.tif", ""])
def test_asset_names_never_become_paths(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, asset: str
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    for tail in TAILS:
        refused = commons.get(f"{base}/{tail}?asset={asset}", 404).json()
        assert refused == {"detail": f"The item 'a' has no asset {unquote(asset)!r}. Its raster assets are: data."}


@pytest.mark.parametrize(
    "query",
    [
        "url=/etc/passwd",
        "url=http://127.0.0.1:9/a.tif",
        "src_path=/etc/passwd",
        "expression=b1*2",
        "colormap=%7B%221%22:%22%23ff0000%22%7D",
        "colormap_name=viridis",
        "nodata=1",
        "rescale=0,1",
        "bidx=9",
        "resampling=cubic",
        "tilesize=100000",
        "buffer=5000",
        "algorithm=hillshade",
    ],
)
def test_titilers_open_parameters_do_nothing(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, query: str
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    plain = commons.get(f"{base}/tiles/WebMercatorQuad/13/2345/3017.png").content
    assert commons.get(f"{base}/tiles/WebMercatorQuad/13/2345/3017.png?{query}").content == plain


@pytest.mark.parametrize(
    "href",
    [
        "/etc/passwd",
        "../outside.tif",
        "layers/../../outside.tif",
        "layers/%2e%2e/%2e%2e/outside.tif",
        "http://127.0.0.1:9/a.tif",
        "file:///etc/passwd",
        "s3://bucket/a.tif",
        "/vsicurl/http://127.0.0.1:9/a.tif",
        "GTIFF_DIR:1:/etc/passwd",
        "vrt://outside.tif?bands=1",
        "layers\\..\\outside.tif",
        "a.tif?x=1",
        "a\0.tif",
        "",
    ],
)
def test_an_href_that_leaves_the_commons_is_not_opened(commons: Any, land_cover: NDArray[np.uint8], href: str) -> None:
    commons.add_layer("land-cover", "a", land_cover)
    commons.add_item("land-cover", "posted", href)
    for tail in (TILE, "info", "WebMercatorQuad/tilejson.json"):
        response = commons.get(f"/collections/land-cover/items/posted/{tail}", 400)
        assert "outside the commons" in response.json()["detail"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.tif", None),
        ("vrt.tif", VRT.encode()),
        ("text.tif", b"root:x:0:0"),
        ("empty.tif", b""),
        ("cut.tif", b"II*\0\x08\0\0\0"),
    ],
)
def test_a_file_that_is_no_geotiff_is_not_read_and_its_place_not_told(
    commons: Any, legend: Legend, name: str, content: bytes | None
) -> None:
    if content is not None:
        (commons.root / name).write_bytes(content)
    commons.add_item("land-cover", "broken", name, legend=legend)
    for tail in (TILE, "info", "WebMercatorQuad/tilejson.json"):
        response = commons.get(f"/collections/land-cover/items/broken/{tail}", 404)
        assert "missing or damaged" in response.json()["detail"]
        assert str(commons.root) not in response.text
        assert response.headers["cache-control"] == "no-store"


def test_a_file_cut_short_is_reported_without_its_place(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    big = np.tile(land_cover, (3, 3))
    base = commons.add_layer("land-cover", "a", big, legend=legend)
    path = commons.root / "land-cover-a.tif"
    path.write_bytes(path.read_bytes()[:20_000])
    response = commons.get(f"{base}/tiles/WebMercatorQuad/13/2346/3018.png", 404)
    assert "missing or damaged" in response.json()["detail"]
    assert str(commons.root) not in response.text


def test_a_raster_without_crs_says_what_to_do(commons: Any, land_cover: NDArray[np.uint8]) -> None:
    base = commons.add_layer("drivers", "a", land_cover, crs=None, transform=Affine.scale(10, -10))
    assert "no CRS" in commons.get(f"{base}/info", 404).json()["detail"]


@pytest.mark.parametrize("classes", [[{"name": "no value"}], [{"value": 1}, {"value": 1}], ["forest"]])
def test_classes_that_cannot_be_read_are_reported(
    commons: Any, land_cover: NDArray[np.uint8], classes: list[Any]
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover)
    commons.store.items["land-cover", "a"]["assets"]["data"]["classification:classes"] = classes
    assert "with a legend" in commons.get(f"{base}/legend.json", 400).json()["detail"]
