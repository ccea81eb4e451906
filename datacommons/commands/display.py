"""What the command line prints: reports and tables in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scenarios.validation.reliability import ENOUGH_CASES

if TYPE_CHECKING:
    import pandas as pd

    from catalog.sqlite.integrity import Finding
    from datacommons.archives.pull import PullReport
    from datacommons.ingest.raster_layers import IngestReport
    from datacommons.layers import Layer
    from datacommons.runs.estimate import Estimate
    from datacommons.runs.run import Run
    from datacommons.samples import Sample
    from datacommons.sources import Source
    from scenarios.validation.hindcast import Hindcast
    from scenarios.validation.reliability import Reliability

_FILE_WIDTH = 240
_ASK_LICENCE = (
    "nobody said on what terms others may use this: say it with --licence, as CC-BY-4.0, or for all in commons.toml"
)


def make_console(*, stderr: bool = False) -> Console:
    """Make a console that leaves long lines whole, so that messages can be searched and copied."""
    console = Console(stderr=stderr, soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def print_reports(reports: Sequence[IngestReport], licence: str = "") -> None:
    """Print what became of each file, and what was unusual about it; ask for a licence that is ``other``."""
    console = make_console()
    for report in reports:
        year = f" {report.year}" if report.year and str(report.year) not in report.layer else ""
        verb = "replaced" if report.replaced else "added"
        name = f"{report.layer}{year} of {report.landscape}"
        held = f"{report.features:,} features" if report.features else f"{report.cells:,} cells with data"
        console.print(Text(f"{report.source.name}: {verb} {name}, {held}"))
        _print_notes(console, report.notes)
    if licence == "other":
        _print_notes(console, [_ASK_LICENCE])


def print_pull(report: PullReport) -> None:
    """Print what was taken from a source, what was there already, and what is missing."""
    print_reports(report.taken)
    console = make_console()
    if report.passed:
        console.print(Text(f"There already: {', '.join(map(str, report.passed))}."))
    if report.missing:
        console.print(Text(f"The source has nothing here for: {', '.join(map(str, report.missing))}."))
    _print_notes(console, [report.note] if report.note else [])


def print_sources(sources: Sequence[Source]) -> None:
    """Print the ready-made sources as a table."""
    table = Table("source", "what", "for", "years", "licence", box=None)
    for source in sources:
        years = "-".join(map(str, source.years)) if source.years else ""
        how = source.kind if source.access != "none" else f"{source.kind}, by hand"
        table.add_row(*(Text(cell) for cell in (source.id, source.title, how, years, source.licence)))
    make_console().print(table)


def print_samples(samples: Sequence[Sample]) -> None:
    """Print the samples as a table, and how they are fetched."""
    table = Table("sample", "what", "years", "licence", box=None)
    for sample in samples:
        years = ", ".join(map(str, sample.years))
        table.add_row(*(Text(cell) for cell in (sample.id, sample.title, years, sample.licence)))
    make_console().print(table)
    print_line("Fetch one with: datacommons samples fetch SAMPLE")


def print_sample(sample: Sample, folder: Path) -> None:
    """Print what was fetched, on what terms, and the commands that come next."""
    for line in (
        f"{sample.title}, in {folder}.",
        f"Origin: {sample.origin}.",
        f"Licence: {sample.licence}, {sample.terms}.",
        f"Cite: {sample.citation}",
        "Go on with:",
        *(f"  {command}" for command in sample.list_commands(folder)),
    ):
        print_line(line)


def print_layers(layers: Sequence[Layer]) -> None:
    """Print the layers of a commons as a table."""
    table = Table("landscape", "layer", "year", "kind", "access", "product", box=None)
    table.add_column("file", overflow="fold")
    for layer in layers:
        kind = f"{len(layer.legend)} classes" if layer.legend else layer.unit or "measurements"
        kind = kind if layer.features is None else f"{layer.features:,} features"
        origin = " (synthetic)" if layer.synthetic else ""
        product = f"{layer.product} {layer.product_version}".strip()
        row = (layer.landscape, layer.name, str(layer.year or ""), kind + origin, layer.access, product, layer.href)
        table.add_row(*(Text(cell) for cell in row))
    make_console().print(table)


def print_hindcast(hindcast: Hindcast) -> None:
    """Print the scores of a hindcast beside those of the baselines."""
    console = make_console()
    years = " and ".join(map(str, hindcast.learned_from))
    console.print(
        f"Learned from {years}, projected {hindcast.start} to {hindcast.end}, compared with the map of {hindcast.end}."
    )
    for table in (_tabulate_scores(hindcast), _tabulate_resolutions(hindcast), _tabulate_transitions(hindcast)):
        for column in table.columns[1:]:
            column.justify = "right"
        console.print(table)
    console.print(_describe_reliability(hindcast.reliability))
    _print_notes(console, hindcast.notes)


def _tabulate_scores(hindcast: Hindcast) -> Table:
    """Return the scores of the best map beside the baselines."""
    from scenarios.validation.hindcast import GUESSING, MODEL, NEIGHBOURS, NOTHING

    table = Table("", "this model", "neighbourhood only", "pure guessing", "no change", box=None)
    maps = (hindcast.central, hindcast.neighbourhood, hindcast.guessing, hindcast.nothing)
    table.add_row("figure of merit", *(f"{each.figure_of_merit:.3f}" for each in maps))
    table.add_row("changed places it found", *(f"{each.found:.1%}" for each in maps))
    table.add_row("wrong in quantity, of the landscape", *(f"{each.quantity:.2%}" for each in maps))
    table.add_row("wrong in place, of the landscape", *(f"{each.allocation:.2%}" for each in maps))
    table.add_row("kappa simulation", *(f"{each.kappa_simulation:z.3f}" for each in maps))
    near = (hindcast.fuzzy[name].decayed for name in (MODEL, NEIGHBOURS, GUESSING, NOTHING))
    table.add_row("fuzzy similarity", *(f"{each:.3f}" for each in near))
    table.add_row(
        f"changes, of the landscape (really {hindcast.central.observed_change:.2%})",
        *(f"{each.simulated_change:.2%}" for each in maps),
    )
    return table


def _tabulate_resolutions(hindcast: Hindcast) -> Table:
    """Return the figure of merit with errors inside blocks forgiven."""
    rows = {
        "this model, best map": "best map",
        f"this model, mean of {len(hindcast.drawn)} members": "members",
        "neighbourhood only": "neighbourhood only",
        "pure guessing": "guessing",
    }
    sizes = [size for size in hindcast.by_resolution["best map"] if size > 1]
    table = Table("figure of merit, errors forgiven inside", "a cell", *(f"{n} x {n}" for n in sizes), box=None)
    for title, name in rows.items():
        table.add_row(title, *(f"{value:.3f}" for value in hindcast.by_resolution[name].values()))
    return table


def _tabulate_transitions(hindcast: Hindcast) -> Table:
    """Return the cells of each transition that changed, were foretold, and both."""
    table = Table("transition (cells)", "changed", "foretold", "found", "figure of merit", box=None)
    for each in hindcast.transitions:
        counts = (f"{count:,}" for count in (each.observed, each.simulated, each.hits))
        table.add_row(Text(hindcast.name(each.source, each.target)), *counts, f"{each.figure_of_merit:.3f}")
    return table


def _describe_reliability(reliability: Reliability) -> str:
    """Say how far the members' probabilities can be taken at their word."""
    from datacommons.reports.hindcast import say_gap

    raw, mended = reliability.raw, reliability.recalibrated
    likely = [each for each in raw.curve() if each.cases >= ENOUGH_CASES]
    if not reliability.transitions or not likely:
        return "Too little changed to tell whether the probabilities hold."
    last = likely[-1]
    return (
        f"Of the changes that the {reliability.members} members called {last.foretold:.0%} likely, "
        f"{last.happened:.0%} happened. Brier skill against no change: {raw.skill:.3f}, "
        f"with ever more members {reliability.fair_skill:.3f}.\n"
        f"Recalibrated by how often such shares came true, in each part of the map by all others: skill "
        f"{mended.skill:.3f}, largest distance from what happened {say_gap(mended)} (with the hectares of the members, "
        f"as a run tells it, {say_gap(reliability.as_in_a_run)}; members' shares {say_gap(raw)})."
    )


def print_run(run: Run) -> None:
    """Print a run's name, and the hectares of each class in its first and last year."""
    areas = run.area_ha
    first, last = areas.index[0], areas.index[-1]
    console = make_console()
    console.print(Text(f"Published {run.id}. Hectares by class:"))
    table = Table("class", str(first), str(last), "change", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in areas.columns:
        before, after = float(areas.loc[first, name]), float(areas.loc[last, name])
        table.add_row(str(name), f"{before:,.0f}", f"{after:,.0f}", f"{after - before:+,.0f}")
    console.print(table)
    _print_notes(console, [*run.model["notes"], *summarize_shortfalls(run.shortfalls)])


def print_estimate(estimate: Estimate) -> None:
    """Print what a run will take: what it is made of, and memory, disk and time by what they are for."""
    console = make_console()
    console.print(
        Text(
            f"{estimate.landscape}: cells {estimate.cells:,}, classes {estimate.classes}, transitions "
            f"{estimate.transitions}, drivers {estimate.drivers}, members {estimate.members}, years {estimate.years}, "
            f"threads {estimate.threads}"
        )
    )
    table = Table("about", "", "here and now", box=None)
    table.columns[1].justify = "right"
    table.add_row("memory, peak", _show_bytes(estimate.peak_memory_bytes), _free(estimate.free_memory_bytes))
    table.add_row("disk", _show_bytes(estimate.total_disk_bytes), _free(estimate.free_disk_bytes))
    for what, size in estimate.disk_bytes.items():
        table.add_row(f"  {what}", _show_bytes(size), "")
    table.add_row("time", _show_seconds(estimate.total_seconds), "if nothing else runs")
    for what, seconds in estimate.seconds.items():
        table.add_row(f"  {what}", _show_seconds(seconds), "")
    console.print(table)
    _print_notes(console, estimate.obstacles)


def _show_bytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.{0 if size >= 10 * 2**20 else 1}f} MiB"


def _free(size: int) -> str:
    return f"{_show_bytes(size)} free"


def _show_seconds(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.{0 if seconds >= 10 else 1}f} s"


def summarize_shortfalls(shortfalls: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what could not be placed, one line for each pair of classes, zone and cause."""
    groups: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for each in shortfalls:
        groups.setdefault((each["from"], each["to"], each.get("zone", ""), each["cause"]), []).append(each)
    lines = []
    for (source, target, zone, cause), some in sorted(groups.items()):
        years, hectares = [each["year"] for each in some], sum(each["hectares"] for each in some)
        change = f"{source} to {target}" + (f" in {zone}" if zone else "")
        lines.append(f"{change}: {hectares:,.0f} ha could not be placed, {min(years)} to {max(years)}: {cause}")
    return lines


def print_comparison(title: str, areas: Sequence[pd.DataFrame], scenarios: Sequence[str]) -> None:
    """Print hectares by class: at the start, and at the end of each scenario, with the change.

    Parameters
    ----------
    areas : of each scenario, hectares by year and class; all begin in the same year with the same areas
    scenarios : their titles
    """
    first, last = areas[0].index[0], areas[0].index[-1]
    table = Table("class", f"{first}", *(f"{name}, {last}" for name in scenarios), box=None, title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in areas[0].columns:
        start = float(areas[0].loc[first, name])
        ends = [float(area.loc[last, name]) for area in areas]
        table.add_row(str(name), f"{start:,.0f}", *(f"{end:,.0f} ({end - start:+,.0f})" for end in ends))
    total = [float(areas[0].loc[first].sum()), *(float(area.loc[last].sum()) for area in areas)]
    table.add_row("all", *(f"{hectares:,.0f}" for hectares in total), style="dim")
    make_console().print(table)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print what an examination has found, a line each, and how many are left."""
    for finding in findings:
        print_line(str(finding))
    left = sum(not finding.repaired for finding in findings)
    if not findings:
        print_line("The commons is sound.")
    elif left:
        print_line(f"{left} of {len(findings)} findings left to mend.")
    else:
        print_line("All is mended.")


def print_line(line: str) -> None:
    """Print a line as it is."""
    make_console().print(Text(line))


def print_error(error: Exception) -> None:
    """Print an error's message on stderr."""
    make_console(stderr=True).print(Text.assemble(("Error: ", "bold red"), str(error)))


def _print_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(Text.assemble(("  note: ", "yellow"), note))
