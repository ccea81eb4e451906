"""The commands about scenarios and their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.commands.options import CommonsOption, open_named

ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads to use; the result is the same for any number.")
]
ChunkOption = Annotated[
    int | None, typer.Option(min=16, help="Side of a chunk in cells; the result is the same for any size.")
]
MemoryOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="GiB of memory for large arrays, the rest of which lies in files; the result is the same.",
        show_default="a third of what is free",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="Where members are projected: threads, processes, processes:N or a Dask scheduler as tcp://host:8786.",
        show_default="threads",
    ),
]
ScenarioArgument = Annotated[Path, typer.Argument(help="Scenario file (YAML).", show_default=False)]


def validate(
    scenario: ScenarioArgument,
    report: Annotated[
        Path | None, typer.Option(help="Write a report with maps to this HTML file.", show_default=False)
    ] = None,
    members: Annotated[
        int | None, typer.Option(min=1, max=255, help="Maps drawn by likelihood.", show_default="8")
    ] = None,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    memory: MemoryOption = None,
    cluster: ClusterOption = None,
    commons: CommonsOption = None,
) -> None:
    """Learn from the earlier dates, project to the last one, and score the result."""
    from datacommons.commands.display import print_hindcast, print_line

    with open_named(commons) as opened:
        found = opened.validate(
            scenario, threads=threads, chunk=chunk, memory_gib=memory, members=members, cluster=cluster, progress=True
        )
        print_hindcast(found)
        if report is not None:
            from datacommons.reports.hindcast import write_report
            from datacommons.runs.run import read_scenario

            write_report(report, found, title=opened.landscape(read_scenario(opened, scenario)[0].landscape).title)
            print_line(f"The report with maps: {report}")


def plan(
    scenario: ScenarioArgument,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    memory: MemoryOption = None,
    commons: CommonsOption = None,
) -> None:
    """Say what a run will take on this machine: memory, disk and time."""
    from datacommons.commands.display import print_estimate

    with open_named(commons) as opened:
        print_estimate(opened.plan(scenario, threads=threads, chunk=chunk, memory_gib=memory, progress=True))


def run(
    scenario: ScenarioArgument,
    threads: ThreadsOption = None,
    chunk: ChunkOption = None,
    memory: MemoryOption = None,
    cluster: ClusterOption = None,
    commons: CommonsOption = None,
) -> None:
    """Project a scenario and publish the run."""
    from datacommons.commands.display import print_run

    with open_named(commons) as opened:
        found = opened.run(scenario, threads=threads, chunk=chunk, memory_gib=memory, cluster=cluster, progress=True)
        print_run(found)


def runs(commons: CommonsOption = None) -> None:
    """List the published runs."""
    from datacommons.commands.display import print_line

    with open_named(commons) as opened:
        found = opened.runs()
    for line in found or ["No runs yet: make one with `datacommons run SCENARIO`."]:
        print_line(line)


def publish(
    run: Annotated[str, typer.Argument(help="Name of a run; `datacommons runs` lists them.", show_default=False)],
    url: Annotated[str, typer.Argument(help="Place in a bucket, as s3://bucket/folder.", show_default=False)],
    commons: CommonsOption = None,
) -> None:
    """Copy a published run into a bucket."""
    from datacommons.commands.display import print_line

    with open_named(commons) as opened:
        print_line(f"Copied: {opened.copy_run(run, url, progress=True)}")
