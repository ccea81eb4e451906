"""The answers of the STAC API, each made from a catalog store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import attr
import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.rfc3339 import str_to_interval

from catalog.errors import InvalidQuery
from catalog.links import Address
from catalog.store import MAX_LIMIT, CatalogStore, Interval, Page, Query, Reader

_JSON: Final = "application/json"
_GEOJSON: Final = "application/geo+json"
_OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_PAGE: Final = 10


class SearchBody(BaseModel):
    """The body of a POST search; its values are checked where the query is made."""

    collections: list[str] | None = None
    ids: list[str] | None = None
    bbox: list[float] | None = None
    intersects: dict[str, Any] | None = None
    datetime: str | None = None
    limit: int | None = None
    token: str | None = None


@attr.s(auto_attribs=True, kw_only=True)
class CatalogClient(BaseCoreClient):
    """Answers the requests of the STAC API from a store."""

    store: CatalogStore
    identify: Callable[[Request], Reader]
    prefix: str

    def landing_page(self, **kwargs: Any) -> Any:
        """Answer ``GET /``."""
        request: Request = kwargs["request"]
        address = self._locate(request)
        page: dict[str, Any] = {**self._landing_page(address.stac, self.conformance_classes(), [])}
        page["links"] = [
            *page["links"],
            *address.child_links(self.store.collections(self.identify(request))),
            *_describe_service(request.app, address),
        ]
        return respond(page)

    def all_collections(self, **kwargs: Any) -> Any:
        """Answer ``GET /collections``."""
        request: Request = kwargs["request"]
        address = self._locate(request)
        collections = [address.collection(each) for each in self.store.collections(self.identify(request))]
        links = [{"rel": "self", "href": f"{address.stac}collections", "type": _JSON}, address.root_link()]
        counts = {"numberMatched": len(collections), "numberReturned": len(collections)}
        return respond({"collections": collections, "links": links, **counts})

    def get_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``GET /collections/{collection_id}``."""
        request: Request = kwargs["request"]
        return respond(self._locate(request).collection(self.store.collection(collection_id, self.identify(request))))

    def get_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``GET /collections/{collection_id}/items/{item_id}``."""
        request: Request = kwargs["request"]
        item = self.store.item(collection_id, item_id, self.identify(request))
        return respond(self._locate(request).item(item), _GEOJSON)

    def item_collection(
        self,
        collection_id: str,
        bbox: Any = None,
        datetime: str | None = None,
        limit: int | None = None,
        token: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Answer ``GET /collections/{collection_id}/items``."""
        request: Request = kwargs["request"]
        self.store.collection(collection_id, self.identify(request))
        asked = {"collections": [collection_id], "bbox": bbox, "datetime": datetime, "limit": limit, "token": token}
        address = self._locate(request)
        url = f"{address.collection_url(collection_id)}/items"
        links = [
            {"rel": "parent", "href": address.collection_url(collection_id), "type": _JSON},
            {"rel": "collection", "href": address.collection_url(collection_id), "type": _JSON},
        ]
        return self._search(request, asked, lambda page: [*links, *_link_pages(request, url, page)])

    def get_search(
        self,
        collections: list[str] | None = None,
        ids: list[str] | None = None,
        bbox: Any = None,
        intersects: Any = None,
        datetime: str | None = None,
        limit: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Answer ``GET /search``."""
        request: Request = kwargs["request"]
        asked = {
            "collections": collections,
            "ids": ids,
            "bbox": bbox,
            "intersects": _read_json(intersects) if intersects else None,
            "datetime": datetime,
            "limit": limit,
            "token": kwargs.get("token"),
        }
        url = f"{self._locate(request).stac}search"
        return self._search(request, asked, lambda page: _link_pages(request, url, page))

    def post_search(self, search_request: Any, **kwargs: Any) -> Any:
        """Answer ``POST /search``."""
        request: Request = kwargs["request"]
        asked: dict[str, Any] = search_request.model_dump(exclude_none=True)
        url = f"{self._locate(request).stac}search"
        return self._search(request, asked, lambda page: _link_posted_pages(asked, url, page))

    def _search(
        self, request: Request, asked: Mapping[str, Any], link: Callable[[Page], list[dict[str, Any]]]
    ) -> Response:
        page = self.store.search(_read_query(asked), self.identify(request))
        address = self._locate(request)
        matched = {} if page.matched is None else {"numberMatched": page.matched}
        document = {
            "type": "FeatureCollection",
            "features": [address.item(item) for item in page.items],
            "links": [address.root_link(), *link(page)],
            "numberReturned": len(page.items),
            **matched,
        }
        return respond(document, _GEOJSON)

    def _locate(self, request: Request) -> Address:
        root = str(request.base_url)
        return Address(root, f"{root}{self.prefix.strip('/')}/", self.title)


def _read_query(asked: Mapping[str, Any]) -> Query:
    bbox = asked.get("bbox")
    if bbox is not None and len(bbox) == 6:
        bbox = [bbox[0], bbox[1], bbox[3], bbox[4]]
    limit = asked.get("limit")
    interval = asked.get("datetime")
    return Query(
        collections=asked.get("collections"),
        ids=asked.get("ids"),
        bbox=bbox,
        intersects=asked.get("intersects"),
        datetime=None if interval is None else _read_interval(interval),
        # OGC API Features: a page longer than the server makes is cut, not refused.
        limit=_PAGE if limit is None else min(limit, MAX_LIMIT),
        token=asked.get("token"),
    )


def _read_interval(text: str) -> Interval:
    try:
        interval = str_to_interval(text)
    except HTTPException as error:
        raise InvalidQuery(
            f"datetime is {text!r}: {error.detail} Write 1999-01-01T00:00:00Z, or two such times with / between."
        ) from None
    if isinstance(interval, tuple):
        return interval
    return interval, interval


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidQuery(f"intersects is not valid JSON: {error}. Is the URL encoded?") from None


def _link_pages(request: Request, url: str, page: Page) -> list[dict[str, Any]]:
    here = request.url.query
    links = [{"rel": "self", "href": f"{url}?{here}" if here else url, "type": _GEOJSON}]
    if page.next is not None:
        kept = [(key, value) for key, value in parse_qsl(here, keep_blank_values=True) if key != "token"]
        there = f"{url}?{urlencode([*kept, ('token', page.next)])}"
        links.append({"rel": "next", "href": there, "type": _GEOJSON, "method": "GET"})
    return links


def _link_posted_pages(asked: Mapping[str, Any], url: str, page: Page) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = [{"rel": "self", "href": url, "type": _GEOJSON, "method": "POST"}]
    if page.next is not None:
        body = {**asked, "token": page.next}
        links.append({"rel": "next", "href": url, "type": _GEOJSON, "method": "POST", "body": body, "merge": False})
    return links


def _describe_service(app: FastAPI, address: Address) -> list[dict[str, Any]]:
    pages = [("service-desc", _OPENAPI, app.openapi_url), ("service-doc", "text/html", app.docs_url)]
    return [
        {"rel": rel, "type": media_type, "href": f"{address.root}{path.lstrip('/')}"}
        for rel, media_type, path in pages
        if path
    ]


def respond(document: Mapping[str, Any], media_type: str = _JSON, status: int = 200) -> Response:
    """Answer with JSON."""
    # A ready response keeps FastAPI from walking through every value again.
    return Response(orjson.dumps(document), status, media_type=media_type)
