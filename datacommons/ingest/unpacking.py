"""Archives that files come in: a zipped shapefile, a KMZ. Unpacked aside, within bounds."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from datacommons.errors import InvalidVector

LARGEST_BYTES = 2 * 2**30
"""How much an archive may hold, and a vector file may be: it is read into memory whole."""

_LARGEST_RATIO = 200
_HARMLESS_BYTES = 50 * 2**20
_MOST_ENTRIES = 10_000
_FOLDED = (".zip", ".kmz")


def unpack(path: Path, folder: Path) -> list[Path]:
    """Unpack an archive into an empty folder, and list its files in order of their names.

    Parameters
    ----------
    path : Path
        A ZIP file.
    folder : Path
        Where its files are put, in folders as they are inside.

    Raises
    ------
    InvalidVector
        If it is damaged or encrypted, unpacks to more than it should, or names places outside itself.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_rubbish(entry.filename)]
            _check_entries(path, entries)
            return sorted(_unpack_entry(archive, entry, folder) for entry in entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise InvalidVector(
            f"{path.name} is damaged: it cannot be unpacked ({error}). Copy or download it again, or pack it anew."
        ) from error


def _check_entries(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    for entry in entries:
        _check_entry(path, entry)
    held = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > _MOST_ENTRIES or held > LARGEST_BYTES:
        raise InvalidVector(
            f"{path.name} holds {len(entries):,} files of {held / 2**30:,.1f} GiB together; at most {_MOST_ENTRIES:,} "
            f"of {LARGEST_BYTES / 2**30:.0f} GiB are unpacked. Unpack it yourself, and ingest what you need of it."
        )
    if held > _HARMLESS_BYTES and held / packed > _LARGEST_RATIO:
        raise InvalidVector(
            f"{path.name} would unpack from {packed:,} to {held:,} bytes, {held // packed:,} times as much, as no "
            "geodata does: it looks like a ZIP bomb. If you trust it, unpack it yourself."
        )


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    inside = PurePosixPath(entry.filename.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
        raise InvalidVector(
            f"{path.name} names a place outside itself, {entry.filename!r}, and was perhaps made to do harm. "
            "Ask its author, or pack the files anew."
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidVector(
            f"{path.name} holds the link {entry.filename!r} in place of a file. Pack the file itself, with `zip`."
        )
    if entry.flag_bits & 1:
        raise InvalidVector(f"{path.name} is encrypted: unpack it with its password, and ingest the files.")
    if inside.suffix.lower() in _FOLDED:
        raise InvalidVector(
            f"{path.name} holds another archive, {entry.filename!r}: unpack the outer one, and ingest the inner."
        )


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> Path:
    target = folder / PurePosixPath(entry.filename.replace("\\", "/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    # What an entry says of its size bounds what is read of it.
    with archive.open(entry) as packed, target.open("xb") as file:
        shutil.copyfileobj(packed, file)
    return target


def _is_rubbish(name: str) -> bool:
    # macOS packs a shadow of every file.
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db")
