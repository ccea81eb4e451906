"""Run stac-api-validator, with published schemas read from disk: ``python run_api_validator.py SCHEMAS OPTION …``.

It runs in an environment of its own (`make .venv/validator`), for it wants other versions of what the tests use.
SCHEMAS is a JSON file from the address of a schema to its path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from stac_api_validator.__main__ import main


class LocalSchemas(HTTPAdapter):
    """Answers for the servers of published schemas, and asks no other than loopback."""

    def __init__(self, paths: dict[str, str]) -> None:
        super().__init__()
        self._paths = paths

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Answer from disk, or ask loopback."""
        url = str(request.url).partition("#")[0]
        if url.startswith("http://127.0.0.1:"):
            return super().send(request, *args, **kwargs)
        answer = requests.Response()
        answer.url, answer.request, answer.status_code = url, request, 404
        if url in self._paths:
            answer.status_code, answer._content = 200, Path(self._paths[url]).read_bytes()
        return answer


if __name__ == "__main__":
    local = LocalSchemas(json.loads(Path(sys.argv.pop(1)).read_text()))
    requests.Session.get_adapter = lambda _session, url: local
    main()
