"""What the STAC API serves: valid documents, our schemas, addresses that lead somewhere."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pytest

from catalog.items.layers import raster_item
from catalog.legend import Legend
from tests.catalog.conftest import MakeItem, WriteRaster
from tests.catalog.service import Api
from tests.catalog.stac_validation import find_faults


def test_the_landing_page_tells_what_there_is(api: Api) -> None:
    page = api.get("/stac/").json()
    assert page["stac_version"] == "1.1.0"
    rels = {link["rel"] for link in page["links"]}
    assert {"self", "root", "data", "conformance", "search", "service-desc", "child"} <= rels
    (manual,) = [link["href"] for link in page["links"] if link["rel"] == "service-doc"]
    assert "/stac/search" in api.get(manual).text
    (description,) = [link["href"] for link in page["links"] if link["rel"] == "service-desc"]
    assert "/stac/search" in api.get(description).json()["paths"]
    assert api.get("/stac/conformance").json()["conformsTo"] == page["conformsTo"]
    assert not any("transaction" in name for name in page["conformsTo"])


def test_all_that_is_served_is_valid(api: Api, write_raster: WriteRaster, tmp_path: Path, legend: Legend) -> None:
    path = write_raster("1999.tif", np.array([[1, 2], [3, 0]], np.uint8))
    item = raster_item(
        path,
        root=tmp_path,
        item_id="valley-1999",
        collection="run-maps",
        year=1999,
        landscape="valley",
        layer="land-cover",
        legend=legend,
        properties={"scenario:id": "bau", "scenario:run": "valley"},
    )
    api.store.put_items([item.to_dict(include_self_link=False)])
    root = f"{api.url}/"
    documents = [api.get("/stac/").json(), *api.get("/stac/collections").json()["collections"]]
    documents += api.get("/stac/search?limit=3").json()["features"]
    documents.append(api.get("/stac/collections/run-maps/items/valley-1999").json())
    api.store.delete_items("run-maps", ["valley-1999"])
    for document in documents:
        assert find_faults(document) == [], document["id"]
    assert f"{root}schemas/scenario/v1.0.0/schema.json" in documents[-1]["stac_extensions"]


@pytest.mark.parametrize("name", ["landscape", "scenario"])
def test_our_schemas_are_served_at_this_address(api: Api, name: str) -> None:
    answer = api.get(f"/schemas/{name}/v1.0.0/schema.json")
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$id"] == f"{api.url}/schemas/{name}/v1.0.0/schema.json#"
    assert "datacommons.example" not in answer.text
    jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("path", ["roads/v1.0.0", "landscape/v9.0.0", "landscape/..", "../catalog"])
def test_schemas_that_are_not_there(api: Api, path: str) -> None:
    assert api.get(f"/schemas/{path}/schema.json").status_code == 404


def test_a_strangers_validator_reads_the_schema_from_the_server(api: Api) -> None:
    item = api.get("/stac/collections/land-cover/items/valley-2003").json()
    (uri,) = item["stac_extensions"]
    validator = jsonschema.Draft7Validator(api.get(uri).json())
    assert list(validator.iter_errors(item)) == []
    item["properties"]["landscape:synthetic"] = "yes"
    assert list(validator.iter_errors(item)) != []


def test_addresses_of_assets_and_links(api: Api, make_item: MakeItem) -> None:
    item = make_item("odd")
    item["assets"] = {
        "ours": {"href": "layers/a b/é%20.tif"},
        "theirs": {"href": "https://data.example/x.tif"},
        "bucket": {"href": "s3://bucket/x.tif"},
    }
    item["links"] += [{"rel": "self", "href": "old"}, {"rel": "license", "href": "https://licence.example/"}]
    item["links"] += [{"rel": "xyz", "href": "collections/land-cover/items/odd/tiles/{z}/{x}/{y}"}]
    api.store.put_items([item])
    served = api.get("/stac/collections/land-cover/items/odd").json()
    api.store.delete_items("land-cover", ["odd"])
    assert {key: asset["href"] for key, asset in served["assets"].items()} == {
        "ours": f"{api.url}/files/layers/a%20b/%C3%A9%2520.tif",
        "theirs": "https://data.example/x.tif",
        "bucket": "s3://bucket/x.tif",
    }
    links = {link["rel"]: link["href"] for link in served["links"]}
    assert links["self"] == f"{api.url}/stac/collections/land-cover/items/odd"
    assert links["tilejson"] == f"{api.url}/collections/land-cover/items/odd/tilejson.json"
    assert links["xyz"] == f"{api.url}/collections/land-cover/items/odd/tiles/{{z}}/{{x}}/{{y}}"
    assert links["license"] == "https://licence.example/"
    assert [link["rel"] for link in served["links"]].count("self") == 1
