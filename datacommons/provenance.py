"""The guard on a history: maps that were not made alike show change that never happened.

What differs between two maps of one place is the land or the method. Where legend, product, version or cell size
differ, it may be the method, and nothing in the maps tells the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalog.legend import Legend
from datacommons.layers import Layer
from scenarios.errors import HistoryInvalid
from scenarios.spec import TransitionRule

NOTED, REFUSED = 1.5, 3.0
"""By what factor the cells of two dates may differ in size before it is noted, and before it is refused."""


def check_history(layers: Sequence[Layer], rule: TransitionRule) -> tuple[str, ...]:
    """Refuse dates that cannot be compared, and say what is doubtful about the others.

    Parameters
    ----------
    layers : land cover, one layer a date
    rule : what the scenario allows

    Returns
    -------
    Notes, one plain sentence each

    Raises
    ------
    HistoryInvalid
        The dates have different legends; or different products, or cells that differ in size by `REFUSED` or more,
        where the scenario does not allow it.
    """
    dates = sorted(layers, key=lambda layer: layer.year or 0)
    _compare_legends(dates)
    return (*_compare_products(dates, rule), *_compare_versions(dates), *_compare_cells(dates, rule))


def _compare_legends(dates: Sequence[Layer]) -> None:
    first = dates[0]
    for other in dates[1:]:
        differing = _meanings(first.legend) ^ _meanings(other.legend)
        if differing:
            raise HistoryInvalid(
                f"The legends of {first.year} and {other.year} differ in {', '.join(sorted(differing))}. What one map "
                "calls by another name would count as change: reclassify one of them, and ingest it with --replace."
            )


def _compare_products(dates: Sequence[Layer], rule: TransitionRule) -> list[str]:
    products = _group(dates, lambda layer: layer.product)
    unsaid = products.pop("", "")
    notes = []
    if len(products) > 1:
        told = " and ".join(f"{name} ({years})" for name, years in products.items())
        if not rule.mixed_products:
            raise HistoryInvalid(
                f"The history mixes products: {told}. Between them, another method looks like another land. Take dates "
                "of one product; or say 'mixed_products: true' under transitions, if they were made to be compared."
            )
        notes.append(f"the history mixes products, as the scenario allows: {told}; a part of the change may be theirs")
    if unsaid and products:
        notes.append(
            f"the product of {unsaid} is not known, that of other dates is; say it with `datacommons ingest --product`"
        )
    return notes


def _compare_versions(dates: Sequence[Layer]) -> list[str]:
    notes = []
    for product in dict.fromkeys(layer.product for layer in dates if layer.product):
        versions = _group([layer for layer in dates if layer.product == product], lambda layer: layer.product_version)
        if len(versions) > 1:
            told = " and ".join(f"{version or 'unsaid'} ({years})" for version, years in versions.items())
            notes.append(
                f"the history mixes versions of {product}: {told}; a part of the change may be a change of method"
            )
    return notes


def _compare_cells(dates: Sequence[Layer], rule: TransitionRule) -> list[str]:
    sizes = {layer.year: layer.cell_size_m for layer in dates if layer.cell_size_m}
    if not sizes:
        return []
    fine, coarse = min(sizes, key=lambda year: sizes[year]), max(sizes, key=lambda year: sizes[year])
    ratio = sizes[coarse] / sizes[fine]
    told = f"cells of {sizes[fine]:.4g} m in {fine} and of {sizes[coarse]:.4g} m in {coarse}"
    if ratio >= REFUSED and not rule.mixed_resolutions:
        raise HistoryInvalid(
            f"The history has {told}. Every edge in the coarser map would count as change. Take dates of like cell "
            "size, or say 'mixed_resolutions: true' under transitions."
        )
    return [f"the history has {told}: edges in the coarser map count as change"] if ratio > NOTED else []


def _group(dates: Sequence[Layer], key: Callable[[Layer], str]) -> dict[str, str]:
    """Return the years of each value of a key, as text."""
    values = dict.fromkeys(key(layer) for layer in dates)
    return {value: ", ".join(str(layer.year) for layer in dates if key(layer) == value) for value in values}


def _meanings(legend: Legend | None) -> set[str]:
    return {f"{entry.value} {entry.name}" for entry in legend or ()}
