"""A tile shows the class that is under each of its pixels, in the very colour of the legend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from catalog.legend import Legend

GRIDS = {
    "utm": ("EPSG:32618", Affine(30, 0, 340_000, 0, -30, 4_740_000)),
    "massachusetts": ("EPSG:26986", Affine(99.921, 0, 213_729.92, 0, -99.955, 954_550.32)),
    "degrees": ("EPSG:4326", Affine(0.0003, 0, 120.5, 0, -0.00027, 12.4)),
    "south": ("EPSG:32733", Affine(10, 0, 500_000, 0, -10, 8_800_000)),
    "turned": ("EPSG:32618", Affine(28, 10, 340_000, 10, -28, 4_740_000)),
}


def pixel_places(
    matrix_set: str, tile: morecantile.Tile, size: int, crs: str, transform: Affine
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project the centre of every pixel on its own: the truth that the tiles have to meet."""
    tms = morecantile.tms.get(matrix_set)
    left, bottom, right, top = tms.xy_bounds(tile)
    steps = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    project = Transformer.from_crs(tms.crs.to_wkt(), crs, always_xy=True)
    return cells_at(transform, *project.transform(x, y))


def cells_at(
    transform: Affine, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inverse = ~transform
    return inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f


def expected_colours(
    cells: NDArray[np.uint8], legend: Legend, columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.uint8]:
    palette = np.zeros((256, 4), dtype=np.uint8)
    for entry in legend:
        palette[entry.value] = (*entry.rgb, 255)
    inside = (columns >= 0) & (columns < cells.shape[1]) & (rows >= 0) & (rows < cells.shape[0])
    column, row = np.where(inside, columns, 0).astype(int), np.where(inside, rows, 0).astype(int)
    return np.where(inside[..., None], palette[cells[row, column]], 0).astype(np.uint8)


def away_from_edges(*places: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.logical_and.reduce([np.abs(place - np.rint(place)) > 1e-6 for place in places])


def tile_at_cell(
    matrix_set: str, zoom: int, crs: str, transform: Affine, cell: tuple[float, float]
) -> morecantile.Tile:
    x, y = (float(place) for place in cells_at(~transform, np.array(cell[0]), np.array(cell[1])))
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    return morecantile.tms.get(matrix_set).tile(lon, lat, zoom)


@pytest.mark.parametrize("matrix_set", ["WebMercatorQuad", "WorldCRS84Quad"])
@pytest.mark.parametrize("grid", GRIDS)
def test_every_pixel_is_the_cell_under_its_centre(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, grid: str, matrix_set: str
) -> None:
    crs, transform = GRIDS[grid]
    base = commons.add_layer("land-cover", "a", land_cover, crs=crs, transform=transform, legend=legend)
    native = commons.get(f"{base}/{matrix_set}/tilejson.json").json()["maxzoom"] - 2
    # In the middle, over a corner where most of the tile is outside, and far below native resolution.
    for zoom, cell in ((native + 1, (130, 150)), (native + 1, (1, 1)), (native + 3, (200, 90))):
        tile = tile_at_cell(matrix_set, zoom, crs, transform, cell)
        seen = commons.pixels(f"{base}/tiles/{matrix_set}/{tile.z}/{tile.x}/{tile.y}.png")
        columns, rows = pixel_places(matrix_set, tile, 256, crs, transform)
        sure = away_from_edges(columns, rows)
        truth = expected_colours(land_cover, legend, columns, rows)
        assert sure.mean() > 0.99
        assert truth[..., 3].any()
        np.testing.assert_array_equal(seen[sure], truth[sure])


def test_a_double_density_tile_is_its_four_children(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    tile = tile_at_cell("WebMercatorQuad", 12, *GRIDS["utm"], (130, 150))
    double = commons.pixels(f"{base}/tiles/WebMercatorQuad/12/{tile.x}/{tile.y}@2x.png")
    assert double.shape == (512, 512, 4)
    for down in (0, 1):
        for across in (0, 1):
            url = f"{base}/tiles/WebMercatorQuad/13/{2 * tile.x + across}/{2 * tile.y + down}.png"
            quarter = double[256 * down : 256 * (down + 1), 256 * across : 256 * (across + 1)]
            np.testing.assert_array_equal(quarter, commons.pixels(url))


def test_zoomed_out_a_pixel_is_the_cell_of_an_overview(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    crs, transform = GRIDS["utm"]
    base = commons.add_layer("land-cover", "a", land_cover, crs=crs, transform=transform, legend=legend)
    with rasterio.open(commons.root / "land-cover-a.tif", OVERVIEW_LEVEL=0) as overview:
        cells, coarse = overview.read(1), overview.transform
    tile = tile_at_cell("WebMercatorQuad", 11, crs, transform, (130, 150))
    seen = commons.pixels(f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png")
    columns, rows = pixel_places("WebMercatorQuad", tile, 256, crs, coarse)
    sure = away_from_edges(columns, rows)
    np.testing.assert_array_equal(seen[sure], expected_colours(cells, legend, columns, rows)[sure])


@pytest.mark.parametrize("zoom", [0, 3, 6])
def test_far_zoomed_out_only_colours_of_the_legend_appear(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, zoom: int
) -> None:
    big = np.repeat(np.repeat(land_cover, 4, axis=0), 4, axis=1)
    base = commons.add_layer("land-cover", "a", big, legend=legend)
    tile = tile_at_cell("WebMercatorQuad", zoom, *GRIDS["utm"], (600, 600))
    seen = commons.pixels(f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png").reshape(-1, 4)
    colours = {tuple(colour) for colour in np.unique(seen, axis=0).tolist()}
    assert colours <= {(0, 0, 0, 0), *((*entry.rgb, 255) for entry in legend)}
    assert (zoom < 6) or len(colours) > 1


def test_a_large_raster_without_overviews_is_drawn(commons: Any, legend: Legend) -> None:
    cells = np.repeat(np.repeat(np.array([[1, 2], [5, 9]], dtype=np.uint8), 2500, axis=0), 2500, axis=1)
    crs, transform = GRIDS["utm"]
    profile = {"driver": "GTiff", "height": 5000, "width": 5000, "count": 1, "dtype": "uint8", "compress": "deflate"}
    with rasterio.open(commons.root / "plain.tif", "w", **profile, crs=crs, transform=transform, nodata=0) as dataset:
        dataset.write(cells, 1)
    commons.add_item("land-cover", "plain", "plain.tif", legend=legend)
    tile = tile_at_cell("WebMercatorQuad", 7, crs, transform, (2500, 2500))
    url = f"/collections/land-cover/items/plain/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"
    columns, rows = pixel_places("WebMercatorQuad", tile, 256, crs, transform)
    truth = expected_colours(cells, legend, columns, rows)
    same = (commons.pixels(url) == truth).all(axis=2)
    assert len(np.unique(truth.reshape(-1, 4), axis=0)) == 5
    assert same.mean() > 0.99


def test_webp_shows_the_same_colours(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    tile = tile_at_cell("WebMercatorQuad", 13, *GRIDS["utm"], (130, 150))
    url = f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
    png, webp = commons.get(f"{url}.png"), commons.get(f"{url}.webp")
    assert (png.headers["content-type"], webp.headers["content-type"]) == ("image/png", "image/webp")
    seen, truth = commons.pixels(f"{url}.webp"), commons.pixels(f"{url}.png")
    np.testing.assert_array_equal(seen[..., 3], truth[..., 3])
    np.testing.assert_array_equal(seen[truth[..., 3] > 0], truth[truth[..., 3] > 0])


def test_a_tile_is_a_small_png_with_a_palette(commons: Any, land_cover: NDArray[np.uint8], legend: Legend) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    tile = tile_at_cell("WebMercatorQuad", 13, *GRIDS["utm"], (130, 150))
    content = commons.get(f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png").content
    depth, colour_type = content[24], content[25]
    assert (depth, colour_type) == (4, 3)
    assert b"PLTE" in content
    assert b"tRNS" in content


def test_values_outside_the_legend_and_undeclared_nodata_are_transparent(commons: Any, legend: Legend) -> None:
    cells = np.full((60, 60), 7, dtype=np.int16)
    cells[:30] = 0
    cells[30:40] = -3
    cells[40:50] = 300
    base = commons.add_layer("land-cover", "a", cells, nodata=None, legend=legend)
    tile = tile_at_cell("WebMercatorQuad", 14, *GRIDS["utm"], (30, 30))
    assert not commons.pixels(f"{base}/tiles/WebMercatorQuad/14/{tile.x}/{tile.y}.png").any()


@pytest.mark.parametrize(
    "matrix_set",
    [name for name in morecantile.tms.list() if name not in {"CDB1GlobalGrid", "GNOSISGlobalGrid"}],
)
def test_every_corner_of_every_matrix_set_is_drawn(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend, matrix_set: str
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    tms = morecantile.tms.get(matrix_set)
    for zoom in (tms.minzoom, 5, 12):
        matrix = tms.matrix(zoom)
        for x in {0, matrix.matrixWidth // 3, matrix.matrixWidth - 1}:
            for y in {0, matrix.matrixHeight // 3, matrix.matrixHeight - 1}:
                image = commons.pixels(f"{base}/tiles/{matrix_set}/{zoom}/{x}/{y}.png")
                assert image.shape == (256, 256, 4)


def test_tiles_asked_for_at_once_are_those_asked_for_one_by_one(
    commons: Any, land_cover: NDArray[np.uint8], legend: Legend
) -> None:
    base = commons.add_layer("land-cover", "a", land_cover, legend=legend)
    centre = tile_at_cell("WebMercatorQuad", 14, *GRIDS["utm"], (130, 150))
    urls = [
        f"{base}/tiles/WebMercatorQuad/14/{centre.x + across}/{centre.y + down}.png"
        for across in (-1, 0, 1)
        for down in (-1, 0, 1)
    ]
    one_by_one = [commons.get(url).content for url in urls]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda url: commons.get(url).content, urls * 3))
    assert at_once == one_by_one * 3
    assert len(set(one_by_one)) == len(urls)
