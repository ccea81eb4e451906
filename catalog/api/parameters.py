"""What requests of the STAC API ask for, read into queries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import HTTPException
from pydantic import BaseModel, Field
from stac_fastapi.types.rfc3339 import str_to_interval

from catalog.errors import InvalidQuery
from catalog.query.fields import Fields
from catalog.query.query import MAX_LIMIT, Interval, Query, Sort

PAGE: Final = 10
_LISTS: Final = frozenset({"collections", "ids", "sortby", "fields", "q", "aggregations"})
_NUMBER: Final = re.compile(r"0*[1-9][0-9]*", re.ASCII)
_DIGITS: Final = 30
_CRS84: Final = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "http://www.opengis.net/def/crs/OGC/0/CRS84")

Asked = Mapping[str, Any]


class SortKey(BaseModel):
    """One key of the order of a POST search."""

    field: str
    direction: str = "asc"


class FieldNames(BaseModel):
    """The fields that a POST search wants."""

    include: list[str] | None = None
    exclude: list[str] | None = None


class SearchBody(BaseModel):
    """The body of a POST search; its values are checked where the query is made."""

    collections: list[str] | None = None
    ids: list[str] | None = None
    bbox: list[float] | None = None
    intersects: dict[str, Any] | None = None
    datetime: str | None = None
    filter: dict[str, Any] | str | None = Field(None, description="CQL2, as JSON or text.")
    filter_lang: str | None = Field(None, alias="filter-lang")
    filter_crs: str | None = Field(None, alias="filter-crs")
    query: dict[str, dict[str, Any]] | None = None
    q: list[str] | None = None
    sortby: list[SortKey] | None = None
    fields: FieldNames | None = None
    limit: int | None = None
    token: str | None = None

    def read(self) -> dict[str, Any]:
        """Return what was given, by the names of the specification."""
        asked = self.model_dump(exclude_none=True, by_alias=True)
        if self.fields is not None:
            # To include null is not the same as not to speak of it.
            asked["fields"] = self.fields.model_dump(exclude_unset=True)
        return asked


class AggregateBody(SearchBody):
    """The body of a POST for aggregations."""

    aggregations: list[str] | None = None


def read_query(asked: Asked, *, limit: int = PAGE) -> Query:
    """Make a query of what a request asks for, by the names of the specification.

    Parameters
    ----------
    asked : mapping
        Values as GET or as POST has them.
    limit : int
        Where none is asked for.

    Raises
    ------
    InvalidQuery
        Where a value makes no sense.
    """
    bbox = asked.get("bbox")
    if bbox is not None and len(bbox) == 6:
        bbox = [bbox[0], bbox[1], bbox[3], bbox[4]]
    wanted = asked.get("limit")
    return Query(
        collections=asked.get("collections"),
        ids=asked.get("ids"),
        bbox=bbox,
        intersects=_read_json("intersects", asked.get("intersects")),
        datetime=_read_interval(asked.get("datetime")),
        filter=_read_filter(asked),
        q=asked.get("q"),
        sortby=tuple(map(_read_sort, asked.get("sortby") or ())),
        fields=_read_fields(asked.get("fields")),
        # OGC API Features: a page longer than the server makes is cut, not refused.
        limit=limit if wanted is None else min(wanted, MAX_LIMIT),
        token=asked.get("token"),
    )


def read_parameters(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the parameters of a GET, as they stand in its URL. Raises InvalidQuery."""
    asked: dict[str, Any] = {name: text for name, text in given.items() if text}
    for name in _LISTS & asked.keys():
        asked[name] = asked[name].split(",")
    if "bbox" in asked:
        try:
            asked["bbox"] = [float(edge) for edge in asked["bbox"].split(",")]
        except ValueError:
            raise InvalidQuery(f"bbox is {asked['bbox']!r:.80}: give four numbers with commas between.") from None
    if "limit" in asked:
        if not _NUMBER.fullmatch(asked["limit"]):
            raise InvalidQuery(f"limit is {asked['limit']!r:.80}: give a whole number above 0.")
        # A number of many digits takes long to read, and means all the same.
        asked["limit"] = min(int(asked["limit"][:_DIGITS]), MAX_LIMIT)
    return asked


def _read_interval(text: str | None) -> Interval | None:
    if text is None:
        return None
    try:
        interval = str_to_interval(text)
    except HTTPException as error:
        raise InvalidQuery(
            f"datetime is {text!r}: {error.detail} Write 1999-01-01T00:00:00Z, or two such times with / between."
        ) from None
    if isinstance(interval, datetime):
        return interval, interval
    return interval


def _read_json(name: str, value: Any) -> Any:
    """Read what GET has as text and POST as an object."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InvalidQuery(f"{name} is not valid JSON: {error}. Is the URL encoded?") from None


def _read_filter(asked: Asked) -> Any:
    if asked.get("filter-crs") not in (None, *_CRS84):
        raise InvalidQuery(f"filter-crs is {asked['filter-crs']!r:.80}: only {_CRS84[0]} is known.")
    language = asked.get("filter-lang")
    if language not in (None, "cql2-text", "cql2-json"):
        raise InvalidQuery(f"filter-lang is {language!r:.80}: take cql2-text or cql2-json.")
    given = asked.get("filter")
    if language == "cql2-json":
        given = _read_json("filter", given)
    properties = _read_properties(_read_json("query", asked.get("query")))
    if properties is None:
        return given
    if given is None:
        return properties
    from catalog.query.expression import parse_filter

    return {"op": "and", "args": [parse_filter(given), properties]}


def _read_properties(query: Any) -> dict[str, Any] | None:
    """Write the conditions of the query extension as CQL2."""
    if query is None:
        return None
    if not isinstance(query, Mapping) or not all(isinstance(each, Mapping) for each in query.values()):
        raise InvalidQuery('query has to be of the form {"gsd": {"lte": 30}}.')
    args = []
    for name, conditions in query.items():
        for operator, value in conditions.items():
            if operator not in _QUERIES:
                raise InvalidQuery(f"query has the operator {operator!r:.80}: take of {', '.join(_QUERIES)}.")
            args.append(_QUERIES[operator]({"property": name}, value))
    return {"op": "and", "args": args} if args else None


def _compare(operator: str) -> Callable[[Any, Any], dict[str, Any]]:
    return lambda name, value: {"op": operator, "args": [name, value]}


def _match(pattern: str) -> Callable[[Any, Any], dict[str, Any]]:
    def match(name: Any, value: Any) -> dict[str, Any]:
        if not isinstance(value, str):
            raise InvalidQuery(f"query compares a text with {value!r:.80}: give a text.")
        for special in "\\%_":
            value = value.replace(special, f"\\{special}")
        return {"op": "like", "args": [name, pattern.format(value)]}

    return match


_QUERIES: Final[dict[str, Callable[[Any, Any], dict[str, Any]]]] = {
    "eq": _compare("="),
    "neq": _compare("<>"),
    "lt": _compare("<"),
    "lte": _compare("<="),
    "gt": _compare(">"),
    "gte": _compare(">="),
    "in": _compare("in"),
    "startsWith": _match("{}%"),
    "endsWith": _match("%{}"),
    "contains": _match("%{}%"),
}


def _read_sort(key: Any) -> Sort:
    if isinstance(key, str):
        return Sort.read(key)
    if key.get("direction") not in ("asc", "desc"):
        raise InvalidQuery(f"sortby has the direction {key.get('direction')!r:.80}: take asc or desc.")
    return Sort(key["field"], key["direction"] == "desc")


def _read_fields(fields: Any) -> Fields | None:
    if fields is None:
        return None
    if isinstance(fields, Mapping):
        include = tuple(fields["include"] or ()) if "include" in fields else None
        return Fields(include, tuple(fields.get("exclude") or ()))
    return Fields.read(name.strip() for name in fields)
