"""One job of `make bench-scale` in a process of its own: what it measured is its last line, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.benchmarks.thousand import publish_many
from tests.benchmarks.workloads import learn, members, prepare, publish, race, revise, spread, sweep

JOBS: Mapping[str, Callable[..., Mapping[str, float]]] = {
    job.__name__: job for job in (prepare, learn, publish, sweep, revise, members, spread, race, publish_many)
}


if __name__ == "__main__":
    job, folder, *numbers = sys.argv[1:]
    print(json.dumps(JOBS[job](Path(folder), *map(int, numbers))))
