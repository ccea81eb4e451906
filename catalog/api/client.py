"""The answers of the STAC API about collections and items, each made from a catalog store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import attr
from fastapi import FastAPI, Request, Response
from stac_fastapi.types.core import BaseCoreClient

from catalog.api.answers import GEOJSON, JSON, SCHEMA, respond, stream
from catalog.api.conformance import list_classes
from catalog.api.links import Address
from catalog.api.openapi import OPENAPI
from catalog.api.parameters import SearchBody, read_parameters, read_query
from catalog.api.site import Site
from catalog.query.query import MAX_LIMIT, Query
from catalog.store import Page

_QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_SORTABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/sortables"
# A longer page is read from the store in parts of this length, and sent as they come.
_PART: Final = 500

LinkPages = Callable[[str | None], list[dict[str, Any]]]


@attr.s(auto_attribs=True, kw_only=True)
class CatalogClient(BaseCoreClient):
    """Answers the requests of the STAC API from a store.

    What a GET asks for is read from its URL: the models of stac-fastapi describe the parameters in the OpenAPI
    document, and would cost more than a search.

    Parameters
    ----------
    site : Site
    writing : bool
        Whether the API takes transactions.
    manual : str
        Path of the page that describes the API; empty: none.
    """

    site: Site
    writing: bool = False
    manual: str = ""

    def conformance_classes(self) -> list[str]:
        """List the conformance classes of the API."""
        return list_classes(writing=self.writing, lacking=self.site.store.lacking)

    def landing_page(self, **kwargs: Any) -> Any:
        """Answer ``GET /``."""
        request: Request = kwargs["request"]
        address = self.site.address(request)
        page: dict[str, Any] = {**self._landing_page(address.stac, self.conformance_classes(), [])}
        page["links"] = [
            *page["links"],
            *_link_terms(address.stac),
            *address.child_links(self.site.store.collections(self.site.identify(request))),
            *_describe_service(request.app, address, self.manual),
        ]
        return respond(page, request=request)

    def conformance(self, **kwargs: Any) -> Any:
        """Answer ``GET /conformance``."""
        return respond({"conformsTo": self.conformance_classes()}, request=kwargs["request"])

    def all_collections(self, **kwargs: Any) -> Any:
        """Answer ``GET /collections``."""
        request: Request = kwargs["request"]
        query = read_query(read_parameters(request.query_params), limit=MAX_LIMIT)
        page = self.site.store.search_collections(query, self.site.identify(request))
        address = self.site.address(request)
        collections = [_publish(address.collection(each), query) for each in page.items]
        links = [address.root_link(), *_link_pages(request, f"{address.stac}collections", page.next, JSON)]
        matched = {} if page.matched is None else {"numberMatched": page.matched}
        document = {"collections": collections, "links": links, "numberReturned": len(collections), **matched}
        return respond(document, request=request)

    def get_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``GET /collections/{collection_id}``."""
        request: Request = kwargs["request"]
        address = self.site.address(request)
        found = self.site.store.collection(collection_id, self.site.identify(request))
        collection = address.collection(found)
        collection["links"] += _link_terms(f"{address.collection_url(collection_id)}/")
        return respond(collection, request=request)

    def get_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``GET /collections/{collection_id}/items/{item_id}``."""
        request: Request = kwargs["request"]
        item = self.site.store.item(collection_id, item_id, self.site.identify(request))
        return respond(self.site.address(request).item(item), GEOJSON, request=request)

    def item_collection(self, collection_id: str, **kwargs: Any) -> Any:  # type: ignore[override]  # as asked for
        """Answer ``GET /collections/{collection_id}/items``."""
        request: Request = kwargs["request"]
        self.site.store.collection(collection_id, self.site.identify(request))
        here = self.site.address(request).collection_url(collection_id)
        links = [{"rel": rel, "href": here, "type": JSON} for rel in ("parent", "collection")]
        query = read_query({**read_parameters(request.query_params), "collections": [collection_id]})
        return self._search(request, query, lambda token: [*links, *_link_pages(request, f"{here}/items", token)])

    def get_search(self, **kwargs: Any) -> Any:  # type: ignore[override]  # as asked for
        """Answer ``GET /search``."""
        request: Request = kwargs["request"]
        url = f"{self.site.address(request).stac}search"
        query = read_query(read_parameters(request.query_params))
        return self._search(request, query, lambda token: _link_pages(request, url, token))

    def post_search(self, search_request: Any, **kwargs: Any) -> Any:
        """Answer ``POST /search``."""
        request: Request = kwargs["request"]
        assert isinstance(search_request, SearchBody)
        asked = search_request.read()
        url = f"{self.site.address(request).stac}search"
        return self._search(request, read_query(asked), lambda token: _link_posted_pages(asked, url, token))

    def _search(self, request: Request, query: Query, link: LinkPages) -> Response:
        reader = self.site.identify(request)
        address = self.site.address(request)
        page = self.site.store.search(replace(query, limit=min(query.limit, _PART)), reader)
        if page.next is not None and query.limit > _PART:
            parts = _Parts(query, page, lambda part: self.site.store.search(part, reader))
            items = (_publish(address.item(item), query) for item in parts)
            return stream(items, lambda count: _finish(address, link(parts.next), count))
        features = [_publish(address.item(item), query) for item in page.items]
        matched = {} if page.matched is None else {"numberMatched": page.matched}
        rest = _finish(address, link(page.next), len(features))
        return respond({"type": "FeatureCollection", "features": features, **rest, **matched}, GEOJSON, request=request)


class _Parts:
    """The items of a long page, read part after part."""

    def __init__(self, query: Query, first: Page, search: Callable[[Query], Page]) -> None:
        self._query, self._page, self._search = query, first, search
        self.next: str | None = None
        """Where the next page goes on; known when all items are read."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        left, page = self._query.limit, self._page
        while True:
            yield from page.items
            left -= len(page.items)
            if page.next is None or left == 0:
                self.next = page.next
                return
            page = self._search(replace(self._query, limit=min(left, _PART), token=page.next))


def _finish(address: Address, links: list[dict[str, Any]], count: int) -> dict[str, Any]:
    return {"links": [address.root_link(), *links], "numberReturned": count}


def _publish(document: dict[str, Any], query: Query) -> dict[str, Any]:
    return document if query.fields is None else query.fields.project(document, keep=())


def _link_pages(request: Request, url: str, token: str | None, media_type: str = GEOJSON) -> list[dict[str, Any]]:
    here = request.url.query
    links = [{"rel": "self", "href": f"{url}?{here}" if here else url, "type": media_type}]
    if token is not None:
        kept = [(key, value) for key, value in parse_qsl(here, keep_blank_values=True) if key != "token"]
        there = f"{url}?{urlencode([*kept, ('token', token)])}"
        links.append({"rel": "next", "href": there, "type": media_type, "method": "GET"})
    return links


def _link_posted_pages(asked: Mapping[str, Any], url: str, token: str | None) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = [{"rel": "self", "href": url, "type": GEOJSON, "method": "POST"}]
    if token is not None:
        body = {**asked, "token": token}
        links.append({"rel": "next", "href": url, "type": GEOJSON, "method": "POST", "body": body, "merge": False})
    return links


def _link_terms(url: str) -> list[dict[str, Any]]:
    """Link to what can be asked for: by filters, in orders and as counts."""
    return [
        {"rel": _QUERYABLES, "href": f"{url}queryables", "type": SCHEMA, "title": "Queryables"},
        {"rel": _SORTABLES, "href": f"{url}sortables", "type": SCHEMA, "title": "Sortables"},
        {"rel": "aggregate", "href": f"{url}aggregate", "type": JSON, "title": "Aggregate"},
        {"rel": "aggregations", "href": f"{url}aggregations", "type": JSON, "title": "Aggregations"},
    ]


def _describe_service(app: FastAPI, address: Address, manual: str) -> list[dict[str, Any]]:
    pages = [("service-desc", OPENAPI, app.openapi_url), ("service-doc", "text/html", manual)]
    return [
        {"rel": rel, "type": media_type, "href": f"{address.root}{path.lstrip('/')}"}
        for rel, media_type, path in pages
        if path
    ]
