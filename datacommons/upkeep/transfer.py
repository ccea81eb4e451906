"""Taking in what another place holds: all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from catalog.collections import RUNS
from catalog.errors import CollectionNotFound, ItemNotFound
from catalog.index import index_collection, index_item
from catalog.store import OWNER, CatalogStore, Query
from datacommons.commons import Commons
from datacommons.errors import InvalidCatalog, ItemExists
from datacommons.founding import clear_folder, found_commons, open_commons, open_store
from datacommons.naming import name_of, title_of
from datacommons.publication import Staging
from datacommons.settings import CATALOG_FILE, SETTINGS_FILE, Settings
from datacommons.upkeep.fixity import find_damage, is_local
from datacommons.upkeep.holdings import Document, Holdings, find_place, hold_commons, hold_store
from datacommons.upkeep.static import CATALOG, copy_file, read_static, write_static


@dataclass(frozen=True)
class _Move:
    """A file on its way: where it is, and where in the commons it will be."""

    source: Path
    target: Path
    place: Path


def take_in(commons: Commons, holdings: Holdings, *, link: bool = False, replace: bool = False) -> int:
    """Take what another place holds into a commons, files included: all of it or nothing.

    Parameters
    ----------
    commons : Commons
    holdings : Holdings
        With files.
    link : bool
        Whether to make hard links to the files instead of copies, where the file system can.
    replace : bool
        Whether items that are there already may be replaced.

    Returns
    -------
    int
        How many items were taken in.

    Raises
    ------
    InvalidCatalog
        If a file is missing, differs from what its item says, or lies outside; or a document cannot be stored.
    ItemExists
        If the commons has one of the items already.
    """
    assert holdings.root is not None
    found = list(holdings.items())
    for item in found:
        index_item(item)
        _refuse_known(commons.store, item, replace=replace)
    runs = {item["id"] for item in found if item["collection"] == RUNS}
    plans = [_plan(holdings.root, item, runs) for item in found]
    moves, items = [move for plan, _ in plans for move in plan], [item for _, item in plans]
    collections = _choose_collections(commons.store, holdings, items)
    with Staging(commons.root) as staging:
        for place in sorted({move.place for move in moves}):
            staging.folder(place.as_posix())
        for move in moves:
            if not (staging.files / move.target).exists():
                copy_file(move.source, staging.files / move.target, link=link)
        with _putting_collections(commons.store, collections):
            staging.publish(commons.store, items, replace=replace)
    return len(items)


@contextmanager
def _putting_collections(store: CatalogStore, collections: list[Document]) -> Iterator[None]:
    """Put collections, and put back what was there if the block fails; those that are used by then stay."""
    before = {each["id"]: each for each in store.collections(OWNER)}
    try:
        for collection in collections:
            store.put_collection(collection)
        yield
    except BaseException:
        for name in (each["id"] for each in collections):
            if _is_in_use(store, name):
                continue
            if name in before:
                store.put_collection(before[name])
            else:
                with suppress(CollectionNotFound):
                    store.delete_collection(name)
        raise


def copy_catalog(source: str, target: str, *, static: bool = False, link: bool = False, replace: bool = False) -> int:
    """Copy a commons, or its catalog, from one place to another.

    Parameters
    ----------
    source : str
        The folder of a commons or of a static catalog; or a catalog alone: a ``.sqlite`` file or ``postgresql://``.
    target : str
        A catalog alone gets the documents; those of the same id are replaced. A new or empty folder becomes a commons
        with all files.
    static : bool
        Whether the folder becomes a static catalog instead.
    link, replace : bool
        As for :func:`take_in` and :func:`datacommons.upkeep.static.write_static`.

    Returns
    -------
    int
        How many items were copied.

    Raises
    ------
    InvalidCatalog
        If nothing that can be copied is there, or the target needs files that the source has not.
    """
    with _open_source(source) as holdings:
        if _is_store(target):
            if "://" in target:
                _refuse_other(target)
            with closing(open_store(target)) as store:
                return copy_documents(holdings, store)
        if holdings.root is None:
            raise InvalidCatalog(
                f"{source} has documents only, and a folder is made with its files: name the catalog of the commons "
                f"that has the files, as in {target}/{CATALOG_FILE}."
            )
        if static:
            return write_static(holdings, Path(target), link=link, replace=replace)
        return found_from(Path(target), holdings, link=link)


def found_from(folder: Path, holdings: Holdings, *, link: bool = False) -> int:
    """Create a commons in a new or empty folder, with the settings, documents and files that another place holds.

    Raises
    ------
    FolderNotEmpty
        If the folder holds anything.
    InvalidCatalog
        As for :func:`take_in`; the folder is then as before.
    """
    existed = folder.exists()
    settings = holdings.settings or Settings(name=title_of(name_of(folder.name)))
    commons = found_commons(folder, settings.model_copy(update={"catalog": None}))
    try:
        with commons:
            return take_in(commons, holdings, link=link)
    except BaseException:
        clear_folder(commons.root, keep=existed)
        raise


def copy_documents(holdings: Holdings, store: CatalogStore) -> int:
    """Copy collections and items, without files, into a store; those of the same id are replaced.

    Returns
    -------
    int
        How many items were copied.
    """
    counter = count()
    for collection in holdings.collections:
        store.put_collection(collection)
    store.put_items(item for item, _ in zip(holdings.items(), counter, strict=False))
    return next(counter)


@contextmanager
def _open_source(place: str) -> Iterator[Holdings]:
    if _is_store(place):
        _refuse_missing(place)
        with closing(open_store(place)) as store:
            yield hold_store(store, place)
    elif (Path(place) / SETTINGS_FILE).is_file():
        with open_commons(place) as commons:
            yield hold_commons(commons)
    elif (Path(place) / CATALOG).is_file():
        yield read_static(Path(place))
    else:
        raise InvalidCatalog(
            f"{place} is nothing to copy from: name the folder of a commons or of a static catalog, a .sqlite file, "
            "or postgresql://…"
        )


def _is_store(place: str) -> bool:
    return "://" in place or place.endswith(".sqlite")


def _refuse_missing(place: str) -> None:
    if "://" in place:
        _refuse_other(place)
    elif not Path(place).is_file():
        raise InvalidCatalog(f"{place} is not there.")


def _refuse_other(place: str) -> None:
    if not place.startswith("postgresql://"):
        raise InvalidCatalog(f"{place.split(':')[0]}:// is no kind of catalog here: name a postgresql:// database.")


def _refuse_known(store: CatalogStore, item: Document, *, replace: bool) -> None:
    if replace:
        return
    try:
        store.item(str(item.get("collection")), item["id"], OWNER)
    except ItemNotFound:
        return
    raise ItemExists(
        f"The commons has {item['id']} in {item['collection']} already: say --replace to replace it. "
        "Nothing was taken in."
    )


def _plan(root: Path, item: Document, runs: set[str]) -> tuple[list[_Move], Document]:
    """Say where the files of an item go: where they were, if that is in a folder of the item's own."""
    moves: list[_Move] = []
    assets = {}
    for key, asset in item["assets"].items():
        assets[key] = asset
        if not is_local(asset["href"]):
            continue
        source = root / asset["href"]
        damage = find_damage(source, asset) or _find_way_out(source)
        if damage is not None:
            raise InvalidCatalog(f"{asset['href']} of the item {item['id']} cannot be taken in: {damage}.")
        place = find_place(item, asset["href"], runs)
        target = Path(asset["href"])
        if place is None:
            place = Path("layers", str(item.get("collection")), item["id"])
            taken = {move.target for move in moves}
            target = place / source.name
            target = place / f"{key}-{source.name}" if target in taken else target
        moves.append(_Move(source, target, place))
        assets[key] = {**asset, "href": target.as_posix()}
    return moves, {**item, "assets": assets}


def _find_way_out(folder: Path) -> str | None:
    """Say so if a folder has links to other files: what they lead to was not meant to be taken along."""
    linked = folder.is_dir() and any(path.is_symlink() for path in folder.rglob("*"))
    return "it has symbolic links in it" if linked else None


def _choose_collections(store: CatalogStore, holdings: Holdings, items: list[Document]) -> list[Document]:
    """Choose the collections that the commons does not use yet, and check that every item will have one."""
    for collection in holdings.collections:
        index_collection(collection)
    new = [each for each in holdings.collections if not _is_in_use(store, each["id"])]
    known = {each["id"] for each in [*store.collections(OWNER), *new]}
    for item in items:
        if item["collection"] not in known:
            raise InvalidCatalog(
                f"The item {item['id']} names the collection {item['collection']!r}, which {holdings.name} has not."
            )
    return new


def _is_in_use(store: CatalogStore, collection_id: str) -> bool:
    """Tell whether a commons has items in a collection, which then keeps what the commons says of it."""
    return bool(store.search(Query(collections=(collection_id,), limit=1), OWNER).items)
