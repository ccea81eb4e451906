"""The STAC API on a catalog store: landing page, collections, items and search, read-only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final, cast

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from catalog.errors import CatalogError, http_status
from catalog.legend import slug
from catalog.links import Address
from catalog.store import CatalogStore, Reader

_SCHEMA: Final = "application/schema+json"
_STAC_VERSION: Final = "1.1.0"
_log = logging.getLogger(__name__)


def add_stac_api(
    app: FastAPI,
    store: CatalogStore,
    *,
    title: str,
    description: str,
    identify: Callable[[Request], Reader],
    prefix: str = "/stac",
) -> None:
    """Add the STAC API to an application, and serve our JSON Schemas below ``/schemas``.

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
    prefix : str
        Path of the landing page.
    """
    _register(app, store, title=title, description=description, identify=identify, prefix=prefix)
    app.add_exception_handler(CatalogError, _answer_catalog_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_request)
    _add_schemas(app)


def _register(
    app: FastAPI,
    store: CatalogStore,
    *,
    title: str,
    description: str,
    identify: Callable[[Request], Reader],
    prefix: str,
) -> None:
    # stac-fastapi reads settings while it is imported, and warns that the title has its default. Ours is
    # passed below, so the warning is held back until the import is done.
    logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
    from stac_fastapi.api.app import StacApi
    from stac_fastapi.api.models import ItemCollectionUri, create_get_request_model, create_request_model
    from stac_fastapi.extensions.pagination import TokenPaginationExtension
    from stac_fastapi.types.config import ApiSettings
    from stac_fastapi.types.extension import ApiExtension
    from stac_fastapi.types.search import APIRequest

    from catalog.client import CatalogClient, SearchBody

    client = CatalogClient(store=store, identify=identify, prefix=prefix, landing_page_id=slug(title) or "catalog")
    paging: list[ApiExtension] = [TokenPaginationExtension()]
    items_request = create_request_model("ItemsRequest", ItemCollectionUri, paging, request_type="GET")
    StacApi(
        settings=ApiSettings(stac_fastapi_title=title, stac_fastapi_description=description),
        client=client,
        app=app,
        title=title,
        description=description,
        stac_version=_STAC_VERSION,
        router=APIRouter(prefix=prefix, tags=["STAC API"]),
        search_get_request_model=create_get_request_model(paging),
        search_post_request_model=SearchBody,
        items_get_request_model=cast("type[APIRequest]", items_request),
        exceptions={},
        middlewares=[],
    )

    # Without this, the page without a slash would be redirected, past the prefix of a proxy.
    @app.get(prefix, include_in_schema=False)
    def landing_page(request: Request) -> Any:
        return client.landing_page(request=request)


def _add_schemas(app: FastAPI) -> None:
    def read_schema(name: str, version: str, request: Request) -> Response:
        """Return one of our JSON Schemas, at this server's address."""
        shelf = files("catalog") / "schemas"
        known = {(name.name, version.name): version for name in shelf.iterdir() for version in name.iterdir()}
        if (name, version) not in known:
            raise HTTPException(404, "There is no such schema.")
        text = (known[name, version] / "schema.json").read_text("utf-8")
        root = str(request.base_url)
        return Response(Address(root, root, "").schema(text), media_type=_SCHEMA)

    app.add_api_route("/schemas/{name}/{version}/schema.json", read_schema, tags=["STAC API"])


def _answer_catalog_error(request: Request, error: Exception) -> Response:
    status = http_status(error) if isinstance(error, CatalogError) else 500
    if status >= 500:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        description = "The catalog failed; its log says why."
        return JSONResponse({"code": type(error).__name__, "description": description}, status)
    return JSONResponse({"code": type(error).__name__, "description": str(error)}, status)


def _answer_invalid_request(request: Request, error: Exception) -> Response:  # noqa: ARG001  (FastAPI passes it)
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found)
    return JSONResponse({"code": "InvalidRequest", "description": f"The request cannot be read: {faults}."}, 400)
