"""The examination of a commons: its catalog, its files, and whether the two agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from catalog.collections import widen_extent
from catalog.errors import ItemNotFound
from catalog.sqlite.integrity import Finding, check_catalog
from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, Query
from datacommons.commons import Commons
from datacommons.layers import search_all
from datacommons.progress import progress_bar
from datacommons.publication import publishing
from datacommons.upkeep.fixity import find_damage, local_files
from datacommons.upkeep.interruptions import find_interrupted, read_journal, settle
from datacommons.upkeep.lineage import examine_lineage

_KEPT: Final = ("layers", "runs")
# GDAL writes these beside a raster that somebody looks at.
_SIDECARS: Final = (".aux.xml", ".ovr", ".msk")


def examine(commons: Commons, *, repair: bool = False, checksums: bool = True, progress: bool = False) -> list[Finding]:
    """Examine a commons, and mend what can be mended without loss.

    Parameters
    ----------
    commons : Commons
        Best opened by :func:`datacommons.founding.open_as_is`, which leaves what a killed process left behind.
    repair : bool
        Whether to mend: clear up after killed processes, index again, widen extents, unlink versions that are gone. No
        file that a layer or a person may have written is touched.
    checksums : bool
        Whether to read all files for their checksums; sizes are compared in any case.
    progress : bool
        Whether to show a bar on stderr.

    Returns
    -------
    list of Finding
        What is not as it should be; those that were mended say so.
    """
    examinations: tuple[Callable[[], Iterator[Finding]], ...] = (
        partial(_examine_catalog, commons),
        partial(_examine_interruptions, commons),
        partial(_examine_extents, commons),
        partial(examine_lineage, commons.store),
        partial(_examine_files, commons, checksums=checksums),
        partial(_examine_folders, commons),
    )
    findings: list[Finding] = []
    with progress_bar("Examining", len(examinations), shown=progress) as advance:
        # One after the other: what one mends, the next one finds in order.
        for look in examinations:
            findings += [_mend(finding) if repair else finding for finding in list(look())]
            advance(1)
    return findings


def _mend(finding: Finding) -> Finding:
    if finding.repair is None:
        return finding
    finding.repair()
    return replace(finding, repaired=True)


def _examine_catalog(commons: Commons) -> Iterator[Finding]:
    if isinstance(commons.store, SqliteStore):
        yield from check_catalog(commons.store)


def _examine_interruptions(commons: Commons) -> Iterator[Finding]:
    for aside in find_interrupted(commons.root):
        yield Finding(
            aside.name,
            "a process was ended here while it wrote, and its unfinished files are left",
            "clear up with --repair",
            partial(settle, commons.root, commons.store, aside),
        )


def _examine_extents(commons: Commons) -> Iterator[Finding]:
    for collection in commons.store.collections(OWNER):
        items = list(search_all(commons.store, Query(collections=(collection["id"],), limit=1000)))
        wider = widen_extent(collection, items)
        if wider != collection:
            yield Finding(
                f"collection {collection['id']}",
                "its extent does not cover its items",
                "widen it with --repair",
                # Others may write meanwhile: what is there then is widened.
                partial(commons.store.change_collection, collection["id"], partial(widen_extent, items=items)),
            )


def _examine_files(commons: Commons, *, checksums: bool) -> Iterator[Finding]:
    unsettled = _places_in_change(commons.root)
    for item in search_all(commons.store, Query(limit=1000)):
        for file, asset in local_files(item, commons.root):
            place = file.relative_to(commons.root) if file.is_relative_to(commons.root) else file
            if unsettled.intersection(place.parents):
                continue
            damage = find_damage(file, asset, checksums=checksums)
            if damage is not None and _is_still_there(commons, item):
                yield Finding(
                    str(place),
                    f"{damage} (item {item['collection']}/{item['id']})",
                    "put back a copy, or make the layer or run anew",
                )


def _is_still_there(commons: Commons, item: dict[str, Any]) -> bool:
    """Tell whether the catalog says the same as when it was listed; it may have been replaced since."""
    try:
        return commons.store.item(item["collection"], item["id"], OWNER) == item
    except ItemNotFound:
        return False


def _examine_folders(commons: Commons) -> Iterator[Finding]:
    # Nothing may come in place between the look at the files and the look at the catalog.
    with publishing(commons.root):
        unsettled = _places_in_change(commons.root)
        found = [path for name in _KEPT for path in sorted((commons.root / name).rglob("*"))]
        items = search_all(commons.store, Query(limit=1000))
        named = {file for item in items for file, _ in local_files(item, commons.root)}
    busy = any(commons.root.glob(".staging-*"))
    for path in found:
        place = path.relative_to(commons.root)
        if unsettled.intersection((place, *place.parents)):
            continue
        if path.is_file() and not _is_named(path, named):
            yield Finding(str(place), "nothing in the catalog names this file", "remove it if you do not need it")
        # A run that is at work has its name as an empty folder.
        elif path.is_dir() and not busy and not any(path.iterdir()):
            yield Finding(str(place), "the folder is empty", "remove it with --repair", partial(_remove_empty, path))


def _is_named(path: Path, named: set[Path]) -> bool:
    beside = {path.with_name(path.name.removesuffix(ending)) for ending in _SIDECARS}
    return not named.isdisjoint({path, *path.parents, *beside})


def _places_in_change(root: Path) -> set[Path]:
    return {place for aside in root.glob(".staging-*") for place in read_journal(aside)}


def _remove_empty(folder: Path) -> None:
    """Remove a folder, and those above it that it leaves empty."""
    for each in (folder, folder.parent, folder.parent.parent):
        try:
            each.rmdir()
        except OSError:
            return
