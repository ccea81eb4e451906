"""What a set of tiles shows, and which of its tiles is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from morecantile import Tile, TileMatrixSet, tms
from morecantile.defaults import TileMatrixSets

from tiles.drawing.legends import choose_title, describe
from tiles.drawing.picture import Picture
from tiles.drawing.style import Ground, Style
from tiles.errors import InvalidTile, UnknownTileMatrixSet
from tiles.reading.pool import DatasetPool
from tiles.reading.projections import TILE_SIZE, find_native_zooms, locate, name_crs
from tiles.reading.reader import LayerReader, read_layer
from tiles.reading.view import View
from tiles.routes.layer import Layer

MAX_ZOOM: Final = 24
# Not the two whose rows hold fewer tiles towards the poles: hardly a client draws them.
TILE_MATRIX_SETS: Final = TileMatrixSets(
    {name: tms.get(name) for name in tms.list() if name not in {"CDB1GlobalGrid", "GNOSISGlobalGrid"}}
)
Format = Literal["png", "webp"]
_PROJECTION: Final = {"en": "Projection", "es": "Proyección", "fr": "Projection", "pt": "Projeção"}
# `TileMatrixSets.get` copies the whole set each time.
_LOADED: Final = {name: TILE_MATRIX_SETS.get(name) for name in TILE_MATRIX_SETS.list()}


@dataclass(frozen=True)
class Frame:
    """Which tile is drawn, and how large.

    Attributes
    ----------
    matrix_set : TileMatrixSet
    z, x, y : int
    scale : int
        2 for screens of double density.

    Raises
    ------
    InvalidTile
        If the matrix set has no such tile.
    """

    matrix_set: TileMatrixSet
    z: int
    x: int
    y: int
    scale: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no tile."""
        highest = min(self.matrix_set.maxzoom, MAX_ZOOM)
        if not self.matrix_set.minzoom <= self.z <= highest:
            raise InvalidTile(
                f"There is no zoom {self.z}: {self.matrix_set.id} goes from {self.matrix_set.minzoom} to {highest}."
            )
        matrix = self.matrix_set.matrix(self.z)
        if self.x >= matrix.matrixWidth or self.y >= matrix.matrixHeight:
            raise InvalidTile(
                f"There is no tile {self.x}/{self.y} at zoom {self.z}: {self.matrix_set.id} has "
                f"{matrix.matrixWidth} columns and {matrix.matrixHeight} rows there, counted from 0."
            )

    @property
    def view(self) -> View:
        """What it shows."""
        left, bottom, right, top = self.matrix_set.xy_bounds(Tile(self.x, self.y, self.z))
        return View(name_crs(self.matrix_set.id), (left, bottom, right, top), self.size, self.size)

    @property
    def size(self) -> int:
        """Pixels along each side."""
        return TILE_SIZE * self.scale


@dataclass(frozen=True)
class Coverage:
    """Where a sheet is, for clients.

    Attributes
    ----------
    bounds : tuple of float
        west, south, east, north in degrees; west > east across the 180th meridian.
    native_zooms : tuple of int
        The zoom at which it about fills a tile, and the one whose pixels are about as large as its cells.
    whole : View
        All of it in its own projection, cell by cell.
    """

    bounds: tuple[float, float, float, float]
    native_zooms: tuple[int, int]
    whole: View

    @classmethod
    def of(cls, whole: View, matrix_set: TileMatrixSet) -> Coverage:
        """Tell where a raster is."""
        return cls(locate(whole), find_native_zooms(whole, matrix_set), whole)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The bounds for clients to whom west is always less than east: all around rather than across the meridian."""
        west, south, east, north = self.bounds
        return (west, south, east, north) if west < east else (-180.0, south, 180.0, north)

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of the middle."""
        west, south, east, north = self.bounds
        longitude = (west + east) / 2 if west < east else (west + east + 360) / 2
        return longitude - 360 if longitude > 180 else longitude, (south + north) / 2


class Sheet(Protocol):
    """What a set of tiles shows: a layer in a style, or two layers compared."""

    @property
    def public(self) -> bool:
        """Whether anybody may see it."""

    @property
    def identity(self) -> tuple[str, ...] | None:
        """All that its pictures hang on; None if nobody could tell that they changed."""

    @property
    def edition(self) -> str:
        """What addresses name as its version; "" if unknown."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def style_title(self) -> Mapping[str, str]:
        """How it is drawn, by language."""

    def caption(self, language: str) -> tuple[str, str]:
        """Return the title, and what of it is shown, for people who read it on paper."""

    @property
    def moment(self) -> str:
        """Of what date it is, as in a header; "" if unknown."""

    @property
    def projected(self) -> bool:
        """Whether anything in it is of the future, as a scenario has it."""

    @property
    def synthetic(self) -> bool:
        """Whether anything in it was generated, not observed."""

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether an address with this version never shows anything else."""

    def paint(self, view: View, pool: DatasetPool) -> Picture | None:
        """Draw a view, as of a tile; None where there is nothing."""

    def describe(self, language: str, pool: DatasetPool) -> dict[str, Any]:
        """Describe the legend; see `tiles.drawing.legends.describe`."""

    def cover(self, matrix_set: TileMatrixSet, pool: DatasetPool) -> Coverage:
        """Tell where it is."""


@dataclass(frozen=True)
class LayerSheet:
    """A layer in a style; see `Sheet`."""

    layer: Layer
    style: Style

    @property
    def public(self) -> bool:
        """Whether anybody may see it."""
        return self.layer.public

    @property
    def identity(self) -> tuple[str, ...] | None:
        """File, edition and style."""
        return (self.layer.source, self.layer.edition, self.style.name) if self.layer.edition else None

    @property
    def edition(self) -> str:
        """That of the layer."""
        return self.layer.edition

    @property
    def title(self) -> str:
        """That of the layer."""
        return self.layer.title

    @property
    def style_title(self) -> Mapping[str, str]:
        """That of the style."""
        return self.style.title

    def caption(self, language: str) -> tuple[str, str]:
        """Return the title of the scenario or the layer; the year, and whether it is a projection."""
        title = choose_title(self.layer.titles, language) if self.layer.titles else self.title
        year = [self.moment] if self.moment.isdecimal() else []
        return title, " · ".join(year + ([choose_title(_PROJECTION, language)] if self.layer.titles else []))

    @property
    def moment(self) -> str:
        """That of the layer."""
        return self.layer.moment

    @property
    def projected(self) -> bool:
        """Whether the layer is the map of a run."""
        return bool(self.layer.titles)

    @property
    def synthetic(self) -> bool:
        """Whether the layer was generated."""
        return self.layer.synthetic

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether this is the version of the layer."""
        return self.layer.is_named_by(version)

    def paint(self, view: View, pool: DatasetPool) -> Picture | None:
        """Read the cells and paint them."""
        with read_layer(self.layer, find_matrix_set("WebMercatorQuad"), pool) as source:
            layer = _with_spread(self.layer, source)
            ground = Ground(source.pixel_size_m(view), source.extent_m)
            cells = source.see(view, resampling=self.style.resampling, buffer=self.style.buffer)
        return None if cells is None else self.style.paint(cells, layer, ground)

    def describe(self, language: str, pool: DatasetPool) -> dict[str, Any]:
        """Describe the classes, or the ramp, the layer is drawn in."""
        layer = self.layer
        if layer.legend is None and layer.spread is None:
            with read_layer(layer, find_matrix_set("WebMercatorQuad"), pool) as source:
                layer = _with_spread(layer, source)
        return describe(layer, self.style, language)

    def cover(self, matrix_set: TileMatrixSet, pool: DatasetPool) -> Coverage:
        """Tell where the layer is."""
        with read_layer(self.layer, matrix_set, pool) as source:
            return Coverage.of(source.whole, matrix_set)


def find_matrix_set(name: str) -> TileMatrixSet:
    """Return a tile matrix set by its name.

    Raises
    ------
    UnknownTileMatrixSet
    """
    if name not in _LOADED:
        raise UnknownTileMatrixSet(f"There is no tile matrix set {name!r}. Use one of: {', '.join(_LOADED)}.")
    return _LOADED[name]


def _with_spread(layer: Layer, source: LayerReader) -> Layer:
    """Give a continuous layer of which the catalog knows no statistics those of a thumbnail."""
    if layer.legend is not None or layer.spread is not None:
        return layer
    return dataclasses.replace(layer, spread=source.spread())
