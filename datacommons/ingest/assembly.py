"""From what a user says about files, and what the commons has, to the options that they are ingested by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.legend import Legend
from datacommons.ingest.drafts import look_up_legend
from datacommons.ingest.intake import IngestOptions, choose_columns, choose_landscape, choose_legend, read_legend
from datacommons.naming import name_of, title_of

if TYPE_CHECKING:
    from datacommons.commons import Commons


def assemble_options(
    commons: Commons,
    paths: Sequence[str | Path],
    *,
    collection: str,
    legend: Legend | str | Path | None,
    landscape: str | None,
    new_landscape: bool,
    landscape_title: str | None,
    years: Sequence[int] | None,
    x: str | None,
    y: str | None,
    derived_from: Sequence[str],
    **said: Any,
) -> IngestOptions:
    """Find the landscape and the legend that are meant, and return them with all that was said of the files.

    Parameters
    ----------
    commons : Commons
        Where the files are going.
    paths : sequence of str or Path
    collection, legend, landscape, new_landscape, landscape_title, years, x, y, derived_from
        As for :meth:`datacommons.Commons.ingest`.
    **said
        Fields of `IngestOptions` as they are.

    Raises
    ------
    DataCommonsError, catalog.errors.CatalogError
        What does not fit the commons, and the mend.
    """
    landscape_id, is_new = choose_landscape(
        commons.landscapes(),
        landscape or commons.settings.landscape,
        default=commons.settings.landscape or name_of(commons.root.name),
        collection=collection,
        create=new_landscape,
    )
    target = landscape_id if is_new else commons.landscape(landscape_id)
    given, origin = read_legend(legend) if legend is not None else None, ""
    if given is None and is_new and paths:
        given, origin = look_up_legend(Path(paths[0]), said["crs"], said["band"])
    return IngestOptions(
        collection=collection,
        landscape=target,
        title=landscape_title or title_of(landscape_id),
        legend=choose_legend(collection, given, target),
        legend_origin=origin,
        access=commons.settings.default_access,
        years=tuple(years) if years is not None else None,
        columns=choose_columns(x, y),
        derived_from=tuple(derived_from),
        **said,
    )
