"""Calls in these dialects: the wire half of a `ServerCall`, over either HTTP version.

`begin` makes the owner of a request out of what its head means: a `BareCall`, whose
response leaves whole when the call ends, an `EnvelopedCall`, whose messages leave as
they come, or a `PlainRequest`, which has its answer from the start and waits for the
request to be complete, as plain HTTP clients expect.
"""

from typing import Protocol, cast

from grpclib.const import Status
from grpclib.exceptions import StreamTerminatedError

from grpcwire.call import ServerCall
from grpcwire.envelope import TOO_LARGE, MessageReader
from grpcwire.host import Host
from grpcwire.metadata import Fields, MetadataLike, encode_metadata
from grpcwire.request_body import Wire
from grpcwire.stream_owner import StreamOwner
from grpcwire.web.answer import Answer
from grpcwire.web.dialect import BareDialect, EnvelopeDialect, WebMeaning
from grpcwire.web.response import ResponseWriter


class WebHost(Host, Protocol):
    """A connection's transport, as the requests of this package see it."""

    def answer_ended(self) -> None:
        """A request that was no call is over."""


class WebCall(ServerCall):
    """A call whose response goes through a `ResponseWriter`."""

    __slots__ = ("_extra", "_response")

    def __init__(
        self, host: Host, wire: Wire, response: ResponseWriter, meaning: WebMeaning
    ) -> None:
        self._response = response
        self._extra = meaning.extra
        super().__init__(host, wire, meaning)

    @property
    def _half_sent(self) -> bool:
        return self._response.blocked

    def abort(self) -> None:
        """End the call without a status: the response breaks off."""
        self._finished = True
        self._response.reset()
        self._host.flush_soon()

    def _may_finish(self) -> bool:
        """Whether the response is to be ended now, and nobody did."""
        if self._finished:
            return False
        self._finished = True
        return not self._response.over

    def _answer(self, answer: Answer) -> None:
        if self._extra:
            answer.fields = answer.fields + self._extra
        self._response.whole(answer)
        self._host.flush_soon()


class BareCall(WebCall):
    """A unary call whose messages are the bodies themselves."""

    __slots__ = ("_dialect", "_initial", "_message")

    def __init__(
        self,
        host: Host,
        wire: Wire,
        response: ResponseWriter,
        meaning: WebMeaning,
    ) -> None:
        self._dialect = cast("BareDialect", meaning.dialect)
        self._initial: Fields = []
        self._message = meaning.message
        super().__init__(host, wire, response, meaning)

    def _reader(self) -> MessageReader:
        engine = self._engine
        return self._dialect.reader(
            engine.limits.message_bytes, engine.counters, gzipped=self._meaning.gzipped
        )

    def receive_data(self, data: bytes, charged: int, *, ended: bool) -> None:
        """Take a piece of the message."""
        if self._message is not None:  # the head brought it: a body says nothing
            self._host.connection.credit(self._wire, charged)
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
            and not self._meaning.gzipped
            and len(data) <= self._engine.limits.message_bytes
        ):
            self._ended = True
            self._host.connection.credit(self._wire, charged)
            self._begin(data)
            return
        super().receive_data(data, charged, ended=ended)

    def receive_end(self) -> None:
        """Take the end of the message; an empty one is a message too."""
        if not self._finished and self._body is None:
            body = self._open_body()
            if self._message:
                body.feed(self._message, 0)
        super().receive_end()

    def send_head(self, metadata: MetadataLike) -> None:
        """Keep the metadata: the HTTP status before it is not known yet."""
        self._initial = encode_metadata(metadata)

    async def send(self, message: bytes) -> None:
        """Never called: a unary call keeps its reply."""
        raise NotImplementedError

    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        """Send the response; nothing where it is over already."""
        if self._finished:
            return
        reply = self._reply
        if status is Status.OK and reply is not None:
            compress = self._meaning.compress
            answer = self._dialect.reply(reply, self._initial, metadata, compress=compress)
        else:
            answer = self._dialect.status_alone(status, message, details, metadata, self._initial)
        if self._may_finish():
            self._answer(answer)


class EnvelopedCall(WebCall):
    """A call whose messages are envelopes."""

    __slots__ = ("_dialect",)

    def __init__(
        self,
        host: Host,
        wire: Wire,
        response: ResponseWriter,
        meaning: WebMeaning,
    ) -> None:
        self._dialect = cast("EnvelopeDialect", meaning.dialect)
        super().__init__(host, wire, response, meaning)

    def _reader(self) -> MessageReader:
        engine = self._engine
        return self._dialect.reader(
            engine.limits.message_bytes, engine.counters, gzipped=self._meaning.gzipped
        )

    def send_head(self, metadata: MetadataLike) -> None:
        """Open the response."""
        custom = encode_metadata(metadata)
        if not self._finished:
            fields = self._dialect.head(custom, compress=self._meaning.compress)
            self._head_sent = True
            self._response.head(200, fields + self._extra)
            self._host.flush_soon()

    async def send(self, message: bytes) -> None:
        """Send one message of a stream; returns when the peer has room for more."""
        if self._finished:
            raise StreamTerminatedError("the call is over")
        self._check_unsent(len(message))
        self._response.data(self._dialect.sealed(message, compress=self._meaning.compress))
        self._host.flush_soon()
        if self._half_sent:
            await self._let_out()

    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        """End the response; nothing where it is over already."""
        if self._finished:
            return
        dialect, compress = self._dialect, self._meaning.compress
        if not self._head_sent and status is not Status.OK:
            answer = dialect.status_alone(status, message, details, metadata)
            if self._may_finish():
                self._answer(answer)
            return
        tail = dialect.closing(status, message, details, metadata)
        if status is Status.OK and self._reply is not None:
            tail = dialect.sealed(self._reply, compress=compress) + tail
        if not self._may_finish():
            return
        if self._head_sent:
            self._response.data(tail)
            self._response.end()
            self._host.flush_soon()
        else:
            self._answer(Answer(200, dialect.head([], compress=compress), tail))


class PlainRequest(StreamOwner):
    """A request that gets an answer made beforehand, once it is complete."""

    __slots__ = ("_answer", "_host", "_response", "_swallowed", "_wire")

    def __init__(self, host: WebHost, wire: Wire, response: ResponseWriter, answer: Answer) -> None:
        self._host = host
        self._wire = wire
        self._response = response
        self._answer = answer
        self._swallowed = 0
        wire.owner = self

    def receive_data(self, data: bytes, charged: int, *, ended: bool) -> None:
        """Drop the body; one that no message could have is not awaited."""
        self._swallowed += len(data)
        if ended or self._swallowed > self._host.engine.limits.message_bytes:
            self.receive_end()
        else:
            self._host.connection.credit(self._wire, charged)

    def receive_end(self) -> None:
        """Answer."""
        self._release()
        if not self._response.over:
            self._response.whole(self._answer)
        self._host.flush_soon()

    def arm(self) -> None:
        """No clock: it ends with the request."""

    def reset(self) -> None:
        """Forget it."""
        self._release()

    def end(self, status: Status, message: str) -> None:  # noqa: ARG002 - it knows no status
        """End it unanswered."""
        self._release()
        self._response.reset()
        self._host.flush_soon()

    def unblocked(self) -> None:
        """Nothing waits."""

    def _release(self) -> None:
        self._wire.owner = None
        self._host.answer_ended()


def begin(
    host: WebHost, wire: Wire, response: ResponseWriter, meaning: object, length: int = -1
) -> StreamOwner:
    """The owner of a request whose head means this; `length` is its body's, if it said so."""
    if isinstance(meaning, WebMeaning):
        if meaning.dialect.enveloped:
            return EnvelopedCall(host, wire, response, meaning)
        if length <= host.engine.limits.message_bytes:
            return BareCall(host, wire, response, meaning)
        host.engine.counters.message_too_large += 1
        meaning = _too_large(meaning)
    if not isinstance(meaning, Answer):
        raise TypeError(meaning)
    return PlainRequest(host, wire, response, meaning)


def _too_large(meaning: WebMeaning) -> Answer:
    answer = meaning.dialect.status_alone(Status.RESOURCE_EXHAUSTED, TOO_LARGE)
    answer.fields = answer.fields + meaning.extra
    return answer
