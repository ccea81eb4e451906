"""The STAC API on a catalog store: what there is, search, counts, and transactions where they are allowed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from catalog.api.answers import SCHEMA
from catalog.api.links import Address
from catalog.api.manual import MANUAL, add_manual
from catalog.api.openapi import add_openapi
from catalog.api.site import Site
from catalog.errors import CatalogError, http_status
from catalog.legend import slug
from catalog.store import CatalogStore, Reader

if TYPE_CHECKING:
    from catalog.api.client import CatalogClient

_STAC_VERSION: Final = "1.1.0"
_log = logging.getLogger(__name__)


def add_stac_api(
    app: FastAPI,
    store: CatalogStore,
    *,
    title: str,
    description: str,
    identify: Callable[[Request], Reader],
    authorise: Callable[[Request], None] | None = None,
    prefix: str = "/stac",
) -> None:
    """Add the STAC API to an application, its description for people at ``/docs``, and our JSON Schemas.

    Addresses in answers follow the request's host, scheme and root path; the application puts what a proxy
    forwards into them. Errors of the catalog, wherever the application raises them, become JSON with the
    status of `catalog.errors.HTTP_STATUS`.

    Parameters
    ----------
    app : FastAPI
    store : CatalogStore
    title, description : str
        Of the catalog, on its landing page.
    identify : callable
        Tells from a request who reads.
    authorise : callable, optional
        Raises `catalog.errors.NotAuthorised` for a request that may not write. Without it nobody may: the routes
        are not there.
    prefix : str
        Path of the landing page.
    """
    site = Site(store, identify, title, description, prefix)
    _register(app, site, authorise)
    app.add_exception_handler(CatalogError, _answer_catalog_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    _add_schemas(app)
    add_manual(app, stac=prefix)
    add_openapi(app)


def _register(app: FastAPI, site: Site, authorise: Callable[[Request], None] | None) -> None:
    # stac-fastapi reads settings while it is imported, and warns that the title has its default. Ours is
    # passed below, so the warning is held back until the import is done.
    logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
    import attr
    from stac_fastapi.api.app import StacApi
    from stac_fastapi.api.models import ItemCollectionUri, create_get_request_model
    from stac_fastapi.extensions.collection_search.request import BaseCollectionSearchGetRequest
    from stac_fastapi.extensions.fields import FieldsExtension
    from stac_fastapi.extensions.filter import FilterExtension
    from stac_fastapi.extensions.free_text import FreeTextExtension
    from stac_fastapi.extensions.pagination import TokenPaginationExtension
    from stac_fastapi.extensions.query import QueryExtension
    from stac_fastapi.extensions.sort import SortExtension
    from stac_fastapi.types.config import ApiSettings
    from stac_fastapi.types.extension import ApiExtension
    from stac_fastapi.types.search import Limit

    from catalog.api.client import CatalogClient
    from catalog.api.parameters import SearchBody
    from catalog.api.terms import AggregationClient, CollectionAwareAggregation, QueryablesClient, SortablesClient
    from catalog.api.transactions import make_transactions

    @attr.s
    class CollectionsRequest(BaseCollectionSearchGetRequest):
        # All collections are listed unless fewer are asked for, as clients that know no pages expect.
        limit: Annotated[Limit | None, Query(description="Collections on a page.")] = attr.ib(default=None)

    settings = ApiSettings(stac_fastapi_title=site.title, stac_fastapi_description=site.description)
    filtering, querying, words = (
        FilterExtension(client=QueryablesClient(site=site)),
        QueryExtension(),
        FreeTextExtension(),
    )
    sorting = SortExtension(client=SortablesClient(site=site))
    shared: list[ApiExtension] = [filtering, sorting, FieldsExtension(), words, TokenPaginationExtension()]
    searching = [*shared, querying]
    counting = CollectionAwareAggregation(client=AggregationClient(site=site), narrowed_by=[filtering, querying, words])
    transactions = [] if authorise is None else make_transactions(site, settings, authorise)
    client = CatalogClient(
        site=site, writing=authorise is not None, manual=MANUAL, landing_page_id=slug(site.title) or "catalog"
    )
    StacApi(
        settings=settings,
        client=client,
        app=app,
        title=site.title,
        description=site.description,
        stac_version=_STAC_VERSION,
        router=APIRouter(prefix=site.prefix, tags=["STAC API"]),
        extensions=[filtering, sorting, counting, *transactions],
        search_get_request_model=create_get_request_model(searching),
        search_post_request_model=SearchBody,
        items_get_request_model=_make_get_model("ItemsRequest", ItemCollectionUri, searching),
        collections_get_request_model=_make_get_model("CollectionsRequest", CollectionsRequest, shared),
        exceptions={},
        middlewares=[],
    )

    _add_short_cuts(app, site.prefix, client)


def _add_short_cuts(app: FastAPI, prefix: str, client: CatalogClient) -> None:
    """Answer what is asked most without the dependencies of FastAPI, which take longer than the store.

    The routes of stac-fastapi stay behind for the OpenAPI document; these are the same methods.
    """
    items = f"{prefix}/collections/{{collection_id}}/items"
    for path, answer in (
        # Without this, the page without a slash would be redirected, past the prefix of a proxy.
        (prefix, client.landing_page),
        (f"{prefix}/search", client.get_search),
        (items, client.item_collection),
        (f"{items}/{{item_id}}", client.get_item),
    ):
        app.router.routes.insert(0, Route(path, _short_cut(answer), methods=["GET"]))


def _short_cut(answer: Callable[..., Response]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, request=request, **request.path_params)

    return endpoint


def _make_get_model(name: str, base: type[Any], extensions: list[Any]) -> type[Any]:
    from stac_fastapi.api.models import create_request_model

    return cast("type[Any]", create_request_model(name, base, extensions, request_type="GET"))


def _add_schemas(app: FastAPI) -> None:
    def read_schema(name: str, version: str, request: Request) -> Response:
        """Return one of our JSON Schemas, at this server's address."""
        shelf = files("catalog") / "schemas"
        known = {(name.name, version.name): version for name in shelf.iterdir() for version in name.iterdir()}
        if (name, version) not in known:
            raise HTTPException(404, "There is no such schema.")
        text = (known[name, version] / "schema.json").read_text("utf-8")
        root = str(request.base_url)
        return Response(Address(root, root, "").schema(text), media_type=SCHEMA)

    app.add_api_route(
        "/schemas/{name}/{version}/schema.json",
        read_schema,
        tags=["STAC API"],
        response_class=Response,
        responses={200: {"description": "A JSON Schema.", "content": {SCHEMA: {}}}},
    )


def _answer_catalog_error(request: Request, error: Exception) -> Response:
    status = http_status(error) if isinstance(error, CatalogError) else 500
    if status >= 500:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        description = "The catalog failed; its log says why."
        return JSONResponse({"code": type(error).__name__, "description": description}, status)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"code": type(error).__name__, "description": str(error)}, status, headers)


def _answer_invalid_request(request: Request, error: Exception) -> Response:  # noqa: ARG001  (FastAPI passes it)
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found[:5])
    return JSONResponse({"code": "InvalidRequest", "description": f"The request cannot be read: {faults}."}, 400)
