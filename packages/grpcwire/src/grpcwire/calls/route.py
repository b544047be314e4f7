"""The route of a request's head, the same for every protocol.

Made from the head alone by `protocols.router`, so it is kept with the head and shared
by all calls that repeat it: nothing of one call may be kept in it. Each protocol
subclasses it with the fields that its own calls need.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpclib's Handler leaves out the parameters of its generics.

from dataclasses import dataclass, field

from grpclib.const import Handler
from grpclib.encoding.base import CodecBase
from grpclib.metadata import Deadline

from grpcwire.calls.metadata import MetadataValue

__all__ = ["Route"]


@dataclass(slots=True, kw_only=True)
class Route:
    """The method that a head asks for, and the terms of its calls."""

    path: str
    """The method's path, as it names the method in events and logs."""
    handler: Handler
    codec: CodecBase
    content_type: str
    """The request's content type, as the client sent it."""
    timeout_s: float | None
    """Seconds that the client gives a call; None for no end."""
    metadata: list[tuple[str, MetadataValue]]
    """The request's custom metadata."""
    user_agent: str | None
    gzipped: bool
    """True if the request's messages may be gzipped."""
    compress: bool
    """True if the response's messages may be gzipped."""
    client_streaming: bool = field(init=False)
    """True if the request is a stream of messages."""
    server_streaming: bool = field(init=False)
    """True if the response is a stream of messages."""

    def __post_init__(self) -> None:
        """Look up the kind of the rpc once for all its calls."""
        self.client_streaming = self.handler.cardinality.client_streaming
        self.server_streaming = self.handler.cardinality.server_streaming

    def deadline(self) -> Deadline | None:
        """The point in time at which a call that begins now must end."""
        return None if self.timeout_s is None else Deadline.from_timeout(self.timeout_s)
