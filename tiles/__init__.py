"""Map tiles of what a catalog holds: any item, and any year of a run. `import tiles` itself is light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiles.routes.app import add_tiles

__all__ = ["add_tiles"]


def __getattr__(name: str) -> Any:
    # TiTiler takes seconds to import, and whoever only wants the command line should not wait for it.
    if name == "add_tiles":
        from tiles.routes.app import add_tiles

        return add_tiles
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
