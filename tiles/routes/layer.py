"""From what a URL names to a raster that may be opened: the one place that asks store and policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

import orjson

from catalog.collections import LAND_COVER, RUN_MAPS, RUNS
from catalog.errors import CatalogError, CollectionNotFound, ItemNotFound
from catalog.legend import Legend
from catalog.store import ANONYMOUS, CatalogStore, Reader
from tiles.errors import LayerNotDrawable, LayerNotFound

RUN_MAP_ASSET: Final = "map"
HINDCAST_ASSET: Final = "hindcast"
_RASTER_TYPE: Final = "image/tiff"
# 2 % of a normal distribution lie below its mean by this many standard deviations.
_TAIL_DEVIATIONS: Final = 2.054

_VERSION_LENGTH: Final = 12
_NO_LICENCES: Final = ("", "other", "various", "proprietary")


Unlisted = Callable[[str, str], dict[str, Any] | None]


@dataclass(frozen=True)
class Spread:
    """How the values of a continuous layer spread, in the layer's unit.

    Attributes
    ----------
    low, high : float
        The 2nd and the 98th percentile, or what comes nearest of what is known; low < high.
    deviation : float
        Standard deviation, above 0.
    """

    low: float
    high: float
    deviation: float


@dataclass(frozen=True)
class Layer:
    """One raster asset of an item that the asking reader may see.

    Attributes
    ----------
    source : str
        What GDAL opens; never shown to anybody.
    title : str
        What people call the item.
    legend : Legend or None
        The classes of a classified layer; None for a continuous one.
    spread : Spread or None
        Of a continuous layer, where the catalog knows it.
    unit : str or None
        Of a continuous layer.
    public : bool
        Whether anybody may see it, so that shared caches may keep its tiles.
    version : str
        Changes when the pixels do: the end of the file's checksum; empty where the catalog knows none.
    synthetic : bool
        Generated, not observed.
    created : str
        When the run was made that the layer belongs to: no later run of the same name has it. Empty for other layers.
    moment : str
        Of what date it is: a year, a time, or two of these with a slash; empty where the catalog knows none.
    titles : mapping of str to str
        Of the scenario, by language; empty for other layers than the maps of runs.
    """

    collection_id: str
    item_id: str
    asset_key: str
    source: str = field(repr=False)
    title: str
    legend: Legend | None = None
    spread: Spread | None = None
    unit: str | None = None
    public: bool = False
    version: str = ""
    synthetic: bool = False
    created: str = ""
    moment: str = ""
    titles: Mapping[str, str] = field(default_factory=dict, compare=False)

    @cached_property
    def edition(self) -> str:
        """What addresses name as the version: it changes with the pixels and with their colours; "" if unknown."""
        if not self.version:
            return ""
        told = orjson.dumps([self.legend.to_json() if self.legend else None, self.spread])
        return f"{self.version}-{blake2b(told, digest_size=4).hexdigest()}"

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether a version in an address is this one, so that the answer never changes."""
        return bool(version) and version in (self.edition, self.created)


@dataclass(frozen=True)
class LayerIndex:
    """Finds layers in a store for a reader.

    Parameters
    ----------
    store : CatalogStore
    locate : callable
        From an href as stored, relative to the commons, to what GDAL opens.
    unlisted : callable, optional
        Finds items that no catalog lists, by collection and id. They are not public, and shown to who knows the id.
    """

    store: CatalogStore
    locate: Callable[[str], str]
    unlisted: Unlisted | None = None

    def find(self, reader: Reader, collection_id: str, item_id: str, asset_key: str | None = None) -> Layer:
        """Return the asset of an item as a layer; the first raster asset where none is named.

        Raises
        ------
        LayerNotFound
            If there is no such item or asset for this reader.
        LayerNotDrawable
            If the asset is no GeoTIFF.
        """
        item, public = self.find_document(reader, collection_id, item_id)
        return _make_layer(orjson.dumps(item), collection_id, asset_key, self.locate, public)

    def find_run_map(self, reader: Reader, run_id: str, year: int) -> Layer:
        """Return the map of one year of a run. Raises LayerNotFound."""
        try:
            return self.find(reader, RUN_MAPS, f"{run_id}-{year}", RUN_MAP_ASSET)
        except LayerNotFound:
            raise LayerNotFound(
                f"There is no map of the year {year} of a run {run_id!r}. "
                f"The STAC collection {RUN_MAPS!r} lists the runs and their years."
            ) from None

    def find_hindcast(self, reader: Reader, run_id: str) -> Layer:
        """Return the map of hits and errors of a run's hindcast. Raises LayerNotFound."""
        try:
            return self.find(reader, RUNS, run_id, HINDCAST_ASSET)
        except (LayerNotFound, LayerNotDrawable):
            raise LayerNotFound(
                f"There is no hindcast of a run {run_id!r}: there is no such run, or its history has two dates."
            ) from None

    def find_year(self, reader: Reader, run_id: str, year: int) -> Layer:
        """Return the map of a year of a run; of its first year the observed map that it starts from.

        Raises
        ------
        LayerNotFound
        """
        try:
            return self.find_run_map(reader, run_id, year)
        except LayerNotFound:
            started = self._find_start(reader, run_id, year)
            if started is None:
                raise
            return self.find(reader, LAND_COVER, started)

    def _find_start(self, reader: Reader, run_id: str, year: int) -> str | None:
        """Return the item of the observed map that a run starts from, if it is of this year."""
        try:
            run, _ = self.find_document(reader, RUNS, run_id)
        except LayerNotFound:
            return None
        if not str(run["properties"].get("scenario:baseline_datetime", "")).startswith(f"{year:04}-"):
            return None
        place = f"/{LAND_COVER}/items/"
        sources = [link["href"].partition(place)[2] for link in run.get("links", []) if place in link.get("href", "")]
        # A layer that was replaced has versions, as valley-land-cover-2000-v2.
        return next((source for source in sources if re.search(rf"-{year}(-v\d+)?$", source)), None)

    def credit(self, reader: Reader, collection_id: str) -> tuple[str, ...]:
        """Return the names of the providers of a collection; none if this reader may not know of it."""
        try:
            collection = self.store.collection(collection_id, reader)
        except CollectionNotFound:
            return ()
        return tuple(str(provider["name"]) for provider in collection.get("providers", []))

    def find_licence(self, reader: Reader, collection_id: str) -> str:
        """Return the licence of a collection, by its SPDX name; "" if it has none that says something."""
        try:
            licence = str(self.store.collection(collection_id, reader).get("license", ""))
        except CollectionNotFound:
            return ""
        return "" if licence in _NO_LICENCES else licence

    def find_document(self, reader: Reader, collection_id: str, item_id: str) -> tuple[dict[str, Any], bool]:
        """Return an item and whether it is public, which is to say that an anonymous reader finds it.

        Raises
        ------
        LayerNotFound
        """
        if self.unlisted is not None and (item := self.unlisted(collection_id, item_id)) is not None:
            return item, False
        for asking in dict.fromkeys((ANONYMOUS, reader)):
            try:
                return self.store.item(collection_id, item_id, asking), asking is ANONYMOUS
            except (ItemNotFound, CollectionNotFound):
                continue
        raise LayerNotFound(
            f"There is no item {item_id!r} in a collection {collection_id!r}. Search the STAC API for those there are."
        )


@lru_cache(maxsize=512)
def _make_layer(
    document: bytes, collection_id: str, asset_key: str | None, locate: Callable[[str], str], public: bool
) -> Layer:
    """Make a layer of an item, once for all its tiles, as long as the item stays what it is."""
    item = orjson.loads(document)
    key, asset = _choose_asset(item, asset_key)
    properties = item.get("properties", {})
    return Layer(
        collection_id=collection_id,
        item_id=item["id"],
        asset_key=key,
        source=locate(trusted_href(str(asset.get("href", "")), item["id"])),
        title=_name_layer(item, asset, collection_id),
        legend=read_legend(asset),
        spread=_read_spread(asset),
        unit=_first_band(asset).get("unit"),
        public=public,
        version=str(asset.get("file:checksum", ""))[-_VERSION_LENGTH:],
        synthetic=bool(properties.get("landscape:synthetic")),
        created=str(properties.get("created", "")) if collection_id == RUN_MAPS else "",
        moment=_read_moment({**properties, **asset}),
        titles=properties.get("scenario:title") or {} if collection_id == RUN_MAPS else {},
    )


def _name_layer(item: Mapping[str, Any], asset: Mapping[str, Any], collection_id: str) -> str:
    """Return what people call a layer; an asset of a run is only a part of it."""
    title = str(item.get("properties", {}).get("title") or item["id"])
    return f"{title}: {asset['title']}" if collection_id == RUNS and asset.get("title") else title


def _read_moment(properties: Mapping[str, Any]) -> str:
    """Return the date of an item as headers tell it; whole years as years."""
    start, end = (str(properties.get(key) or "") for key in ("start_datetime", "end_datetime"))
    at = str(properties.get("datetime") or "")
    if not start or (at and not start.startswith(at)):
        return at[:4] if at[4:] == "-01-01T00:00:00Z" else at
    same_year = start[:4] == end[:4] and start[4:10] == "-01-01" and end[4:10] == "-12-31"
    return start[:4] if same_year else f"{start}/{end or '..'}"


def _choose_asset(item: Mapping[str, Any], key: str | None) -> tuple[str, Mapping[str, Any]]:
    assets: Mapping[str, Mapping[str, Any]] = item.get("assets", {})
    rasters = [name for name, asset in assets.items() if _is_raster(asset)]
    known = f"Its raster assets are: {', '.join(rasters)}." if rasters else "It has no raster asset."
    if key is not None and key not in assets:
        raise LayerNotFound(f"The item {item['id']!r} has no asset {key!r}. {known}")
    if not rasters or (key is not None and key not in rasters):
        raise LayerNotDrawable(f"Tiles of the item {item['id']!r} need an asset that is a GeoTIFF. {known}")
    chosen = key if key is not None else rasters[0]
    return chosen, assets[chosen]


def _is_raster(asset: Mapping[str, Any]) -> bool:
    return str(asset.get("type", "")).startswith(_RASTER_TYPE)


def trusted_href(href: str, item_id: str) -> str:
    """Pass on an href that stays within the commons, whoever wrote it into the catalog. Raises LayerNotDrawable."""
    path = PurePosixPath(unquote(href))
    if not href or path.is_absolute() or ".." in path.parts or any(char in str(path) for char in "\\:\0?"):
        raise LayerNotDrawable(
            f"The item {item_id!r} points to a file outside the commons, which is not served. Ingest the file first."
        )
    return href


def _first_band(asset: Mapping[str, Any]) -> Mapping[str, Any]:
    bands = asset.get("bands") or asset.get("raster:bands") or [{}]
    return bands[0] if isinstance(bands[0], Mapping) else {}


def read_legend(asset: Mapping[str, Any]) -> Legend | None:
    """Read the classes of an asset; None where it has none. Raises LayerNotDrawable."""
    classes = asset.get("classification:classes") or _first_band(asset).get("classification:classes")
    if not classes:
        return None
    try:
        return Legend.from_classification(classes)
    except (CatalogError, AttributeError, KeyError, TypeError) as error:
        raise LayerNotDrawable("The classes of this layer cannot be read: ingest it again with a legend.") from error


def _read_spread(asset: Mapping[str, Any]) -> Spread | None:
    """Take the spread from band statistics: STAC knows no percentiles, so the moments tell them."""
    statistics = _first_band(asset).get("statistics") or {}
    try:
        low, high = float(statistics["minimum"]), float(statistics["maximum"])
        mean, deviation = float(statistics["mean"]), float(statistics["stddev"])
    except (KeyError, TypeError, ValueError):
        return None
    low = max(low, mean - _TAIL_DEVIATIONS * deviation)
    high = min(high, mean + _TAIL_DEVIATIONS * deviation)
    return Spread(low, high, deviation) if low < high and deviation > 0 else None
