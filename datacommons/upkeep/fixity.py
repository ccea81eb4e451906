"""Whether files are what the catalog says of them: there, as long, and with the same checksum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_SHA256: Final = "1220"


def is_local(href: str) -> bool:
    """Tell whether an href names a file of the commons, and not an address elsewhere."""
    return not urlsplit(href).scheme


def find_damage(file: Path, asset: Mapping[str, Any], *, checksums: bool = True) -> str | None:
    """Say in what a file differs from its asset; None if in nothing that can be told.

    Parameters
    ----------
    file : Path
        A file, or the folder of a Zarr cube.
    asset : mapping
        A STAC asset; of the file extension, ``file:size`` and ``file:checksum`` (SHA-256) are compared.
    checksums : bool
        Whether to read the file for its checksum.
    """
    if file.is_dir():
        return None if any(file.iterdir()) else "it is an empty folder"
    if not file.is_file():
        return "it is missing"
    size, wanted = file.stat().st_size, asset.get("file:size", file.stat().st_size)
    if size != wanted:
        return f"it has {size:,} bytes and not {wanted:,}"
    if checksums and not _has_checksum(file, asset.get("file:checksum", "")):
        return "its checksum is another: its bytes were changed"
    return None


def _has_checksum(file: Path, checksum: str) -> bool:
    # Opening a commons asks for this room, and that one reads rasters.
    from catalog.items.layers import checksum_file

    return not checksum.startswith(_SHA256) or checksum_file(file) == checksum


def local_files(item: Mapping[str, Any], root: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Go through the files of an item in the commons at ``root``, each with its asset."""
    for asset in item.get("assets", {}).values():
        if is_local(asset["href"]):
            yield root / asset["href"], asset
