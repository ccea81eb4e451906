"""The transactions of the STAC API: items and collections that clients put, change and delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attr
import jsonpatch
import orjson
from fastapi import Depends, Request, Response
from stac_fastapi.extensions.bulk_transactions import (
    AsyncBaseBulkTransactionsClient,
    BulkTransactionExtension,
    BulkTransactionMethod,
    Items,
)
from stac_fastapi.extensions.transaction import TransactionExtension
from stac_fastapi.extensions.transaction.client import AsyncBaseTransactionsClient
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.extension import ApiExtension
from starlette.concurrency import run_in_threadpool

from catalog.api.answers import GEOJSON, JSON, make_etag, matches_etag, respond
from catalog.api.links import Address
from catalog.api.site import Site
from catalog.api.submissions import take_collection, take_item
from catalog.errors import AlreadyThere, InvalidItem, Outdated
from catalog.query.query import Query
from catalog.store import OWNER, Expect

_LARGEST: Final = 2**24  # bytes of a document while it is patched: copies of copies grow fast

Document = dict[str, Any]


def make_transactions(site: Site, settings: ApiSettings, authorise: Callable[[Request], None]) -> list[ApiExtension]:
    """Make the extensions that write.

    Parameters
    ----------
    site : Site
    settings : ApiSettings
    authorise : callable
        Raises NotAuthorised for a request that may not write.
    """
    allowed = [Depends(authorise)]
    return [
        TransactionExtension(client=TransactionClient(site=site), settings=settings, route_dependencies=allowed),
        BulkTransactionExtension(
            client=BulkClient(site=site), route_dependencies=[*allowed, Depends(_declare_collection)]
        ),
    ]


@attr.s(auto_attribs=True, kw_only=True)
class TransactionClient(AsyncBaseTransactionsClient):
    """Puts, changes and deletes one document, as the request has it: models would lose what they do not know."""

    site: Site

    async def create_item(self, collection_id: str, item: Any, **kwargs: Any) -> Any:
        """Answer ``POST /collections/{collection_id}/items``: an item, or a feature collection of them."""
        request: Request = kwargs["request"]
        given = await _read_body(request)
        address = self.site.address(request)
        several = given.get("type") == "FeatureCollection"
        sent = given["features"] if several else [given]
        items = [take_item(each, address, collection_id, None) for each in sent]
        await run_in_threadpool(self.site.store.put_items, items, expect="new")
        if several:
            return respond({"type": "FeatureCollection", "features": [*map(address.item, items)]}, GEOJSON, status=201)
        return _created(address.item(items[0]), GEOJSON)

    async def update_item(self, collection_id: str, item_id: str, item: Any, **kwargs: Any) -> Any:
        """Answer ``PUT /collections/{collection_id}/items/{item_id}``."""
        given = await _read_body(kwargs["request"])
        return await self._change_item(kwargs["request"], collection_id, item_id, lambda _: given)

    async def patch_item(self, collection_id: str, item_id: str, patch: Any, **kwargs: Any) -> Any:
        """Answer ``PATCH /collections/{collection_id}/items/{item_id}``."""
        given = await _read_body(kwargs["request"])
        return await self._change_item(
            kwargs["request"], collection_id, item_id, lambda published: apply_patch(published, given)
        )

    async def delete_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``DELETE /collections/{collection_id}/items/{item_id}``."""

        def delete() -> None:
            self.site.store.item(collection_id, item_id, OWNER)
            self.site.store.delete_items(collection_id, [item_id])

        await run_in_threadpool(delete)
        return Response(status_code=204)

    async def create_collection(self, collection: Any, **kwargs: Any) -> Any:
        """Answer ``POST /collections``."""
        request: Request = kwargs["request"]
        address = self.site.address(request)
        taken = take_collection(await _read_body(request), address, None)
        await run_in_threadpool(self.site.store.put_collection, taken, expect="new")
        return _created(address.collection(taken), JSON)

    async def update_collection(self, collection_id: str, collection: Any, **kwargs: Any) -> Any:
        """Answer ``PUT /collections/{collection_id}``."""
        given = await _read_body(kwargs["request"])
        return await self._change_collection(kwargs["request"], collection_id, lambda _: given)

    async def patch_collection(self, collection_id: str, patch: Any, **kwargs: Any) -> Any:
        """Answer ``PATCH /collections/{collection_id}``."""
        given = await _read_body(kwargs["request"])
        return await self._change_collection(
            kwargs["request"], collection_id, lambda published: apply_patch(published, given)
        )

    async def delete_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """Answer ``DELETE /collections/{collection_id}``: only an empty one goes."""

        def delete() -> None:
            self.site.store.collection(collection_id, OWNER)
            if self.site.store.search(Query(collections=(collection_id,), limit=1), OWNER).items:
                raise AlreadyThere(f"There are items in the collection {collection_id!r}: delete them first.")
            self.site.store.delete_collection(collection_id)

        await run_in_threadpool(delete)
        return Response(status_code=204)

    async def _change_item(
        self, request: Request, collection_id: str, item_id: str, change: Callable[[Document], Any]
    ) -> Response:
        address = self.site.address(request)

        def replace(stored: Document) -> Document:
            published = address.item(stored)
            _check_current(request, published)
            return take_item(change(published), address, collection_id, stored)

        changed = await run_in_threadpool(self.site.store.change_item, collection_id, item_id, replace)
        return _changed(address.item(changed), GEOJSON)

    async def _change_collection(
        self, request: Request, collection_id: str, change: Callable[[Document], Any]
    ) -> Response:
        address = self.site.address(request)

        def replace(stored: Document) -> Document:
            published = address.collection(stored)
            _check_current(request, published)
            return take_collection(change(published), address, stored)

        changed = await run_in_threadpool(self.site.store.change_collection, collection_id, replace)
        return _changed(address.collection(changed), JSON)


@attr.s(auto_attribs=True, kw_only=True)
class BulkClient(AsyncBaseBulkTransactionsClient):
    """Puts many items, all or none."""

    site: Site

    async def bulk_item_insert(self, items: Items, **kwargs: Any) -> Any:
        """Answer ``POST /collections/{collection_id}/bulk_items``."""
        request: Request = kwargs["request"]
        collection_id = request.path_params["collection_id"]
        expect: Expect = "new" if items.method == BulkTransactionMethod.INSERT else "any"

        def put() -> int:
            address = self.site.address(request)
            taken = [self._take(key, item, address, collection_id) for key, item in items.items.items()]
            self.site.store.put_items(taken, expect=expect)
            return len(taken)

        count = await run_in_threadpool(put)
        return respond({"received": count, "success": count, "skipped": 0, "errors": []})

    def _take(self, key: str, item: Any, address: Address, collection_id: str) -> Document:
        taken = take_item(item, address, collection_id, None)
        if taken["id"] != key:
            raise InvalidItem(f"The item {taken['id']!r} is sent under the key {key!r:.80}: give it its id.")
        return taken


def apply_patch(document: Mapping[str, Any], patch: Any) -> Any:
    """Change a document by a merge patch or by a list of patch operations.

    Raises
    ------
    InvalidItem
        Where an operation cannot be done; none is, then.

    References
    ----------
    JSON Merge Patch, RFC 7396, https://doi.org/10.17487/RFC7396; JSON Patch, RFC 6902,
    https://doi.org/10.17487/RFC6902.
    """
    if not isinstance(patch, list):
        return _merge(document, patch)
    changed: Any = document
    try:
        for operation in patch:
            changed = jsonpatch.JsonPatch([operation]).apply(changed)
            if len(orjson.dumps(changed)) > _LARGEST:
                raise InvalidItem(f"The patch makes a document of more than {_LARGEST // 2**20} MiB.")
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, LookupError) as error:
        raise InvalidItem(f"The patch cannot be applied: {str(error)[:200]}.") from None
    return changed


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


def _declare_collection(collection_id: str) -> None:
    """Tell OpenAPI of a part of the path that the route of the extension leaves out."""


async def _read_body(request: Request) -> Any:
    """Return the JSON that was sent: FastAPI has read it, but takes none for nothing where there is none."""
    if not await request.body():
        raise InvalidItem("The request has no body: send a JSON object.")
    return await request.json()


def _check_current(request: Request, published: Mapping[str, Any]) -> None:
    """Raise Outdated where ``If-Match`` names another state of a document."""
    asked = request.headers.get("if-match")
    if asked is not None and not matches_etag(asked, make_etag(orjson.dumps(published))):
        raise Outdated(f"{published['id']!r} was changed meanwhile: get it again, and change that.")


def _changed(published: Mapping[str, Any], media_type: str) -> Response:
    answer = respond(published, media_type)
    answer.headers["ETag"] = make_etag(bytes(answer.body))
    return answer


def _created(published: Mapping[str, Any], media_type: str) -> Response:
    answer = respond(published, media_type, status=201)
    (own,) = (link["href"] for link in published["links"] if link["rel"] == "self")
    answer.headers["Location"] = own
    return answer
