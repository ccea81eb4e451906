"""Footprints on the globe: at the antimeridian, beyond 180 degrees and around the poles."""

from __future__ import annotations

import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPoint, Point, shape

from catalog.errors import LayerError
from catalog.items.georeference import describe_grid, find_footprint


def outline(cells: tuple[int, int], affine: Affine, crs: str):
    geometry, bbox = find_footprint(GeoBox(cells, affine, crs))
    found = shape(geometry)
    assert found.is_valid
    return found, bbox


def test_across_the_antimeridian_in_a_projection() -> None:
    found, (west, south, east, north) = outline((100, 100), Affine(3000, 0, 100_000, 0, -3000, 8_200_000), "EPSG:32701")
    assert found.geom_type == "MultiPolygon"
    assert west > 176
    assert east < -177
    assert south < north < -15
    assert found.covers(MultiPoint([(179.9, -17.5), (-179.9, -17.5)]))
    assert not found.covers(Point(0, -17.5))


def test_a_grid_from_0_to_360_degrees() -> None:
    found, bbox = outline((180, 360), Affine(1, 0, 0, 0, -1, 90), "EPSG:4326")
    assert bbox == (-180, -90, 180, 90)
    assert found.covers(MultiPoint([(-100, 20), (100, 20)]))


def test_part_of_a_grid_beyond_180_degrees() -> None:
    found, bbox = outline((10, 20), Affine(1, 0, 200, 0, -1, 10), "EPSG:4326")
    assert bbox == (-160, 0, -140, 10)
    assert found.geom_type == "Polygon"


def test_around_a_pole() -> None:
    found, (west, south, east, north) = outline(
        (100, 100), Affine(10_000, 0, -500_000, 0, -10_000, 500_000), "EPSG:3413"
    )
    assert (west, east, north) == (-180, 180, 90)
    assert 83 < south < 86
    assert found.covers(MultiPoint([(12, 89), (-170, 88)]))
    assert not found.covers(Point(0, 80))


def test_straight_sides_become_curves() -> None:
    found, _ = outline((10, 10), Affine(100_000, 0, 4_000_000, 0, -100_000, 3_500_000), "EPSG:3035")
    chord = shape({"type": "Polygon", "coordinates": [[*found.exterior.coords[::10]]]})
    assert found.symmetric_difference(chord).area > 0.001


def test_outside_of_the_projection() -> None:
    with pytest.raises(LayerError, match="have no place on the globe"):
        find_footprint(GeoBox((2, 2), Affine(1e9, 0, 1e12, 0, -1e9, 1e12), "EPSG:32618"))


def test_without_a_crs() -> None:
    with pytest.raises(LayerError, match="no CRS"):
        find_footprint(GeoBox((2, 2), Affine.identity(), None))
    with pytest.raises(LayerError, match="no CRS"):
        describe_grid(GeoBox((2, 2), Affine.identity(), None))


def test_a_crs_without_a_code_is_written_out() -> None:
    crs = "+proj=laea +lat_0=12 +lon_0=34 +datum=WGS84 +units=m"
    fields = describe_grid(GeoBox((2, 3), Affine(10, 0, 0, 0, -10, 0), crs))
    assert "proj:code" not in fields
    assert "Lambert Azimuthal Equal Area" in fields["proj:wkt2"]
    assert fields["proj:bbox"] == [0, -20, 30, 0]
