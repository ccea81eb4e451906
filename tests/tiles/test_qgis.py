"""QGIS draws XYZ and WMTS in the very colours of the legend (Debian: `python3-qgis`; without it this is skipped)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import morecantile
import numpy as np
import pytest
from PIL import Image

from tests.page.conftest import served
from tests.tiles.conftest import LEGEND, TileCommons

PYTHON = "/usr/bin/python3"  # of the system, for which packages of QGIS are made
JOB = Path(__file__).with_name("qgis_job.py")
TMS = morecantile.tms.get("WebMercatorQuad")
SIZE = 512
BEHIND = (255, 0, 255)


@pytest.fixture(scope="module")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the surroundings in which QGIS runs without a screen."""
    folder = str(tmp_path_factory.mktemp("qgis"))
    found = {"QT_QPA_PLATFORM": "offscreen", "HOME": folder, "XDG_RUNTIME_DIR": folder, "PATH": os.environ["PATH"]}
    asked = [PYTHON, "-c", "import qgis.core"]
    if not Path(PYTHON).exists() or subprocess.run(asked, env=found, capture_output=True, check=False).returncode:
        pytest.skip("QGIS is not installed for the system's Python: apt-get install python3-qgis")
    return found


def test_qgis_draws_xyz_and_wmts_in_the_colours_of_the_legend(qgis: dict[str, str], tmp_path: Path) -> None:
    made = TileCommons(tmp_path)
    cells = np.kron(np.array([[1, 2, 5], [9, 0, 1], [2, 9, 5]], np.uint8), np.ones((90, 90), np.uint8))
    base = made.add_layer("land-cover", "a", cells, legend=LEGEND, checksum="1220" + "ab" * 32)
    west, south, east, north = made.get(f"{base}/WebMercatorQuad/tilejson.json").json()["bounds"]
    # Four tiles of zoom 12, pixel by pixel.
    corner = TMS.tile((west + east) / 2, (south + north) / 2, 12)
    first, last = TMS.xy_bounds(corner), TMS.xy_bounds(morecantile.Tile(corner.x + 1, corner.y + 1, 12))
    bounds = [first.left, last.bottom, last.right, first.top]
    expected = np.concatenate(
        [
            np.concatenate(
                [made.pixels(f"{base}/tiles/WebMercatorQuad/12/{corner.x + i}/{corner.y + j}.png") for i in (0, 1)],
                axis=1,
            )
            for j in (0, 1)
        ]
    )
    with served(made.app) as address:
        xyz = f"type=xyz&zmin=0&zmax=16&url={quote(f'{address[:-1]}{base}/tiles/WebMercatorQuad/', safe='')}"
        xyz += "%7Bz%7D/%7Bx%7D/%7By%7D.png"
        wmts = "contextualWMSLegend=0&crs=EPSG:3857&dpiMode=7&format=image/png&layers=a&styles=legend"
        wmts += f"&tileMatrixSet=WebMercatorQuad&url={quote(f'{address[:-1]}{base}/WMTSCapabilities.xml', safe='')}"
        for number, uri in enumerate((xyz, wmts)):
            target = tmp_path / f"{number}.png"
            command = [PYTHON, str(JOB), uri, *map(repr, bounds), str(SIZE), str(target)]
            done = subprocess.run(command, env=qgis, capture_output=True, text=True, check=False, timeout=300)
            assert done.returncode == 0, done.stderr
            image = np.asarray(Image.open(target).convert("RGB"))
            seen = {tuple(int(band) for band in colour) for colour in np.unique(image.reshape(-1, 3), axis=0)}
            assert seen == {entry.rgb for entry in LEGEND} | {BEHIND}
            # QGIS moves a tile by a part of a pixel where it puts it beside another; colours it leaves alone.
            flat = np.where(expected[..., 3:] > 0, expected[..., :3], np.array(BEHIND, np.uint8))
            assert (image == flat).all(axis=2).mean() > 0.98
