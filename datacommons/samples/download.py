"""The file of a sample: fetched once, compared with its checksum, and kept in the user's cache."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import requests

from datacommons.archives.links import Patience, ask
from datacommons.errors import NotInstalled, NotWritten, RemoteFailed
from datacommons.samples import Sample

PATIENCE = Patience(tries=4)  # somebody waits for it, and most who fail have no network


def download(sample: Sample, cache: Path | None = None, patience: Patience = PATIENCE) -> Path:
    """Return the file of a sample, which is fetched unless the cache has it.

    The cache never holds half of it, nor anything with another checksum.

    Parameters
    ----------
    sample : Sample
    cache : Path, optional
        By default the system's folder for what can be fetched again, as ``~/.cache/datacommons``.
    patience : Patience

    Raises
    ------
    RemoteFailed
        If it cannot be fetched, or what came is something else.
    NotWritten
        If the cache cannot be written to.
    NotInstalled
    """
    try:
        import pooch
    except ImportError as error:
        raise NotInstalled("Samples need two more packages: pip install 'datacommons[samples]'.") from error
    pooch.get_logger().setLevel("WARNING")  # what it tells of each step, our own messages say
    folder = pooch.os_cache("datacommons") if cache is None else cache
    file = folder / f"{sample.id}-{PurePosixPath(urlsplit(sample.address).path).name}"
    downloader = _make_downloader(
        patience, f"Try again with a network, or bring it by other means and put it at {file}."
    )
    try:
        pooch.retrieve(sample.address, sample.checksum, fname=file.name, path=folder, downloader=downloader)
    except RemoteFailed:
        raise
    except ValueError as error:  # so pooch says that the checksum is another
        raise RemoteFailed(
            f"What came from {sample.address} is not the file of {sample.id}: {_first_sentence(error)}. Was it a page "
            "of a proxy or of a log-in? Nothing of it was kept."
        ) from error
    except OSError as error:
        raise NotWritten(
            f"{file} cannot be written: {error.strerror or error}. Make room there, and see that you may write there."
        ) from error
    return file


def _make_downloader(patience: Patience, advice: str) -> Any:
    """Make what pooch calls to fetch a file, as patient as all else that is asked of archives."""

    def fetch(url: str, target: str, _pooch: object) -> None:
        with requests.Session() as session:
            answer = ask(session, url, patience, advice=advice)
        Path(target).write_bytes(answer.content)

    return fetch


def _first_sentence(error: ValueError) -> str:
    return str(error).partition(". ")[0]
