"""A commons whose catalog is in PostgreSQL: made, filled, examined, and moved there and back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import datacommons as dc
from catalog.pgstac.store import PgstacStore
from catalog.store import OWNER, Query
from datacommons.errors import InvalidSettings
from datacommons.layers import search_all
from datacommons.settings import CATALOG_VARIABLE
from datacommons.upkeep.doctor import examine
from tests.catalog.postgres import Cluster
from tests.datacommons.conftest import RunCli, WriteRaster, make_scenario
from tests.inventory import take_inventory


@pytest.fixture
def address(cluster: Cluster) -> Iterator[str]:
    with cluster.database() as address:
        yield address


@pytest.fixture
def source(lived_in: Path, tmp_path: Path) -> Path:
    return shutil.copytree(lived_in, tmp_path / "valley")


def use(root: Path, address: str) -> None:
    """Let the settings of a commons name a database."""
    with (root / "commons.toml").open("a") as file:
        file.write(f'catalog = "{address}"\n')


def test_a_commons_moves_to_postgresql_and_back(source: Path, address: str, tmp_path: Path, cli: RunCli) -> None:
    before = take_inventory(source)
    outcome = cli("catalog", "copy", source, address)
    assert (outcome.code, outcome.out) == (0, f"Copied 8 items to {address}.\n")
    (source / "catalog.sqlite").unlink()
    use(source, address)
    with dc.open(source) as commons:
        assert isinstance(commons.store, PgstacStore)
        held = {f"collection {each['id']}": each for each in commons.store.collections(OWNER)}
        held |= {f"item {each['collection']}/{each['id']}": each for each in search_all(commons.store, Query())}
        assert held == {name: each for name, each in before.items() if name.startswith(("collection ", "item "))}
        assert examine(commons) == []
    assert cli("catalog", "copy", address, source / "catalog.sqlite").code == 0
    lines = (source / "commons.toml").read_text().splitlines()
    (source / "commons.toml").write_text("".join(f"{line}\n" for line in lines if not line.startswith("catalog")))
    assert take_inventory(source) == before


def test_layers_and_runs_of_such_a_commons(
    source: Path, address: str, write_raster: WriteRaster, cli: RunCli, tmp_path: Path
) -> None:
    cli("catalog", "copy", source, address)
    (source / "catalog.sqlite").unlink()
    use(source, address)
    with dc.open(source) as commons:
        commons.ingest([write_raster("slope.tif", np.ones((40, 60), np.float32))], collection="drivers")
        assert [layer.name for layer in commons.layers("valley")] == [
            *("land-cover", "land-cover", "rights", "road", "slope")
        ]
        run = commons.run(make_scenario(), threads=1)
        assert commons.runs() == ["valley-roads-1", run.id]
        assert examine(commons) == []
    assert not (source / "catalog.sqlite").exists()
    assert cli("export", "static", "-C", source).code == 0
    assert address not in (tmp_path / "static" / "catalog.json").read_text()
    assert cli("import", "static", "-C", "back").out == "Took in 12 items.\n"
    assert (tmp_path / "back" / "catalog.sqlite").is_file(), "a copy does not write into the same database"


def test_the_environment_goes_before_the_settings(source: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(source, "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv(CATALOG_VARIABLE, address)
    with dc.open(source) as commons:
        assert commons.landscapes() == []
    monkeypatch.setenv(CATALOG_VARIABLE, "mysql://here")
    with pytest.raises(InvalidSettings, match="names no database"):
        dc.open(source)


def test_migrating(source: Path, address: str, cli: RunCli) -> None:
    outcome = cli("catalog", "migrate", "-C", source)
    assert outcome.code == 2
    assert "is a file, which is always up to date" in outcome.err
    assert cli("catalog", "migrate", address).out.startswith("The database is ready: pgSTAC 0.9.")
    use(source, address)
    assert cli("catalog", "migrate", "-C", source).code == 0


def test_other_kinds_of_databases(source: Path, cli: RunCli) -> None:
    for places in ((source, "mysql://here/x"), ("mysql://here/x", source)):
        outcome = cli("catalog", "copy", *places)
        assert outcome.code == 2
        assert "mysql:// is no kind of catalog here" in outcome.err
