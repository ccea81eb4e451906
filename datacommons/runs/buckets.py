"""Runs in buckets: what a commons has published, copied to where the world reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from catalog.collections import RUNS
from datacommons.errors import BucketFailed
from datacommons.progress import progress_bar
from datacommons.runs.run import Run
from scenarios.cluster import Workers

ITEM: Final = "item.json"


def open_bucket(url: str) -> Any:
    """Open a place in a bucket.

    Parameters
    ----------
    url : as ``s3://bucket/folder``; the keys are those of the environment, as ``AWS_ACCESS_KEY_ID`` and, for stores
        that are compatible, ``AWS_ENDPOINT_URL``

    Raises
    ------
    BucketFailed
        The address is none, or what reads buckets is not installed.
    """
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ImportError as error:
        raise BucketFailed("Buckets need one more package: pip install 'datacommons[s3]'.") from error
    try:
        return from_url(url)
    except BaseError as error:
        raise BucketFailed(
            f"{url} is no place in a bucket: {_brief(error)}. Name one as s3://bucket/folder."
        ) from error


def copy_run(run: Run, root: Path, url: str, *, progress: bool = False) -> str:
    """Copy a published run into a bucket: cubes, maps, tables, and last of all its item, so that none sees half of it.

    Parameters
    ----------
    root : folder of the commons
    url : place in a bucket; the run gets a folder of its name there

    Returns
    -------
    Address of the item

    Raises
    ------
    BucketFailed
        The bucket cannot be written to, or has the run already.
    """
    import obstore
    from obstore.exceptions import BaseError

    place, bucket = f"{url.rstrip('/')}/{run.id}", open_bucket(f"{url.rstrip('/')}/{run.id}")
    folder = (root / run.item["assets"]["trajectory"]["href"]).parent
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    try:
        if any(meta["path"] == ITEM for batch in obstore.list(bucket) for meta in batch):
            raise BucketFailed(f"{place} has this run already. Runs do not change; name another place.")
        with progress_bar(f"copying {run.id}", len(files), shown=progress) as bar:

            def copy(path: Path) -> None:
                obstore.put(bucket, path.relative_to(folder).as_posix(), path)
                bar(1)

            Workers().map(copy, files)
        obstore.put(bucket, ITEM, json.dumps(_describe(run, folder.relative_to(root).as_posix())).encode())
    except BaseError as error:
        raise BucketFailed(f"{place} cannot be written to: {_brief(error)}. Mend that, and copy again.") from error
    return f"{place}/{ITEM}"


def _brief(error: Exception) -> str:
    """Return what the library says first; the rest is for its makers."""
    return str(error).splitlines()[0]


def _describe(run: Run, folder: str) -> dict[str, Any]:
    """Return the run's item with addresses that begin where it lies, and without those of other items."""
    assets = {
        name: {**asset, "href": "./" + asset["href"].removeprefix(folder + "/")}
        for name, asset in run.item["assets"].items()
    }
    kept = [link for link in run.item["links"] if "://" in link["href"]]
    return {**run.item, "collection": RUNS, "assets": assets, "links": kept}
