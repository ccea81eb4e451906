"""A generated landscape to try everything out on: Quimera Valley, which does not exist."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datacommons.demo.files import DemoFiles, write
    from datacommons.demo.landscape import DemoLandscape, generate

__all__ = ["DemoFiles", "DemoLandscape", "generate", "write"]

_ROOMS = {"DemoFiles": "files", "DemoLandscape": "landscape", "generate": "landscape", "write": "files"}


def __getattr__(name: str) -> Any:
    """Import the heavy rooms only when they are asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'datacommons.demo' has no attribute {name!r}")
    return getattr(import_module(f"datacommons.demo.{_ROOMS[name]}"), name)
