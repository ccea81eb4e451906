"""The command line: what it prints, how it ends, and how it finds its commons."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datacommons as dc
from datacommons.cli import app, main
from datacommons.commons import Commons
from datacommons.errors import FolderNotEmpty
from datacommons.founding import remove_demo
from tests.datacommons.conftest import RunCli, WriteRaster

Cells = np.ndarray[Any, np.dtype[np.uint8]]


def test_init_creates_a_commons(tmp_path: Path, cli: RunCli) -> None:
    outcome = cli("init", "plum-island", "--contact", "team@example.org", "--licence", "CC-BY-4.0")
    assert outcome.code == 0
    assert outcome.out == "Created the commons 'Plum Island' in plum-island.\n"
    with dc.open(tmp_path / "plum-island") as commons:
        assert commons.settings.contact == "team@example.org"
        assert commons.landscapes() == []
        assert commons.layers() == []


@pytest.mark.parametrize("name", ["note.txt", ".hidden"])
def test_init_refuses_a_folder_with_anything_in_it(tmp_path: Path, cli: RunCli, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / name).write_text("mine")
    outcome = cli("init", "full")
    assert outcome.code == 2
    assert "exists and is not empty" in outcome.err
    assert [path.name for path in (tmp_path / "full").iterdir()] == [name]


def test_init_refuses_a_file(tmp_path: Path, cli: RunCli) -> None:
    (tmp_path / "file").write_text("mine")
    outcome = cli("init", "file")
    assert outcome.code == 2
    assert "exists and is a file" in outcome.err


def test_init_with_a_bad_setting_leaves_nothing(tmp_path: Path, cli: RunCli) -> None:
    outcome = cli("init", "valley", "--landscape", "Upper Valley")
    assert outcome.code == 2
    assert "landscape: String should match pattern" in outcome.err
    assert not (tmp_path / "valley").exists()


def test_ingest_prints_what_was_done_and_what_was_unusual(
    tmp_path: Path, cli: RunCli, write_raster: WriteRaster, land_cover: Cells, legend_file: Path
) -> None:
    cli("init", "valley")
    path = write_raster("lc_1990.tif", land_cover)
    outcome = cli("ingest", path, "--collection", "land-cover", "--legend", legend_file, cwd=tmp_path / "valley")
    assert outcome.err == ""
    assert outcome.out.splitlines() == [
        "lc_1990.tif: added land-cover 1990 of valley, 2,280 cells with data",
        "  note: lc_1990.tif declares no nodata; its 120 cells of 0 are nodata by the legend",
        "  note: nobody said on what terms others may use this: say it with --licence, as CC-BY-4.0, or for all in "
        "commons.toml",
    ]
    again = cli("ingest", path, "--collection", "land-cover", "--replace")
    assert again.out.startswith("lc_1990.tif: replaced land-cover 1990 of valley")


def test_layers_lists_them(commons: Commons, write_raster: WriteRaster, cli: RunCli) -> None:
    commons.ingest([write_raster("slope.tif", np.ones((40, 60), np.float32))], collection="drivers")
    lines = cli("layers", cwd=commons.root).out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["valley", "land-cover", "1990", "3"],
        ["valley", "land-cover", "2000", "3"],
        ["valley", "slope", "measurements", "public"],
    ]
    assert "no landscape 'moor'" in cli("layers", "--landscape", "moor", cwd=commons.root).err


def test_layers_of_an_empty_commons_says_what_to_do(empty_commons: Commons, cli: RunCli) -> None:
    assert "datacommons ingest" in cli("layers", cwd=empty_commons.root).out


def test_commons_from_the_environment(
    commons: Commons, cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("DATACOMMONS_COMMONS", str(commons.root))
    assert "land-cover" in cli("layers", cwd=tmp_path / "elsewhere").out


def test_a_taken_port_is_a_clear_error(commons: Commons, cli: RunCli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = cli("serve", "--port", str(port), cwd=commons.root)
    assert outcome.code == 1
    assert outcome.err == (
        f"Error: Another program listens on port {port} of 127.0.0.1 already. "
        f"Stop the other program, or choose another port, as in --port {port + 1}.\n"
    )


def test_an_error_of_every_package_is_printed_without_traceback(
    commons: Commons, cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.errors import CatalogError
    from scenarios.errors import HistoryInvalid
    from tiles.errors import LayerUnreadable

    for error, code in [(CatalogError("c [red]"), 1), (HistoryInvalid("d"), 2), (LayerUnreadable("t"), 1)]:

        def fail(error: Exception = error) -> None:
            raise error

        app.command("fail")(fail)
        outcome = cli("fail")
        app.registered_commands.pop()
        assert (outcome.code, outcome.err) == (code, f"Error: {error}\n")


def test_an_unexpected_error_keeps_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    app.command("fail")(fail)
    try:
        with pytest.raises(ZeroDivisionError):
            main(["fail"])
    finally:
        app.registered_commands.pop()


def test_unknown_option_exits_with_2(cli: RunCli) -> None:
    assert cli("layers", "--colour").code == 2


def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from datacommons.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({'numpy', 'rasterio', 'xarray', 'fastapi'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "100"}
    )
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
    for command in ("init", "ingest", "layers", "validate", "run", "runs", "serve", "demo"):
        assert f" {command} " in done.stdout


def test_remove_demo_removes_only_a_demo(tmp_path: Path, commons: Commons) -> None:
    remove_demo(tmp_path / "absent")
    dc.init(tmp_path / "demo", demo=True).close()
    remove_demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
    for folder in (commons.root, commons.root / "layers"):
        with pytest.raises(FolderNotEmpty, match=r"no demonstration commons.*--folder"):
            remove_demo(folder)
    assert commons.landscapes() == ["valley"]
