"""Which fields of a document a search returns, as the fields extension of the STAC API has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.errors import InvalidQuery

# What is returned where neither is said: a valid item.
_DEFAULTS: Final = (
    "type",
    "stac_version",
    "id",
    "collection",
    "geometry",
    "bbox",
    "links",
    "assets",
    "properties.datetime",
    "properties.start_datetime",
    "properties.end_datetime",
)
_KEPT: Final = ("id", "collection")
_MOST: Final = 200


@dataclass(frozen=True)
class Fields:
    """The fields that are wanted. Dots lead into objects, as in ``properties.gsd``.

    Parameters
    ----------
    include : tuple of str, optional
        These and no others; ``*`` is all. An empty tuple is what makes a valid item; None is all that is not
        excluded, and where nothing is, what makes a valid item.
    exclude : tuple of str
        Left out, but for what is included too, or lies below it.

    Raises
    ------
    InvalidQuery
        Where a name is no text, or there are more than 200.
    """

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names."""
        for side in ("include", "exclude"):
            if getattr(self, side) is not None:
                object.__setattr__(self, side, _check_names(side, getattr(self, side)))

    @classmethod
    def read(cls, names: Iterable[str]) -> Fields:
        """Read names as a URL has them: ``-geometry`` excludes, ``gsd`` and ``+gsd`` include."""
        given = tuple(names)
        exclude = tuple(name[1:] for name in given if name.startswith("-"))
        include = tuple(name.removeprefix("+") for name in given if not name.startswith("-"))
        return cls(include or None, exclude)

    def wants(self, name: str) -> bool:
        """Tell whether a field at the top of a document is returned."""
        return name not in self.exclude

    def project(self, document: Mapping[str, Any], *, keep: Iterable[str] = _KEPT) -> dict[str, Any]:
        """Return a document of the wanted fields only.

        Parameters
        ----------
        document : mapping
            It is left as it is.
        keep : iterable of str
            Names at the top that stay even where they are excluded.
        """
        included: dict[str, Any] = {}
        for name in self._roots(document):
            _copy(document, included, name.split("."))
        for name in self.exclude:
            _remove(included, name.split("."))
        # What is both included and excluded is included.
        for name in self.include or ():
            if any(name == other or name.startswith(f"{other}.") for other in self.exclude):
                _copy(document, included, name.split("."))
        return {**included, **{name: document[name] for name in keep if name in document}}

    def _roots(self, document: Mapping[str, Any]) -> Iterable[str]:
        """List the names of what to begin with."""
        if "*" in (self.include or ()) or (self.exclude and self.include is None):
            return document
        return self.include or _DEFAULTS


def _check_names(side: str, names: object) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidQuery(f"fields has {side} {names!r}: give a list of names.")
    found = tuple(names)
    if len(found) > _MOST or not all(isinstance(name, str) for name in found):
        raise InvalidQuery(f"fields has {side} {str(found)[:80]}: give at most {_MOST} names.")
    return found


def _copy(source: Mapping[str, Any], target: dict[str, Any], path: list[str]) -> None:
    """Copy what lies at a path; objects on the way are made anew, so that the source is never changed."""
    first, *rest = path
    if first not in source:
        return
    if not rest:
        target[first] = source[first]
    elif isinstance(source[first], Mapping):
        if not isinstance(target.get(first), dict) or target[first] is source[first]:
            target[first] = dict(target.get(first) or {})
        _copy(source[first], target[first], rest)
        if not target[first]:
            del target[first]


def _remove(target: dict[str, Any], path: list[str]) -> None:
    first, *rest = path
    if first not in target:
        return
    if not rest:
        del target[first]
    elif isinstance(target[first], Mapping):
        target[first] = dict(target[first])
        _remove(target[first], rest)
