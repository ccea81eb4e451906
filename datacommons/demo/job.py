"""The main job on the demonstration landscape, from nothing to an open door."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from datacommons.commons import Commons
from datacommons.demo.files import DemoFiles, write
from datacommons.demo.landscape import DemoLandscape, generate
from datacommons.display import print_comparison, print_hindcast, print_line
from datacommons.founding import init_commons
from datacommons.progress import progress_bar
from datacommons.runs import Run, validate_scenario
from scenarios.spec import Scenario, load_scenario

_ORDER = ("business-as-usual", "restoration", "conservation-zoning")


def run_demo(folder: Path, *, serve: bool, port: int, members: int | None = None) -> None:
    """Make a commons with a generated landscape, run three scenarios, print what they bring, and open the door.

    Parameters
    ----------
    folder : Path
        Of the commons; new or empty.
    serve : bool
        Whether to open the door at the end, until interrupted.
    port : int
        To listen on.
    members : int, optional
        Members of each ensemble; by default what the scenarios say.
    """
    with tempfile.TemporaryDirectory() as sources:
        with progress_bar("generating a landscape", 2) as advance:
            landscape = generate()
            advance(1)
            files = write(landscape, sources)
            advance(1)
        commons = found_demo(folder, landscape, files)
    with commons:
        scenarios = [read_demo_scenario(folder, name, members) for name in _ORDER]
        print_hindcast(validate_scenario(commons, scenarios[0], progress=True))
        runs = run_all(commons, scenarios)
        print_comparison(f"{landscape.title}: hectares by class", [run.area_ha for run in runs], [*_titles(scenarios)])
        print_line(f"The commons is in {folder}. Scenario files to change and run again: {folder / 'scenarios'}.")
        if serve:
            _open_door(commons, port)


def found_demo(folder: Path, landscape: DemoLandscape, files: DemoFiles) -> Commons:
    """Make the commons, and take the landscape's layers and scenario files into it."""
    commons = init_commons(
        folder,
        name="Demonstration commons (synthetic)",
        landscape=landscape.id,
        licence="CC0-1.0",
        demo=True,
    )
    commons.ingest(
        list(files.land_cover.values()),
        collection="land-cover",
        legend=files.legend,
        landscape_title=landscape.title,
        synthetic=True,
        progress=True,
    )
    commons.ingest(list(files.drivers.values()), collection="drivers", synthetic=True, progress=True)
    shutil.copytree(next(iter(files.scenarios.values())).parent, folder / "scenarios")
    return commons


def read_demo_scenario(folder: Path, name: str, members: int | None) -> Scenario:
    """Read one of the demonstration's scenarios, with another number of members if one is given."""
    scenario = load_scenario(folder / "scenarios" / f"{name}.yaml")
    return scenario if members is None else scenario.model_copy(update={"members": members})


def run_all(commons: Commons, scenarios: Sequence[Scenario]) -> list[Run]:
    """Project and publish every scenario."""
    return [commons.run(scenario, progress=True) for scenario in scenarios]


def _titles(scenarios: Sequence[Scenario]) -> list[str]:
    return [scenario.title["en"] for scenario in scenarios]


def _open_door(commons: Commons, port: int) -> None:
    # The server takes seconds to import.
    from datacommons.server import serve

    serve(commons, port=port, announce=lambda url: print_line(f"The door is open: {url} (Ctrl+C closes it)"))
