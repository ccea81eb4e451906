"""A commons as a static STAC catalog: plain files with relative links, which need no server."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from catalog.index import is_id
from catalog.items.versions import read_item_href
from catalog.legend import slug
from datacommons.errors import FolderNotEmpty, InvalidCatalog, LayerDamaged
from datacommons.settings import SETTINGS_FILE, Settings, check_settings
from datacommons.upkeep.fixity import find_damage, is_local
from datacommons.upkeep.geoparquet import MEDIA_TYPE, ROLE, write_items
from datacommons.upkeep.holdings import Document, Holdings

CATALOG: Final = "catalog.json"
SERVED_LINKS: Final = "datacommons:links"
SETTINGS: Final = "datacommons:settings"

_JSON: Final = "application/json"
_GEOJSON: Final = "application/geo+json"
# Where files may be kept that are not taken along; "file:" and GDAL's own would reach into this machine.
_REMOTE: Final = frozenset({"http", "https", "s3", "gs", "az", "abfs", "abfss"})
_TREE: Final = frozenset({"self", "root", "parent", "collection", "item", "child"})


def write_static(holdings: Holdings, folder: Path, *, link: bool = False, replace: bool = False) -> int:
    """Write a static STAC catalog with all files and, of each collection, a stac-geoparquet table.

    It is written beside ``folder`` and put in place at once.

    Parameters
    ----------
    holdings : Holdings
        With files.
    folder : Path
        New or empty; or an earlier export, if it may be replaced.
    link : bool
        Whether to make hard links to the files instead of copies, where the file system can.
    replace : bool
        Whether an earlier export may be replaced.

    Returns
    -------
    int
        How many items were written.

    Raises
    ------
    FolderNotEmpty
        If the folder holds anything else.
    LayerDamaged
        If a file is missing or is not what the catalog says of it.
    """
    folder = folder.absolute()
    _refuse_full(folder, replace=replace)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        count = _write_tree(holdings, aside / "new", link=link)
        if folder.exists():
            folder.rename(aside / "old")
        (aside / "new").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return count


def read_static(folder: Path) -> Holdings:
    """Return what a static STAC catalog holds, ours or any that has its files beside it.

    Raises
    ------
    InvalidCatalog
        Says which document is no catalog, collection or item, or cannot be read.
    """
    root = folder.resolve()
    catalog = _read(root, root / CATALOG)
    settings = catalog.get(SETTINGS)
    places = [place for place, document in _walk(root, root / CATALOG) if document["type"] == "Collection"]
    return Holdings(
        name=str(folder),
        collections=[_restore_collection(_read(root, place)) for place in places],
        items=lambda: _read_items(root),
        root=root,
        settings=check_settings(settings, source=str(folder / CATALOG)) if settings is not None else None,
    )


def copy_file(source: Path, target: Path, *, link: bool) -> None:
    """Copy a file or the folder of a cube, or make hard links where that is wanted and possible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link_file if link else shutil.copy2, dirs_exist_ok=True)
    else:
        (_link_file if link else shutil.copy2)(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without hard links
        shutil.copy2(source, target)


def _refuse_full(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if replace and folder.is_dir() and (folder / CATALOG).is_file() and not (folder / SETTINGS_FILE).exists():
        return
    mend = "say --replace to replace it" if (folder / CATALOG).is_file() else "name a new or an empty folder"
    raise FolderNotEmpty(f"{folder} is {'not empty' if folder.is_dir() else 'a file'}: {mend}.")


def _write_tree(holdings: Holdings, root: Path, *, link: bool) -> int:
    by_collection: dict[str, list[Document]] = {each["id"]: [] for each in holdings.collections}
    for item in holdings.items():
        by_collection.setdefault(item["collection"], []).append(item)
    known = {(item["collection"], item["id"]) for items in by_collection.values() for item in items}
    for collection in holdings.collections:
        items = by_collection[collection["id"]]
        for item in items:
            _copy_files(holdings, item, root, link=link)
            place = _item_place(item["collection"], item["id"])
            _write(root / place, _make_static_item(item, place, known))
        _write_collection(collection, items, root, known)
    _write(root / CATALOG, _make_catalog(holdings))
    return len(known)


def _copy_files(holdings: Holdings, item: Document, root: Path, *, link: bool) -> None:
    assert holdings.root is not None
    for asset in item["assets"].values():
        if is_local(asset["href"]):
            source = holdings.root / asset["href"]
            inside = source.resolve().is_relative_to(holdings.root.resolve())
            damage = find_damage(source, asset) if inside else "it lies outside of the commons"
            if damage is not None:
                raise LayerDamaged(
                    f"{asset['href']} of the item {item['id']} cannot be taken along: {damage}. "
                    "`datacommons doctor` lists all that is wrong."
                )
            if not (root / asset["href"]).exists():
                copy_file(source, root / asset["href"], link=link)


def _write_collection(collection: Document, items: list[Document], root: Path, known: set[tuple[str, str]]) -> None:
    place = _collection_place(collection["id"])
    (root / place.parent).mkdir(parents=True, exist_ok=True)
    # Their hrefs are relative to the table, which lies beside the collection.
    rows = [_make_static_item(item, place, known) for item in items]
    tables = write_items(root / place.parent, rows)
    assets = {
        table.stem: {
            "href": f"./{table.name}",
            "type": MEDIA_TYPE,
            "roles": [ROLE],
            "title": "All items as stac-geoparquet",
        }
        for table in tables
    }
    item_links = [
        {"rel": "item", "href": f"./items/{item['id']}.json", "type": _GEOJSON, **_title(item["properties"])}
        for item in items
    ]
    kept = {"assets": collection.get("assets", {}) | assets} if assets or "assets" in collection else {}
    links = [_link("root", "../../" + CATALOG), _link("parent", "../../" + CATALOG), *item_links]
    _write(root / place, {**collection, **kept, SERVED_LINKS: collection.get("links", []), "links": links})


def _make_catalog(holdings: Holdings) -> Document:
    settings = holdings.settings or Settings(name=Path(holdings.name).name)
    children = [
        _link("child", f"./{_collection_place(each['id']).as_posix()}", each.get("title"))
        for each in holdings.collections
    ]
    return {
        "type": "Catalog",
        "stac_version": "1.1.0",
        "id": slug(settings.name) or "catalog",
        "title": settings.name,
        "description": f"The data commons {settings.name}: layers, scenarios and their results.",
        SETTINGS: settings.model_dump(exclude_none=True, exclude={"catalog"}),
        "links": [_link("root", f"./{CATALOG}", settings.name), *children],
    }


def _make_static_item(item: Document, place: Path, known: set[tuple[str, str]]) -> Document:
    """Return an item with its links and files as they are seen from ``place``."""
    collection = os.path.relpath(_collection_place(item["collection"]), place.parent)
    links = [_link("root", os.path.relpath(CATALOG, place.parent))]
    links += [_link(rel, collection) for rel in ("parent", "collection")]
    for link in item.get("links", []):
        if link["rel"] not in _TREE and (href := _static_href(link["href"], place, known)):
            links.append({**link, "href": href})
    assets = {
        key: {**asset, "href": os.path.relpath(asset["href"], place.parent)} if is_local(asset["href"]) else asset
        for key, asset in item["assets"].items()
    }
    return {**item, "links": links, "assets": assets, SERVED_LINKS: item.get("links", [])}


def _static_href(href: str, place: Path, known: set[tuple[str, str]]) -> str | None:
    """Return where a link leads without a server; None where it needs one."""
    if not is_local(href):
        return href
    stored = read_item_href(href)
    if stored is None or stored not in known:
        return None
    return os.path.relpath(_item_place(*stored), place.parent)


def _collection_place(collection_id: str) -> Path:
    return Path("collections", collection_id, "collection.json")


def _item_place(collection_id: str, item_id: str) -> Path:
    return Path("collections", collection_id, "items", f"{item_id}.json")


def _link(rel: str, href: str, title: str | None = None) -> Document:
    return {"rel": rel, "href": href, "type": _JSON, **({"title": title} if title else {})}


def _title(properties: Mapping[str, Any]) -> Document:
    return {"title": properties["title"]} if properties.get("title") else {}


def _write(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _read(root: Path, path: Path) -> Document:
    name = os.path.relpath(path, root)
    if not path.resolve().is_relative_to(root):
        raise InvalidCatalog(f"{root} cannot be taken in: a link leads out of it, to {name}.")
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidCatalog(f"{root} is no static catalog, or not all of it: {name} is missing.") from None
    except (OSError, orjson.JSONDecodeError) as error:
        raise InvalidCatalog(f"{root} cannot be taken in: {name} cannot be read ({error}).") from error
    if not isinstance(document, dict) or document.get("type") not in ("Catalog", "Collection", "Feature"):
        raise InvalidCatalog(f"{root} cannot be taken in: {name} is no STAC catalog, collection or item.")
    if not isinstance(document.get("links"), list):
        raise InvalidCatalog(f"{root} cannot be taken in: {name} has no list of links.")
    return document


def _walk(root: Path, start: Path) -> Iterator[tuple[Path, Document]]:
    """Go through the catalogs, collections and items below a document, each once."""
    seen, waiting = {start}, [start]
    while waiting:
        place = waiting.pop(0)
        document = _read(root, place)
        yield place, document
        for link in document["links"]:
            if link.get("rel") in ("child", "item") and is_local(str(link.get("href"))):
                target = Path(os.path.normpath(place.parent / link["href"]))
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)


def _read_items(root: Path) -> Iterator[Document]:
    for place, document in _walk(root, root / CATALOG):
        if document["type"] == "Feature":
            yield _restore_item(root, place, document)


def _restore_collection(document: Document) -> Document:
    found = dict(document)
    tables = [key for key, asset in found.get("assets", {}).items() if ROLE in asset.get("roles", [])]
    assets = {key: asset for key, asset in found.pop("assets", {}).items() if key not in tables}
    if assets or ("assets" in document and not tables):
        found["assets"] = assets
    return _restore_links(found)


def _restore_item(root: Path, place: Path, document: Document) -> Document:
    if not is_id(document.get("id")) or not isinstance(document.get("assets"), dict):
        raise InvalidCatalog(f"{root} cannot be taken in: {os.path.relpath(place, root)} is no STAC item.")
    assets = {key: {**asset, "href": _restore_href(root, place, asset)} for key, asset in document["assets"].items()}
    return _restore_links({**document, "assets": assets})


def _restore_href(root: Path, place: Path, asset: Mapping[str, Any]) -> str:
    href = asset.get("href")
    if not isinstance(href, str):
        raise InvalidCatalog(f"{root} cannot be taken in: an asset in {os.path.relpath(place, root)} has no href.")
    if urlsplit(href).scheme in _REMOTE:
        return href
    file = Path(os.path.normpath(place.parent / href))
    if not file.resolve().is_relative_to(root):
        raise InvalidCatalog(
            f"{root} cannot be taken in: {os.path.relpath(place, root)} names a file outside of it, {href}."
        )
    return file.relative_to(root).as_posix()


def _restore_links(document: Document) -> Document:
    """Put back the links that a server has; of a catalog that is not ours, those that lead elsewhere stay."""
    found = dict(document)
    served = found.pop(SERVED_LINKS, None)
    if served is not None:
        return {**found, "links": served}
    kept = [link for link in found["links"] if link.get("rel") not in _TREE and not is_local(str(link.get("href")))]
    if found["type"] == "Feature":
        kept.append(_link("collection", f"stac/collections/{found.get('collection')}"))
    return {**found, "links": kept}
