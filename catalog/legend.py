"""The legend of a classified map: values, names in several languages, colours and crosswalks."""

from __future__ import annotations

import json
import operator
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, SupportsIndex

from catalog.errors import LegendError, UnknownClass
from catalog.palette import choose_colours

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_CROSSWALKS = ("ipcc6", "unccd7")


@dataclass(frozen=True)
class LegendClass:
    """One class of a legend.

    Parameters
    ----------
    value : int
        The pixel value, 1 to 255.
    name : str
        Identifier used in scenario files: lower-case letters, digits, "-" and "_".
    title : mapping of str to str
        Language tag to the name shown to people, for example ``{"en": "Forest"}``; never empty.
    colour : str
        "#rrggbb".
    ipcc6, unccd7 : str, optional
        The IPCC land category and the UNCCD land-cover class this class belongs to, where known.

    Raises
    ------
    LegendError
        Where a field is not as described.
    """

    value: int
    name: str
    title: Mapping[str, str] = field(hash=False)
    colour: str
    ipcc6: str | None = None
    unccd7: str | None = None

    def __post_init__(self) -> None:
        """Check every field; colours become lower case and titles read-only."""
        object.__setattr__(self, "value", _check_value(self.value, self.name))
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise LegendError(
                f"Class {self.value} has the name {self.name!r}: "
                'use lower-case letters, digits, "-" and "_", for example "open-forest".'
            )
        object.__setattr__(self, "title", MappingProxyType(_check_title(self.title, self.name)))
        object.__setattr__(self, "colour", _check_colour(self.colour, self.name))

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from plain fields: a read-only mapping cannot be pickled."""
        fields = (self.value, self.name, dict(self.title), self.colour, self.ipcc6, self.unccd7)
        return type(self), fields

    def label(self, language: str = "en") -> str:
        """Return the title in a language, else in English, else in the first there is."""
        return self.title.get(language) or self.title.get("en") or next(iter(self.title.values()))

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as red, green and blue, 0 to 255."""
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)

    @property
    def crosswalks(self) -> dict[str, str]:
        """The crosswalks that are known, by name."""
        return {name: known for name in _CROSSWALKS if (known := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Legend:
    """The classes of a classified map, ordered by value, and the value that means "no data".

    Examples
    --------
    >>> legend = Legend.from_json({"nodata": 0, "classes": {"1": "Forest", "2": "Built"}})
    >>> legend.names
    ('forest', 'built')
    >>> legend.value_of("built")
    2
    """

    classes: tuple[LegendClass, ...]
    nodata: int = 0

    def __post_init__(self) -> None:
        """Order the classes by value and refuse what contradicts itself."""
        object.__setattr__(self, "nodata", _check_nodata(self.nodata))
        classes = tuple(sorted(self.classes, key=operator.attrgetter("value")))
        if not classes:
            raise LegendError("The legend has no classes: give at least one.")
        _refuse_duplicates("value", [entry.value for entry in classes])
        _refuse_duplicates("name", [entry.name for entry in classes])
        clash = next((entry for entry in classes if entry.value == self.nodata), None)
        if clash:
            raise LegendError(
                f"Value {self.nodata} is both nodata and the class {clash.name!r}: give one another value."
            )
        object.__setattr__(self, "classes", classes)

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    def __iter__(self) -> Iterator[LegendClass]:
        """Go through the classes in order of value."""
        return iter(self.classes)

    @property
    def values(self) -> tuple[int, ...]:
        """The pixel values of the classes, ascending."""
        return tuple(entry.value for entry in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes, in order of value."""
        return tuple(entry.name for entry in self.classes)

    def get(self, key: SupportsIndex | str) -> LegendClass:
        """Return the class of a pixel value or of a name.

        Raises
        ------
        UnknownClass
            Where there is none; the message lists those there are.
        """
        wanted: int | str = key if isinstance(key, str) else operator.index(key)
        for entry in self.classes:
            if wanted in (entry.value, entry.name):
                return entry
        close = get_close_matches(wanted.lower(), self.names, n=1) if isinstance(wanted, str) else []
        known = ", ".join(f"{entry.value} {entry.name}" for entry in self.classes)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownClass(f"The legend has no class {wanted!r}; it has: {known}.{hint}")

    def value_of(self, key: SupportsIndex | str) -> int:
        """Return the pixel value of a class given by name or value. Raises UnknownClass."""
        return self.get(key).value

    def colormap(self) -> dict[int, tuple[int, int, int, int]]:
        """Return red, green, blue and alpha (0 to 255) by pixel value; nodata is transparent."""
        return {self.nodata: (0, 0, 0, 0)} | {entry.value: (*entry.rgb, 255) for entry in self.classes}

    def to_json(self) -> dict[str, Any]:
        """Return the legend as plain JSON that `from_json` reads back without loss."""
        return {
            "nodata": self.nodata,
            "classes": [
                {
                    "value": entry.value,
                    "name": entry.name,
                    "title": dict(entry.title),
                    "colour": entry.colour,
                    **entry.crosswalks,
                }
                for entry in self.classes
            ],
        }

    def to_classification(self) -> list[dict[str, Any]]:
        """Return STAC `classification:classes`, nodata first; `from_classification` reads it back."""
        nodata = {"value": self.nodata, "name": "nodata", "title": "No data", "nodata": True}
        return [nodata, *(_to_stac_class(entry) for entry in self.classes)]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, or the short form ``{"nodata": 0, "classes": {"1": "Forest"}}``.

        In either form a class may leave out its colour, name or title; they are then derived. A title
        may be a plain text, which is taken as English.

        Raises
        ------
        LegendError
            Where something is missing or contradicts itself.
        """
        if not isinstance(document, Mapping) or "classes" not in document:
            raise LegendError('A legend needs the key "classes", for example {"1": "Forest", "2": "Built"}.')
        if "nodata" not in document:
            raise LegendError('A legend needs the key "nodata": the pixel value without data, usually 0.')
        classes = document["classes"]
        if isinstance(classes, Mapping):
            rows = [_short_row(value, entry) for value, entry in classes.items()]
        elif isinstance(classes, Sequence) and all(isinstance(entry, Mapping) for entry in classes):
            rows = [dict(entry) for entry in classes]
        else:
            raise LegendError('"classes" must be a list of classes, or names by value such as {"1": "Forest"}.')
        return cls(_complete(rows), document["nodata"])

    @classmethod
    def from_classification(cls, classes: Iterable[Mapping[str, Any]]) -> Self:
        """Read STAC `classification:classes` (version 2, or 1 without names). Raises LegendError."""
        entries = list(classes)
        nodata = [entry["value"] for entry in entries if entry.get("nodata")]
        rows = [_from_stac_class(entry) for entry in entries if not entry.get("nodata")]
        return cls(_complete(rows), nodata[0] if nodata else 0)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], nodata: object = 0) -> Self:
        """Make a legend of rows with value and title, and perhaps name, colour and crosswalks. Raises LegendError."""
        return cls(_complete([dict(row) for row in rows]), _check_nodata(nodata))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a legend from a `.json` or `.csv` file, or from a style of QGIS (`.qml`, paletted).

        A CSV has the columns code and name, and optionally colour_hex, nodata ("yes"), names in other languages
        (name_es), ipcc6 and unccd7. Rows marked as nodata are no classes; the first of them gives the nodata value,
        else it is 0.

        Raises
        ------
        LegendError
            Where the file cannot be understood.
        OSError
            Where it cannot be opened.
        """
        from catalog.legend_files import read_rows

        path = Path(path)
        if path.suffix.lower() != ".json":
            return cls.from_rows(*read_rows(path))
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8-sig")))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise LegendError(f"{path.name} is not valid JSON: {error}.") from None

    @classmethod
    def of_product(cls, name: str) -> Self:
        """Return the legend of a public product, as `esa-cci-lc`, with its crosswalks. Raises LegendError.

        Codes, names and colours are those its makers published. Where a class belongs in the crosswalks is a default
        to be looked at: ``catalog/legends/README.md`` says what is judged and what was read.
        """
        from catalog.legend_files import find_product, read_rows

        return cls.from_rows(*read_rows(find_product(name)))


def slug(title: str) -> str:
    """Turn a title into a class name: "Flooded vegetation" becomes "flooded-vegetation"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _to_stac_class(entry: LegendClass) -> dict[str, Any]:
    return {
        "value": entry.value,
        "name": entry.name,
        "title": entry.label(),
        "color_hint": entry.colour[1:],
        "landscape:titles": dict(entry.title),
        **{f"landscape:{name}": known for name, known in entry.crosswalks.items()},
    }


def _from_stac_class(entry: Mapping[str, Any]) -> dict[str, Any]:
    title = entry.get("landscape:titles") or entry.get("title") or entry.get("description") or entry.get("name")
    row = {"value": entry.get("value"), "title": title, "colour": entry.get("color_hint")}
    if entry.get("name") and _NAME.fullmatch(entry["name"]):
        row["name"] = entry["name"]
    return row | {name: entry.get(f"landscape:{name}") for name in _CROSSWALKS}


def _short_row(value: str, entry: object) -> dict[str, Any]:
    return {"value": value, **entry} if isinstance(entry, Mapping) else {"value": value, "title": entry}


def _complete(rows: list[dict[str, Any]]) -> tuple[LegendClass, ...]:
    """Give every row a name, a title in some language and a colour, and make classes of them."""
    for row in rows:
        row["value"] = _check_value(row.get("value"), row.get("name") or row.get("title"))
        row["title"] = _titles(row)
    taken = {row["name"] for row in rows if row.get("name")}
    for row in rows:
        if not row.get("name"):
            row["name"] = _free_name(row, taken)
            taken.add(row["name"])
    given = {row["name"]: _check_colour(row["colour"], row["name"]) for row in rows if row.get("colour")}
    colours = choose_colours([row["name"] for row in rows], given)
    return tuple(
        LegendClass(row["value"], row["name"], row["title"], colours[row["name"]], row.get("ipcc6"), row.get("unccd7"))
        for row in rows
    )


def _titles(row: Mapping[str, Any]) -> Mapping[str, str]:
    title = row.get("title") or row.get("name")
    if isinstance(title, Mapping):
        return title
    if not isinstance(title, str) or not title.strip():
        raise LegendError(f"Class {row['value']} has neither a name nor a title: give it one.")
    return {"en": title.strip()}


def _free_name(row: Mapping[str, Any], taken: set[str]) -> str:
    titles = row["title"]
    name = slug(titles.get("en") or next(iter(titles.values()), "")) or f"class-{row['value']}"
    return f"{name}-{row['value']}" if name in taken else name


def _check_value(value: object, name: object) -> int:
    number = _whole_number(value)
    if number is None or not 1 <= number <= 255:
        raise LegendError(
            f"Class {name!r} has the value {value!r}: classes have whole numbers from 1 to 255 "
            "(0 is for nodata). Renumber the map's classes if it has others."
        )
    return number


def _check_nodata(value: object) -> int:
    number = _whole_number(value)
    if number is None or not 0 <= number <= 255:
        raise LegendError(f"nodata is {value!r}: give a whole number from 0 to 255, usually 0.")
    return number


def _whole_number(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
        return int(value)
    return operator.index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else None


def _check_colour(colour: object, name: str) -> str:
    text = f"#{colour.strip().lstrip('#').lower()}" if isinstance(colour, str) else ""
    if not _COLOUR.fullmatch(text):
        raise LegendError(f'Class {name!r} has the colour {colour!r}: write it as "#rrggbb", for example "#4f7a4d".')
    return text


def _check_title(title: object, name: str) -> dict[str, str]:
    if not isinstance(title, Mapping) or not title:
        raise LegendError(f'Class {name!r} has the title {title!r}: give at least one language, {{"en": "Forest"}}.')
    wrong = [
        key for key, text in title.items() if not (isinstance(key, str) and isinstance(text, str) and text.strip())
    ]
    if wrong:
        raise LegendError(f"Class {name!r} has no text as its title for the language {wrong[0]!r}.")
    return dict(title)


def _refuse_duplicates(what: str, entries: Sequence[int | str]) -> None:
    seen: set[int | str] = set()
    for entry in entries:
        if entry in seen:
            raise LegendError(f"Two classes have the {what} {entry!r}: give each class its own.")
        seen.add(entry)
