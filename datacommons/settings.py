"""The settings of a commons: ``commons.toml``, and where it is looked for."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datacommons.errors import InvalidSettings, NotACommons
from datacommons.naming import NAME_PATTERN

SETTINGS_FILE = "commons.toml"
CATALOG_FILE = "catalog.sqlite"
CATALOG_VARIABLE = "DATACOMMONS_CATALOG"


class Settings(BaseModel):
    """What ``commons.toml`` says.

    Attributes
    ----------
    name : str
        Name of the commons, shown to people.
    contact : str
        Whom to ask; empty if unsaid.
    licence : str
        SPDX identifier of the licence of the layers, or ``other``.
    default_access : str
        Access label of what is ingested; ``public`` is seen by everybody, any other only by the owner.
    language : str
        Language of titles given as plain text, as ``en``.
    landscape : str or None
        The landscape meant when none is named; also the name that the first one gets.
    demo : bool
        Whether ``datacommons demo`` made the folder, and may make it again.
    catalog : str or None
        A PostgreSQL database that holds the catalog, as ``postgresql://ada@db.example.org/plum_island``; None: the file
        ``catalog.sqlite``. The environment variable ``DATACOMMONS_CATALOG`` goes before it.
    plans : bool or None
        Whether visitors may have plans projected on this machine; None: where the server is reached from this machine
        only, and in the demonstration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1)
    contact: str = ""
    licence: str = Field(default="other", min_length=1)
    default_access: str = Field(default="public", pattern=NAME_PATTERN)
    language: str = Field(default="en", pattern=r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$")
    landscape: str | None = Field(default=None, pattern=NAME_PATTERN)
    demo: bool = False
    catalog: str | None = Field(default=None, pattern=r"^postgresql://")
    plans: bool | None = None


def locate_catalog(root: Path, settings: Settings) -> str:
    """Return where the catalog of the commons in ``root`` is: an address, or the path of a file.

    Raises
    ------
    InvalidSettings
        If ``DATACOMMONS_CATALOG`` is no address of a PostgreSQL database.
    """
    found = os.environ.get(CATALOG_VARIABLE) or settings.catalog
    if found is not None and not found.startswith("postgresql://"):
        raise InvalidSettings(f"{CATALOG_VARIABLE} names no database: write it as postgresql://user@host/database.")
    return found or str(root / CATALOG_FILE)


def check_settings(values: Mapping[str, object], *, source: str) -> Settings:
    """Validate settings.

    Raises
    ------
    InvalidSettings
        Names the fields that are wrong and ``source``, where they stand.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        known = ", ".join(Settings.model_fields)
        raise InvalidSettings(f"{source} cannot be used: {faults}. The settings are: {known}.") from error


def read_settings(root: Path) -> Settings:
    """Read ``commons.toml`` of the commons in ``root``.

    Raises
    ------
    NotACommons
        If the folder has none.
    InvalidSettings
        If it is not TOML, or a setting is wrong.
    """
    path = root / SETTINGS_FILE
    if not path.is_file():
        found = "the folder has no commons.toml" if root.is_dir() else "there is no such folder"
        raise NotACommons(
            f"{root} is not a commons: {found}. Create one with `datacommons init {root.name or 'my-commons'}`."
        )
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not valid TOML: {error}. Mend the line it names.") from error
    return check_settings(values, source=str(path))


def write_settings(root: Path, settings: Settings) -> None:
    """Write ``commons.toml``; settings that are unset, or off as they are by default, are left out."""
    # A JSON string is also a TOML basic string, and the standard library writes no TOML.
    lines = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}"
        for key, value in settings.model_dump().items()
        if value is not None and not (value is False and Settings.model_fields[key].default is False)
    ]
    (root / SETTINGS_FILE).write_text("\n".join(lines) + "\n", "utf-8")


def find_commons(named: Path | None, here: Path) -> Path:
    """Find the folder of the commons that a command means.

    Parameters
    ----------
    named : Path or None
        What the user named, by option or environment; taken as it is.
    here : Path
        The current folder: it or a parent of it may be the commons, or the only folder inside it that is one.

    Raises
    ------
    NotACommons
        If there is none, or more than one.
    """
    if named is not None:
        return named
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    inside = sorted(path.parent for path in here.glob(f"*/{SETTINGS_FILE}"))
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(folder.name for folder in inside)
        raise NotACommons(f"{here} holds several commons: {names}. Say which one, as in -C {inside[0].name}.")
    raise NotACommons(
        f"Neither {here} nor a folder above or in it is a commons (a folder with a {SETTINGS_FILE}). "
        "Name one with --commons, or create one with `datacommons init NAME`."
    )
