"""Who reads: the one policy that the STAC API, the tiles and the files ask."""

from __future__ import annotations

from fastapi import Request

from catalog.store import ANONYMOUS, Reader


def identify(request: Request) -> Reader:  # noqa: ARG001  (the policy of a server that knows no accounts)
    """Tell who sent a request.

    The door knows no accounts, so every request is anonymous and sees what is labelled ``public``; the owner
    reads the rest with Python and the command line, which take :data:`catalog.store.OWNER`.

    Parameters
    ----------
    request : Request

    Returns
    -------
    Reader
    """
    return ANONYMOUS
