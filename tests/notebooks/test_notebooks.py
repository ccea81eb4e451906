"""Every notebook runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.long

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
PATIENCE_S = 600  # for a busy machine, a cell as much as the start of the kernel

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read_code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["first-look.ipynb", "is-this-model-any-good.ipynb"]


@every_notebook
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = read_code(nbformat.read(path, as_version=4))
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count] == []


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for a kernel that neither reads nor writes the user's own Jupyter settings."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # figures are to appear in the notebook
    return tmp_path


@every_notebook
def test_a_notebook_runs_and_draws(path: Path, apart: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(apart)}}
    patience = {"timeout": PATIENCE_S, "startup_timeout": PATIENCE_S}
    NotebookClient(notebook, **patience, kernel_name="python3", resources=place).execute()
    outputs = [output for cell in read_code(notebook) for output in cell.outputs]
    complaints = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert complaints == []
    assert any("image/png" in output.get("data", {}) for output in outputs)
