from __future__ import annotations

from pathlib import Path

import pytest

from datacommons.demo import DemoFiles, DemoLandscape, generate, write

SMALL = (200, 200)


@pytest.fixture(scope="session")
def landscape() -> DemoLandscape:
    return generate(shape=SMALL)


@pytest.fixture(scope="session")
def files(landscape: DemoLandscape, tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    folder: Path = tmp_path_factory.mktemp("demo") / "landscape"
    return write(landscape, folder)
