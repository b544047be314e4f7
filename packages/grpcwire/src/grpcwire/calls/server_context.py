"""The context that all connections and calls of one server share."""

import asyncio
from dataclasses import dataclass

from grpclib.encoding.base import StatusDetailsCodecBase

from grpcwire.calls.events import Dispatch
from grpcwire.counters import Counters
from grpcwire.limits import Limits

__all__ = ["ServerContext"]


@dataclass(frozen=True, slots=True)
class ServerContext:
    """Limits, counters, listeners and loop of one server."""

    status_details_codec: StatusDetailsCodecBase | None
    """Encodes the details of a status; None drops them."""
    dispatch: Dispatch
    """The listeners to grpclib's events."""
    limits: Limits
    counters: Counters
    loop: asyncio.AbstractEventLoop
    """The loop that runs every handler."""
