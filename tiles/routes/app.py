"""Puts the tiles of a catalog into an application."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catalog.collections import RUN_MAPS
from catalog.sqlite.store import SqliteStore
from catalog.store import CatalogStore, Reader
from tiles.drawing.painter import Painter
from tiles.drawing.sheets import Sheet
from tiles.errors import TileError, http_status
from tiles.reading.statistics import Survey
from tiles.routes.addresses import Addresses
from tiles.routes.animations import add_animations
from tiles.routes.archives import ArchiveFolder, Archives
from tiles.routes.caching import NO_STORE
from tiles.routes.express import ExpressRoute, Line
from tiles.routes.features import FeatureIndex, add_features
from tiles.routes.layer import Layer, LayerIndex, Unlisted
from tiles.routes.layers import SheetTiler, TileRoute
from tiles.routes.maps import Maps
from tiles.routes.papers import Papers
from tiles.routes.parts import Parts
from tiles.routes.places import PlaceIndex, add_places
from tiles.routes.rasters import LayerTiler
from tiles.routes.services import add_services
from tiles.routes.statistics_routes import add_statistics
from tiles.routes.tilesets import Tilesets, add_matrix_sets

ITEM_PREFIX: Final = "/collections/{collection_id}/items/{item_id}"
RUN_PREFIX: Final = "/runs/{run_id}/{year}"
DIFFERENCE_PREFIX: Final = f"{RUN_PREFIX}/difference"
HINDCAST_PREFIX: Final = "/runs/{run_id}/hindcast"
# What a map shows without being asked: of all that could be compared or looked up there is no end.
_PACKED: Final = ("items", "runs", "agreement")
_ITEM: Final = r"/collections/(?P<collection_id>[^/]+)/items/(?P<item_id>[^/]+)"
_RUN: Final = r"/runs/(?P<run_id>(?:(?!-latest/)[^/])+)/(?P<year>[1-9]\d{0,3})"

Year = Annotated[int, Path(ge=1, le=9999)]
Asset = Annotated[str | None, Query(max_length=100, description="Default: the first raster")]
StyleName = Annotated[str | None, Query(max_length=60, description="A style of info")]
Since = Annotated[str | None, Query(max_length=4, description="The year to compare with")]
Against = Annotated[str | None, Query(max_length=200, description="The run, or collection/item, to compare with")]
ClassName = Annotated[str | None, Query(alias="class", max_length=60, description="The class gained and lost")]


def add_tiles(
    app: FastAPI,
    store: CatalogStore,
    *,
    locate: Callable[[str], str],
    identify: Callable[[Request], Reader],
    survey: Survey,
    archives: pathlib.Path,
    unlisted: Unlisted | None = None,
) -> None:
    """Add tiles, TileJSON, info and legends of raster assets, of runs by year, and of differences; and statistics.

    Parameters
    ----------
    app : FastAPI
    store : CatalogStore
        What is drawn, and who may see it.
    locate : callable
        From an href as stored, relative to the commons, to what GDAL opens: a path, or an "s3://" URL.
    identify : callable
        From a request to who reads.
    survey : callable
        Tells which cells of a grid lie in a polygon, and how large they are, as who made the runs counts them.
    archives : Path
        The folder in which packed tiles are kept; it is made when it is needed.
    unlisted : callable, optional
        Finds items that no catalog lists, by collection and id: who knows an id may see the item.
    """
    doors = _Doors(app, LayerIndex(store, locate, unlisted), identify, ArchiveFolder(archives))
    add_services(app, doors.index, doors.painter, identify)
    add_animations(app, doors.index, doors.painter, identify)
    doors.add_items()
    doors.add_members()  # before the runs, who would take "first-change" for a year
    doors.add_hindcasts()
    doors.add_runs()
    doors.add_differences()
    places = PlaceIndex(doors.index, doors.painter.pool)
    add_statistics(app, places, identify, survey)
    add_matrix_sets(app)
    add_places(app, places, identify)
    add_features(app, FeatureIndex(doors.index), identify)
    doors.add_express()
    app.add_exception_handler(TileError, _answer)


@dataclass(frozen=True)
class _Doors:
    """Adds the routes of an application, one family after the other."""

    app: FastAPI
    index: LayerIndex
    identify: Callable[[Request], Reader]
    archives: ArchiveFolder
    painter: Painter = field(default_factory=Painter)

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.index)

    def add_items(self) -> None:
        def find(
            request: Request, collection_id: str, item_id: str, asset: Asset = None, style: StyleName = None
        ) -> Sheet:
            path = {"collection_id": collection_id, "item_id": item_id}
            return self.addresses.find_item(self.identify(request), path, _told(asset=asset, style=style))

        def find_layer(request: Request, collection_id: str, item_id: str, asset: Asset = None) -> Layer:
            return self.index.find(self.identify(request), collection_id, item_id, asset)

        def credit(request: Request, collection_id: str) -> tuple[str, ...]:
            return self.index.credit(self.identify(request), collection_id)

        self._add(LayerTiler, ITEM_PREFIX, "items", find, credit, raster_dependency=find_layer)

    def add_runs(self) -> None:
        def find(request: Request, run_id: str, year: Year, style: StyleName = None) -> Sheet:
            path = {"run_id": run_id, "year": str(year)}
            return self.addresses.find_run(self.identify(request), path, _told(style=style))

        def find_layer(request: Request, run_id: str, year: Year) -> Layer:
            return self.index.find_run_map(self.identify(request), run_id, year)

        self._add(LayerTiler, RUN_PREFIX, "runs", find, self._credit_run, raster_dependency=find_layer)

    def add_hindcasts(self) -> None:
        def find(request: Request, run_id: str, style: StyleName = None) -> Sheet:
            return self.addresses.find_hindcast(self.identify(request), {"run_id": run_id}, _told(style=style))

        def find_layer(request: Request, run_id: str) -> Layer:
            return self.index.find_hindcast(self.identify(request), run_id)

        self._add(LayerTiler, HINDCAST_PREFIX, "hindcasts", find, self._credit_run, raster_dependency=find_layer)

    def add_differences(self) -> None:
        def find(
            request: Request,
            run_id: str,
            year: Year,
            since: Since = None,
            against: Against = None,
            class_name: ClassName = None,
            style: StyleName = None,
        ) -> Sheet:
            path = {"run_id": run_id, "year": str(year)}
            asked = _told(since=since, against=against, style=style, **{"class": class_name})
            return self.addresses.find_difference(self.identify(request), path, asked)

        self._add(SheetTiler, DIFFERENCE_PREFIX, "differences", find, self._credit_run)

    def add_members(self) -> None:
        def find_probability(
            request: Request, run_id: str, year: Year, class_name: ClassName = None, style: StyleName = None
        ) -> Sheet:
            path = {"run_id": run_id, "year": str(year), "kind": "probability"}
            return find(request, path, _told(style=style, **{"class": class_name}))

        def find_agreement(request: Request, run_id: str, year: Year, style: StyleName = None) -> Sheet:
            return find(request, {"run_id": run_id, "year": str(year), "kind": "agreement"}, _told(style=style))

        def find_first_change(request: Request, run_id: str) -> Sheet:
            return find(request, {"run_id": run_id, "kind": "first-change"}, {})

        def find(request: Request, path: dict[str, str], asked: dict[str, str]) -> Sheet:
            return self.addresses.find_members(self.identify(request), path, asked)

        for prefix, found in (
            (f"{RUN_PREFIX}/probability", find_probability),
            (f"{RUN_PREFIX}/agreement", find_agreement),
            ("/runs/{run_id}/first-change", find_first_change),
        ):
            self._add(SheetTiler, prefix, prefix.rpartition("/")[2], found, self._credit_run)

    def add_express(self) -> None:
        # A catalog in a file answers at once; one over a network would hold up everybody else.
        at_hand = isinstance(self.index.store, SqliteStore)
        route = ExpressRoute(
            self.painter,
            self.identify,
            Line(_RUN, self.addresses.find_run, at_hand),
            Line(f"{_RUN}/difference", self.addresses.find_difference, at_hand),
            Line(f"{_RUN}/(?P<kind>probability|agreement)", self.addresses.find_members),
            Line(r"/runs/(?P<run_id>(?:(?!-latest/)[^/])+)/hindcast", self.addresses.find_hindcast, at_hand),
            Line(
                r"/runs/(?P<run_id>(?:(?!-latest/)[^/])+)/(?P<kind>first-change)",
                self.addresses.find_members,
                is_quick=False,
            ),
            Line(_ITEM, self.addresses.find_item, at_hand),
        )
        self.app.router.routes.insert(0, route)

    def _find_licence(self, request: Request) -> str:
        collection = request.path_params.get("collection_id", RUN_MAPS)
        return self.index.find_licence(self.identify(request), collection)

    def _credit_run(self, request: Request) -> tuple[str, ...]:
        return self.index.credit(self.identify(request), RUN_MAPS)

    def _add(
        self,
        kind: type[SheetTiler],
        prefix: str,
        name: str,
        find: Callable[..., Sheet],
        credit: Callable[..., tuple[str, ...]],
        **others: Any,
    ) -> None:
        tiler = kind(
            router=APIRouter(route_class=TileRoute, tags=["tiles"]),
            router_prefix=prefix,
            name=name,
            path_dependency=find,
            credit_dependency=credit,
            painter=self.painter,
            extensions=[
                Tilesets(),
                Maps(),
                Papers(find_licence=self._find_licence),
                *([Parts()] if issubclass(kind, LayerTiler) else []),
                *([Archives(folder=self.archives)] if name in _PACKED else []),
            ],
            **others,
        )
        self.app.include_router(tiler.router, prefix=prefix)


def _told(**parameters: str | None) -> dict[str, str]:
    """Leave out what an address does not say."""
    return {name: text for name, text in parameters.items() if text is not None}


def _answer(_request: Request, error: Exception) -> Response:
    """Tell the client what was wrong; what went wrong below stays in the log."""
    status = http_status(error) if isinstance(error, TileError) else 500
    return JSONResponse({"detail": str(error)}, status_code=status, headers=NO_STORE)
