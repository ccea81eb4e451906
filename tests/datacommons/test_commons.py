"""The commons as an object: its folder, collections and memory, and the STAC it keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datacommons as dc
from catalog.store import ANONYMOUS, OWNER
from datacommons.commons import Commons
from tests.catalog.stac_validation import find_faults
from tests.datacommons.conftest import LEGEND, WriteRaster

Cells = np.ndarray[Any, np.dtype[np.uint8]]


def test_open_again(commons: Commons) -> None:
    commons.close()
    with dc.open(commons.root) as again:
        assert again.landscapes() == ["valley"]
        assert repr(again) == f"Commons({str(commons.root)!r})"


def test_open_from_a_relative_path(commons: Commons, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(commons.root.parent)
    with dc.open("valley") as again:
        monkeypatch.chdir(tmp_path / "valley" / "layers")
        assert again.land_cover("valley").sizes["time"] == 2


def test_init_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    dc.init(tmp_path / "new", name="The commons").close()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["catalog.sqlite", "commons.toml"]


def test_init_that_fails_leaves_an_empty_folder_empty(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(ValueError, match="language"):
        dc.init(tmp_path / "new", language="not a language")
    assert list((tmp_path / "new").iterdir()) == []


def test_collections_say_what_the_settings_say(commons: Commons) -> None:
    commons.close()
    text = (commons.root / "commons.toml").read_text("utf-8")
    (commons.root / "commons.toml").write_text(text.replace('"other"', '"CC-BY-4.0"'), "utf-8")
    with dc.open(commons.root) as again:
        collections = {each["id"]: each for each in again.store.collections(ANONYMOUS)}
        assert set(collections) == {"landscapes", "land-cover", "drivers", "vectors", "runs", "run-maps"}
        assert {each["license"] for each in collections.values()} == {"CC-BY-4.0"}
        interval = collections["land-cover"]["extent"]["temporal"]["interval"]
        assert interval == [["1990-01-01T00:00:00Z", "2000-12-31T23:59:59Z"]]


def test_extents_tell_nothing_of_hidden_items(tmp_path: Path, write_raster: WriteRaster, land_cover: Cells) -> None:
    with dc.init(tmp_path / "secret", default_access="private") as commons:
        path = write_raster("lc_1990.tif", land_cover)
        commons.ingest([path], collection="land-cover", legend=dc.Legend.from_json(LEGEND))
        extent = commons.store.collection("land-cover", ANONYMOUS)["extent"]
    assert extent == {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}


@pytest.mark.parametrize(
    ("collection", "item"),
    [("landscapes", "valley"), ("land-cover", "valley-land-cover-1990"), ("drivers", "valley-h")],
)
def test_items_are_valid_stac(
    commons: Commons, write_raster: WriteRaster, land_cover: Cells, collection: str, item: str
) -> None:
    commons.ingest([write_raster("h.tif", land_cover.astype(np.float32))], collection="drivers")
    document = commons.store.item(collection, item, OWNER)
    assert find_faults(document) == []
    assert json.loads(json.dumps(document)) == document


def test_locate(commons: Commons) -> None:
    assert commons.locate("layers/a.tif") == str(commons.root / "layers" / "a.tif")
    assert commons.locate("s3://bucket/a.tif") == "s3://bucket/a.tif"


def test_remember_learns_once(commons: Commons) -> None:
    lessons: list[int] = []

    def learn() -> int:
        lessons.append(1)
        return len(lessons)

    assert [commons.remember(key, learn) for key in ("a", "a", "b")] == [1, 1, 2]
