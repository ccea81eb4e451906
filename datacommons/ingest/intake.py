"""What a user says about files to ingest: checked, with the landscape and the legend that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.collections import DRIVERS, LAND_COVER, VECTORS
from catalog.legend import Legend
from catalog.legend_files import list_products
from datacommons.errors import InvalidIngest, InvalidLegend, LandscapeNotFound, SourceNotFound
from datacommons.landscape import Landscape
from datacommons.naming import check_name
from tiles.reading.map_kinds import KINDS, NOTHING

_LEGEND_EXAMPLE = '{"nodata": 0, "classes": {"1": "Forest", "2": "Built"}}'


@dataclass(frozen=True)
class IngestOptions:
    """What the user says about the files; :meth:`datacommons.Commons.ingest` explains each.

    Attributes
    ----------
    collection : str
        ``land-cover``, ``drivers`` or ``vectors``.
    landscape : Landscape or str
        An existing one, or the id of one that the first file creates.
    title : str
        Of a new landscape.
    legend : Legend or None
        For land cover always; for drivers it makes zones of them.
    access : str
        Access label of the new items.
    years : tuple of int or None
        One a file, where its name does not tell.
    name : str or None
        Of a single driver.
    crs : str or None
        Of files that name none.
    band : int or None
        Of files that have several.
    replace : bool
        Whether layers of the same name and year give way.
    synthetic : bool
        Whether the files were generated, not observed.
    product, product_version : str or None
        What they were taken from; by default what each file's tags say.
    licence : str or None
        SPDX identifier of the licence of the files; by default that of the commons counts.
    source_layer : str or None
        Which layer of a vector file that has several.
    columns : tuple of str or None
        The columns of x and y in a CSV.
    variable, time : str or None
        Which of a NetCDF or Zarr that has several.
    derived_from : tuple of str
        Addresses of what the files were made of.
    cell_size_m : float or None
        Edge of the cells that were observed, where the files were resampled.
    shown_as : str or None
        What vectors are shown as over maps; by default what the name of the layer says.
    legend_origin : str
        From where the legend was taken, if the first file carries it.
    """

    collection: str
    landscape: Landscape | str
    title: str
    legend: Legend | None
    access: str
    years: tuple[int, ...] | None = None
    name: str | None = None
    crs: str | None = None
    band: int | None = None
    replace: bool = False
    synthetic: bool = False
    product: str | None = None
    product_version: str | None = None
    licence: str | None = None
    source_layer: str | None = None
    columns: tuple[str, str] | None = None
    variable: str | None = None
    time: str | None = None
    legend_origin: str = ""
    derived_from: tuple[str, ...] = ()
    cell_size_m: float | None = None
    shown_as: str | None = None

    @property
    def origin(self) -> dict[str, str]:
        """What the user said of where the files come from, as the item says it."""
        said = {
            "license": self.licence,
            "landscape:product": self.product,
            "landscape:product_version": self.product_version,
        }
        return {name: text for name, text in said.items() if text}

    @property
    def landscape_id(self) -> str:
        """The id of the landscape, new or not."""
        return self.landscape if isinstance(self.landscape, str) else self.landscape.id

    @property
    def stored_legend(self) -> Legend | None:
        """The legend as kept in the commons, where nodata is 0."""
        return replace(self.legend, nodata=0) if self.legend else None


def refuse_contradictions(paths: Sequence[Path], options: IngestOptions) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    InvalidIngest
        Says which, and what to give instead.
    """
    if not paths:
        raise InvalidIngest("No file was named: give at least one.")
    if options.collection not in (LAND_COVER, DRIVERS, VECTORS):
        raise InvalidIngest(
            f"There is no collection {options.collection!r} to ingest into: --collection is {LAND_COVER} (maps of "
            f"classes by year), {DRIVERS} (measurements, and zones with a legend) or {VECTORS} (points, lines, "
            "polygons)."
        )
    if options.years is not None and len(options.years) != len(paths):
        raise InvalidIngest(
            f"The number of files is {len(paths)} and of years {len(options.years)}: say --year once a file, in order."
        )
    if options.product_version and not options.product:
        raise InvalidIngest(
            f"--product-version {options.product_version} needs the name of the product: add --product NAME."
        )
    if options.name is not None and (len(paths) > 1 or options.collection == LAND_COVER):
        raise InvalidIngest("--name names the layer of a single driver: ingest such files one by one.")
    if options.shown_as is not None and options.collection != VECTORS:
        raise InvalidIngest(f"--show-as is for vectors, and these files are {options.collection}: leave it out.")
    if options.shown_as not in (None, *KINDS, NOTHING):
        raise InvalidIngest(
            f"Vectors cannot be shown as {options.shown_as!r}: --show-as is {', '.join(KINDS)} or {NOTHING}."
        )
    if options.source_layer is not None and len(paths) > 1:
        raise InvalidIngest("--layer chooses a layer of one file: ingest such files one by one.")


def check_source(path: Path) -> None:
    """Refuse what is no file that can be read.

    Raises
    ------
    SourceNotFound
        Says what was found instead.
    """
    if path.is_file():
        try:
            path.open("rb").close()
        except OSError as error:
            raise SourceNotFound(
                f"{path} cannot be ingested: it cannot be opened ({error.strerror}). Check who may read it, as with "
                "`ls -l`."
            ) from error
        return
    found = f"there is no such file in {path.absolute().parent}"
    if path.is_dir():
        found = "it is a folder"
    elif path.is_symlink():
        found = f"it is a link to {path.readlink()}, which is not there"
    elif path.exists():
        found = "it is no file, but a pipe or a device"
    raise SourceNotFound(f"{path} cannot be ingested: {found}. Check the spelling, or give the full path.")


def choose_landscape(
    known: Sequence[str], named: str | None, *, default: str, collection: str, create: bool
) -> tuple[str, bool]:
    """Choose the landscape that files belong to.

    Parameters
    ----------
    known : sequence of str
        The landscapes of the commons.
    named : str or None
        The one that was named.
    default : str
        The name of a first landscape to which nobody gave one.
    collection : str
        Only land cover creates a landscape.
    create : bool
        Whether a new one is wanted beside those there are.

    Returns
    -------
    tuple of str and bool
        Its id, and whether it is new.

    Raises
    ------
    InvalidIngest, LandscapeNotFound
        If none or several could be meant.
    """
    if create or not known:
        return _new_landscape(known, named or (None if create else default), collection), True
    if named is not None and named in known:
        return named, False
    if named is not None:
        raise LandscapeNotFound(
            f"The commons has no landscape {named!r}; it has: {', '.join(known)}. Check the spelling, or say "
            "--new-landscape with land cover to create it."
        )
    if len(known) > 1:
        raise InvalidIngest(f"The commons has several landscapes: say which with --landscape: {', '.join(known)}.")
    return known[0], False


def choose_columns(x: str | None, y: str | None) -> tuple[str, str] | None:
    """Return the columns of a CSV with its coordinates, if they were named. Raises InvalidIngest where one was not."""
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise InvalidIngest("Coordinates are in two columns: say both, as in --x LON --y LAT.")
    return x, y


def read_legend(legend: Legend | str | Path) -> Legend:
    """Take a legend, read it from a file, or look up that of a product.

    Raises
    ------
    SourceNotFound
        If there is no such file.
    catalog.errors.LegendError
        If it cannot be understood.
    """
    if isinstance(legend, Legend):
        return legend
    if not Path(legend).is_file() and str(legend) in list_products():
        return Legend.of_product(str(legend))
    if not Path(legend).is_file():
        raise SourceNotFound(
            f"There is no legend {legend}. Check the path, or write one, as {_LEGEND_EXAMPLE}; or name a product: "
            f"{', '.join(list_products())}."
        )
    return Legend.read(legend)


def choose_legend(collection: str, given: Legend | None, landscape: Landscape | str) -> Legend | None:
    """Choose the legend of what is ingested: the landscape's for its land cover, else the one given.

    Raises
    ------
    InvalidLegend
        If there is none, or the one given means something else than the landscape's.
    """
    if collection != LAND_COVER:
        return given
    if isinstance(landscape, str):
        if given is None:
            raise InvalidLegend(
                "The first land cover of a landscape needs a legend, which says what its values mean: "
                f"--legend legend.json, for example {_LEGEND_EXAMPLE}."
            )
        return given
    if given is None:
        return landscape.legend
    differing = _meanings(given) ^ _meanings(landscape.legend)
    if differing:
        raise InvalidLegend(
            f"This legend and that of {landscape.id} differ in {', '.join(sorted(differing))}. All land cover of a "
            f"landscape shares one legend ({', '.join(sorted(_meanings(landscape.legend)))}): leave out --legend "
            "to use it, or reclassify the map."
        )
    return replace(landscape.legend, nodata=given.nodata)


def _new_landscape(known: Sequence[str], named: str | None, collection: str) -> str:
    if collection != LAND_COVER:
        raise InvalidIngest(
            "This landscape has no land cover yet, and its drivers and vectors lie where its land cover does. Begin "
            "with "
            f"`datacommons ingest FILES --collection {LAND_COVER} --legend legend.json`."
        )
    if named is None:
        raise InvalidIngest("--new-landscape needs its name: add --landscape NAME.")
    if named in known:
        raise InvalidIngest(f"The commons has a landscape {named!r} already: leave out --new-landscape to add to it.")
    return check_name(named, "landscape")


def _meanings(legend: Legend) -> set[str]:
    return {f"{entry.value} {entry.name}" for entry in legend}
