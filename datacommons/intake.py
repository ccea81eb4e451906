"""What a user says about files to ingest: checked, with the landscape and the legend that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.collections import DRIVERS, LAND_COVER
from catalog.legend import Legend
from datacommons.errors import InvalidIngest, InvalidLegend, LandscapeNotFound, SourceNotFound
from datacommons.landscape import Landscape
from datacommons.naming import check_name

_LEGEND_EXAMPLE = '{"nodata": 0, "classes": {"1": "Forest", "2": "Built"}}'


@dataclass(frozen=True)
class IngestOptions:
    """What the user says about the files; :meth:`datacommons.Commons.ingest` explains each.

    Attributes
    ----------
    collection : str
        ``land-cover`` or ``drivers``.
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
        raise InvalidIngest("No file was named: give at least one GeoTIFF.")
    if options.collection not in (LAND_COVER, DRIVERS):
        raise InvalidIngest(
            f"There is no collection {options.collection!r} to ingest into: --collection is {LAND_COVER} (maps of "
            f"classes by year) or {DRIVERS} (measurements, and zones with a legend)."
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


def read_legend(legend: Legend | str | Path) -> Legend:
    """Take a legend, or read it from a file.

    Raises
    ------
    SourceNotFound
        If there is no such file.
    catalog.errors.LegendError
        If it cannot be understood.
    """
    if isinstance(legend, Legend):
        return legend
    if not Path(legend).is_file():
        raise SourceNotFound(f"There is no legend {legend}. Check the path, or write one, as {_LEGEND_EXAMPLE}.")
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
            "This landscape has no land cover yet, and its drivers share the grid of its land cover. Begin with "
            f"`datacommons ingest FILES --collection {LAND_COVER} --legend legend.json`."
        )
    if named is None:
        raise InvalidIngest("--new-landscape needs its name: add --landscape NAME.")
    if named in known:
        raise InvalidIngest(f"The commons has a landscape {named!r} already: leave out --new-landscape to add to it.")
    return check_name(named, "landscape")


def _meanings(legend: Legend) -> set[str]:
    return {f"{entry.value} {entry.name}" for entry in legend}
