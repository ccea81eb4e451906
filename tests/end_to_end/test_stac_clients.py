"""Strangers' clients at the door: pystac-client finds the run, odc-stac loads its maps, and no link is dead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import odc.stac
import pystac
import pystac_client
import pytest

from datacommons.runs.run import Run
from tests.end_to_end.conftest import DRIVERS, LAND_COVER, RUN

NEWBURYPORT = (-70.95, 42.70, -70.80, 42.85)
PARIS = (2.2, 48.8, 2.5, 48.9)
ALL_YEARS = range(2000, 2020)

# odc-geo projects points by a function that shapely 2.2 has renamed.
odc_geo_is_older_than_shapely = pytest.mark.filterwarnings("ignore:The 'shapely.ops.transform:DeprecationWarning")


@pytest.fixture(scope="module")
def client(door: str) -> pystac_client.Client:
    return pystac_client.Client.open(f"{door}/stac")


def find(client: pystac_client.Client, **query: Any) -> list[str]:
    return sorted(item.id for item in client.search(**query).items())


def test_the_run_is_found_by_box_and_year(client: pystac_client.Client) -> None:
    assert find(client, collections=["runs"], bbox=NEWBURYPORT, datetime="2019") == [RUN]
    assert find(client, collections=["run-maps"], bbox=NEWBURYPORT, datetime="2019") == [f"{RUN}-2019"]
    assert find(client, collections=["runs", "run-maps"], bbox=NEWBURYPORT, datetime="2010-06-30") == [
        RUN,
        f"{RUN}-2010",
    ]
    assert find(client, collections=["run-maps"], bbox=NEWBURYPORT) == [f"{RUN}-{year}" for year in ALL_YEARS]


def test_it_is_not_found_elsewhere_or_at_other_times(client: pystac_client.Client) -> None:
    results = ["runs", "run-maps"]
    assert find(client, collections=results, bbox=PARIS) == []
    assert find(client, collections=results, bbox=NEWBURYPORT, datetime="1999") == []
    assert find(client, collections=results, bbox=NEWBURYPORT, datetime="2020/2050") == []


def test_the_collections_can_be_walked(client: pystac_client.Client) -> None:
    held = {
        collection.id: sorted(item.id for item in collection.get_items()) for collection in client.get_collections()
    }
    assert held == {
        "landscapes": ["plum-island"],
        "land-cover": sorted(f"plum-island-land-cover-{name[10:14]}" for name in LAND_COVER),
        "drivers": sorted(f"plum-island-{name.removesuffix('.tif')}" for name in DRIVERS),
        "vectors": [],
        "runs": [RUN],
        "run-maps": [f"{RUN}-{year}" for year in ALL_YEARS],
    }


def test_a_map_leads_to_its_run_and_that_to_its_inputs(client: pystac_client.Client) -> None:
    (map_2019,) = client.search(collections=["run-maps"], ids=[f"{RUN}-2019"]).items()
    (run,) = sources(map_2019)
    assert run.id == RUN
    inputs = sources(run)
    assert sorted(item.id for item in inputs) == sorted(
        [f"plum-island-land-cover-{name[10:14]}" for name in LAND_COVER]
        + [f"plum-island-{name.removesuffix('.tif')}" for name in DRIVERS]
    )
    assert {item.collection_id for item in inputs} == {"land-cover", "drivers"}


def sources(item: pystac.Item) -> list[pystac.Item]:
    found = [link.resolve_stac_object().target for link in item.get_links("derived_from")]
    assert all(isinstance(source, pystac.Item) for source in found)
    return found  # type: ignore[return-value]


@odc_geo_is_older_than_shapely
def test_odc_stac_loads_the_maps_and_their_areas_are_those_of_the_run(client: pystac_client.Client, run: Run) -> None:
    items = list(client.search(collections=["run-maps"], bbox=NEWBURYPORT).items())
    maps = odc.stac.load(items, bands=["map"])["map"]
    trajectory = run.trajectory.land_cover
    assert maps.odc.geobox == trajectory.odc.geobox, "the grid is the landscape's own"
    assert list(maps.time.dt.year.values) == list(ALL_YEARS)
    assert maps.dtype == np.uint8
    np.testing.assert_array_equal(maps.values, trajectory.sel(time=slice("2000", "2019")).values)
    cell_ha = abs(maps.odc.geobox.affine.determinant) / 10_000
    area_ha = [[float((year == value).sum()) * cell_ha for value in (1, 2, 3)] for year in maps.values]
    np.testing.assert_allclose(area_ha, run.area_ha.loc[2000:], rtol=1e-6)


@odc_geo_is_older_than_shapely
def test_odc_stac_loads_the_year_that_was_searched_for(client: pystac_client.Client, run: Run) -> None:
    (item,) = client.search(collections=["run-maps"], bbox=NEWBURYPORT, datetime="2019").items()
    loaded = odc.stac.load([item], bands=["map"], chunks={})["map"]
    assert loaded.chunks is not None
    names = [entry["name"] for entry in item.assets["map"].extra_fields["classification:classes"] if entry["value"]]
    cell_ha = abs(loaded.odc.geobox.affine.determinant) / 10_000
    counts = np.bincount(loaded.values.ravel(), minlength=4)[1:]
    assert {name: round(count * cell_ha) for name, count in zip(names, counts, strict=True)} == {
        name: round(area) for name, area in run.area_ha.loc[2019].items()
    }


def documents(visitor: httpx.Client) -> Iterator[dict[str, Any]]:
    """Yield every document there is: landing page, collections and items."""
    yield visitor.get("/stac/").json()
    yield from visitor.get("/stac/collections").json()["collections"]
    yield from visitor.get("/stac/search", params={"limit": 1000}).json()["features"]


def test_no_link_or_asset_is_dead_or_leads_away(visitor: httpx.Client, door: str) -> None:
    addresses = set()
    for document in documents(visitor):
        addresses |= {link["href"] for link in document["links"] if "{" not in link["href"]}
        addresses |= {f"{schema}" for schema in document.get("stac_extensions", []) if schema.startswith(door)}
        for asset in document.get("assets", {}).values():
            folder = asset["href"].endswith(".zarr")
            addresses.add(f"{asset['href']}/zarr.json" if folder else asset["href"])
    assert len(addresses) > 100
    assert {address for address in addresses if not address.startswith(f"{door}/")} == set()
    dead = {address: status for address in addresses if (status := visitor.get(address).status_code) != 200}
    assert dead == {}
