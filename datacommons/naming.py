"""Names and years of layers and landscapes, told from file and folder names."""

from __future__ import annotations

import re
from pathlib import Path

from datacommons.errors import InvalidIngest

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def name_of(text: str) -> str:
    """Turn free text into a name for ids and folders.

    Raises
    ------
    InvalidIngest
        If nothing is left of it.

    Examples
    --------
    >>> name_of("Plum Island (MA)")
    'plum-island-ma'
    >>> name_of("dist_built_1985")
    'dist_built_1985'
    """
    name = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")
    if not name:
        raise InvalidIngest(f"No name can be made of {text!r}: use letters a to z, digits, '-' and '_'.")
    return name


def title_of(name: str) -> str:
    """Turn a name into a title shown to people.

    Examples
    --------
    >>> title_of("plum-island")
    'Plum Island'
    """
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[-_\s]+", name) if word)


def years_in(path: Path) -> tuple[int, ...]:
    """Find the years in a file's name: four digits that begin with 19 or 20.

    Examples
    --------
    >>> years_in(Path("landcover_1985.tif"))
    (1985,)
    """
    return tuple(sorted({int(year) for year in _YEAR.findall(path.stem)}))


def check_name(name: str, what: str) -> str:
    """Return a name given by the user, if ids and folders can be made of it.

    Raises
    ------
    InvalidIngest
        Proposes one that can.
    """
    if re.fullmatch(NAME_PATTERN, name):
        return name
    raise InvalidIngest(
        f"{name!r} cannot name a {what}: use lower-case letters a to z, digits, '-' and '_', as in {name_of(name)!r}."
    )
