"""What a protocol must be able to say, and what a head that speaks it asks for.

A `BareProtocol` answers a call by one whole response, an `EnvelopedProtocol` by a head,
messages in envelopes and something that closes them. Both can say a status alone, for
calls that never begin. Dialects make fields and octets; they send nothing.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final

from grpclib.const import Status
from grpclib.encoding.base import CodecBase

from grpcwire.calls.envelope import MessageReader, seal
from grpcwire.calls.metadata import MetadataLike
from grpcwire.calls.route import Route
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response

# Headers of HTTP itself, on either version, which are no metadata of a call.
RESERVED: Final = frozenset(
    (
        b"accept-encoding",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"keep-alive",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
    )
)
ENCODINGS: Final = "gzip, identity"


class WebProtocol(ABC):
    """One protocol with one codec; `enveloped` tells which of the two kinds it is."""

    enveloped: ClassVar[bool]

    def __init__(self, codec: CodecBase, content_type: str) -> None:
        self.codec = codec
        self.content_type = content_type.encode("ascii")

    @abstractmethod
    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> MessageReader:
        """What finds the messages in a request's body."""

    @abstractmethod
    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        """A response that carries nothing but how the call ended.

        `details` is a `google.rpc.Status`, `initial` the fields of metadata that
        was to open the response.
        """


class BareProtocol(WebProtocol):
    """Answers by one whole response."""

    enveloped = False

    @abstractmethod
    def reply(
        self, message: bytes, initial: Fields, metadata: MetadataLike, *, compress: bool
    ) -> Response:
        """The response of a call that succeeded."""


class EnvelopedProtocol(WebProtocol):
    """Answers by messages in envelopes, and one more that closes them."""

    enveloped = True

    @abstractmethod
    def head(self, initial: Fields, *, compress: bool) -> Fields:
        """The fields that open a response; its HTTP status is always 200."""

    @abstractmethod
    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """What follows the last message."""

    def sealed(self, message: bytes, *, compress: bool) -> bytes:
        """A message as it goes out."""
        return seal(message, compress=compress)


@dataclass(slots=True, kw_only=True)
class WebRoute(Route):
    """What a head asks for that asks for a call in a dialect.

    `message` is the request's only message where the head itself brings it, `extra`
    what the response's head says beyond the dialect (CORS, caching).
    """

    protocol: WebProtocol
    message: bytes | None = None
    extra: Fields = field(default_factory=list)


def accepts_gzip(accepted: bytes | None, sent: bytes) -> bool:
    """Whether the response may be gzipped; without a list, what was sent says it."""
    if accepted is None:
        return sent == b"gzip"
    for each in accepted.split(b","):
        name, _, quality = each.partition(b";")
        if name.strip().lower() == b"gzip":
            return quality.strip().rstrip(b"0.").lower() != b"q="
    return False
