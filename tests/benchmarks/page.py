"""How light and how quick the page is, in a real browser on a real commons: `make bench-page`.

`COMMONS=folder` measures on a commons that is there; else the demonstration is made first. The browser draws WebGL by
the processor, and shares it with the server: a machine that does other work shows in every row but the weight.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.bars import Bench, Row

_ARGUMENTS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_PROGRAM = str(Path(sys.executable).with_name("datacommons"))
_PATIENCE_MS = 180_000
_DONE = ".map-area[data-map=done]"
_USEFUL = f".first-look[data-state=done], {_DONE}"
_SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
_SLOWDOWN = 4
_STEPS = 8
# From the press of a key to the frame in which the map of the next year is drawn.
_STEP = """async () => {
  const area = document.querySelector(".map-area");
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
  const year = document.querySelector("#year").value;
  while (area.dataset.map !== "done" || area.dataset.year !== year) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the server of a commons as long as the block lasts."""
    command = [_PROGRAM, "serve", "--commons", str(folder), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http")) + "/"
    finally:
        process.terminate()
        process.wait()


def measure_weight(bench: Bench, browser: Browser, url: str) -> None:
    """Count the bytes on the wire before the first tile, and whom the page asks."""
    page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    names: dict[str, str] = {}
    weights: dict[str, float] = {}
    network.on("Network.requestWillBeSent", lambda told: names.update({told["requestId"]: told["request"]["url"]}))
    network.on("Network.loadingFinished", lambda told: weights.update({told["requestId"]: told["encodedDataLength"]}))
    page.goto(url)
    page.wait_for_selector(_DONE, timeout=_PATIENCE_MS)
    files = sum(size for key, size in weights.items() if "/tiles/" not in names[key])
    tiles = sum(size for key, size in weights.items() if "/tiles/" in names[key])
    others = {urlsplit(name).netloc for name in names.values() if name.startswith("http")} - {urlsplit(url).netloc}
    page.close()
    bench.add(
        "1. Weight",
        Row("kB before tiles, compressed, data included", files / 1000, most=400, digits=0),
        Row("    kB of tiles of the first view", tiles / 1000, digits=0),
        Row("other hosts asked", len(others), most=0, digits=0),
    )


def measure_phone(bench: Bench, browser: Browser, url: str) -> None:
    """Time the first map on a slow phone: 400 kbit/s, 400 ms, a processor four times slower."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    phone = context.new_cdp_session(page)
    phone.send("Network.enable")
    phone.send("Network.emulateNetworkConditions", _SLOW)
    phone.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWDOWN})
    started = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(".card", timeout=_PATIENCE_MS)
    words = time.monotonic() - started
    page.wait_for_selector(_USEFUL, timeout=_PATIENCE_MS)
    useful = time.monotonic() - started
    page.wait_for_selector(_DONE, timeout=_PATIENCE_MS)
    bench.add(
        "2. Slow phone: 400 kbit/s, 400 ms, a processor four times slower",
        Row("s to the first useful map, as plain pictures", useful, most=8, digits=1),
        Row("    s to the map that can be moved", time.monotonic() - started, digits=1),
        Row("    s to the names of the scenarios", words, digits=1),
    )
    context.close()


def measure_slider(bench: Bench, browser: Browser, url: str) -> None:
    """Time a year's step, its tiles being there; without the fade, which takes 180 ms where motion is wanted."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.goto(url)
    page.wait_for_selector(_DONE, timeout=_PATIENCE_MS)
    page.evaluate("() => document.activeElement.blur()")
    _wait_for_rest(page)
    first = page.locator("#year").get_attribute("min") or ""
    page.locator("#year").fill(first)
    for _ in range(3):  # from the observed years to the projected ones, at the slowest pace
        _wait_for_rest(page)
        page.evaluate(_STEP)
    took = []
    for _ in range(_STEPS):
        _wait_for_rest(page)
        took.append(float(page.evaluate(_STEP)))
    page.close()
    bench.add(
        "3. The next year, its tiles there",
        Row("ms to the map, median", statistics.median(took), most=150, digits=0),
        Row("    ms to the map, slowest", max(took), digits=0),
    )


def _wait_for_rest(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector(".map.first[aria-busy=false]", timeout=_PATIENCE_MS)


def main() -> None:
    """Measure, and print the table."""
    bench = Bench()
    program = next(found for name in _PROGRAMS if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder:
        commons = Path(os.environ.get("COMMONS") or Path(folder) / "demo")
        if not commons.is_dir():
            command = [_PROGRAM, "demo", "--folder", str(commons), "--no-serve"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with served(commons) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
            for measure in (measure_weight, measure_phone, measure_slider):
                measure(bench, browser, url)
            browser.close()
    print(bench)


if __name__ == "__main__":
    main()
