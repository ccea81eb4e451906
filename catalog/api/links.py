"""Stored documents as the world sees them: absolute addresses, and the links a client walks along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from catalog.items.extensions import SCHEMA_ROOT

# The API makes these itself; a stored one would point to where the document came from.
STRUCTURAL: Final = frozenset({"self", "root", "parent", "collection", "item", "items"})
_JSON: Final = "application/json"
_GEOJSON: Final = "application/geo+json"


@dataclass(frozen=True)
class Address:
    """Where a reader reaches the server.

    Parameters
    ----------
    root : str
        URL of the server's root, with a slash at the end.
    stac : str
        URL of the landing page of the STAC API, with a slash at the end.
    title : str
        Name of the catalog, shown beside links to it.
    """

    root: str
    stac: str
    title: str

    def item(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return an item with absolute addresses and the links of the API."""
        collection = self.collection_url(document["collection"])
        links = [
            _link("self", self.item_url(document["collection"], document["id"]), _GEOJSON),
            _link("parent", collection, _JSON),
            _link("collection", collection, _JSON),
            self.root_link(),
        ]
        return self._publish(document, links)

    def collection(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a collection with absolute addresses and the links of the API."""
        url = self.collection_url(document["id"])
        links = [
            _link("self", url, _JSON),
            _link("parent", self.stac, _JSON, self.title),
            _link("items", f"{url}/items", _GEOJSON),
            self.root_link(),
        ]
        return self._publish(document, links)

    def child_links(self, collections: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the links from the landing page to collections."""
        return [
            _link("child", self.collection_url(each["id"]), _JSON, each.get("title", each["id"]))
            for each in collections
        ]

    def root_link(self) -> dict[str, Any]:
        """Return the link to the landing page."""
        return _link("root", self.stac, _JSON, self.title)

    def collection_url(self, collection_id: str) -> str:
        """Return the address of a collection."""
        return f"{self.stac}collections/{quote(collection_id)}"

    def item_url(self, collection_id: str, item_id: str) -> str:
        """Return the address of an item."""
        return f"{self.collection_url(collection_id)}/items/{quote(item_id)}"

    def schema(self, text: str) -> str:
        """Return a text with our own schemas at this server's address."""
        return text.replace(SCHEMA_ROOT, self.root)

    def _publish(self, document: Mapping[str, Any], links: list[dict[str, Any]]) -> dict[str, Any]:
        stored = (link for link in document.get("links", []) if link.get("rel") not in STRUCTURAL)
        published = {
            **document,
            "stac_extensions": [self.schema(uri) for uri in document.get("stac_extensions", [])],
            "links": [*links, *({**link, "href": self._absolute(link["href"])} for link in stored)],
        }
        if "assets" in document:
            published["assets"] = {
                key: {**asset, "href": self._asset_url(asset["href"])} for key, asset in document["assets"].items()
            }
        return published

    def _absolute(self, href: str) -> str:
        return href if _is_absolute(href) else f"{self.root}{href}"

    def _asset_url(self, href: str) -> str:
        return href if _is_absolute(href) else f"{self.root}files/{quote(href)}"


def _is_absolute(href: str) -> bool:
    return href.startswith("/") or bool(urlsplit(href).scheme)


def _link(rel: str, href: str, media_type: str, title: str = "") -> dict[str, Any]:
    return {"rel": rel, "href": href, "type": media_type, **({"title": title} if title else {})}
