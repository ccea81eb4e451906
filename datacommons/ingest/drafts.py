"""What each file is to become: its name, year and place in the commons, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odc.geo.geobox import GeoBox
from shapely.geometry import shape

from catalog.collections import LAND_COVER
from catalog.items.georeference import find_footprint
from catalog.legend import Legend
from catalog.store import Bbox, CatalogStore
from datacommons.errors import InvalidIngest, InvalidRaster, SourceNotFound
from datacommons.grids import cell_size_m, grid_name, same_grid
from datacommons.ingest.datasets import is_dataset, open_variable
from datacommons.ingest.inspection import Tally
from datacommons.ingest.intake import IngestOptions, check_source
from datacommons.ingest.rasters import RasterSource, open_source
from datacommons.ingest.versions import Version, choose_version
from datacommons.naming import name_of, title_of, years_in

_WHOLE_SHARE = 0.999


@dataclass(frozen=True)
class Draft:
    """A file on its way into the commons.

    Attributes
    ----------
    source : RasterSource
    version : Version
        Which item it becomes.
    layer : str
        How scenario files will call it.
    year : int or None
    notes : tuple of str
        What was unusual so far.
    cells : int
        Cells with data, once it was inspected.
    tally : Tally or None
        Cells and hectares of each class, likewise.
    product, product_version : str
        What it is of; empty if unsaid.
    """

    source: RasterSource
    version: Version
    layer: str
    year: int | None
    notes: tuple[str, ...]
    cells: int = 0
    tally: Tally | None = None
    product: str = ""
    product_version: str = ""

    @property
    def collection(self) -> str:
        """The collection of its item."""
        return self.version.collection

    @property
    def item(self) -> str:
        """The id of its item."""
        return self.version.item

    @property
    def folder(self) -> str:
        """The item's folder, relative to the commons."""
        return f"layers/{self.collection}/{self.item}"

    @property
    def href(self) -> str:
        """The COG, relative to the commons."""
        return f"{self.folder}/{self.item}.tif"

    @property
    def cell_size_m(self) -> float:
        """The edge of its cells, in metres."""
        return float(f"{cell_size_m(self.source.geobox):.6g}")

    @property
    def origin(self) -> dict[str, str]:
        """What is known of its product, as the item says it."""
        known = {"landscape:product": self.product, "landscape:product_version": self.product_version}
        return {name: text for name, text in known.items() if text}

    @property
    def title(self) -> str:
        """The item's title."""
        return f"Land cover {self.year}" if self.collection == LAND_COVER else title_of(self.layer)


def draft_items(store: CatalogStore, paths: Sequence[Path], options: IngestOptions) -> list[Draft]:
    """Open every file, and name the items they become.

    Raises
    ------
    DataCommonsError
        If a file cannot be opened, lies elsewhere, or its item is there already or cannot be named.
    """
    sources = [choose_source(path, options) for path in paths]
    grid = sources[0].geobox if isinstance(options.landscape, str) else options.landscape.geobox
    years = options.years or [_tell_year(path, options.collection) for path in paths]
    drafts: list[Draft] = []
    for source, year in zip(sources, years, strict=True):
        layer = _name_layer(source.path, options)
        notes = _compare_grids(source, grid, options.landscape_id)
        version = choose_version(store, options.collection, options.landscape_id, layer, year, replace=options.replace)
        product, product_version, told = _choose_product(source, options)
        origin = (options.legend_origin,) if options.legend_origin and not drafts else ()
        drafts.append(
            Draft(
                source,
                version,
                layer,
                year,
                (*origin, *source.notes, *notes, *told),
                product=product,
                product_version=product_version,
            )
        )
    refuse_twins([(draft.item, draft.source.name) for draft in drafts])
    return drafts


def choose_source(path: Path, options: IngestOptions) -> RasterSource:
    """Open a raster by what it is: NetCDF and Zarr by variable and time, all else as GeoTIFF.

    Raises
    ------
    DataCommonsError
        What is wrong with it, and the mend.
    """
    if not path.is_dir():
        check_source(path)
    if is_dataset(path):
        return open_variable(path, crs=options.crs, variable=options.variable, time=options.time)
    if options.variable is not None or options.time is not None:
        raise InvalidIngest(f"--variable and --time are for NetCDF and Zarr, and {path.name} is neither.")
    return open_source(path, crs=options.crs, band=options.band)


def look_up_legend(path: Path, crs: str | None, band: int | None) -> tuple[Legend | None, str]:
    """Return the legend that a GeoTIFF carries, and a note of where it was taken from; None if it carries none.

    What is wrong with the file is said when it is ingested, and not here.
    """
    from datacommons.ingest.attribute_tables import find_legend

    try:
        found = find_legend(open_source(path, crs=crs, band=band))
    except (InvalidRaster, SourceNotFound):
        return None, ""
    return found or (None, "")


def _tell_year(path: Path, collection: str) -> int | None:
    years = years_in(path)
    if len(years) == 1:
        return years[0]
    if collection != LAND_COVER:
        return None
    found = f"the years {', '.join(map(str, years))}" if years else "no year (19xx or 20xx)"
    raise InvalidIngest(
        f"The name {path.name} holds {found}, and a land-cover map is of one: say which, as in --year 1999."
    )


def _name_layer(path: Path, options: IngestOptions) -> str:
    if options.collection == LAND_COVER:
        return LAND_COVER
    name = name_of(options.name or path.stem)
    if name == LAND_COVER:
        raise InvalidIngest(f"A driver cannot be called {LAND_COVER!r}: give it another name with --name.")
    return name


def _choose_product(source: RasterSource, options: IngestOptions) -> tuple[str, str, tuple[str, ...]]:
    """Return the product, its version, and a note: what the user says counts, then what the file says."""
    if options.product is not None:
        return options.product, options.product_version or "", ()
    if not source.product:
        return "", "", ()
    told = f"its tags say that it is of {source.product} {source.product_version}".rstrip()
    return source.product, source.product_version, (told,)


def refuse_twins(drafts: Sequence[tuple[str, str]]) -> None:
    """Refuse files of which two would become one item; of each, the item and the name of the file."""
    for item, times in Counter(item for item, _ in drafts).items():
        if times > 1:
            names = ", ".join(name for other, name in drafts if other == item)
            raise InvalidIngest(
                f"{names} would all become {item}: ingest one of them, or tell land cover apart with --year "
                "and drivers with --name."
            )


def _compare_grids(source: RasterSource, grid: GeoBox, landscape: str) -> tuple[str, ...]:
    if same_grid(source.geobox, grid):
        return ()
    (outline, here), (landscape_outline, there) = find_footprint(source.geobox), find_footprint(grid)
    share = shape(outline).intersection(shape(landscape_outline)).area / shape(landscape_outline).area
    if share == 0:
        raise InvalidRaster(
            f"{source.name} does not touch {landscape}: it lies at {_corners(here)}, the landscape at "
            f"{_corners(there)} (west, south, east, north in degrees). Check its CRS, or say which landscape is meant "
            "with --landscape."
        )
    note = f"another grid, {grid_name(source.geobox)}: kept as it is, aligned to {grid_name(grid)} when loaded"
    if share >= _WHOLE_SHARE:
        return (note,)
    return (note, f"covers {share:.0%} of the landscape's grid; the rest is nodata")


def _corners(bbox: Bbox) -> str:
    return ", ".join(f"{edge:.3f}" for edge in bbox)
