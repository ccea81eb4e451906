"""What walks begin with, in a file that processes on one machine read without a copy of their own."""

from __future__ import annotations

import mmap
import os
import pickle
from pathlib import Path
from typing import Any, Final

import cloudpickle
import numpy as np

from scenarios.cluster import ONE, Workers

_ALIGNED: Final = 64  # bytes; as arrays are in memory
_PIECE: Final = 1 << 24  # bytes that are written at once: what takes long is the system finding room for them


def pack(thing: object, path: Path, workers: Workers = ONE) -> None:
    """Write an object into a file: arrays as they are, and the rest, which says where they belong."""
    buffers: list[pickle.PickleBuffer] = []
    content = cloudpickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(content), *(buffer.raw() for buffer in buffers)]
    head = np.array([len(parts), *(part.nbytes for part in parts)], np.int64)
    pieces, place = [(0, memoryview(head.tobytes()))], head.nbytes
    for part in parts:
        place += -place % _ALIGNED
        pieces += [(place + first, part[first : first + _PIECE]) for first in range(0, part.nbytes, _PIECE)]
        place += part.nbytes
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        workers.map(lambda piece: _write(file.fileno(), *piece), pieces)
    draft.replace(path)


def _write(file: int, place: int, piece: memoryview) -> None:
    while piece.nbytes:
        written = os.pwrite(file, piece, place)
        place, piece = place + written, piece[written:]


def unpack(path: Path) -> Any:
    """Read what `pack` has written.

    Its arrays lie in the file: the system reads them when they are looked at, once for all processes. A process that
    writes to one writes to a copy.
    """
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    count = int(np.frombuffer(content, np.int64, 1)[0])
    parts, place = [], 8 * (count + 1)
    for size in np.frombuffer(content, np.int64, count, 8).tolist():
        place += -place % _ALIGNED
        parts.append(memoryview(content)[place : place + size])
        place += size
    # Whoever hands out the work has written it, and could as well have it done.
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301
