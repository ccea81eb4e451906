"""Who reads and who writes: the one policy that the STAC API, the tiles and the files ask."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request

from catalog.errors import NotAuthorised
from catalog.store import ANONYMOUS, OWNER, Reader
from datacommons.errors import InvalidSettings

SHORTEST_TOKEN: Final = 16


@dataclass(frozen=True)
class Policy:
    """Tells who sent a request.

    The door knows no accounts: a request is anonymous and sees what is labelled ``public``, or shows the token of
    the owner, who sees everything and may write. The owner also has Python and the command line, which take
    :data:`catalog.store.OWNER`.

    Parameters
    ----------
    write_token : str
        The secret of the owner; empty: nobody writes over the door.

    Raises
    ------
    InvalidSettings
        Where the token is so short that it could be guessed.
    """

    write_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse a token that could be guessed."""
        if self.write_token and len(self.write_token) < SHORTEST_TOKEN:
            raise InvalidSettings(
                f"The write token has {len(self.write_token)} characters: take at least {SHORTEST_TOKEN}, as "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` makes them."
            )

    @property
    def may_be_written(self) -> bool:
        """Whether anybody may write over the door."""
        return bool(self.write_token)

    def identify(self, request: Request) -> Reader:
        """Tell who reads."""
        return OWNER if self._shows_token(request) else ANONYMOUS

    def authorise(self, request: Request) -> None:
        """Let a request write. Raises NotAuthorised."""
        if not self._shows_token(request):
            raise NotAuthorised("To write, send the header `Authorization: Bearer TOKEN` with the token of the server.")

    def _shows_token(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(token.strip().encode(), self.write_token.encode())
        return self.may_be_written and scheme.lower() == "bearer" and same
