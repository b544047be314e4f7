"""grpclib's events, dispatched as its own server dispatches them.

`grpclib.events.listen(server, RecvRequest, callback)` finds `Dispatch` as the
server's `__dispatch__`. Callers skip an event that is not in `listeners`: nobody
waits for it, and making it costs time.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from grpclib.events import (
    RecvMessage,
    RecvRequest,
    SendInitialMetadata,
    SendMessage,
    SendTrailingMetadata,
)

__all__ = ["Callback", "Dispatch", "made"]

Callback = Callable[[Any], Awaitable[None]]

_EVENTS: Final = (RecvRequest, RecvMessage, SendInitialMetadata, SendMessage, SendTrailingMetadata)


def made(event_type: Any, **payload: Any) -> Any:
    """An event of grpclib's, whose constructors carry no types."""
    return event_type(**payload)


class Dispatch:
    """The listeners of one server."""

    def __init__(self) -> None:
        self.listeners: dict[type, list[Callback]] = {}

    def add_listener(self, event_type: type, callback: Callback) -> None:
        """Call `callback` with each event of a type; `grpclib.events.listen` comes here."""
        if event_type not in _EVENTS:
            raise KeyError(event_type)
        self.listeners.setdefault(event_type, []).append(callback)

    async def dispatch(self, event: Any) -> Any:
        """Show the event to its listeners in turn, until one interrupts; return the event."""
        for callback in self.listeners.get(event.__class__, ()):
            await callback(event)
            if event.__interrupted__:
                break
        return event
