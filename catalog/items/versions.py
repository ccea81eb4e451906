"""Which item took the place of which, and what was made of what: links from one item of a catalog to another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

Document = dict[str, Any]
ItemName = tuple[str, str]
"""An item by its collection and its id."""

DERIVED_FROM: Final = "derived_from"
PREDECESSOR: Final = "predecessor-version"
SUCCESSOR: Final = "successor-version"
LATEST: Final = "latest-version"

_STORED_ITEM: Final = re.compile(r"stac/collections/([^/?#]+)/items/([^/?#]+)")


def item_href(collection: str, item_id: str) -> str:
    """Return the address of an item as documents of a commons keep it."""
    return f"stac/collections/{collection}/items/{item_id}"


def read_item_href(href: str) -> ItemName | None:
    """Return which item of the same commons a stored address leads to; None if it leads elsewhere."""
    found = _STORED_ITEM.fullmatch(href)
    return None if found is None else (unquote(found[1]), unquote(found[2]))


def list_linked(item: Mapping[str, Any], rel: str) -> Iterator[ItemName]:
    """Go through the items of the same commons that an item links to by a relation."""
    for link in item.get("links") or ():
        if link.get("rel") == rel and (name := read_item_href(str(link.get("href")))) is not None:
            yield name


def list_sources(item: Mapping[str, Any]) -> tuple[ItemName, ...]:
    """Return the items of the same commons that an item was derived from, each once."""
    return tuple(dict.fromkeys(list_linked(item, DERIVED_FROM)))


def follow(item: Mapping[str, Any], older: Mapping[str, Any]) -> Document:
    """Return an item as the version after another."""
    return _link(item, PREDECESSOR, older)


def give_way(item: Mapping[str, Any], latest: Mapping[str, Any], *, successor: bool) -> Document:
    """Return an item as one that a later version has replaced; it keeps its id and its files.

    Parameters
    ----------
    item : mapping
    latest : mapping
        The version that holds now.
    successor : bool
        Whether that is the one right after it.
    """
    told = _link(item, LATEST, latest)
    told = _link(told, SUCCESSOR, latest) if successor else told
    return {**told, "properties": {**item["properties"], "deprecated": True}}


def _link(item: Mapping[str, Any], rel: str, other: Mapping[str, Any]) -> Document:
    links = [link for link in item.get("links") or () if link.get("rel") != rel]
    href = item_href(other["collection"], other["id"])
    title = f"Version {other['properties']['version']}" if "version" in other["properties"] else other["id"]
    return {**item, "links": [*links, {"rel": rel, "href": href, "type": "application/geo+json", "title": title}]}
