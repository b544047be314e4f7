"""What a request's head asks for, whichever protocol it speaks.

Made from the head alone, so it is kept with it and shared by all calls that repeat
it. Each protocol adds what its own calls need.
"""

from dataclasses import dataclass, field

from grpclib.const import Handler
from grpclib.encoding.base import CodecBase
from grpclib.metadata import Deadline

from grpcwire.calls.metadata import MetadataValue


@dataclass(slots=True, kw_only=True)
class Route:
    """A call that a head asks for; shared by the calls that repeat it."""

    path: str
    handler: Handler
    codec: CodecBase
    content_type: str
    timeout_s: float | None
    metadata: list[tuple[str, MetadataValue]]
    user_agent: str | None
    gzipped: bool  # the request's messages may be
    compress: bool  # the response's may be
    client_streaming: bool = field(init=False)
    server_streaming: bool = field(init=False)

    def __post_init__(self) -> None:
        """Look the kind of the rpc up once for all its calls."""
        self.client_streaming = self.handler.cardinality.client_streaming
        self.server_streaming = self.handler.cardinality.server_streaming

    def deadline(self) -> Deadline | None:
        """The point in time at which a call that begins now must end."""
        return None if self.timeout_s is None else Deadline.from_timeout(self.timeout_s)
