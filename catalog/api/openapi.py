"""The OpenAPI document, which says of every operation how it fails."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from catalog.api.answers import respond

OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.1"
_ERROR: Final = {
    "title": "Error",
    "type": "object",
    "properties": {"code": {"type": "string"}, "description": {"type": "string"}, "detail": {}},
}
_CONTENT: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_METHODS: Final = frozenset({"get", "head", "post", "put", "patch", "delete"})


def add_openapi(app: FastAPI) -> None:
    """Let the document of an application say that requests are refused with 4XX, and that the catalog may be busy.

    FastAPI would say 422, which is not what is answered, and stac-fastapi that the document is of version 3.0.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            document.setdefault("components", {}).setdefault("schemas", {})["Error"] = _ERROR
            for operations in document["paths"].values():
                for method in _METHODS & operations.keys():
                    _describe_operation(operations[method], method)
            app.openapi_schema = document
        return app.openapi_schema

    def read(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        document = {**app.openapi(), **({"servers": [{"url": root}]} if root else {})}
        return respond(document, OPENAPI, request=request)

    app.openapi = describe  # type: ignore[method-assign]  # as FastAPI's manual has it
    app.router.routes.insert(0, Route(str(app.openapi_url), read, methods=["GET"]))


def _describe_operation(operation: dict[str, Any], method: str) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses.setdefault("4XX", {"description": "The request is refused; the answer says why.", "content": _CONTENT})
    responses.setdefault("503", {"description": "The catalog cannot be read now.", "content": _CONTENT})
    if method == "get":
        responses.setdefault("304", {"description": "What the client has is still right."})
    if method == "delete":
        responses.setdefault("204", {"description": "Deleted."})
