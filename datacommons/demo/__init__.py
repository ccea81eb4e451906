"""A generated landscape to try everything out on: Quimera Valley, which does not exist."""

from __future__ import annotations

from datacommons.demo.files import DemoFiles, write
from datacommons.demo.landscape import DemoLandscape, generate

__all__ = ["DemoFiles", "DemoLandscape", "generate", "write"]
