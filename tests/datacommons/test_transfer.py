"""What goes out comes back: from place to place nothing is lost, and nothing is half taken in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pystac
import pytest

import datacommons as dc
from catalog.errors import InvalidItem
from catalog.store import ANONYMOUS, OWNER, Query
from datacommons.commons import Commons
from datacommons.errors import FolderNotEmpty, InvalidCatalog, ItemExists
from datacommons.upkeep.doctor import examine
from datacommons.upkeep.holdings import hold_commons
from datacommons.upkeep.static import read_static, write_static
from datacommons.upkeep.transfer import copy_catalog, take_in
from tests.datacommons.conftest import RunCli
from tests.inventory import take_inventory, unchanged


@pytest.fixture
def source(lived_in: Path, tmp_path: Path) -> Path:
    """Return a copy of the commons with layers, one of them hidden, and a run."""
    return shutil.copytree(lived_in, tmp_path / "source")


@pytest.fixture
def static(lived_in: Path, tmp_path: Path) -> Path:
    """Return a static catalog of it."""
    with dc.open(lived_in) as commons:
        write_static(hold_commons(commons), tmp_path / "static")
    return tmp_path / "static"


def test_an_export_comes_back_without_loss(source: Path, tmp_path: Path, cli: RunCli) -> None:
    assert cli("export", "static", "-C", source).code == 0
    before = take_inventory(source)
    outcome = cli("import", "static", "-C", "back")
    assert (outcome.code, outcome.out) == (0, "Took in 8 items.\n")
    assert take_inventory(tmp_path / "back") == before
    with dc.open(tmp_path / "back") as commons:
        assert examine(commons) == []
        assert commons.open_run("valley-roads-1").scenario.id == "roads"
        assert commons.store.search(Query(ids=("valley-rights",)), ANONYMOUS).items == ()


@pytest.mark.parametrize("steps", [["a"], ["a.sqlite"], ["a", "b.sqlite"]], ids=str)
def test_a_catalog_is_copied_from_place_to_place_without_loss(
    source: Path, tmp_path: Path, cli: RunCli, steps: list[str]
) -> None:
    place = str(source)
    for step in steps:
        outcome = cli("catalog", "copy", place, step)
        assert (outcome.code, outcome.out) == (0, f"Copied 8 items to {step}.\n")
        place = step
    if place.endswith(".sqlite"):
        (source / "catalog.sqlite").unlink()
        assert cli("catalog", "copy", place, str(source / "catalog.sqlite")).code == 0
        place = "source"
    assert take_inventory(tmp_path / place) == take_inventory(source)


def test_by_way_of_a_static_catalog(source: Path, tmp_path: Path, cli: RunCli) -> None:
    assert cli("catalog", "copy", "source", "static", "--static").code == 0
    assert cli("catalog", "copy", "static", "back", "--link").code == 0
    assert take_inventory(tmp_path / "back") == take_inventory(source)


def test_what_cannot_be_copied(source: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none", tmp_path / "none.sqlite"):
        with pytest.raises(InvalidCatalog):
            copy_catalog(str(place), str(tmp_path / "target"))
    with pytest.raises(InvalidCatalog, match="has documents only"):
        copy_catalog(str(source / "catalog.sqlite"), str(tmp_path / "target"))
    with unchanged(source), pytest.raises(FolderNotEmpty):
        copy_catalog(str(source), str(source))
    assert not (tmp_path / "target").exists()


def test_into_a_commons_that_has_other_layers(static: Path, commons: Commons, tmp_path: Path) -> None:
    commons.store.delete_items("land-cover", ["valley-land-cover-1990", "valley-land-cover-2000"])
    commons.store.delete_items("landscapes", ["valley"])
    shutil.rmtree(commons.root / "layers")
    assert take_in(commons, read_static(static)) == 8
    assert examine(commons) == []
    with unchanged(commons.root), pytest.raises(ItemExists, match="say --replace"):
        take_in(commons, read_static(static))
    assert take_in(commons, read_static(static), replace=True) == 8
    assert examine(commons) == []


def test_an_import_that_fails_late_leaves_the_collections_as_they_were(static: Path, tmp_path: Path) -> None:
    edit(static / "collections/vectors/collection.json", lambda found: found.update(id="roads"))
    with dc.init(tmp_path / "other") as other:
        (other.root / "runs").write_text("in the way of the last folder")
        before = other.store.collections(OWNER)
        with pytest.raises(OSError, match="runs"):
            take_in(other, read_static(static))
        assert other.store.collections(OWNER) == before
        (other.root / "runs").unlink()
        assert take_in(other, read_static(static)) == 8
        assert "roads" in [each["id"] for each in other.store.collections(OWNER)]
        assert examine(other) == []


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


ITEM = "collections/land-cover/items/valley-land-cover-1990.json"
COG = "layers/land-cover/valley-land-cover-1990/valley-land-cover-1990.tif"


def set_href(href: str) -> Callable[[Path], None]:
    return lambda root: edit(root / ITEM, lambda item: item["assets"]["data"].update(href=href))


def set_member(**members: Any) -> Callable[[Path], None]:
    return lambda root: edit(root / ITEM, lambda item: item.update(members))


def link_outside(root: Path) -> None:
    cube = next(root.rglob("trajectory.zarr"))
    (cube / "secret").symlink_to("/etc/hostname")


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        (lambda root: (root / "catalog.json").unlink(), InvalidCatalog, "catalog.json is missing"),
        (lambda root: (root / ITEM).unlink(), InvalidCatalog, "valley-land-cover-1990.json is missing"),
        (lambda root: (root / ITEM).write_text("{"), InvalidCatalog, "cannot be read"),
        (lambda root: (root / ITEM).write_text("[]"), InvalidCatalog, "no STAC catalog, collection or item"),
        (lambda root: (root / COG).unlink(), InvalidCatalog, "cannot be taken in: it is missing"),
        (lambda root: (root / COG).write_bytes(b"x"), InvalidCatalog, "it has 1 bytes and not"),
        (set_href("../../../../source.txt"), InvalidCatalog, "names a file outside of it"),
        (set_href("/etc/hostname"), InvalidCatalog, "names a file outside of it"),
        (set_href("file:///etc/hostname"), InvalidCatalog, "cannot be taken in: it is missing"),
        (set_member(id="../valley"), InvalidCatalog, "is no STAC item"),
        (set_member(id=".."), InvalidCatalog, "is no STAC item"),
        (set_member(collection=".."), InvalidItem, "names the collection '..'"),
        (set_member(collection="elsewhere"), InvalidCatalog, "names the collection 'elsewhere'"),
        (set_member(properties={}), InvalidItem, "has no time"),
        (set_member(links=None), InvalidCatalog, "has no list of links"),
        (link_outside, InvalidCatalog, "it has symbolic links in it"),
        (
            lambda root: edit(root / "catalog.json", lambda document: document["links"][1].update(href="../x.json")),
            InvalidCatalog,
            "a link leads out of it",
        ),
    ],
)
def test_what_is_not_sound_is_not_taken_in(
    static: Path,
    empty_commons: Commons,
    harm: Callable[[Path], object],
    error: type[Exception],
    message: str,
) -> None:
    harm(static)
    with unchanged(empty_commons.root), pytest.raises(error, match=message):
        take_in(empty_commons, read_static(static))


def test_a_new_commons_that_could_not_take_all_is_not_made(static: Path, tmp_path: Path, cli: RunCli) -> None:
    (static / COG).unlink()
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        outcome = cli("import", "static", "-C", name)
        assert outcome.code == 2
        assert "cannot be taken in: it is missing" in outcome.err
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_static_catalog_of_another_tool(static: Path, empty_commons: Commons, tmp_path: Path) -> None:
    """pystac writes it anew, in another layout, with its files beside the items."""
    source = json.loads((static / ITEM).read_text())
    catalog = pystac.Catalog("other", "Made elsewhere.")
    item = pystac.Item.from_dict(source | {"links": [], "collection": None, "stac_extensions": []})
    item.extra_fields.pop("datacommons:links")
    item.assets = {"data": pystac.Asset("./map.tif"), "twin": pystac.Asset("./more/map.tif")}
    extent = pystac.Extent.from_items([item])
    collection = pystac.Collection("maps", "Maps.", extent, license="CC-BY-4.0")
    collection.add_item(item)
    collection.add_link(pystac.Link("about", "https://example.org/"))
    catalog.add_child(collection)
    catalog.normalize_and_save(str(tmp_path / "other"), pystac.CatalogType.SELF_CONTAINED)
    folder = tmp_path / "other" / "maps" / item.id
    (folder / "more").mkdir()
    for name in ("map.tif", "more/map.tif"):
        (folder / name).write_text(name)
    assert take_in(empty_commons, read_static(tmp_path / "other")) == 1
    assert examine(empty_commons) == []
    taken = empty_commons.store.item("maps", item.id, OWNER)
    assert [asset["href"] for asset in taken["assets"].values()] == [
        f"layers/maps/{item.id}/map.tif",
        f"layers/maps/{item.id}/twin-map.tif",
    ]
    assert [link["rel"] for link in taken["links"]] == ["collection"]
    assert [link["href"] for link in empty_commons.store.collection("maps", OWNER)["links"]] == ["https://example.org/"]
