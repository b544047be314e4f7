"""Addresses and channels: where the services are, and the one place that makes a channel.

TLS and the codec in use are chosen here and nowhere else.
"""

import errno
import os
import re
import socket
import ssl as ssl_module
from typing import Final, NamedTuple

from grpclib.client import Channel
from grpclib.encoding.base import CodecBase
from grpclib.encoding.proto import ProtoStatusDetailsCodec

from protowire import Codec

__all__ = [
    "COMMAND_ADDRESS",
    "COMMAND_PORT",
    "MAX_PORT",
    "QUERY_ADDRESS",
    "QUERY_PORT",
    "Address",
    "connection_failure",
    "is_host",
    "make_channel",
    "parse_address",
]

MAX_PORT: Final = 65535
"""The greatest TCP port."""


class Address(NamedTuple):
    """The place of a service, written `HOST:PORT` or `[IPv6]:PORT`."""

    host: str
    """A name, or an address without brackets."""

    port: int
    """A TCP port."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


COMMAND_PORT: Final = 8081
"""The port of the write service, unless another one is set."""

QUERY_PORT: Final = 8082
"""The port of the read service, unless another one is set."""

COMMAND_ADDRESS: Final = Address("localhost", COMMAND_PORT)
"""The address of the write service, unless another one is set."""

QUERY_ADDRESS: Final = Address("localhost", QUERY_PORT)
"""The address of the read service, unless another one is set."""


def parse_address(text: str) -> Address:
    """Read `HOST:PORT` or `[IPv6]:PORT`; ValueError for anything else."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not (colon and is_host(host)) or bracketed != (":" in host):
        raise ValueError(f"{text!r} is not HOST:PORT (an IPv6 address stands in brackets)")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= MAX_PORT):
        raise ValueError(f"{text!r} has no port from 1 to {MAX_PORT}")
    return Address(host, int(port))


def is_host(text: str) -> bool:
    """True if the system can be asked for `text`: a name, or an address without brackets."""
    try:
        text.encode("idna")  # which knows how long the parts of a name may be
    except UnicodeError:
        return False
    return text.isascii() and text.isprintable() and text != "" and not set(" []") & set(text)


def make_channel(
    address: Address,
    *,
    ssl: ssl_module.SSLContext | bool | None = None,
    codec: CodecBase | None = None,
) -> Channel:
    """Make a channel, not yet connected.

    `ssl` is None for plaintext, True for the system's authorities, or a context
    that offers `h2` by ALPN. `codec` turns messages into bytes and back.
    """
    return Channel(
        address.host,
        address.port,
        ssl=ssl,
        codec=codec or Codec(),
        # A channel that is given a codec decodes no status details unless told to.
        status_details_codec=ProtoStatusDetailsCodec(),
    )


def connection_failure(error: OSError) -> str:
    """Tell why a connection failed, in the system's words and without addresses."""
    if isinstance(error, (socket.gaierror, ssl_module.SSLError)):
        return str(error.strerror or error).lower()
    if error.errno is not None:
        return os.strerror(error.errno).lower()
    # A name of several addresses that all failed: asyncio joins their messages.
    codes = set(map(int, re.findall(r"\[Errno (\d+)\]", str(error))))
    known = sorted(code for code in codes if code in errno.errorcode)
    return ", ".join(os.strerror(code).lower() for code in known) or str(error)
