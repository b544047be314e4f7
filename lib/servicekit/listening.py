"""The sockets a service listens on: every address of its host, one port; and saying so."""

import errno
import os
import socket
import sys
from typing import Final

import structlog

from taskpb.channel import Address

__all__ = ["BACKLOG", "open_listening_sockets", "say_ready"]

BACKLOG: Final = 4096
"""The connections that the kernel completes ahead of us; it caps them (net.core.somaxconn).

asyncio's 100 delays a burst of connects by a second.
"""

_FREE_PORT_TRIES: Final = 16
"""The tries for port 0, a port that is free on every address: seldom more than one."""

_NO_SUCH_ADDRESS_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_log = structlog.get_logger("servicekit.listening")


def say_ready(name: str, host: str, port: int) -> None:
    """Print the line that a service is ready, with its address; it serves unread too."""
    line = f"{name} listening on {Address(host, port)}\n"
    try:
        # One write, so that two services in one terminal don't share a line.
        os.write(sys.stdout.fileno(), line.encode())
    except OSError as error:
        _log.warning("standard output takes no ready line", line=line.strip(), problem=str(error))


def open_listening_sockets(
    host: str, port: int, *, share_port: bool = False
) -> list[socket.socket]:
    """Bind each address of `host` to one port; port 0 takes any that is free.

    With `share_port` other processes of ours may bind it too. An address family
    this machine doesn't have is passed over. Raises OSError, whose text names the
    address.
    """
    for tries_left in reversed(range(_FREE_PORT_TRIES)):
        try:
            return _bind_all(host, port, share_port)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE or not tries_left:
                raise
    raise AssertionError("unreachable")


def _bind_all(host: str, port: int, share_port: bool) -> list[socket.socket]:
    addresses = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, *_, address in dict.fromkeys(addresses):
            try:
                bound = _bind(family, (address[0], port, *address[2:]), share_port)
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS_HERE:
                    raise
                missing = error
                continue
            sockets.append(bound)
            port = bound.getsockname()[1]
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    if not sockets:
        raise missing or OSError(f"{host} has no address")
    return sockets


def _bind(family: int, address: tuple[object, ...], share_port: bool) -> socket.socket:
    # By its protocol asyncio knows a connection for TCP, and sets TCP_NODELAY.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setblocking(False)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
