"""The socket of the door: whether a port can be had is known before any work is done for it."""

from __future__ import annotations

import errno
import socket

from datacommons.errors import PortTaken


def listen(host: str, port: int) -> socket.socket:
    """Open the socket the server will listen on, before anything else is made ready.

    Raises
    ------
    PortTaken
        If it cannot be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            mend = f"Stop the other program, or choose another port, as in --port {port + 1}."
            raise PortTaken(f"Another program listens on port {port} of {host} already. {mend}") from error
        raise PortTaken(
            f"The server cannot listen on {host}, port {port}: {error.strerror or error}. Ports below 1024 need "
            "rights; 127.0.0.1 is this machine, 0.0.0.0 all its addresses."
        ) from error
