"""Draws tiles, keeps those asked for last, and answers with what caches need to know."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from morecantile import TileMatrixSet, tms
from morecantile.defaults import TileMatrixSets
from rio_tiler.errors import TileOutsideBounds
from starlette.responses import Response

from tiles.caching import TileCache, cache_headers, is_current, make_tag
from tiles.errors import InvalidTile, UnknownTileMatrixSet
from tiles.layer import Layer
from tiles.picture import MEDIA_TYPES, Picture, encode, encode_empty
from tiles.pool import DatasetPool
from tiles.reader import TILE_SIZE, LayerReader, read_layer
from tiles.style import Ground, Style

MAX_ZOOM: Final = 24
# Not the two whose rows hold fewer tiles towards the poles: hardly a client draws them.
TILE_MATRIX_SETS: Final = TileMatrixSets(
    {name: tms.get(name) for name in tms.list() if name not in {"CDB1GlobalGrid", "GNOSISGlobalGrid"}}
)
Format = Literal["png", "webp"]


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
    def size(self) -> int:
        """Pixels along each side."""
        return TILE_SIZE * self.scale


class Sheet(Protocol):
    """What a set of tiles shows: a layer in a style, or two layers compared."""

    @property
    def public(self) -> bool:
        """Whether anybody may see it."""

    @property
    def identity(self) -> tuple[str, ...] | None:
        """All that its pictures hang on; None if nobody could tell that they changed."""

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether an address with this version never shows anything else."""

    def paint(self, frame: Frame, pool: DatasetPool) -> Picture | None:
        """Draw a tile; None where there is nothing."""


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

    def is_named_by(self, version: str | None) -> bool:
        """Tell whether this is the version of the layer."""
        return self.layer.is_named_by(version)

    def paint(self, frame: Frame, pool: DatasetPool) -> Picture | None:
        """Read the cells and paint them."""
        with read_layer(self.layer, frame.matrix_set, pool) as source:
            layer = with_spread(self.layer, source)
            ground = Ground(source.pixel_size_m(frame.z, frame.size), source.extent_m)
            try:
                cells = source.tile(
                    frame.x,
                    frame.y,
                    frame.z,
                    tilesize=frame.size,
                    resampling=self.style.resampling,
                    buffer=self.style.buffer,
                )
            except TileOutsideBounds:
                return None
        return self.style.paint(cells, layer, ground)


@dataclass(frozen=True)
class Painter:
    """Draws and answers for all routes of an application.

    Attributes
    ----------
    pool : DatasetPool
        The open files.
    cache : TileCache
        The tiles asked for last.
    """

    pool: DatasetPool = field(default_factory=DatasetPool)
    cache: TileCache = field(default_factory=TileCache)

    def answer(
        self, sheet: Sheet, frame: Frame, output_format: Format, *, version: str | None, if_none_match: str | None
    ) -> Response:
        """Answer a request for a tile; what the client or this process has is not drawn again."""
        tag = make_tag(sheet.identity, frame.matrix_set.id, frame.z, frame.x, frame.y, frame.scale, output_format)
        headers = cache_headers(public=sheet.public, for_good=sheet.is_named_by(version), tag=tag)
        if is_current(tag, if_none_match):
            return Response(status_code=304, headers=headers)
        content = self.cache.get(tag)
        if content is None:
            content = self._draw(sheet, frame, output_format)
            self.cache.put(tag, content)
        return Response(content, media_type=MEDIA_TYPES[output_format], headers=headers)

    def open(self, layer: Layer, matrix_set: TileMatrixSet) -> LayerReader:
        """Open a layer for reading; close it by `with`."""
        return read_layer(layer, matrix_set, self.pool)

    def _draw(self, sheet: Sheet, frame: Frame, output_format: Format) -> bytes:
        picture = sheet.paint(frame, self.pool)
        if picture is None:
            return encode_empty((frame.size, frame.size), output_format)
        return encode(picture, output_format)[0]


def find_matrix_set(name: str) -> TileMatrixSet:
    """Return a tile matrix set by its name.

    Raises
    ------
    UnknownTileMatrixSet
    """
    if name not in _LOADED:
        known = ", ".join(_LOADED)
        raise UnknownTileMatrixSet(f"There is no tile matrix set {name!r}. Use one of: {known}.")
    return _LOADED[name]


def with_spread(layer: Layer, source: LayerReader) -> Layer:
    """Give a continuous layer of which the catalog knows no statistics those of a thumbnail."""
    if layer.legend is not None or layer.spread is not None:
        return layer
    return dataclasses.replace(layer, spread=source.spread())


# `TileMatrixSets.get` copies the whole set each time.
_LOADED: Final = {name: TILE_MATRIX_SETS.get(name) for name in TILE_MATRIX_SETS.list()}
