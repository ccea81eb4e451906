"""What walks begin with, in a file that processes on one machine read without a copy of their own."""

from __future__ import annotations

import mmap
import pickle
from pathlib import Path
from typing import Any, Final

import cloudpickle
import numpy as np

_ALIGNED: Final = 64  # bytes; as arrays are in memory


def pack(thing: object, path: Path) -> None:
    """Write an object into a file: arrays as they are, and the rest, which says where they belong."""
    buffers: list[pickle.PickleBuffer] = []
    content = cloudpickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(content), *(buffer.raw() for buffer in buffers)]
    head = np.array([len(parts), *(part.nbytes for part in parts)], np.int64)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(head.tobytes())
        for part in parts:
            file.write(bytes(-file.tell() % _ALIGNED))
            file.write(part)
    draft.replace(path)


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
