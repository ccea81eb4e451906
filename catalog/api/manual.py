"""The description of the API for people: one page made of the OpenAPI document, that loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

MANUAL: Final = "/docs"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
code {{ font-size: 0.95em }} summary {{ cursor: pointer; padding: 0.2rem 0 }}
summary b {{ display: inline-block; width: 4.5rem }} table {{ border-collapse: collapse; margin: 0.5rem 0 1rem 1rem }}
td {{ padding: 0.15rem 1rem 0.15rem 0; vertical-align: top }} p {{ margin: 0.3rem 0 0.3rem 1rem }}
</style></head><body><h1>{title}</h1>
<p>The same for programs: <a href="{openapi}">{openapi}</a>. The catalog begins at <a href="{stac}">{stac}</a>.</p>
{body}</body></html>"""


def add_manual(app: FastAPI, *, stac: str) -> None:
    """Serve the page at ``/docs``.

    Parameters
    ----------
    app : FastAPI
    stac : str
        Path of the landing page of the STAC API.
    """

    @app.get(MANUAL, include_in_schema=False)
    def read_manual(request: Request) -> HTMLResponse:
        root = str(request.base_url)
        openapi = f"{root}{(app.openapi_url or '').lstrip('/')}"
        page = _PAGE.format(
            title=escape(app.title),
            openapi=escape(openapi),
            stac=escape(f"{root}{stac.strip('/')}/"),
            body="\n".join(_write_sections(app.openapi())),
        )
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(page, headers=headers)


def _write_sections(document: Mapping[str, Any]) -> Iterator[str]:
    sections: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["Other"])[0]
                sections.setdefault(tag, []).append(_write_operation(path, method, operation))
    for tag, operations in sections.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from operations


def _write_operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    description = escape(operation.get("description") or operation.get("summary") or "")
    rows = "".join(map(_write_parameter, operation.get("parameters", [])))
    body = "<p>Takes a JSON body.</p>" if "requestBody" in operation else ""
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
        f"<p>{description}</p>{body}<table>{rows}</table></details>"
    )


def _write_parameter(parameter: Mapping[str, Any]) -> str:
    required = ", required" if parameter.get("required") else ""
    cells = (f"<code>{escape(parameter['name'])}</code>", parameter["in"] + required)
    text = escape(parameter.get("description") or "")
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in (*cells, text))}</tr>"
