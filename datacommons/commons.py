"""The commons: one folder with a catalog, layers and runs. The only object that holds state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from catalog.collections import LANDSCAPES, VECTORS
from catalog.errors import ItemNotFound
from catalog.legend import Legend
from catalog.store import OWNER, CatalogStore, Query
from datacommons.errors import LandscapeNotFound
from datacommons.layers import Layer, find_layer, list_layers, search_all
from datacommons.settings import Settings

if TYPE_CHECKING:
    import geopandas
    import xarray as xr

    from datacommons.archives.pull import PullReport
    from datacommons.ingest.raster_layers import IngestReport
    from datacommons.landscape import Landscape
    from datacommons.runs.estimate import Estimate
    from datacommons.runs.run import Run
    from scenarios.spec import Scenario
    from scenarios.validation.hindcast import Hindcast

Learned = TypeVar("Learned")


class Commons:
    """A geospatial data commons in a folder.

    Made by :func:`datacommons.open` and :func:`datacommons.init`. Reads and writes as the owner, who sees all.

    Parameters
    ----------
    root : Path
        The folder.
    settings : Settings
        What its ``commons.toml`` says.
    store : CatalogStore
        Its catalog; closed with the commons.

    Examples
    --------
    ::

        import datacommons as dc

        with dc.open("plum-island") as commons:
            commons.land_cover("plum-island").sel(time="1999")
    """

    def __init__(self, root: Path, settings: Settings, store: CatalogStore) -> None:
        self.root = root
        self.settings = settings
        self.store = store
        self._memory: dict[Hashable, object] = {}

    def __enter__(self) -> Self:
        """Return the commons itself; it closes when the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the commons."""
        self.close()

    def __repr__(self) -> str:
        """Name the folder."""
        return f"Commons({str(self.root)!r})"

    def close(self) -> None:
        """Close the catalog; arrays read before stay as they are."""
        self.store.close()

    def locate(self, href: str) -> str:
        """Turn an href of the catalog, relative to the commons, into a path that GDAL and Python open."""
        return href if "://" in href else str(self.root / href)

    def remember(self, key: Hashable, learn: Callable[[], Learned]) -> Learned:
        """Return what was learned under this key in this session, or learn it now.

        Parameters
        ----------
        key : hashable
            Stands for all that the result depends on.
        learn : callable
            Called once a key.
        """
        if key not in self._memory:
            self._memory[key] = learn()
        return cast("Learned", self._memory[key])

    def ingest(
        self,
        paths: Sequence[str | Path],
        *,
        collection: str,
        legend: Legend | str | Path | None = None,
        landscape: str | None = None,
        new_landscape: bool = False,
        landscape_title: str | None = None,
        years: Sequence[int] | None = None,
        name: str | None = None,
        crs: str | None = None,
        band: int | None = None,
        replace: bool = False,
        synthetic: bool = False,
        product: str | None = None,
        product_version: str | None = None,
        licence: str | None = None,
        layer: str | None = None,
        x: str | None = None,
        y: str | None = None,
        variable: str | None = None,
        time: str | None = None,
        derived_from: Sequence[str] = (),
        cell_size_m: float | None = None,
        shown_as: str | None = None,
        progress: bool = False,
    ) -> list[IngestReport]:
        """Take rasters or vector files into the commons as layers; on any failure the commons is as before.

        The first land cover creates the landscape: its grid is that of the first file, its boundary the
        outline of the cells with data. Later layers keep their own grid and are aligned when loaded.

        Parameters
        ----------
        paths : sequence of str or Path
            Files, one layer each: GeoTIFF, NetCDF, Zarr; or, for ``vectors``, GeoPackage, Shapefile (also zipped),
            GeoJSON, KML, KMZ, FlatGeobuf, GeoParquet or CSV with coordinates.
        collection : str
            ``land-cover``, ``drivers`` (measurements; with a legend, zones) or ``vectors`` (points, lines, polygons).
        legend : Legend, str or Path, optional
            What values mean: its JSON, CSV or QGIS style (.qml) file, or the name of a product, as ``esa-cci-lc``; by
            default the landscape's for its land cover, else that of the attribute or colour table of the first file.
        landscape : str, optional
            By default the one named in ``commons.toml``, else the only one there is.
        new_landscape : bool
            Create ``landscape`` beside those there are.
        landscape_title : str, optional
            Title of a landscape that is created; by default made of its name.
        years : sequence of int, optional
            One a file; by default told from the file names.
        name : str, optional
            Name of a single driver; by default that of its file.
        crs : str, optional
            CRS of files that name none, as ``EPSG:32618``.
        band : int, optional
            Which band of files that have several, counted from 1.
        replace : bool
            Whether the layer may take the place of one of the same name and year, which stays as an older version.
        synthetic : bool
            Whether the layers were generated, not observed; they are then labelled so wherever shown.
        product, product_version : str, optional
            What the files were taken from, as ``"MapBiomas"`` and ``"8"``; by default what the tags ``product`` and
            ``product_version`` of each file say. Maps of different products are not laid over each other unasked.
        licence : str, optional
            SPDX identifier of the licence of the files, as ``CC-BY-4.0``; by default that of the commons counts.
        layer : str, optional
            Which layer of a vector file that has several.
        x, y : str, optional
            The columns of a CSV with the coordinates; by default those called longitude and latitude, or x and y.
        variable, time : str, optional
            Which variable and time of a NetCDF or Zarr that has several; a time by how its date begins, as ``2000-07``.
        derived_from : sequence of str
            Addresses of what the files were made of, as of items in another catalog.
        cell_size_m : float, optional
            Edge of the cells that were observed, in metres, where the files were resampled; by default the file's.
        shown_as : str, optional
            What vectors are shown as over the maps of the page: ``rivers``, ``roads``, ``places`` or ``nothing``; by
            default what the name of the layer says.
        progress : bool
            Whether to show a bar on stderr.

        Returns
        -------
        list of IngestReport
            One a file, with notes on what was unusual.

        Raises
        ------
        DataCommonsError, catalog.errors.CatalogError
            What is wrong with which file, and the mend.
        """
        from datacommons.ingest.assembly import assemble_options
        from datacommons.ingest.raster_layers import ingest_files
        from datacommons.ingest.vector_layers import ingest_vectors

        options = assemble_options(
            self,
            paths,
            collection=collection,
            legend=legend,
            landscape=landscape,
            new_landscape=new_landscape,
            landscape_title=landscape_title,
            years=years,
            name=name,
            crs=crs,
            band=band,
            replace=replace,
            synthetic=synthetic,
            product=product,
            product_version=product_version,
            licence=licence,
            source_layer=layer,
            x=x,
            y=y,
            variable=variable,
            time=time,
            derived_from=derived_from,
            cell_size_m=cell_size_m,
            shown_as=shown_as,
        )
        take = ingest_vectors if collection == VECTORS else ingest_files
        return take(self.root, self.store, [Path(path) for path in paths], options, progress=progress)

    def pull(self, source: str, *, landscape: str, **options: Any) -> PullReport:
        """Take layers from a ready-made source on the network; pull again after a failure, and it goes on.

        Parameters
        ----------
        source : str
            As ``esa-cci-lc``; ``datacommons.sources.list_sources`` lists them.
        landscape : str
            One that is there; or, with ``bbox``, the name of a new one, on the grid of the source.
        **options
            ``years`` (a sequence), ``asset``, ``bbox`` (west, south, east, north in degrees), ``replace``, ``api``
            (another STAC API with the same collection), ``sign`` (where it signs links; empty if links are open),
            ``patience`` and ``progress``: see :class:`datacommons.archives.pull.PullOptions`.

        Raises
        ------
        DataCommonsError
            What cannot be, or could not be read.
        """
        from datacommons.archives.pull import PullOptions, pull_source

        return pull_source(self, source, PullOptions(landscape=landscape, **options))

    def landscapes(self) -> list[str]:
        """List the ids of the landscapes."""
        items = search_all(self.store, Query(collections=(LANDSCAPES,), limit=1000))
        return sorted(item["id"] for item in items)

    def landscape(self, landscape: str) -> Landscape:
        """Open a landscape: its boundary, grid and legend.

        Raises
        ------
        LandscapeNotFound
            Lists those there are.
        """
        from datacommons.landscape import from_item

        try:
            item = self.store.item(LANDSCAPES, landscape, OWNER)
        except ItemNotFound as error:
            known = ", ".join(self.landscapes()) or "none; ingest land cover to create one"
            raise LandscapeNotFound(f"The commons has no landscape {landscape!r}. It has: {known}.") from error
        return from_item(item, self.locate)

    def layers(self, landscape: str | None = None) -> list[Layer]:
        """List the land cover, drivers and vectors, of one landscape or of all; nothing is read."""
        return list_layers(self.store, landscape)

    def land_cover(self, landscape: str, years: Sequence[int] | None = None) -> xr.DataArray:
        """Read the land cover of a landscape onto its grid.

        Parameters
        ----------
        landscape : str
        years : sequence of int, optional
            By default all there are, in order.

        Returns
        -------
        xarray.DataArray
            ``land_cover``, (time, y, x) uint8, values of the legend, 0 = nodata; ``time`` is the 1 January. Attributes:
            ``flag_values`` and ``flag_meanings``, ``legend`` (JSON), ``alignment`` (one line a year).

        Raises
        ------
        LandscapeNotFound, LayerNotFound
            Lists what there is.
        """
        from datacommons.arrays import read_land_cover

        return read_land_cover(self.layers(landscape), self.landscape(landscape), years, self.locate)

    def layer(self, landscape: str, name: str) -> xr.DataArray:
        """Read a driver or zones onto the grid of a landscape.

        Parameters
        ----------
        landscape : str
        name : str
            As listed by :meth:`layers`.

        Returns
        -------
        xarray.DataArray
            (y, x): measurements as float32 with NaN = nodata and ``units``, zones as uint8 with 0 = nodata and the
            attributes of :meth:`land_cover`; ``alignment`` says how they came onto the grid.

        Raises
        ------
        LandscapeNotFound, LayerNotFound
            Lists what there is.
        """
        from datacommons.arrays import read_layer

        place = self.landscape(landscape)
        return read_layer(find_layer(self.layers(landscape), landscape, name), place, self.locate)

    def features(self, landscape: str, name: str) -> geopandas.GeoDataFrame:
        """Read a vector layer of a landscape: its features with their attributes, in the CRS of its file.

        Parameters
        ----------
        landscape : str
        name : str
            As listed by :meth:`layers`.

        Raises
        ------
        LandscapeNotFound, LayerNotFound
            Lists what there is.
        """
        import geopandas

        self.landscape(landscape)
        found = find_layer(self.layers(landscape), landscape, name, VECTORS)
        return geopandas.read_parquet(self.locate(found.href))

    def validate(self, scenario: str | Path | Scenario, **options: Any) -> Hindcast:
        """Calibrate a scenario on its earlier dates and score what it says of the last.

        Parameters
        ----------
        scenario : str, Path or Scenario
            A YAML file, or the scenario itself.
        **options
            ``threads``, ``chunk``, ``memory_gib``, ``members``, ``progress``, ``classifier`` and ``cluster``, as in
            :func:`datacommons.runs.run.validate_scenario`.
        """
        from datacommons.runs.run import validate_scenario

        return validate_scenario(self, scenario, **options)

    def run(self, scenario: str | Path | Scenario, **options: Any) -> Run:
        """Project a scenario and publish the run: all of it, or nothing.

        Parameters
        ----------
        scenario : str, Path or Scenario
            A YAML file, or the scenario itself.
        **options
            ``threads``, ``chunk``, ``memory_gib``, ``progress``, ``classifier`` and ``cluster``, as in
            :func:`datacommons.runs.run.run_scenario`.
        """
        from datacommons.runs.run import run_scenario

        return run_scenario(self, scenario, **options)

    def plan(self, scenario: str | Path | Scenario, **options: Any) -> Estimate:
        """Say what a run of a scenario will take on this machine: memory, disk and time. Nothing is published.

        Parameters
        ----------
        scenario : str, Path or Scenario
            A YAML file, or the scenario itself.
        **options
            ``threads``, ``chunk``, ``memory_gib`` and ``progress``, as in
            :func:`datacommons.runs.run.run_scenario`.
        """
        from datacommons.runs.run import plan_scenario

        return plan_scenario(self, scenario, **options)

    def copy_run(self, run_id: str, url: str, *, progress: bool = False) -> str:
        """Copy a published run into a bucket, and return the address of its item there.

        Parameters
        ----------
        run_id : str
        url : str
            A place as ``s3://bucket/folder``; the run gets a folder of its name there. Keys and, for stores that are
            compatible with S3, the endpoint are those of the environment (``AWS_…``).
        progress : bool
            Whether to show a bar on stderr.

        Raises
        ------
        RunNotFound, BucketFailed
            What is not there, and the mend.
        """
        from datacommons.runs.buckets import copy_run

        return copy_run(self.open_run(run_id), self.root, url, progress=progress)

    def runs(self) -> list[str]:
        """List the ids of the runs."""
        from datacommons.runs.run import list_runs

        return list_runs(self)

    def open_run(self, run_id: str) -> Run:
        """Open a published run; its cubes are read only when computed."""
        from datacommons.runs.run import load_run

        return load_run(self, run_id)
