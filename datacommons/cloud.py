"""Files in buckets, as GDAL opens them: it is told what the environment tells all others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

import rasterio

_S3: Final = "s3://"


@contextmanager
def reach(path: str) -> Iterator[str]:
    """Return the path under which GDAL opens a file, for as long as the block lasts.

    Parameters
    ----------
    path : on the disk, or an address as ``s3://bucket/valley-slope.tif``. The keys are those of the environment, as
        ``AWS_ACCESS_KEY_ID`` and, for stores that are compatible, ``AWS_ENDPOINT_URL``, which GDAL by itself passes by.
    """
    if not path.startswith(_S3):
        yield path
        return
    with rasterio.Env(**_describe_endpoint(os.environ.get("AWS_ENDPOINT_URL", ""))):
        yield f"/vsis3/{path.removeprefix(_S3)}"


def _describe_endpoint(url: str) -> dict[str, str]:
    """Return GDAL's options for a store of one's own: nothing for Amazon's."""
    endpoint = urlsplit(url)
    if not endpoint.netloc:
        return {}
    secure = "NO" if endpoint.scheme == "http" else "YES"
    return {"AWS_S3_ENDPOINT": endpoint.netloc, "AWS_HTTPS": secure, "AWS_VIRTUAL_HOSTING": "FALSE"}
