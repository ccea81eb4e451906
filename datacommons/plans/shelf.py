"""Where the items of plans are: found by who knows their ids, and in no catalog."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any


class Shelf:
    """Items of plans, by collection and id, with hrefs relative to a folder of plans.

    Parameters
    ----------
    folder : of the plans' files; each plan has one of its id in it
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._items: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._lock = Lock()

    def put(self, plan: str, item: dict[str, Any]) -> None:
        """Put an item of a plan there; one of the same id is replaced."""
        with self._lock:
            self._items.setdefault(plan, {})[item["collection"], item["id"]] = item

    def find(self, collection: str, item: str) -> dict[str, Any] | None:
        """Find an item, whose id is that of a plan or begins with it."""
        plan = "-".join(item.split("-")[:2])
        return self._items.get(plan, {}).get((collection, item))

    def clear(self, plan: str) -> None:
        """Take away all items of a plan."""
        with self._lock:
            self._items.pop(plan, None)

    def locate(self, href: str) -> str | None:
        """Turn an href of a plan's item into a path; None if it is of no plan that is kept."""
        return str(self._folder / href) if href.partition("/")[0] in self._items else None
