"""The call a handler is serving: what betterproto's signatures leave out.

A handler of a betterproto base gets its request and nothing else. Whoever
drives the handler makes its call the current one, and whatever runs below asks
`current_call()`. The context is a ContextVar: each task, and so each call, has
its own. Our engine puts its stream there and the `Call` is only made when asked
for; on grpclib's own server `provide_current_call` does the same through its
events. Nothing here knows frames, sockets or messages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from grpclib.events import RecvRequest, SendInitialMetadata, SendTrailingMetadata, listen
from grpclib.metadata import Deadline
from multidict import MultiDict

__all__ = ["Call", "current_call", "provide_current_call", "serving"]


class _Stream(Protocol):
    """What `Call.of` reads of a stream; grpclib's and ours both have it."""

    @property
    def metadata(self) -> MultiDict[str | bytes] | None: ...
    @property
    def deadline(self) -> Deadline | None: ...
    @property
    def peer(self) -> Any: ...


class CallSource(Protocol):
    """Something that makes its `Call` on demand."""

    @property
    def call(self) -> "Call": ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call being served.

    `metadata` holds the request's custom metadata, `deadline` the client's or
    None where it set none, `peer` what the engine knows of the other side:
    `peer.addr()` and `peer.cert()`, its TLS certificate or None. What a handler
    puts into `initial_metadata` goes out with the response's first octets (so it
    must be there before the first message of a stream is sent), what it puts into
    `trailing_metadata` with the status.
    """

    metadata: MultiDict[str | bytes]
    deadline: Deadline | None
    peer: Any
    initial_metadata: MultiDict[str | bytes] = field(default_factory=MultiDict)
    trailing_metadata: MultiDict[str | bytes] = field(default_factory=MultiDict)

    @classmethod
    def of(cls, stream: _Stream) -> "Call":
        """The call that a server's stream stands for; our own stream's is always the same."""
        if isinstance(own := getattr(stream, "call", None), cls):
            return own
        metadata = stream.metadata
        return cls(MultiDict() if metadata is None else metadata, stream.deadline, stream.peer)


_current: ContextVar[Call | CallSource | None] = ContextVar("current_call", default=None)


def current_call() -> Call | None:
    """The call that the running handler serves; None outside of any."""
    current = _current.get()
    return current if current is None or isinstance(current, Call) else current.call


def make_current(call: Call | CallSource) -> None:
    """Make `call` the current one for the rest of the running task."""
    _current.set(call)


@contextmanager
def serving(call: Call) -> Iterator[None]:
    """Make `call` the current one for the code inside the `with` block."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def provide_current_call(server: Any) -> None:
    """Let handlers on grpclib's own server ask for `current_call()` as on ours."""

    async def on_request(event: RecvRequest) -> None:
        handle = event.method_func

        async def with_call(stream: Any) -> None:
            # grpclib gives each call a task, whose context ends with it.
            make_current(Call.of(stream))
            await handle(stream)

        event.method_func = with_call

    async def on_initial(event: SendInitialMetadata) -> None:
        if (call := current_call()) is not None:
            event.metadata.extend(call.initial_metadata)

    async def on_trailing(event: SendTrailingMetadata) -> None:
        if (call := current_call()) is not None:
            event.metadata.extend(call.trailing_metadata)

    listen(server, RecvRequest, on_request)
    listen(server, SendInitialMetadata, on_initial)
    listen(server, SendTrailingMetadata, on_trailing)
