"""Searching the STAC API of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3.util.retry import Retry

from datacommons.archives.links import BUSY, Links, Patience, ask
from datacommons.errors import RemoteFailed

if TYPE_CHECKING:
    import pystac

Box = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""

_TIMEOUT_S = 60


def search_items(api: str, collection: str, box: Box, year: int | None, patience: Patience) -> list[pystac.Item]:
    """Return the items of a place and year, in order of their names.

    Parameters
    ----------
    api : str
        The address of the STAC API.
    collection : str
    box : tuple of float
    year : int or None
        None for what has no year.
    patience : Patience

    Raises
    ------
    RemoteFailed
        If the API does not answer as one, though it was asked with patience.
    """
    from pystac_client import Client
    from pystac_client.exceptions import APIError
    from pystac_client.stac_api_io import StacApiIO
    from requests.exceptions import RequestException

    retry = Retry(
        total=patience.tries - 1,
        backoff_factor=patience.pause_s,
        backoff_max=patience.longest_s,
        status_forcelist=BUSY,
        allowed_methods=None,
    )
    span = None if year is None else f"{year}-01-01T00:00:00Z/{year}-12-31T23:59:59Z"
    try:
        client = Client.open(api, stac_io=StacApiIO(max_retries=retry, timeout=_TIMEOUT_S))
        found = list(client.search(collections=[collection], bbox=box, datetime=span).items())
    except (APIError, RequestException, ValueError, KeyError) as error:
        reason = (str(error) or repr(error)).splitlines()[0][:200]
        raise RemoteFailed(
            f"The STAC API {api} did not answer as one: {reason}. Try again later: what was taken so far is kept."
        ) from error
    return sorted((item for item in found if year is None or _year_of(item) == year), key=lambda item: item.id)


def find_asset(collection: str, asset: str, links: Links) -> str:
    """Return the address of an asset of a collection, by the address of that. Raises RemoteFailed."""
    try:
        return str(ask(links.session, collection, links.patience).json()["assets"][asset]["href"])
    except (KeyError, ValueError) as error:
        raise RemoteFailed(f"{collection} has no asset {asset!r}, or is no collection. Try again later.") from error


def _year_of(item: pystac.Item) -> int | None:
    # The span of a year often ends with the first moment of the next.
    at = item.common_metadata.start_datetime or item.datetime
    return at.year if at else None
