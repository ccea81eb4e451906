"""The files of layers and runs over HTTP: only what an asset of a visible item names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from starlette.responses import FileResponse

from catalog.errors import ItemNotFound
from catalog.store import CatalogStore, Reader

_ZARR = ".zarr"
_BYTES = "application/octet-stream"


def add_files(app: FastAPI, store: CatalogStore, root: Path, *, identify: Callable[[Request], Reader]) -> None:
    """Serve ``/files/{href}`` with ranges and ETags.

    What the reader may not see, what no asset names and what is not there are all the same 404.

    Parameters
    ----------
    app : FastAPI
    store : CatalogStore
        Knows which items the reader may see.
    root : Path
        The folder of the commons, to which hrefs are relative.
    identify : callable
        Tells who sent a request.
    """

    @app.api_route("/files/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def read_file(path: str, request: Request) -> Response:
        media_type = _media_type(store, path, identify(request))
        file = (root / path).resolve() if media_type else root
        if media_type is None or not file.is_relative_to(root.resolve()) or not file.is_file():
            raise HTTPException(404, "There is no such file.")
        headers = {"Cache-Control": "no-cache"}
        response = FileResponse(file, media_type=media_type, stat_result=file.stat(), headers=headers)
        if _is_current(request, response.headers["etag"]):
            return Response(status_code=304, headers=headers | {"ETag": response.headers["etag"]})
        return response


def _media_type(store: CatalogStore, path: str, reader: Reader) -> str | None:
    """Tell the media type of a file that some visible asset names; None for any other."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        return None
    for collection, item_id in _owners(parts):
        try:
            item = store.item(collection, item_id, reader)
        except ItemNotFound:
            continue
        for asset in item["assets"].values():
            if (found := _media_type_in(asset, path)) is not None:
                return found
    return None


def _owners(parts: list[str]) -> Iterator[tuple[str, str]]:
    """List the items that can own a file, told from its place in a commons."""
    match parts:
        case ["layers", collection, item, _, *_]:
            yield collection, item
        case ["runs", _, _, run, *inside] if inside:
            yield "runs", run
            yield "run-maps", f"{run}-{PurePosixPath(inside[-1]).stem}"


def _media_type_in(asset: Mapping[str, Any], path: str) -> str | None:
    href = str(asset["href"])
    if path == href and not href.endswith(_ZARR):
        return str(asset.get("type") or _BYTES)
    if href.endswith(_ZARR) and path.startswith(f"{href}/"):
        return "application/json" if path.endswith(".json") else _BYTES
    return None


def _is_current(request: Request, etag: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known
