"""The handler's side of a call, with the public names of `grpclib.server.Stream`.

Messages are objects above and bytes below: this is the layer that calls the codec,
shows events to their listeners and keeps a handler to the kind of its rpc. It knows
no protocol: a `CallCarrier` carries heads, messages and statuses, in gRPC's form or
another's. The response of a unary rpc is kept until the handler returns, so that it
leaves in one piece with its status, and not at all if the handler fails after it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpclib's Handler leaves out the parameters of its generics.

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from grpclib.const import Status
from grpclib.events import (
    RecvMessage,
    SendInitialMetadata,
    SendMessage,
    SendTrailingMetadata,
)
from grpclib.exceptions import GRPCError, ProtocolError
from grpclib.metadata import Deadline
from multidict import MultiDict

from grpcwire.calls.call_context import Call
from grpcwire.calls.events import made
from grpcwire.calls.metadata import Metadata, MetadataLike
from grpcwire.calls.peer import Peer
from grpcwire.calls.route import Route
from grpcwire.calls.server_context import ServerContext

__all__ = ["MALFORMED_REQUEST", "CallCarrier", "Stream"]

RequestType = TypeVar("RequestType")
ReplyType = TypeVar("ReplyType")

MALFORMED_REQUEST: Final = "Malformed request message"
"""The message of the status for a request that its codec refuses."""


class CallCarrier(Protocol):
    """The carrier of one call's heads, messages and status, in the form of its protocol.

    `Stream` stands on it; `calls.call.ServerCall` and its subclasses are carriers.
    """

    __slots__ = ()

    @abstractmethod
    async def receive(self) -> bytes | None:
        """The next message of a client's stream, None after the last."""

    @abstractmethod
    def send_head(self, metadata: MetadataLike) -> None:
        """Open the response."""

    @abstractmethod
    async def send(self, message: bytes) -> None:
        """Send one message of a stream; returns when the peer has room for more."""

    @abstractmethod
    def keep_reply(self, message: bytes) -> None:
        """Take the only message of the response; it leaves with its status."""

    @abstractmethod
    def finish(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
    ) -> None:
        """End the response; does nothing where it is over already."""

    @abstractmethod
    def abort(self) -> None:
        """End the call without a status."""


class Stream(Generic[RequestType, ReplyType]):
    """One call, as its handler sees it."""

    __slots__ = (
        "_call",
        "_cancel_done",
        "_carrier",
        "_context",
        "_initial_done",
        "_message_done",
        "_metadata",
        "_request",
        "_route",
        "_trailing_done",
        "deadline",
        "peer",
    )

    def __init__(
        self,
        carrier: CallCarrier,
        context: ServerContext,
        route: Route,
        *,
        deadline: Deadline | None,
        peer: Peer,
        request: RequestType | None,
    ) -> None:
        """`request` is the message of a unary request, None for a client's stream."""
        self._carrier = carrier
        self._context = context
        self._route = route
        self._request = request
        self._metadata: Metadata | None = None
        self._call: Call | None = None
        self._initial_done = False
        self._message_done = False
        self._trailing_done = False
        self._cancel_done = False
        self.deadline = deadline
        self.peer = peer

    @property
    def metadata(self) -> Metadata:
        """The request's custom metadata."""
        if self._metadata is None:
            self._metadata = MultiDict(self._route.metadata)
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: Metadata) -> None:
        self._metadata = metadata

    @property
    def user_agent(self) -> str | None:
        """The name that the client gives itself."""
        return self._route.user_agent

    @property
    def call(self) -> Call:
        """The context that `current_call()` gives below the handler."""
        if self._call is None:
            self._call = Call(self.metadata, self.deadline, self.peer)
        return self._call

    @property
    def ended(self) -> bool:
        """True once the handler has ended the call itself."""
        return self._trailing_done or self._cancel_done

    @property
    def has_unsent_metadata(self) -> bool:
        """True while metadata of the call's context waits to be sent."""
        call = self._call
        return call is not None and bool(call.trailing_metadata or self._initial_waits)

    @property
    def _initial_waits(self) -> bool:
        """True while metadata of the call's context waits for the response's head."""
        call = self._call
        return call is not None and not self._initial_done and bool(call.initial_metadata)

    @property
    def reply_missing(self) -> bool:
        """True while the one message of the response has not been sent."""
        return not self._message_done and not self._route.server_streaming

    async def recv_message(self) -> RequestType | None:
        """Receive the next message; None after the last one.

        Raises GRPCError with INVALID_ARGUMENT for one that the codec refuses.
        """
        message: RequestType | None
        if self._route.client_streaming:
            message = await self._next_message()
        else:
            message, self._request = self._request, None
        if message is not None and RecvMessage in self._context.dispatch.listeners:
            event = await self._context.dispatch.dispatch(made(RecvMessage, message=message))
            return cast("RequestType", event.message)
        return message

    async def _next_message(self) -> RequestType | None:
        data = await self._carrier.receive()
        if data is None:
            return None
        try:
            message = self._route.codec.decode(data, self._route.handler.request_type)
        except Exception as error:
            raise GRPCError(Status.INVALID_ARGUMENT, MALFORMED_REQUEST) from error
        return cast("RequestType", message)

    def __aiter__(self) -> AsyncIterator[RequestType]:
        """Iterate over the messages of the request."""
        return self

    async def __anext__(self) -> RequestType:
        message = await self.recv_message()
        if message is None:
            raise StopAsyncIteration
        return message

    async def send_initial_metadata(self, *, metadata: MetadataLike | None = None) -> None:
        """Send the response's head now, before the first message."""
        if self._initial_done:
            raise ProtocolError("Initial metadata was already sent")
        sending: MetadataLike = metadata or ()
        if self._call is not None and self._call.initial_metadata:
            sending = MultiDict(sending)
            sending.extend(self._call.initial_metadata)
        if SendInitialMetadata in self._context.dispatch.listeners:
            event = made(SendInitialMetadata, metadata=MultiDict(sending))
            sending = (await self._context.dispatch.dispatch(event)).metadata
        self._carrier.send_head(sending)
        self._initial_done = True

    async def send_message(self, message: ReplyType) -> None:
        """Send a message; for a stream, returns once the peer has room for more."""
        streaming = self._route.server_streaming
        if self._message_done and not streaming:
            raise ProtocolError("Message was already sent")
        if not self._initial_done:
            if streaming or self._needs_head():
                await self.send_initial_metadata()
            self._initial_done = True
        if SendMessage in self._context.dispatch.listeners:
            event = await self._context.dispatch.dispatch(made(SendMessage, message=message))
            message = event.message
        data = self._route.codec.encode(message, self._route.handler.reply_type)
        if streaming:
            await self._carrier.send(data)
        else:
            self._carrier.keep_reply(data)
        self._message_done = True

    def _needs_head(self) -> bool:
        """True if a unary response needs a head of its own, sent before its message."""
        metadata = self._call is not None and bool(self._call.initial_metadata)
        return metadata or SendInitialMetadata in self._context.dispatch.listeners

    async def send_trailing_metadata(
        self,
        *,
        status: Status = Status.OK,
        status_message: str | None = None,
        status_details: Any = None,
        metadata: MetadataLike | None = None,
    ) -> None:
        """End the response with a status; done by itself when the handler returns."""
        if self._trailing_done:
            raise ProtocolError("Trailing metadata was already sent")
        if status is Status.OK and self.reply_missing:
            raise ProtocolError(
                "Unary response with OK status requires a single message to be sent"
            )
        details = None
        codec = self._context.status_details_codec
        if status_details is not None and codec is not None:
            details = codec.encode(status, status_message, status_details)
        if self._initial_waits:
            await self.send_initial_metadata()
        sending: MetadataLike = metadata or ()
        if self._call is not None and self._call.trailing_metadata:
            sending = MultiDict(sending)
            sending.extend(self._call.trailing_metadata)
        if SendTrailingMetadata in self._context.dispatch.listeners:
            event = made(
                SendTrailingMetadata,
                metadata=MultiDict(sending),
                status=status,
                status_message=status_message,
                status_details=status_details,
            )
            sending = (await self._context.dispatch.dispatch(event)).metadata
        self._carrier.finish(status, status_message, details, sending)
        self._trailing_done = True

    async def cancel(self) -> None:
        """End the call without a status; the client sees it reset."""
        if self._cancel_done:
            raise ProtocolError("Stream was already cancelled")
        self._carrier.abort()
        self._cancel_done = True
