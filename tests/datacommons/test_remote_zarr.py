"""A Zarr of an archive is read, and nothing else is done to it."""

import asyncio
from io import UnsupportedOperation

import pytest
from zarr.core.buffer.cpu import Buffer

from datacommons.archives.links import Links
from datacommons.archives.zarr import RemoteStore

HREF = "http://127.0.0.1:9/rain.zarr"


@pytest.fixture
def store() -> RemoteStore:
    return RemoteStore(HREF, Links())


def test_an_archive_is_not_written(store):
    with pytest.raises(UnsupportedOperation, match=rf"Cannot write rain/c/0 \(4 bytes\): {HREF} is an archive"):
        asyncio.run(store.set("rain/c/0", Buffer.from_bytes(b"1234")))
    with pytest.raises(UnsupportedOperation, match=f"Cannot delete rain/c/0: {HREF} is an archive"):
        asyncio.run(store.delete("rain/c/0"))


def test_an_archive_is_not_listed(store):
    for listing in (store.list, lambda: store.list_prefix("rain"), lambda: store.list_dir("rain")):
        with pytest.raises(UnsupportedOperation, match=f"{HREF} is an archive, which is only read"):
            listing()
