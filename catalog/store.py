"""What a catalog store promises: the reader, the query, the page and the protocol of the stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from catalog.errors import (
    AlreadyThere,
    CollectionNotFound,
    InvalidCollection,
    InvalidItem,
    ItemNotFound,
    StillNeeded,
)
from catalog.items.versions import ItemName
from catalog.query.aggregation import Aggregation
from catalog.query.fields import Fields
from catalog.query.query import MAX_LIMIT, Bbox, Interval, Query, Sort, check_bbox

__all__ = [
    "ACCESS_FIELD",
    "ANONYMOUS",
    "MAX_LIMIT",
    "OWNER",
    "PUBLIC",
    "Aggregation",
    "Bbox",
    "CatalogStore",
    "Change",
    "Expect",
    "Fields",
    "Interval",
    "Page",
    "Query",
    "Reader",
    "Sort",
    "check_bbox",
    "check_expected",
    "check_same",
    "refuse_loss",
]

PUBLIC: Final = "public"
ACCESS_FIELD: Final = "landscape:access"
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class Reader:
    """Who reads. Every read names one.

    Parameters
    ----------
    name : str
        For logs and messages.
    access : frozenset of str
        The access labels this reader may see; "*" sees all. What carries another label does not
        exist for the reader.
    """

    name: str = "anonymous"
    access: frozenset[str] = frozenset({PUBLIC})

    @property
    def sees_all(self) -> bool:
        """Whether no label is hidden from this reader."""
        return "*" in self.access

    def may_see(self, label: str) -> bool:
        """Tell whether something with this access label exists for the reader."""
        return self.sees_all or label in self.access


ANONYMOUS: Final = Reader()
OWNER: Final = Reader("owner", frozenset({"*"}))


@dataclass(frozen=True)
class Page:
    """One page of a search.

    Attributes
    ----------
    items : tuple of dict
        STAC items, or collections where those were searched, in the order of the query.
    next : str or None
        Token of the next page; None on the last one.
    matched : int or None
        How many items match in all, where the store can tell cheaply.
    """

    items: tuple[dict[str, Any], ...]
    next: str | None = None
    matched: int | None = None


Expect = Literal["any", "new", "known"]
Change = Callable[[dict[str, Any]], dict[str, Any]]


class CatalogStore(Protocol):
    """Keeps STAC collections and items as plain dictionaries, and finds them again.

    What a reader may not see does not exist for them: it raises "not found" and is never counted.
    An item is hidden by its own label (`properties["landscape:access"]`) or its collection's.
    """

    @property
    def lacking(self) -> frozenset[str]:
        """Conformance classes of `catalog.conformance` that an API on this store cannot keep."""

    def put_collection(self, collection: Mapping[str, Any], *, expect: Expect = "any") -> None:
        """Store a collection; what is expected of one of the same id says `expect`.

        ``any``: it is replaced. ``new``: AlreadyThere is raised. ``known``: CollectionNotFound is raised where
        there is none. Raises InvalidCollection.
        """

    def change_collection(self, collection_id: str, change: Change) -> dict[str, Any]:
        """Replace a collection by what a function makes of it, with no other write between, and return that.

        What the function raises leaves all as it was. Raises CollectionNotFound, and InvalidCollection, also where
        the id was changed.
        """

    def collection(self, collection_id: str, reader: Reader) -> dict[str, Any]:
        """Return a collection. Raises CollectionNotFound."""

    def collections(self, reader: Reader) -> list[dict[str, Any]]:
        """Return all collections, by id."""

    def search_collections(self, query: Query, reader: Reader) -> Page:
        """Return one page of the collections that match, by id unless the query sorts. Raises InvalidToken.

        `ids` are those of collections, `bbox` and `datetime` meet their extents, `filter`, `q`, `sortby` and
        `fields` are about their fields. InvalidQuery is raised for `collections` and `intersects`.
        """

    def put_items(self, items: Iterable[Mapping[str, Any]], *, expect: Expect = "any") -> None:
        """Store items, all or none. The extents of their collections are widened.

        What is expected of items of the same collection and id says `expect`, as for collections: AlreadyThere and
        ItemNotFound are raised. Raises InvalidItem, CollectionNotFound where an item's collection was not put
        before, and StillNeeded where one that others were derived from would get other assets.
        """

    def change_item(self, collection_id: str, item_id: str, change: Change) -> dict[str, Any]:
        """Replace an item by what a function makes of it, with no other write between, and return that.

        What the function raises leaves all as it was. Raises ItemNotFound, StillNeeded as above, and InvalidItem, also
        where the id or the collection was changed.
        """

    def item(self, collection_id: str, item_id: str, reader: Reader) -> dict[str, Any]:
        """Return an item. Raises ItemNotFound."""

    def search(self, query: Query, reader: Reader) -> Page:
        """Return one page of the items that match, in the order asked for. Raises InvalidToken."""

    def aggregate(self, query: Query, names: Iterable[str], reader: Reader) -> tuple[Aggregation, ...]:
        """Count the items that match, whatever the limit, token and order of the query.

        `names` are of `catalog.query.aggregation.AGGREGATIONS`; InvalidQuery is raised for any other.
        """

    def delete_items(self, collection_id: str, item_ids: Iterable[str]) -> None:
        """Forget items, all or none; ids that are not there are passed over.

        Raises StillNeeded where others that stay were derived from one of them.
        """

    def derived_items(self, collection_id: str, item_id: str) -> list[ItemName]:
        """Return collection and id of all items that were derived from one, in their order, hidden ones included."""

    def delete_collection(self, collection_id: str) -> None:
        """Forget a collection and its items.

        Raises CollectionNotFound, and StillNeeded where items of other collections were derived from one of them.
        """

    def close(self) -> None:
        """Let go of files and connections; the store cannot be used afterwards."""


def check_expected(expect: Expect, kind: Literal["item", "collection"], name: str, *, there: bool) -> None:
    """Raise AlreadyThere, ItemNotFound or CollectionNotFound where a document is not as a write expects it."""
    if expect == "new" and there:
        raise AlreadyThere(f"There is {'an' if kind == 'item' else 'a'} {kind} {name!r} already: replace it with PUT.")
    if expect == "known" and not there:
        raise (ItemNotFound if kind == "item" else CollectionNotFound)(f"There is no {kind} {name!r} to replace.")


def check_same(kind: Literal["item", "collection"], before: object, after: object) -> None:
    """Raise InvalidItem or InvalidCollection where a change gave a document another name."""
    if before != after:
        raise (InvalidItem if kind == "item" else InvalidCollection)(
            f"The {kind} {before!r} would become {after!r}: put a new one, and delete the old."
        )


def refuse_loss(what: str, derived: Iterable[ItemName]) -> None:
    """Raise StillNeeded where items were derived from something that is about to go.

    Parameters
    ----------
    what : str
        What cannot be done, as "The item 'slope' cannot be deleted".
    derived : iterable of tuple
        Collection and id of what was derived from it.
    """
    names = [item_id for _, item_id in derived]
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        raise StillNeeded(
            f"{what}: {', '.join(names[:_MOST_NAMED])}{more} {'was' if len(names) == 1 else 'were'} derived from it, "
            "and could not be made again."
        )
