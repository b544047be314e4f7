"""The call that a handler is serving, for handlers whose signature leaves it out.

A handler of a betterproto base gets its request and nothing else. Whoever
drives the handler makes its call the current one, and whatever runs below asks
`current_call()`. The context is a ContextVar: each task, and so each call, has
its own. Our server puts its stream there and the `Call` is only made when asked
for; on grpclib's own server `provide_current_call` does the same through its
events. Nothing here knows frames, sockets or messages.
"""

from abc import abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from grpclib.events import RecvRequest, SendInitialMetadata, SendTrailingMetadata, listen
from grpclib.metadata import Deadline
from multidict import MultiDict

__all__ = ["Call", "CallSource", "current_call", "make_current", "provide_current_call", "serving"]


class _Stream(Protocol):
    """A stream as `Call.of` reads it; grpclib's and ours both fit."""

    @property
    @abstractmethod
    def metadata(self) -> MultiDict[str | bytes] | None: ...
    @property
    @abstractmethod
    def deadline(self) -> Deadline | None: ...
    @property
    @abstractmethod
    def peer(self) -> Any: ...


class CallSource(Protocol):
    """Anything that makes its `Call` on demand."""

    @property
    @abstractmethod
    def call(self) -> "Call":
        """The call, always the same one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call being served.

    A handler reads the first three fields and adds to the last two.
    """

    metadata: MultiDict[str | bytes]
    """The request's custom metadata; `bytes` under keys that end with `-bin`."""
    deadline: Deadline | None
    """The client's deadline; None where it set none."""
    peer: Any
    """The client: `peer.addr()`, and `peer.cert()`, its TLS certificate or None."""
    initial_metadata: MultiDict[str | bytes] = field(default_factory=MultiDict[str | bytes])
    """Sent with the response's head, so before the first message of a stream."""
    trailing_metadata: MultiDict[str | bytes] = field(default_factory=MultiDict[str | bytes])
    """Sent with the status."""

    @classmethod
    def of(cls, stream: _Stream) -> "Call":
        """The call that a server's stream stands for; our own stream's is always the same."""
        if isinstance(own := getattr(stream, "call", None), cls):
            return own
        metadata = stream.metadata
        return cls(MultiDict() if metadata is None else metadata, stream.deadline, stream.peer)


_current: Final[ContextVar[Call | CallSource | None]] = ContextVar("current_call", default=None)


def current_call() -> Call | None:
    """The call that the running handler serves; None outside of any."""
    current = _current.get()
    return current if current is None or isinstance(current, Call) else current.call


def make_current(call: Call | CallSource) -> None:
    """Make `call` the current one for the rest of the running task."""
    _current.set(call)


@contextmanager
def serving(call: Call) -> Generator[None]:
    """Make `call` the current one for the code inside the `with` block."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def provide_current_call(server: Any) -> None:
    """Let handlers on grpclib's own server ask for `current_call()`, as on ours."""

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
