"""Which vector layers lie over a map, and how much each feature matters: told by names that people give anyway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

RIVERS, ROADS, PLACES, NOTHING = "rivers", "roads", "places", "nothing"
KINDS: Final = (RIVERS, ROADS, PLACES)
RANK_COLUMNS: Final = ("highway", "waterway", "place", "fclass", "class", "kind", "type")
"""Columns that say of what class a feature is; the first that a table has."""

# Words in the name of a layer, also with an "s" or "es" behind them; in the six languages of the page.
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    RIVERS: frozenset(
        {"river", "stream", "creek", "waterway", "watercourse", "hydrography"}  # English
        | {"rio", "arroyo", "quebrada", "riviere", "fleuve", "ruisseau", "ribeira", "corrego"}  # Spanish to Portuguese
        | {"sungai", "kali", "mto", "mito"}  # Indonesian, Swahili
    ),
    ROADS: frozenset(
        {"road", "highway", "street", "track"}
        | {"carretera", "camino", "calle", "route", "chemin", "piste", "estrada", "rodovia", "rua"}
        | {"jalan", "barabara", "njia"}
    ),
    PLACES: frozenset(
        {"place", "village", "town", "settlement", "community", "communities", "hamlet"}
        | {"pueblo", "aldea", "localidad", "comunidad", "localite", "hameau", "localidade", "povoado", "comunidade"}
        | {"desa", "kampung", "dusun", "kijiji", "vijiji"}
    ),
}
# In the words of OpenStreetMap, which others use too.
_RANKS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("river", "motorway", "trunk", "primary", "city", "town"), 1),
    **dict.fromkeys(("canal", "secondary", "tertiary", "village"), 2),
    **dict.fromkeys(("stream", "ditch", "drain"), 3),
    **dict.fromkeys(("residential", "unclassified", "service", "track", "path", "footway"), 3),
    **dict.fromkeys(("hamlet", "isolated_dwelling", "farm", "locality"), 3),
}
_MIDDLE: Final = 2


def choose_kind(properties: Mapping[str, Any]) -> str | None:
    """Return what a vector layer is shown as: what its item says, else what its name says; None for nothing.

    Parameters
    ----------
    properties : mapping
        Of its item.

    Examples
    --------
    >>> choose_kind({"landscape:layer": "main-rivers"})
    'rivers'
    >>> choose_kind({"landscape:layer": "parcels", "landscape:shown_as": "roads"})
    'roads'
    >>> choose_kind({"landscape:layer": "rivers", "landscape:shown_as": "nothing"}) is None
    True
    """
    said = properties.get("landscape:shown_as")
    if said is not None:
        return str(said) if said in KINDS else None
    words = str(properties.get("landscape:layer", "")).lower().replace("_", "-").split("-")
    singular = {word.removesuffix(ending) for word in words for ending in ("", "s", "es")}
    return next((kind for kind in KINDS if singular & _WORDS[kind]), None)


def rank_classes(classes: Iterable[object]) -> list[int]:
    """Return how much features matter by their classes, 1 the most and 3 the least; 2 where the class says nothing.

    Examples
    --------
    >>> rank_classes(["primary_link", "Village", "stream", None])
    [1, 2, 3, 2]
    """
    return [_RANKS.get(str(name).strip().lower().removesuffix("_link"), _MIDDLE) for name in classes]
