"""Asks a server for tiles over kept connections, as a few map clients at once do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_RECEIVE_BYTES = 1 << 18
_PATIENCE_S = 60.0


@dataclass
class Load:
    """What became of a number of requests.

    Parameters
    ----------
    seconds : from the first request to the last answer
    waited : seconds that each request took
    errors : how many were not answered by 200 or 304
    """

    seconds: float = 0.0
    waited: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.waited) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """Return how long so many percent of the requests took at most, in milliseconds."""
        ordered = sorted(self.waited)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


def ask_for(port: int, paths: Sequence[str], *, connections: int = 4, headers: str = "") -> Load:
    """Ask a server of this machine for paths, each once, over so many connections at a time."""
    load, lock, left = Load(), threading.Lock(), iter(paths)

    def work() -> None:
        waited, errors = [], 0
        with _connect(port) as connection:
            for path in _take(left, lock):
                start = time.perf_counter()
                status, _ = _ask(connection, path, headers)
                waited.append(time.perf_counter() - start)
                errors += status not in (200, 304)
        with lock:
            load.waited += waited
            load.errors += errors

    threads = [threading.Thread(target=work) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.seconds = time.perf_counter() - start
    return load


def fetch(port: int, path: str, *, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    """Ask once; return status and content."""
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    with _connect(port) as connection:
        return _ask(connection, path, headers, method, body)


def wait_for(port: int, alive: Callable[[], bool], seconds: float = 300) -> None:
    """Wait until a server listens. Raises TimeoutError if it does not, or is gone."""
    end = time.monotonic() + seconds
    while alive() and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"no server listens on port {port}")


def _take(left: Iterator[str], lock: threading.Lock) -> Iterator[str]:
    while True:
        with lock:
            path = next(left, None)
        if path is None:
            return
        yield path


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _ask(
    connection: socket.socket, path: str, headers: str, method: str = "GET", body: bytes = b""
) -> tuple[int, bytes]:
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() + body)
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(connection)
    head = bytes(received[:end]).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    whole = end + 4 + int(length or 0)
    while len(received) < whole:
        received += _receive(connection)
    return int(head[9:12]), bytes(received[end + 4 :])


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(_RECEIVE_BYTES)
    if not part:
        raise ConnectionError("the server closed the connection")
    return part
