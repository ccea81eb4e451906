from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from shapely.geometry import shape

from catalog.legend import Legend
from datacommons.demo import DemoFiles, DemoLandscape

SCENARIOS = ("business-as-usual", "restoration", "conservation-zoning")


def test_land_cover_files_hold_the_maps_with_their_colours(landscape: DemoLandscape, files: DemoFiles) -> None:
    colours = Legend.from_json(landscape.legend).colormap()
    for year, cover in zip(landscape.years, landscape.land_cover, strict=True):
        with rasterio.open(files.land_cover[year]) as raster:
            assert raster.crs.to_epsg() == 32626
            assert raster.nodata == 0
            assert raster.transform == landscape.transform
            written = raster.colormap(1)
            assert {value: written[value] for value in colours} == colours
            np.testing.assert_array_equal(raster.read(1), cover)


def test_driver_files_hold_the_drivers_with_their_units(landscape: DemoLandscape, files: DemoFiles) -> None:
    for name, values in landscape.drivers.items():
        with rasterio.open(files.drivers[name]) as raster:
            assert raster.crs == landscape.crs
            assert raster.units == ("degree" if name == "slope" else "m",)
            np.testing.assert_array_equal(raster.read(1, masked=True).filled(np.nan), values)


def test_every_raster_is_tagged_as_synthetic(files: DemoFiles) -> None:
    for path in [*files.land_cover.values(), *files.drivers.values()]:
        with rasterio.open(path) as raster:
            assert raster.tags()["SYNTHETIC"] == "YES"
            assert "synthetic" in raster.tags()["LANDSCAPE"]
            assert "synthetic" in raster.descriptions[0]


def test_legend_file_is_read_by_the_catalog(landscape: DemoLandscape, files: DemoFiles) -> None:
    assert Legend.read(files.legend) == Legend.from_json(landscape.legend)


def test_features_follow_rfc_7946(landscape: DemoLandscape, files: DemoFiles) -> None:
    assert set(files.zones) == set(landscape.zones)
    assert set(files.vectors) == {"rivers", "roads", "villages"}
    for path in [files.boundary, *files.zones.values(), *files.vectors.values()]:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert "crs" not in document
        west, south, east, north = shape(document["features"][0]["geometry"]).bounds
        assert -28 < west <= east < -26
        assert 41 < south <= north < 43
        assert document["features"][0]["properties"]["synthetic"] is True


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, files: DemoFiles) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(files.scenarios[request.param].read_text(encoding="utf-8"))
    return document


def test_there_are_three_scenarios(files: DemoFiles) -> None:
    assert set(files.scenarios) == set(SCENARIOS)


def test_scenarios_speak_of_this_landscape(landscape: DemoLandscape, scenario: dict[str, Any]) -> None:
    assert scenario["landscape"] == landscape.id
    assert scenario["history"] == list(landscape.years)
    assert scenario["start"] == landscape.years[-1]
    assert set(scenario["potential"]["drivers"]) <= set(landscape.drivers)
    for text in (scenario["title"], scenario["storyline"]):
        assert set(text) == {"en", "es"}


def test_interventions_name_classes_places_and_years_that_exist(
    landscape: DemoLandscape, files: DemoFiles, scenario: dict[str, Any]
) -> None:
    names = set(Legend.from_json(landscape.legend).names)
    folder = files.scenarios[scenario["id"]].parent
    for intervention in scenario["interventions"]:
        (action,) = set(intervention) - {"id", "years"}
        details = intervention[action]
        assert _classes(action, details) <= names
        assert "where" not in details or (folder / Path(details["where"])).is_file()
        first, last = intervention["years"]
        assert scenario["start"] < first <= last <= scenario["start"] + scenario["years"]


def test_restoration_finds_enough_land(landscape: DemoLandscape, files: DemoFiles) -> None:
    """Holds at the full size of the demonstration; here at the share of it that the small landscape is."""
    document = yaml.safe_load(files.scenarios["restoration"].read_text(encoding="utf-8"))
    smaller = landscape.shape[0] * landscape.shape[1] / 1e6
    legend = Legend.from_json(landscape.legend)
    for intervention in document["interventions"]:
        restore, (first, last) = intervention["restore"], intervention["years"]
        zone = landscape.zones[Path(restore["where"]).stem]
        inside = rasterio.features.geometry_mask(zone.geometry, landscape.shape, landscape.transform, invert=True)
        suitable = np.isin(landscape.land_cover[-1], [legend.value_of(name) for name in restore["from"]])
        wanted_ha = restore["hectares_per_year"] * (last - first + 1) * smaller
        assert (suitable & inside).sum() * 0.09 > 2.0 * wanted_ha


def _classes(action: str, details: dict[str, Any]) -> set[str]:
    if action == "protect":
        return set(details["classes"])
    source = details["from"]
    return {details["to"], *([source] if isinstance(source, str) else source)}
