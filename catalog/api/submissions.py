"""Documents that clients send: back to what a store keeps, and never with an address that could be abused.

Tiles and files are read by the addresses in the catalog. So a client names files of the commons only where the
stored document named them already; everything else has to be on another server, which nothing here ever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError
from stac_pydantic import Collection, Item

from catalog.api.links import STRUCTURAL, Address
from catalog.errors import InvalidCollection, InvalidItem
from catalog.items.extensions import SCHEMA_ROOT
from catalog.items.versions import read_item_href

_ELSEWHERE: Final = frozenset({"http", "https", "s3", "gs", "az"})


def take_item(given: Any, address: Address, collection_id: str, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an item as it is kept.

    Parameters
    ----------
    given : object
        As a client sent it, maybe after it had it from here.
    address : Address
        Under which the client knows the server.
    collection_id : str
        Where it was sent to.
    stored : mapping or None
        The item that it replaces.

    Raises
    ------
    InvalidItem
        Where it is no valid item, is of another collection, or names what it must not.
    """
    if not isinstance(given, dict):
        raise InvalidItem("An item has to be a JSON object.")
    item = {**given, "collection": given.get("collection") or collection_id}
    if item["collection"] != collection_id:
        raise InvalidItem(
            f"Item {given.get('id')!r:.80} names the collection {item['collection']!r:.80}, and was sent to "
            f"{collection_id!r}."
        )
    try:
        Item.model_validate(item)
    except ValidationError as error:
        raise InvalidItem(f"Item {given.get('id')!r:.80} is not valid STAC: {_first_fault(error)}.") from None
    return _take(item, address, stored, InvalidItem)


def take_collection(given: Any, address: Address, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a collection as it is kept. Raises InvalidCollection."""
    try:
        Collection.model_validate(given)
    except ValidationError as error:
        raise InvalidCollection(f"The collection is not valid STAC: {_first_fault(error)}.") from None
    return _take(given, address, stored, InvalidCollection)


def _take(
    given: Mapping[str, Any], address: Address, stored: Mapping[str, Any] | None, error: type[Exception]
) -> dict[str, Any]:
    document = dict(given)
    document["links"] = [
        {**link, "href": _bring_home(link["href"], address.root)}
        for link in given.get("links") or []
        if link["rel"] not in STRUCTURAL
    ]
    if given.get("assets") is not None:
        document["assets"] = {
            key: {**asset, "href": _bring_home(asset["href"], address.root)} for key, asset in given["assets"].items()
        }
    root = f"{address.root}schemas/"
    if "stac_extensions" in given:
        document["stac_extensions"] = [
            f"{SCHEMA_ROOT}schemas/{uri.removeprefix(root)}" if uri.startswith(root) else uri
            for uri in given["stac_extensions"] or []
        ]
    known = set(_list_hrefs(stored or {}))
    for href in _list_hrefs(document):
        if href not in known and not _is_elsewhere(href):
            raise error(
                f"{given.get('id')!r:.80} points to {href!r:.200}: files of the commons are added by `datacommons "
                f"ingest`. Give an address that begins with one of {', '.join(sorted(_ELSEWHERE))}, and ://."
            )
    return document


def _bring_home(href: str, root: str) -> str:
    """Return an address of this server as it is stored: relative to the commons."""
    if href.startswith(f"{root}files/"):
        return unquote(href.removeprefix(f"{root}files/"))
    return href.removeprefix(root)


def _is_elsewhere(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in _ELSEWHERE and bool(parts.netloc) and not any(char in href for char in "\\\0\r\n\t ")


def _list_hrefs(document: Mapping[str, Any]) -> Iterator[str]:
    """Go through all addresses but those of items of this server, which name no file."""
    for link in document.get("links") or []:
        if read_item_href(link["href"]) is None:
            yield link["href"]
    for holder in (document.get("assets") or {}, document.get("item_assets") or {}):
        for asset in holder.values():
            if "href" in asset:
                yield asset["href"]


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
