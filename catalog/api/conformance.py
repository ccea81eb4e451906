"""The conformance classes that the STAC API keeps; a test holds each of them."""

from __future__ import annotations

from typing import Final

_STAC: Final = "https://api.stacspec.org"
_OGC: Final = "http://www.opengis.net/spec"

CORE: Final = (
    f"{_STAC}/v1.0.0/core",
    f"{_STAC}/v1.0.0/collections",
    f"{_STAC}/v1.0.0/ogcapi-features",
    f"{_STAC}/v1.0.0/item-search",
    f"{_OGC}/ogcapi-features-1/1.0/conf/core",
    f"{_OGC}/ogcapi-features-1/1.0/conf/geojson",
)
SEARCH: Final = (
    f"{_STAC}/v1.0.0/item-search#fields",
    f"{_STAC}/v1.0.0/item-search#query",
    f"{_STAC}/v1.0.0/item-search#sort",  # the version that clients look for
    f"{_STAC}/v1.1.0/item-search#sort",
    f"{_STAC}/v1.1.0/item-search#sortables",
    f"{_STAC}/v1.0.0-rc.2/item-search#filter",
    f"{_STAC}/v1.0.0-rc.1/item-search#free-text",
    f"{_STAC}/v1.0.0/ogcapi-features#fields",
    f"{_STAC}/v1.0.0/ogcapi-features#query",
    f"{_STAC}/v1.0.0/ogcapi-features#sort",
    f"{_STAC}/v1.1.0/ogcapi-features#sort",
    f"{_STAC}/v1.0.0-rc.1/ogcapi-features#free-text",
    f"{_OGC}/ogcapi-features-5/1.0/conf/sortables",
)
COLLECTION_SEARCH: Final = (
    f"{_STAC}/v1.0.0-rc.1/collection-search",
    f"{_STAC}/v1.0.0-rc.1/collection-search#fields",
    f"{_STAC}/v1.0.0-rc.1/collection-search#filter",
    f"{_STAC}/v1.0.0-rc.1/collection-search#free-text",
    f"{_STAC}/v1.1.0/collection-search#sort",
    f"{_OGC}/ogcapi-common-2/1.0/conf/simple-query",
)
FILTER: Final = (
    f"{_OGC}/ogcapi-features-3/1.0/conf/filter",
    f"{_OGC}/ogcapi-features-3/1.0/conf/features-filter",
    f"{_OGC}/ogcapi-features-3/1.0/conf/queryables",
    *(
        f"{_OGC}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "array-functions",
            "property-property",
            "arithmetic",
        )
    ),
)
AGGREGATION: Final = (
    f"{_STAC}/v0.3.0/aggregation",
    f"{_STAC}/v0.3.0/aggregation#filter",
    f"{_STAC}/v0.3.0/aggregation#query",
)
TRANSACTIONS: Final = (
    f"{_STAC}/v1.0.0/ogcapi-features/extensions/transaction",
    f"{_STAC}/v1.0.0/collections/extensions/transaction",
)


def list_classes(*, writing: bool, lacking: frozenset[str] = frozenset()) -> list[str]:
    """List the conformance classes of an API.

    Parameters
    ----------
    writing : bool
        Whether it takes transactions.
    lacking : frozenset of str
        Classes that its store cannot keep.
    """
    classes = (*CORE, *SEARCH, *COLLECTION_SEARCH, *FILTER, *AGGREGATION, *(TRANSACTIONS if writing else ()))
    return sorted(set(classes) - lacking)
