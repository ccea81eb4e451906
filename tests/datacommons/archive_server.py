"""An archive on loopback: a STAC API, signed links and files with ranges, that fails when it is told to.

Run as ``python archive_server.py FOLDER``: a process of its own, for GDAL reads in the other. ``FOLDER`` holds
``archive.json`` (collection, items, whether links are signed), ``faults.json`` and the files. Each request is written
to ``requests.jsonl``.
"""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlparse

FOLDER = Path(sys.argv[1])
ARCHIVE = json.loads((FOLDER / "archive.json").read_text())
LOCK = Lock()
FAULTS: list[dict[str, Any]] = []
SEEN: dict[str, float] = {}
SEARCH = "https://api.stacspec.org/v1.0.0/item-search"
CORE = "https://api.stacspec.org/v1.0.0/core"


class Archive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: bytes) -> None:
        path = urlparse(self.path)
        fault = self._next_fault(path.path)
        if fault and fault["kind"] != "cut":
            self._log(path.path, fault["kind"], 0)
            headers = {"Retry-After": fault["retry_after"]} if "retry_after" in fault else {}
            self._send(int(fault["kind"]), b"no", "text/plain", headers)
        elif path.path.startswith("/data/"):
            self._send_file(path.path, parse_qs(path.query), cut=fault is not None)
        elif path.path == "/sign":
            self._sign(parse_qs(path.query)["href"][0])
        else:
            self._send_json(self._find(path.path, body))

    def _next_fault(self, path: str) -> dict[str, Any] | None:
        with LOCK:
            for fault in FAULTS:
                if fault["times"] > 0 and re.search(fault["path"], path):
                    fault["after"] = fault.get("after", 0) - 1
                    if fault["after"] < 0:
                        fault["times"] -= 1
                        return fault
        return None

    def _find(self, path: str, body: bytes) -> dict[str, Any]:
        base = f"http://{self.headers['Host']}"
        if path == "/stac/search":
            return self._search(json.loads(body), base)
        if path.startswith("/stac/collections/"):
            described: dict[str, Any] = json.loads(json.dumps(ARCHIVE["described"]).replace("BASE", base))
            return described
        links = [
            {"rel": "root", "href": f"{base}/stac", "type": "application/json"},
            {"rel": "self", "href": f"{base}/stac", "type": "application/json"},
            {"rel": "search", "href": f"{base}/stac/search", "type": "application/geo+json", "method": "POST"},
        ]
        return {
            "type": "Catalog",
            "id": "archive",
            "stac_version": "1.0.0",
            "description": "An archive",
            "links": links,
            "conformsTo": [CORE, SEARCH],
        }

    def _search(self, query: dict[str, Any], base: str) -> dict[str, Any]:
        """Answer with a page of one item, so that clients have to page."""
        west, south, east, north = query["bbox"]
        start, _, end = (query.get("datetime") or "0000/9999").partition("/")
        found = []
        for item in ARCHIVE["items"]:
            box, fields = item["bbox"], item["properties"]
            inside = box[0] <= east and box[2] >= west and box[1] <= north and box[3] >= south
            first = fields.get("start_datetime") or fields["datetime"]
            last = fields.get("end_datetime") or fields["datetime"]
            if inside and first <= end and last >= start and item["collection"] in query["collections"]:
                found.append(json.loads(json.dumps(item).replace("BASE", base)))
        at = int(query.get("token", 0))
        links = []
        if at + 1 < len(found):
            more = {**query, "token": str(at + 1)}
            links = [{"rel": "next", "href": f"{base}/stac/search", "method": "POST", "body": more}]
        self._log("/stac/search", 200, 0)
        return {"type": "FeatureCollection", "features": found[at : at + 1], "links": links}

    def _sign(self, href: str) -> None:
        with LOCK:
            token = str(len(SEEN))
            SEEN[token] = time.time() + ARCHIVE.get("lifetime_s", 3600)
        expiry = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
        self._log("/sign", 200, 0)
        self._send_json({"href": f"{href}?token={token}", "msft:expiry": expiry})

    def _send_file(self, path: str, query: dict[str, list[str]], *, cut: bool) -> None:
        if ARCHIVE["signed"] and SEEN.get(query.get("token", [""])[0], 0) < time.time():
            self._log(path, 403, 0)
            self._send(403, b"expired", "text/plain", {})
            return
        file = FOLDER / path.removeprefix("/data/")
        if not file.is_file():
            self._log(path, 404, 0)
            self._send(404, b"", "text/plain", {})
            return
        whole = file.read_bytes()
        if "Range" not in self.headers:
            self._log(path, 200, len(whole))
            self._send(200, whole, "application/octet-stream", {}, cut=cut)
            return
        first, last = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
        part = whole[first : last + 1]
        self._log(path, 206, len(part), first)
        headers = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(whole)}"}
        self._send(206, part, "image/tiff", headers, cut=cut)

    def _send_json(self, document: dict[str, Any]) -> None:
        self._send(200, json.dumps(document).encode(), "application/json", {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, text in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def _log(self, path: str, status: int | str, size: int, first: int = 0) -> None:
        line = {"path": path, "status": int(status), "bytes": size, "first": first}
        with LOCK, (FOLDER / "requests.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    if (FOLDER / "faults.json").is_file():
        FAULTS.extend(json.loads((FOLDER / "faults.json").read_text()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    print(server.server_port, flush=True)
    server.serve_forever()
