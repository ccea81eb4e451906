"""The main job on the demonstration landscape, from nothing to an open door.

Its heavy rooms are imported where they are needed: most of them while the landscape is generated.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext, suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from datacommons.progress import progress_bar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from socket import socket

    from datacommons.commons import Commons
    from datacommons.demo.files import DemoFiles
    from datacommons.runs.run import Run
    from scenarios.spec import Scenario

_ORDER = ("business-as-usual", "restoration", "conservation-zoning")

_NEEDED_LATER = (
    "datacommons.ingest.raster_layers",
    "datacommons.ingest.vector_layers",
    "pyogrio.geopandas",
    "datacommons.commands.display",
    "datacommons.runs.results",
    "dask.array",  # by xarray
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.preprocessing",
)
_NEEDED_TO_SERVE = ("datacommons.door.server",)


def run_demo(folder: Path, *, listener: socket | None, members: int | None = None) -> None:
    """Make a commons with a generated landscape, run three scenarios, print what they bring, and open the door.

    The door is open as soon as the landscape's layers are in: scenarios appear behind it one by one.

    Parameters
    ----------
    folder : Path
        Of the commons; new or empty.
    listener : socket, optional
        Where the door is open, until interrupted; without one the job ends after the table.
    members : int, optional
        Members of each ensemble; by default what the scenarios say.
    """
    with tempfile.TemporaryDirectory() as sources:
        files = _generate(sources, (*_NEEDED_LATER, *(_NEEDED_TO_SERVE if listener else ())))
        commons = found_demo(folder, files)
    from datacommons.commands.display import print_comparison, print_hindcast, print_line
    from datacommons.demo.landscape import TITLE
    from datacommons.runs.run import validate_scenario

    with commons, _open_door(commons, listener) as url:
        if url:
            print_line(f"The door is open: {url}. Scenarios appear there as they are done.")
        scenarios = [read_demo_scenario(folder, name, members) for name in _ORDER]
        runs = run_all(commons, scenarios)
        print_hindcast(validate_scenario(commons, scenarios[0], progress=True))  # as the runs have found it
        print_comparison(f"{TITLE}: hectares by class", [run.area_ha for run in runs], [*_titles(scenarios)])
        print_line(f"The commons is in {folder}. Scenario files to change and run again: {folder / 'scenarios'}.")
        if url:
            print_line(f"The door is open: {url} (Ctrl+C closes it)")
            _wait_for_interrupt()


def _generate(folder: str, needed_later: Sequence[str]) -> DemoFiles:
    """Generate the landscape in a process of its own, and import meanwhile what is needed later: both take seconds."""
    with (
        progress_bar("generating a landscape", 0),
        ProcessPoolExecutor(1, get_context("spawn")) as aside,
    ):
        files = aside.submit(_write_landscape, folder)
        for module in needed_later:
            import_module(module)
        return files.result()


def _write_landscape(folder: str) -> DemoFiles:
    from datacommons.demo.files import write
    from datacommons.demo.landscape import generate

    return write(generate(), folder)


def found_demo(folder: Path, files: DemoFiles) -> Commons:
    """Make the commons, and take the landscape's layers and scenario files into it."""
    from datacommons.demo.landscape import LANDSCAPE_ID, TITLE
    from datacommons.founding import init_commons

    commons = init_commons(
        folder,
        name="Demonstration commons (synthetic)",
        landscape=LANDSCAPE_ID,
        licence="CC0-1.0",
        demo=True,
    )
    commons.ingest(
        list(files.land_cover.values()),
        collection="land-cover",
        legend=files.legend,
        landscape_title=TITLE,
        synthetic=True,
        progress=True,
    )
    commons.ingest(list(files.drivers.values()), collection="drivers", synthetic=True, progress=True)
    commons.ingest(list(files.vectors.values()), collection="vectors", synthetic=True, progress=True)
    shutil.copytree(next(iter(files.scenarios.values())).parent, folder / "scenarios")
    return commons


def read_demo_scenario(folder: Path, name: str, members: int | None) -> Scenario:
    """Read one of the demonstration's scenarios, with another number of members if one is given."""
    from scenarios.spec import load_scenario

    scenario = load_scenario(folder / "scenarios" / f"{name}.yaml")
    return scenario if members is None else scenario.model_copy(update={"members": members})


def run_all(commons: Commons, scenarios: Sequence[Scenario]) -> list[Run]:
    """Project and publish every scenario."""
    return [commons.run(scenario, progress=True) for scenario in scenarios]


def _titles(scenarios: Sequence[Scenario]) -> list[str]:
    return [scenario.title["en"] for scenario in scenarios]


def _open_door(commons: Commons, listener: socket | None) -> AbstractContextManager[str | None]:
    if listener is None:
        return nullcontext()
    from datacommons.door.server import serve_meanwhile

    return serve_meanwhile(commons, listener)


def _wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        Event().wait()
