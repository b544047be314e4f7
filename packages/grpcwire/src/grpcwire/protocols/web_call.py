"""Calls in a `WebProtocol`: the sending half of a `ServerCall`, on either version of HTTP.

`begin` makes the owner of a request out of its head's route: a `BareCall`, whose
response leaves whole when the call ends, an `EnvelopedCall`, whose messages leave as
they come, or a `PlainRequest`, which has its response from the start and waits for the
request to be complete, as plain HTTP clients expect. Both transports call it.
"""

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from grpclib.const import Status
from grpclib.exceptions import StreamTerminatedError
from typing_extensions import override

from grpcwire.calls.call import ServerCall
from grpcwire.calls.envelope import TOO_LARGE, MessageReader
from grpcwire.calls.metadata import MetadataLike, encode_metadata
from grpcwire.calls.request_body import RequestRecord
from grpcwire.calls.server_transport import ServerTransport
from grpcwire.calls.stream_owner import StreamOwner
from grpcwire.http.response import Response
from grpcwire.protocols.response_writer import ResponseWriter
from grpcwire.protocols.web_protocol import (
    BareProtocol,
    EnvelopedProtocol,
    WebProtocol,
    WebRoute,
)

if TYPE_CHECKING:
    from grpcwire.http.fields import Fields

__all__ = ["BareCall", "EnvelopedCall", "PlainRequest", "WebCall", "WebTransport", "begin"]

_WebProtocol = TypeVar("_WebProtocol", bound=WebProtocol)


class WebTransport(ServerTransport, Protocol):
    """A connection's transport, as the requests of this module see it."""

    def request_ended(self) -> None:
        """Forget a request that was not a call and is over."""


class WebCall(ServerCall, Generic[_WebProtocol]):
    """A call whose response goes through a `ResponseWriter`."""

    __slots__ = ("_extra", "_protocol", "_writer")

    def __init__(
        self,
        transport: ServerTransport,
        record: RequestRecord,
        writer: ResponseWriter,
        route: WebRoute,
    ) -> None:
        self._writer = writer
        self._extra = route.extra
        # `begin` chooses the class of call by the kind of protocol.
        self._protocol = cast("_WebProtocol", route.protocol)
        super().__init__(transport, record, route)

    @override
    def _reader(self) -> MessageReader:
        context = self._context
        return self._protocol.reader(
            context.limits.message_bytes, context.counters, gzipped=self._route.gzipped
        )

    @property
    @override
    def _has_unsent_data(self) -> bool:
        return self._writer.blocked

    @override
    def abort(self) -> None:
        self._finished = True
        self._writer.reset()
        self._transport.flush_soon()

    def _may_finish(self) -> bool:
        """Take the right to end the response; False where it has ended already."""
        if self._finished:
            return False
        self._finished = True
        return not self._writer.over

    def _respond(self, response: Response) -> None:
        if self._extra:
            response.fields = response.fields + self._extra
        self._writer.whole(response)
        self._transport.flush_soon()


class BareCall(WebCall[BareProtocol]):
    """A unary call whose messages are the bodies themselves."""

    __slots__ = ("_initial", "_message")

    def __init__(
        self,
        transport: ServerTransport,
        record: RequestRecord,
        writer: ResponseWriter,
        route: WebRoute,
    ) -> None:
        self._initial: Fields = []
        self._message = route.message
        super().__init__(transport, record, writer, route)

    @override
    def receive_data(self, data: bytes, window_bytes: int, *, ended: bool) -> None:
        if self._message is not None:  # the head brought it: a body means nothing
            self._transport.connection.credit(self._record, window_bytes)
            if ended:
                self.receive_end()
            return
        # A whole message in one piece skips the reader: proven equal by
        # `test_connect.py::test_one_piece_equals_many`.
        if (
            ended
            and data
            and self._body is None
            and not self._finished
            and not self._route.gzipped
            and len(data) <= self._context.limits.message_bytes
        ):
            self._ended = True
            self._transport.connection.credit(self._record, window_bytes)
            self._begin(data)
            return
        super().receive_data(data, window_bytes, ended=ended)

    @override
    def receive_end(self) -> None:
        """Take the end of the message; an empty body is a message too."""
        if not self._finished and self._body is None:
            body = self._open_body()
            if self._message:
                body.feed(self._message, 0)
        super().receive_end()

    @override
    def send_head(self, metadata: MetadataLike) -> None:
        """Keep the metadata: the HTTP status that goes first is not known yet."""
        self._initial = encode_metadata(metadata)

    @override
    async def send(self, message: bytes) -> None:
        """Never called: a unary call keeps its reply."""
        raise NotImplementedError

    @override
    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        if self._finished:
            return
        reply = self._reply
        if status is Status.OK and reply is not None:
            compress = self._route.compress
            response = self._protocol.reply(reply, self._initial, metadata, compress=compress)
        else:
            response = self._protocol.status_alone(
                status, message, details, metadata, self._initial
            )
        if self._may_finish():
            self._respond(response)


class EnvelopedCall(WebCall[EnvelopedProtocol]):
    """A call whose messages are envelopes."""

    __slots__ = ()

    @override
    def send_head(self, metadata: MetadataLike) -> None:
        custom = encode_metadata(metadata)
        if not self._finished:
            fields = self._protocol.head(custom, compress=self._route.compress)
            self._head_sent = True
            self._writer.head(200, fields + self._extra)
            self._transport.flush_soon()

    @override
    async def send(self, message: bytes) -> None:
        if self._finished:
            raise StreamTerminatedError("the call is over")
        self._check_unsent(len(message))
        self._writer.data(self._protocol.sealed(message, compress=self._route.compress))
        self._transport.flush_soon()
        if self._has_unsent_data:
            await self._wait_until_sent()

    @override
    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        if self._finished:
            return
        protocol, compress = self._protocol, self._route.compress
        if not self._head_sent and status is not Status.OK:
            response = protocol.status_alone(status, message, details, metadata)
            if self._may_finish():
                self._respond(response)
            return
        tail = protocol.closing(status, message, details, metadata)
        if status is Status.OK and self._reply is not None:
            tail = protocol.sealed(self._reply, compress=compress) + tail
        if not self._may_finish():
            return
        if self._head_sent:
            self._writer.data(tail)
            self._writer.end()
            self._transport.flush_soon()
        else:
            self._respond(Response(200, protocol.head([], compress=compress), tail))


class PlainRequest(StreamOwner):
    """A request that gets a response made beforehand, once it is complete."""

    __slots__ = ("_dropped_bytes", "_record", "_response", "_transport", "_writer")

    def __init__(
        self,
        transport: WebTransport,
        record: RequestRecord,
        writer: ResponseWriter,
        response: Response,
    ) -> None:
        self._transport = transport
        self._record = record
        self._writer = writer
        self._response = response
        self._dropped_bytes = 0
        record.owner = self

    @override
    def receive_data(self, data: bytes, window_bytes: int, *, ended: bool) -> None:
        """Drop the body; the end of one longer than any message is not awaited."""
        self._dropped_bytes += len(data)
        if ended or self._dropped_bytes > self._transport.context.limits.message_bytes:
            self.receive_end()
        else:
            self._transport.connection.credit(self._record, window_bytes)

    @override
    def receive_end(self) -> None:
        self._release()
        if not self._writer.over:
            self._writer.whole(self._response)
        self._transport.flush_soon()

    @override
    def arm(self) -> None:
        """Do nothing: it has no deadline."""

    @override
    def reset(self) -> None:
        self._release()

    @override
    def end(self, status: Status, message: str) -> None:
        """End without a response, which has no place for a status."""
        self._release()
        self._writer.reset()
        self._transport.flush_soon()

    @override
    def unblocked(self) -> None:
        """Do nothing: it never waits."""

    def _release(self) -> None:
        self._record.owner = None
        self._transport.request_ended()


def begin(
    transport: WebTransport,
    record: RequestRecord,
    writer: ResponseWriter,
    route: object,
    length: int = -1,
) -> StreamOwner:
    """The owner of a request, by its head's route; `length` is its content-length, or -1."""
    if isinstance(route, WebRoute):
        if route.protocol.enveloped:
            return EnvelopedCall(transport, record, writer, route)
        if length <= transport.context.limits.message_bytes:
            return BareCall(transport, record, writer, route)
        transport.context.counters.message_too_large += 1
        route = _too_large(route)
    if not isinstance(route, Response):
        raise TypeError(route)
    return PlainRequest(transport, record, writer, route)


def _too_large(route: WebRoute) -> Response:
    response = route.protocol.status_alone(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
    response.fields = response.fields + route.extra
    return response
