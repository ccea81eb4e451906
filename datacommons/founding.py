"""The folder of a commons: made, opened, and, for a demonstration, removed."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from catalog.collections import make_collections
from catalog.errors import CollectionNotFound
from catalog.sqlite.store import SqliteStore
from catalog.store import OWNER, CatalogStore
from datacommons.commons import Commons
from datacommons.errors import FolderNotEmpty
from datacommons.naming import name_of, title_of
from datacommons.settings import (
    SETTINGS_FILE,
    Settings,
    check_settings,
    locate_catalog,
    read_settings,
    write_settings,
)
from datacommons.upkeep.interruptions import settle_interrupted


def init_commons(
    folder: str | Path,
    *,
    name: str | None = None,
    landscape: str | None = None,
    contact: str = "",
    licence: str = "other",
    default_access: str = "public",
    language: str = "en",
    demo: bool = False,
) -> Commons:
    """Create a commons in a new or empty folder; see :func:`datacommons.init`."""
    values = {
        "name": name or title_of(name_of(Path(folder).absolute().name)),
        "contact": contact,
        "licence": licence,
        "default_access": default_access,
        "language": language,
        "landscape": landscape,
        "demo": demo,
    }
    return found_commons(folder, check_settings(values, source="The new commons"))


def found_commons(folder: str | Path, settings: Settings) -> Commons:
    """Create a commons with these settings in a new or empty folder. Raises FolderNotEmpty."""
    root = Path(folder).absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise FolderNotEmpty(
            f"{root} exists and is {'not empty' if root.is_dir() else 'a file'}: name a new or an empty folder."
        )
    existed = root.exists()
    root.mkdir(parents=True, exist_ok=True)
    try:
        write_settings(root, settings)
        return open_commons(root)
    except BaseException:
        clear_folder(root, keep=existed)
        raise


def open_commons(folder: str | Path) -> Commons:
    """Open the commons in a folder, and settle what a killed process left; see :func:`datacommons.open`."""
    commons = open_as_is(folder)
    settle_interrupted(commons.root, commons.store)
    return commons


def open_as_is(folder: str | Path) -> Commons:
    """Open the commons in a folder, and leave what a killed process left, so that it can be looked at."""
    root = Path(folder).absolute()
    settings = read_settings(root)
    store = open_store(locate_catalog(root, settings))
    describe_collections(store, settings)
    return Commons(root, settings, store)


def open_store(place: str) -> CatalogStore:
    """Open the store that an address (``postgresql://…``) or the path of a file names."""
    if "://" not in place:
        return SqliteStore(place)
    from catalog.pgstac.store import PgstacStore

    return PgstacStore(place)


def remove_demo(folder: Path) -> None:
    """Remove a demonstration commons, so that it can be made again; a folder that is not there is fine.

    Raises
    ------
    FolderNotEmpty
        If the folder holds anything else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not ((folder / SETTINGS_FILE).is_file() and read_settings(folder).demo):
        raise FolderNotEmpty(
            f"{folder} is no demonstration commons, so it is left as it is. Name another folder with --folder."
        )
    shutil.rmtree(folder)


def describe_collections(store: CatalogStore, settings: Settings) -> None:
    """Let the collections say what ``commons.toml`` says now; a new catalog gets them."""
    # Collections are public and items have labels of their own: that land cover exists is no secret.
    for made in make_collections(name=settings.name, licence=settings.licence, contact=settings.contact):
        try:
            known = store.collection(made["id"], OWNER)
        except CollectionNotFound:
            known = made
            store.put_collection(made)
        if made | {"extent": known["extent"]} != known:
            # Another process may widen the extent between our look and our write.
            store.change_collection(made["id"], partial(_describe_anew, made))


def _describe_anew(made: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return made | {"extent": known["extent"]}


def clear_folder(root: Path, *, keep: bool) -> None:
    """Remove a folder with all that is in it; or, if it is to be kept, only what is in it."""
    if not keep:
        shutil.rmtree(root)
        return
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
