"""From the parts of an address to what it shows, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.store import Reader
from tiles.drawing.difference import DifferenceSheet
from tiles.drawing.run_sheets import RunSheet
from tiles.drawing.sheets import LayerSheet
from tiles.drawing.style import choose_style
from tiles.errors import InvalidRequest
from tiles.reading.runs import find_run
from tiles.routes.layer import Layer, LayerIndex

Parts = Mapping[str, str]


@dataclass(frozen=True)
class Addresses:
    """Finds sheets by the path and the query of an address; both hold plain texts.

    Parameters
    ----------
    index : LayerIndex
    """

    index: LayerIndex

    def find_item(self, reader: Reader, path: Parts, query: Parts) -> LayerSheet:
        """Find an asset of an item, in a style."""
        layer = self.index.find(reader, path["collection_id"], path["item_id"], query.get("asset"))
        return LayerSheet(layer, choose_style(layer, query.get("style")))

    def find_run(self, reader: Reader, path: Parts, query: Parts) -> LayerSheet:
        """Find a year of a run, in a style."""
        layer = self.index.find_run_map(reader, path["run_id"], int(path["year"]))
        return LayerSheet(layer, choose_style(layer, query.get("style")))

    def find_hindcast(self, reader: Reader, path: Parts, query: Parts) -> LayerSheet:
        """Find the map of a run's hindcast: which changes were found, and which errors were made."""
        layer = self.index.find_hindcast(reader, path["run_id"])
        return LayerSheet(layer, choose_style(layer, query.get("style")))

    def find_difference(self, reader: Reader, path: Parts, query: Parts) -> DifferenceSheet:
        """Find a year of a run, compared with another year, another run or an observed layer.

        Raises
        ------
        InvalidRequest
            If the address does not say with what.
        """
        run, year = path["run_id"], int(path["year"])
        after = self.index.find_run_map(reader, run, year)
        before = self._find_reference(reader, run, year, query)
        return DifferenceSheet.of(before, after, query.get("style"), query.get("class"))

    def find_members(self, reader: Reader, path: Parts, query: Parts) -> RunSheet:
        """Find what the members of a run make together: of a year, or of all."""
        run = find_run(self.index, reader, path["run_id"])
        year = int(path["year"]) if path.get("year") else None
        return RunSheet.of(run, path["kind"], year, query.get("class"), query.get("style"))

    def _find_reference(self, reader: Reader, run: str, year: int, query: Parts) -> Layer:
        since, against = query.get("since"), query.get("against")
        if since is not None and not (since.isdecimal() and since.isascii() and 1 <= len(since) <= 4):
            raise InvalidRequest(f"since in the URL is wrong: {since!r} is no year.")
        if since is None and against is None:
            raise InvalidRequest(
                "Say what to compare with: ?since=2025 for another year of the run, ?against=RUN for another run, "
                "?against=COLLECTION/ITEM for an observed layer."
            )
        collection, slash, item = (against or "").partition("/")
        if slash and since is not None:
            raise InvalidRequest("An item has one date: give ?since= with a run, or leave it out.")
        if slash:
            return self.index.find(reader, collection, item)
        return self.index.find_year(reader, against or run, int(since) if since else year)
