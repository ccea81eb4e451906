"""`commons.toml`, and how a command finds its commons."""

from __future__ import annotations

from pathlib import Path

import pytest

from datacommons.errors import InvalidSettings, NotACommons
from datacommons.settings import Settings, find_commons, read_settings, write_settings


def make_commons(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_settings(folder, Settings(name="Any"))
    return folder


def test_settings_round_trip(tmp_path: Path) -> None:
    name = 'A "quoted" name \\ é 山'
    settings = Settings(name=name, contact="someone@example.org", licence="CC-BY-4.0", landscape="x")
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings


def test_settings_are_readable_toml(tmp_path: Path) -> None:
    write_settings(tmp_path, Settings(name="Valley"))
    assert (tmp_path / "commons.toml").read_text("utf-8").splitlines()[:3] == [
        'name = "Valley"',
        'contact = ""',
        'licence = "other"',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = Valley", "not valid TOML"),
        ("contact = 'me'", "name: Field required"),
        ("name = 'V'\ncolour = 'red'", "colour: Extra inputs.*settings are: name, contact"),
        ("name = 'V'\ndefault_access = 'Top Secret'", "default_access"),
    ],
)
def test_unusable_settings(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "commons.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidSettings, match=message):
        read_settings(tmp_path)


def test_a_folder_without_settings_is_no_commons(tmp_path: Path) -> None:
    with pytest.raises(NotACommons, match=r"has no commons\.toml.*datacommons init"):
        read_settings(tmp_path)
    with pytest.raises(NotACommons, match="no such folder"):
        read_settings(tmp_path / "absent")


def test_find_commons(tmp_path: Path) -> None:
    valley = make_commons(tmp_path / "work" / "valley")
    (valley / "layers" / "drivers").mkdir(parents=True)
    assert find_commons(None, valley) == valley
    assert find_commons(None, valley / "layers" / "drivers") == valley
    assert find_commons(None, tmp_path / "work") == valley
    assert find_commons(Path("named"), valley) == Path("named")


def test_find_commons_none_or_several(tmp_path: Path) -> None:
    with pytest.raises(NotACommons, match="datacommons init"):
        find_commons(None, tmp_path)
    make_commons(tmp_path / "a")
    make_commons(tmp_path / "b")
    with pytest.raises(NotACommons, match=r"several commons: a, b.*-C a"):
        find_commons(None, tmp_path)
