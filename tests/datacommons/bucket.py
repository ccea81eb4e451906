"""An S3-compatible store on this machine."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

PATIENCE_S = 120


@pytest.fixture(scope="module")
def bucket() -> Iterator[None]:
    """Serve an empty bucket on this machine, and let the environment say where."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server, pytest.MonkeyPatch.context() as patch:
        assert server.stderr is not None
        address = next(line.split()[-1] for line in server.stderr if "Running on" in line)
        settings = {"ACCESS_KEY_ID": "any", "SECRET_ACCESS_KEY": "any", "REGION": "us-east-1", "ALLOW_HTTP": "true"}
        for name, value in {**settings, "ENDPOINT_URL": address}.items():
            patch.setenv(f"AWS_{name}", value)
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        _make_bucket(address.removeprefix("http://"))
        yield
        server.kill()


def _make_bucket(host: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
            connection.request("PUT", "/landscapes")
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            assert connection.getresponse().status == 200
            connection.close()
            return
