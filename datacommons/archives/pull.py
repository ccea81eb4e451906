"""Pulling from ready-made sources: searched, cut out, put onto the landscape's grid, and ingested with their origin."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.collections import LAND_COVER
from catalog.legend import Legend
from datacommons.archives.links import Links, Patience
from datacommons.archives.mosaic import Mosaic, cut_grid, fetch_mosaic, measure_tile
from datacommons.archives.search import Box, find_asset, search_items
from datacommons.archives.zarr import fetch_mean
from datacommons.errors import InvalidIngest, ItemExists
from datacommons.ingest.intake import choose_legend
from datacommons.layers import find_latest, find_versions
from datacommons.naming import check_name, name_of
from datacommons.progress import Advance, progress_bar
from datacommons.sources import Source, find_source

if TYPE_CHECKING:
    from datacommons.commons import Commons
    from datacommons.ingest.raster_layers import IngestReport

KEPT = ".pulls"
"""The folder in a commons where strips are kept until a layer is whole."""


@dataclass(frozen=True)
class PullOptions:
    """What the user says about a pull; :meth:`datacommons.Commons.pull` explains each."""

    landscape: str
    years: tuple[int, ...] | None = None
    asset: str | None = None
    bbox: Box | None = None
    replace: bool = False
    api: str | None = None
    sign: str | None = None
    patience: Patience = field(default_factory=Patience)
    strip_rows: int = 1024
    progress: bool = False


@dataclass(frozen=True)
class PullReport:
    """What became of a pull.

    Attributes
    ----------
    source : str
    taken : tuple of IngestReport
        One a layer.
    passed : tuple of int
        Years that the commons had already.
    missing : tuple of int
        Years of which the source has nothing here.
    note : str
        What one has to know of the source.
    """

    source: str
    taken: tuple[IngestReport, ...]
    passed: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    note: str = ""


def pull_source(commons: Commons, name: str, options: PullOptions) -> PullReport:
    """Take layers from a ready-made source; each year is published as soon as it is whole.

    Raises
    ------
    SourceUnknown, InvalidIngest, InvalidLegend, LandscapeNotFound
        What cannot be, before anything is asked for.
    RemoteFailed
        What could not be read. Years taken before are published, and strips of the next are kept.
    """
    source = find_source(name)
    if source.access == "none":
        raise InvalidIngest(f"{source.title} cannot be pulled. {source.advice}")
    _refuse_unfit(commons, source, options)
    links = Links(source.sign if options.sign is None else options.sign, options.patience)
    pull = _Pull(commons, source, options, source.choose_asset(options.asset), links)
    years = [None] if source.access == "zarr" else _choose_years(source, options.years)
    taken, passed, missing = [], [], []
    with progress_bar(f"Pulling {name}", len(years), shown=options.progress) as advance:
        for year in years:
            if not options.replace and pull.is_taken(year):
                passed.append(year)
            elif (report := pull.take(year, advance)) is not None:
                taken.append(report)
            else:
                missing.append(year)
    if not taken and not passed:
        raise InvalidIngest(
            f"{source.title} has nothing for this place{_of_years(missing)}. Check the years and the place."
        )
    return PullReport(name, tuple(taken), _named(passed), _named(missing), source.note)


@dataclass(frozen=True)
class _Pull:
    """One source, on its way into one landscape."""

    commons: Commons
    source: Source
    options: PullOptions
    asset: str
    links: Links

    @property
    def layer(self) -> str:
        """How scenario files will call it."""
        if self.source.kind == LAND_COVER:
            return LAND_COVER
        plain = self.asset in self.source.assets[:1] and not self.source.parts
        return self.source.layer if plain else name_of(f"{self.source.layer}-{self.asset}")

    def is_taken(self, year: int | None) -> bool:
        """Tell whether the commons has the layer of a year. Raises ItemExists where it is of another product."""
        of_year = year if self.source.kind == LAND_COVER else None
        found = find_versions(self.commons.store, self.source.kind, self.options.landscape, self.layer, of_year)
        item = find_latest(found)
        if item is None:
            return False
        known = item["properties"].get("landscape:product")
        if known != self.source.product_of(year):
            raise ItemExists(
                f"The commons has {item['id']} in {self.source.kind} already, of "
                f"{known or 'a product that nobody named'}: "
                "say --replace to replace it, or leave out its year."
            )
        return True

    def take(self, year: int | None, advance: Advance) -> IngestReport | None:
        """Read the layer of a year and ingest it; None if the source has nothing there."""
        kept = [self.options.landscape, self.source.id, self.layer, *([str(year)] if year else [])]
        folder = self.commons.root / KEPT / "-".join(kept)
        if self.source.access == "zarr":
            report = self._take_mean(folder, advance)
        else:
            tiles = self._find_tiles(year)
            if not tiles:
                return None
            mosaic, size = self._plan(tuple(href for href, _ in tiles))
            path = fetch_mosaic(mosaic, self.links, folder, advance)
            report = self._ingest(path, year, [origin for _, origin in tiles], size)
        shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
        return report

    def _take_mean(self, folder: Path, advance: Advance) -> IngestReport:
        """Read the mean of a variable over the years asked for, and ingest it."""
        years = [year for year in _choose_years(self.source, self.options.years) if year is not None]
        if not years:
            raise InvalidIngest(f"{self.source.id} gives the mean of years: say of which, as in --years 1991/2020.")
        api = (self.options.api or self.source.api).rstrip("/")
        origin = f"{api}/collections/{self.source.collection}"
        href = find_asset(origin, self.source.zarr, self.links)
        box = self.commons.landscape(self.options.landscape).bbox
        path, size = fetch_mean(href, self.asset, years, box, self.links, folder, advance)
        return self._ingest(path, None, [origin], size)

    def _find_tiles(self, year: int | None) -> list[tuple[str, str]]:
        """Return the address of each tile, and that of the document that describes it."""
        api = (self.options.api or self.source.api).rstrip("/")
        if self.source.access == "file":
            href = self.source.file.format(api=api, variable=self.asset.partition("_")[0], asset=self.asset)
            return [(href, href)]
        place = self.options.bbox or self.commons.landscape(self.options.landscape).bbox
        items = search_items(api, self.source.collection, place, year, self.options.patience)
        return [
            (item.assets[self.asset].href, str(item.get_self_href() or item.id))
            for item in items
            if self.asset in item.assets
        ]

    def _plan(self, hrefs: tuple[str, ...]) -> tuple[Mosaic, float]:
        """Return what is to be read, and the edge of the source's own cells in metres."""
        grid, size = measure_tile(hrefs[0], self.links)
        there = self.options.landscape in self.commons.landscapes()
        if there or self.options.bbox is None:
            grid = self.commons.landscape(self.options.landscape).geobox
        else:
            grid = cut_grid(grid, self.options.bbox)
        classified = self.source.kind == LAND_COVER
        return Mosaic(hrefs, grid, classified, self.source.nodata, self.options.strip_rows), size

    def _ingest(self, path: Path, year: int | None, origins: Sequence[str], size: float) -> IngestReport:
        classified = self.source.kind == LAND_COVER
        path = path.rename(path.with_name(f"{self.source.id}.tif"))
        [report] = self.commons.ingest(
            [path],
            collection=self.source.kind,
            legend=Legend.of_product(self.source.legend) if classified else None,
            landscape=self.options.landscape,
            new_landscape=self.options.landscape not in self.commons.landscapes(),
            years=[year] if year is not None else None,
            name=None if classified else self.layer,
            replace=self.options.replace,
            product=self.source.product_of(year),
            product_version=self.source.version_of(year) or None,
            licence=self.source.licence,
            derived_from=origins,
            cell_size_m=size,
        )
        return report


def read_years(text: str) -> tuple[int, ...]:
    """Read years: ``1995/2020`` is all of them from the one to the other, ``1995,2005`` those two.

    Raises
    ------
    InvalidIngest
        If it is neither.
    """
    try:
        if "/" in text:
            first, last = (int(part) for part in text.split("/"))
            return tuple(range(first, last + 1)) if first <= last else _refuse_years(text)
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        return _refuse_years(text)


def read_bbox(text: str) -> Box:
    """Read a box of four numbers. Raises InvalidIngest."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidIngest(f"--bbox {text} is no box: give west, south, east, north in degrees.") from None
    return west, south, east, north


def _refuse_years(text: str) -> tuple[int, ...]:
    raise InvalidIngest(f"--years {text} is not understood: write 1995/2020 for a span, or 1995,2005,2015.")


def _choose_years(source: Source, years: tuple[int, ...] | None) -> Sequence[int | None]:
    if source.years is None or (years is None and source.kind != LAND_COVER):
        if years is not None:
            raise InvalidIngest(f"{source.id} has no years: leave out --years.")
        return [None]
    first, last = source.years
    if years is None:
        raise InvalidIngest(f"{source.id} has the years {first} to {last}: say which, as in --years {first}/{last}.")
    outside = [year for year in years if not first <= year <= last]
    if outside:
        raise InvalidIngest(
            f"{source.id} has the years {first} to {last}, and {', '.join(map(str, outside))} "
            f"{'was' if len(outside) == 1 else 'were'} "
            "asked for. Leave them out."
        )
    return years


def _refuse_unfit(commons: Commons, source: Source, options: PullOptions) -> None:
    """Refuse what would be refused after hours of reading."""
    if options.landscape in commons.landscapes():
        if options.bbox is not None:
            raise InvalidIngest(f"--bbox is for a new landscape, and {options.landscape} is there: leave it out.")
        if source.kind == LAND_COVER:
            choose_legend(LAND_COVER, Legend.of_product(source.legend), commons.landscape(options.landscape))
        return
    if source.kind != LAND_COVER:
        commons.landscape(options.landscape)  # says which there are
    check_name(options.landscape, "landscape")
    if options.bbox is None:
        raise InvalidIngest(
            f"The commons has no landscape {options.landscape!r}. Say where it is to be, as in --bbox "
            "WEST,SOUTH,EAST,NORTH, "
            "or check the spelling."
        )
    west, south, east, north = options.bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InvalidIngest(
            f"--bbox {','.join(map(str, options.bbox))} is no box: give west, south, east, north in degrees."
        )


def _named(years: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(year for year in years if year is not None)


def _of_years(years: Sequence[int | None]) -> str:
    named = _named(years)
    return f" in {', '.join(map(str, named))}" if named else ""
