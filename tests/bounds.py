"""How much of the machine a command may take."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

MEMORY = 2 * 2**30  # of addresses, most of which the libraries only reserve
SECONDS = 20  # of the processor


@contextmanager
def bounded() -> Iterator[None]:
    """Let nothing take more memory than what is held already and a little, and fail if it took long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    began = process_time()
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    took = process_time() - began
    assert took < SECONDS, f"it took {took:.0f} s of the processor"
