"""One call, whatever carries it: from its head to its status.

Gets what the connection reports (`receive_data`, `receive_end`, `reset`), starts
the handler when the request allows it (a unary request must have come whole), is
the `CallCarrier` below the handler's `Stream`, and makes sure that each call ends
once: by the handler's return or error, by its deadline, by the client's reset or
by the server's end. However it ends, `_release` gives back its place exactly
once, and only after the handler has really ended. The form of its messages and of
its status on the wire is its subclass's: `protocols.grpc_call`, `protocols.web_call`.

The life of its handler only goes forward, as `MOVES` says:

    WAITING    for a whole request, if that is one message
    ADMITTED   counts as in flight; its task has not begun
    RUNNING    the handler is at work
    CANCELLED  by deadline, reset or shutdown, not by itself; it may take its time
    RELEASED   over: its place is free, nobody knows the call any more

The handler runs in a task of its own, never within the reading of its request: what
was read in one turn of the loop runs in the next, in the order of its coming.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpclib's Handler leaves out the parameters of its generics.

import asyncio
import logging
from abc import abstractmethod
from enum import IntEnum
from typing import Any, Final

from grpclib.const import Status
from grpclib.events import RecvRequest, SendTrailingMetadata
from grpclib.exceptions import GRPCError, StreamTerminatedError
from typing_extensions import override

from grpcwire.calls.call_context import make_current
from grpcwire.calls.envelope import MessageReader
from grpcwire.calls.events import made
from grpcwire.calls.request_body import RequestBody, RequestRecord
from grpcwire.calls.route import Route
from grpcwire.calls.server_transport import ServerTransport
from grpcwire.calls.stream import MALFORMED_REQUEST, CallCarrier, Stream
from grpcwire.calls.stream_owner import StreamOwner

__all__ = ["INTERNAL_ERROR", "MOVES", "Life", "ServerCall"]

log: Final = logging.getLogger(__name__)

INTERNAL_ERROR: Final = "Internal Server Error"
"""The message of the status that hides a handler's failure from the client."""


class Life(IntEnum):
    """The life of a call's handler, in its order."""

    WAITING = 0
    ADMITTED = 1
    RUNNING = 2
    CANCELLED = 3
    RELEASED = 4


MOVES: Final[dict[Life, frozenset[Life]]] = {
    Life.WAITING: frozenset((Life.ADMITTED, Life.RELEASED)),
    Life.ADMITTED: frozenset((Life.RUNNING, Life.RELEASED)),
    Life.RUNNING: frozenset((Life.CANCELLED, Life.RELEASED)),
    Life.CANCELLED: frozenset((Life.RELEASED,)),
    Life.RELEASED: frozenset(),
}
"""The lives that may follow each; `test_call.py` compares those that do."""

# A look-up of a member in its class costs more than the rest of some methods here.
_WAITING: Final = Life.WAITING
_ADMITTED: Final = Life.ADMITTED
_RUNNING: Final = Life.RUNNING
_CANCELLED: Final = Life.CANCELLED
_RELEASED: Final = Life.RELEASED


class ServerCall(StreamOwner, CallCarrier):
    """A call under way; a subclass gives it the sending half of a `CallCarrier`."""

    __slots__ = (
        "_body",
        "_context",
        "_deadline",
        "_ended",
        "_finished",
        "_head_sent",
        "_life",
        "_receiving",
        "_record",
        "_reply",
        "_route",
        "_sending",
        "_task",
        "_timer",
        "_transport",
    )

    def __init__(self, transport: ServerTransport, record: RequestRecord, route: Route) -> None:
        self._transport = transport
        self._context = transport.context
        self._record = record
        self._route = route
        self._deadline = route.deadline()
        self._body: RequestBody | None = None
        self._life = _WAITING
        self._ended = False  # the request is complete
        self._head_sent = False
        self._finished = False  # nothing is sent any more
        self._reply: bytes | None = None
        self._receiving: asyncio.Future[None] | None = None
        self._sending: list[asyncio.Future[None]] = []  # of as many tasks as send
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        record.owner = self
        if route.client_streaming and self._admit():
            self._open_body()
            self._start(None)

    # The form of the protocol.

    @abstractmethod
    def _reader(self) -> MessageReader:
        """The reader of the messages in the request's body."""

    @property
    @abstractmethod
    def _has_unsent_data(self) -> bool:
        """True while part of a message waits for the peer to take it."""

    # From the connection.

    @override
    def receive_data(self, data: bytes, window_bytes: int, *, ended: bool) -> None:
        if self._finished:
            return
        try:
            self._read(data, window_bytes)
        except GRPCError as error:
            self._refuse(error)
            return
        if ended:
            self.receive_end()

    @override
    def receive_end(self) -> None:
        self._ended = True
        if self._finished:
            return
        if self._body is not None:
            try:
                self._body.end()
            except GRPCError as error:
                self._refuse(error)
                return
        if self._route.client_streaming:
            self._wake_receiver()
        elif self._body:
            self._begin(self._body.pop())
        else:
            self._refuse(GRPCError(Status.UNIMPLEMENTED, "Request has no message"))

    def _read(self, data: bytes, window_bytes: int) -> None:
        body = self._open_body() if self._body is None else self._body
        body.feed(data, window_bytes)
        if self._route.client_streaming:
            if body:
                self._wake_receiver()
        elif len(body) > 1:
            raise GRPCError(Status.UNIMPLEMENTED, "Request has more than one message")

    def _open_body(self) -> RequestBody:
        self._body = body = RequestBody(self._transport, self._record, self._reader())
        return body

    @override
    def reset(self) -> None:
        self._finished = True
        self._cancel_handler()

    @override
    def arm(self) -> None:
        """Start the deadline's timer, or end at once a call whose deadline has passed."""
        if self._life is not _RELEASED and self._deadline is not None and self._timer is None:
            remaining = self._deadline.time_remaining()
            if remaining > 0:
                self._timer = self._context.loop.call_later(remaining, self._expire)
            else:
                self._expire()

    def _expire(self) -> None:
        self._timer = None
        self._context.counters.deadlines_exceeded += 1
        self.end(Status.DEADLINE_EXCEEDED, "Deadline exceeded")

    @override
    def end(self, status: Status, message: str) -> None:
        self._reply = None
        if self._has_unsent_data:
            self.abort()  # a status behind half a message would not be understood
        else:
            self.finish(status, message)
        self._cancel_handler()

    @override
    def unblocked(self) -> None:
        for waiting in self._sending:
            if not waiting.done():
                waiting.set_result(None)
        self._sending.clear()

    # The handler's task.

    def _begin(self, message: bytes) -> None:
        """Start the handler of a unary request, if the codec takes its message."""
        if not self._admit():
            return
        try:
            request = self._route.codec.decode(message, self._route.handler.request_type)
        except Exception:
            log.debug("request message of %s refused", self._route.path, exc_info=True)
            self._refuse(GRPCError(Status.INVALID_ARGUMENT, MALFORMED_REQUEST))
            return
        self._start(request)

    def _admit(self) -> bool:
        """Take a place among the calls in flight; where none is free, end and return False."""
        counters = self._context.counters
        if counters.calls >= self._context.limits.concurrent_calls:
            counters.calls_refused += 1
            self._refuse(GRPCError(Status.RESOURCE_EXHAUSTED, "Too many calls in flight"))
            return False
        counters.calls += 1
        counters.calls_started += 1
        self._life = _ADMITTED
        return True

    def _start(self, request: Any) -> None:
        transport = self._transport
        stream: Stream[Any, Any] = Stream(
            self,
            self._context,
            self._route,
            deadline=self._deadline,
            peer=transport.peer,
            request=request,
        )
        task = self._context.loop.create_task(self._serve(stream))
        if self._life is not _RELEASED:
            self._task = task
            transport.call_started(self)

    async def _serve(self, stream: Stream[Any, Any]) -> None:
        self._life = _RUNNING
        make_current(stream)
        try:
            function = self._route.handler.func
            if RecvRequest in self._context.dispatch.listeners:
                function = await self._announce(stream)
            await function(stream)
            if not self._finished and not stream.ended:
                await self._conclude(stream)
        except GRPCError as error:
            await self._fail(stream, error)
        except asyncio.CancelledError:
            if not self._cancelled:
                self.finish(Status.CANCELLED, "Cancelled by the server")
                raise
        except Exception as error:
            if not (self._cancelled and isinstance(error, StreamTerminatedError)):
                log.exception("handler of %s failed", self._route.path)
                await self._fail(stream, GRPCError(Status.UNKNOWN, INTERNAL_ERROR))
        finally:
            if not self._finished:
                self.finish(Status.UNKNOWN, INTERNAL_ERROR)
            self._release()

    @property
    def _cancelled(self) -> bool:
        """True while the handler ends because it was cancelled from outside."""
        return self._life is _CANCELLED

    async def _announce(self, stream: Stream[Any, Any]) -> Any:
        """Show the request to its listeners; return the function that they leave."""
        event = made(
            RecvRequest,
            metadata=stream.metadata,
            method_func=self._route.handler.func,
            method_name=self._route.path,
            deadline=self._deadline,
            content_type=self._route.content_type,
            user_agent=self._route.user_agent,
            peer=stream.peer,
        )
        event = await self._context.dispatch.dispatch(event)
        stream.metadata = event.metadata
        return event.method_func

    async def _conclude(self, stream: Stream[Any, Any]) -> None:
        """End a call whose handler returned."""
        if stream.reply_missing:
            log.error("handler of %s sent no message", self._route.path)
            raise GRPCError(Status.UNKNOWN, INTERNAL_ERROR)
        if stream.has_unsent_metadata or SendTrailingMetadata in self._context.dispatch.listeners:
            await stream.send_trailing_metadata()
        else:
            self.finish(Status.OK)

    async def _fail(self, stream: Stream[Any, Any], error: GRPCError) -> None:
        """End a call with the error that its handler raised."""
        if self._finished or stream.ended:
            return
        try:
            await stream.send_trailing_metadata(
                status=error.status, status_message=error.message, status_details=error.details
            )
        except Exception:
            log.exception("status of %s cannot be sent", self._route.path)

    def _refuse(self, error: GRPCError) -> None:
        """End a call whose request is at fault; its handler, if it runs, is cancelled."""
        self.end(error.status, error.message or "")

    def _cancel_handler(self) -> None:
        """Cancel the handler; its place is free once it has ended."""
        life, task = self._life, self._task
        if life >= _CANCELLED:
            return
        if task is not None:
            task.cancel()
        if life is _RUNNING and task is not None:
            self._life = _CANCELLED
        else:
            self._release()

    def _release(self) -> None:
        life, self._life = self._life, _RELEASED
        if life is _RELEASED:
            return
        self._task = None  # whose context leads back here: no call waits for the garbage collector
        if self._timer is not None:
            self._timer.cancel()
        self._record.owner = None
        if self._body is not None:
            self._body.drop()
        if life is not _WAITING:
            self._context.counters.calls -= 1
            self._context.counters.calls_completed += 1
        self._transport.call_ended(self)

    # The receiving half.

    @override
    async def receive(self) -> bytes | None:
        body = self._body
        while not body:
            if self._finished or body is None:
                raise StreamTerminatedError("the call is over")
            if self._ended:
                return None
            self._receiving = self._context.loop.create_future()
            await self._receiving
        self._transport.flush_soon()  # reading may have credited the window
        return body.pop()

    def _wake_receiver(self) -> None:
        if self._receiving is not None and not self._receiving.done():
            self._receiving.set_result(None)

    async def _wait_until_sent(self) -> None:
        """Wait until what was sent has gone out."""
        waiting = self._context.loop.create_future()
        self._sending.append(waiting)
        await waiting

    @override
    def keep_reply(self, message: bytes) -> None:
        self._check_unsent(len(message))
        self._reply = message

    def _check_unsent(self, size: int) -> None:
        """Refuse to keep more for clients that do not read; raises GRPCError."""
        counters = self._context.counters
        if counters.unsent_bytes + size > self._context.limits.process_unsent_bytes:
            counters.unsent_exhausted += 1
            raise GRPCError(Status.RESOURCE_EXHAUSTED, "Too much waits for clients to read it")
