"""What can be asked for: queryables, sortables and aggregations."""

from __future__ import annotations

from typing import Annotated, Any, Final

import attr
from fastapi import FastAPI, Path, Request
from stac_fastapi.api.models import create_request_model
from stac_fastapi.api.routes import create_async_endpoint
from stac_fastapi.extensions.aggregation import AggregationExtension
from stac_fastapi.extensions.aggregation.client import BaseAggregationClient
from stac_fastapi.extensions.aggregation.request import AggregationExtensionGetRequest
from stac_fastapi.extensions.filter.client import BaseFiltersClient
from stac_fastapi.extensions.sort.client import BaseSortablesClient
from stac_fastapi.types.extension import ApiExtension
from stac_fastapi.types.search import APIRequest

from catalog.api.answers import JSON, SCHEMA, respond
from catalog.api.parameters import AggregateBody, read_parameters, read_query
from catalog.api.site import Site
from catalog.collections import COMMONS_COLLECTIONS
from catalog.query.aggregation import AGGREGATIONS
from catalog.query.queryables import QUERYABLES

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TIME: Final = {"type": "string", "format": "date-time"}
_CORE: Final[dict[str, dict[str, Any]]] = {
    "id": {"title": "Identifier", "type": "string"},
    "collection": {"title": "Collection", "type": "string"},
    "datetime": {"title": "Time; the start, where an item has a span", **_TIME},
    "start_datetime": {"title": "Start of the time", **_TIME},
    "end_datetime": {"title": "End of the time", **_TIME},
}
_GEOMETRY: Final = {"title": "Geometry", "format": "geometry-any", "$ref": "https://geojson.org/schema/Geometry.json"}
_OF_COLLECTIONS: Final = {
    name: {"title": title, "type": "string"}
    for name, title in (("id", "Identifier"), ("title", "Title"), ("license", "Licence"))
}


@attr.s(auto_attribs=True, kw_only=True)
class QueryablesClient(BaseFiltersClient):
    """Tells by which properties items can be filtered."""

    site: Site

    def get_queryables(self, collection_id: str | None = None, **kwargs: Any) -> Any:
        """Answer ``GET /queryables`` and ``GET /collections/{collection_id}/queryables``."""
        return _describe(self.site, kwargs["request"], collection_id, "Queryables", {"geometry": _GEOMETRY})


@attr.s(auto_attribs=True, kw_only=True)
class SortablesClient(BaseSortablesClient):
    """Tells by which properties items and collections can be ordered."""

    site: Site

    def get_sortables(self, request: Request | None = None, **kwargs: Any) -> Any:
        """Answer ``GET /sortables``."""
        assert request is not None
        return _describe(self.site, request, None, "Sortables", {})

    def get_collection_sortables(self, collection_id: str, request: Request | None = None, **kwargs: Any) -> Any:
        """Answer ``GET /collections/{collection_id}/sortables``."""
        assert request is not None
        return _describe(self.site, request, collection_id, "Sortables", {})

    def get_collections_sortables(self, request: Request | None = None, **kwargs: Any) -> Any:
        """Answer ``GET /collections-sortables``."""
        assert request is not None
        return _respond_schema(self.site, request, "Sortables of collections", dict(_OF_COLLECTIONS))


def _describe(site: Site, request: Request, collection_id: str | None, title: str, more: dict[str, Any]) -> Any:
    if collection_id is not None:
        site.store.collection(collection_id, site.identify(request))
    known = collection_id if collection_id in COMMONS_COLLECTIONS else None
    declared = {
        name: each.to_schema()
        for name, each in QUERYABLES.items()
        if known is None or not each.collections or known in each.collections
    }
    return _respond_schema(site, request, title, {**_CORE, **more, **declared})


def _respond_schema(site: Site, request: Request, title: str, properties: dict[str, Any]) -> Any:
    root = site.address(request).root
    schema = {
        "$schema": _DIALECT,
        "$id": f"{root}{request.url.path.removeprefix(request.scope.get('root_path', '')).lstrip('/')}",
        "type": "object",
        "title": title,
        "properties": properties,
        # Any other property may be asked for too; it is read from each item.
        "additionalProperties": True,
    }
    return respond(schema, SCHEMA, request=request)


@attr.s(auto_attribs=True, kw_only=True)
class AggregationClient(BaseAggregationClient):
    """Counts items."""

    site: Site

    def get_aggregations(self, collection_id: str | None = None, **kwargs: Any) -> Any:
        """Answer ``/aggregations`` and ``/collections/{collection_id}/aggregations``."""
        request: Request = kwargs["request"]
        url, links = self._locate(request, collection_id)
        links.append({"rel": "self", "href": f"{url}aggregations", "type": JSON})
        known = [{"name": name, "data_type": data_type} for name, data_type in AGGREGATIONS.items()]
        return respond({"aggregations": known, "links": links}, request=request)

    def aggregate(self, collection_id: str | None = None, **kwargs: Any) -> Any:
        """Answer ``GET /aggregate`` and ``GET /collections/{collection_id}/aggregate``."""
        return self._aggregate(kwargs["request"], collection_id, read_parameters(kwargs["request"].query_params))

    def post_aggregate(self, body: AggregateBody, request: Request) -> Any:
        """Answer ``POST /aggregate``."""
        return self._aggregate(request, None, body.read())

    def post_collection_aggregate(self, collection_id: str, body: AggregateBody, request: Request) -> Any:
        """Answer ``POST /collections/{collection_id}/aggregate``."""
        return self._aggregate(request, collection_id, body.read())

    def _aggregate(self, request: Request, collection_id: str | None, asked: dict[str, Any]) -> Any:
        url, links = self._locate(request, collection_id)
        if collection_id is not None:
            asked = {**asked, "collections": [collection_id]}
        # Where nothing is asked for by name, the number is.
        names = asked.get("aggregations") or ["total_count"]
        query = read_query({name: value for name, value in asked.items() if name not in ("limit", "token")})
        found = self.site.store.aggregate(query, names, self.site.identify(request))
        links.append({"rel": "self", "href": f"{url}aggregate", "type": JSON})
        aggregations = [each.to_json() for each in found]
        return respond({"type": "AggregationCollection", "aggregations": aggregations, "links": links}, request=request)

    def _locate(self, request: Request, collection_id: str | None) -> tuple[str, list[dict[str, Any]]]:
        address = self.site.address(request)
        if collection_id is None:
            return address.stac, [address.root_link()]
        self.site.store.collection(collection_id, self.site.identify(request))
        url = address.collection_url(collection_id)
        return f"{url}/", [address.root_link(), {"rel": "collection", "href": url, "type": JSON}]


@attr.s(kw_only=True)
class _OfCollection(APIRequest):
    collection_id: Annotated[str, Path(description="Collection ID")] = attr.ib()


@attr.s
class CollectionAwareAggregation(AggregationExtension):
    """The aggregation extension, whose routes below a collection know which one.

    Parameters
    ----------
    narrowed_by : list of ApiExtension
        Whose parameters narrow the items that are counted.
    """

    narrowed_by: list[ApiExtension] = attr.ib(factory=list)

    def register(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        asked = create_request_model("Aggregate", AggregationExtensionGetRequest, self.narrowed_by, request_type="GET")
        below_collection: list[type[APIRequest]] = [_OfCollection]
        in_collection = create_request_model(
            "AggregateCollection",
            AggregationExtensionGetRequest,
            self.narrowed_by,
            below_collection,
            request_type="GET",
        )
        client, add = self.client, self.router.add_api_route
        assert isinstance(client, AggregationClient)
        self.router.prefix = app.state.router_prefix
        below = "/collections/{collection_id}"
        add("/aggregations", create_async_endpoint(client.get_aggregations, APIRequest), name="Aggregations")
        add(f"{below}/aggregations", create_async_endpoint(client.get_aggregations, _OfCollection), name="Aggregations")
        add("/aggregate", create_async_endpoint(client.aggregate, asked), name="Aggregate")
        add(f"{below}/aggregate", create_async_endpoint(client.aggregate, in_collection), name="Aggregate")
        add("/aggregate", client.post_aggregate, methods=["POST"], name="Aggregate")
        add(f"{below}/aggregate", client.post_collection_aggregate, methods=["POST"], name="Aggregate")
        app.include_router(self.router, tags=["Aggregation Extension"])
