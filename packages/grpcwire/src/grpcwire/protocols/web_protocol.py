"""The interface of the protocols that either version of HTTP carries, and their route.

A `BareProtocol` answers a call by one whole response (Connect's Bare-Message), an
`EnvelopedProtocol` by a head, messages in envelopes and one envelope that closes them
(Connect's Enveloped-Message). Both can send a status alone, for calls that never begin.
A protocol makes fields and bodies; `web_call` sends them.
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
from grpcwire.http.fields import Field, Fields
from grpcwire.http.response import Response

__all__ = [
    "ENCODINGS",
    "RESERVED",
    "BareProtocol",
    "EnvelopedProtocol",
    "WebProtocol",
    "WebRoute",
    "accepts_gzip",
]

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
"""Headers of HTTP itself, on either version, which are not metadata of a call."""
ENCODINGS: Final = "gzip, identity"
"""The content encodings of these protocols, as an error message lists them."""


class WebProtocol(ABC):
    """One protocol with one codec."""

    enveloped: ClassVar[bool]
    """True for an `EnvelopedProtocol`, False for a `BareProtocol`."""

    def __init__(self, codec: CodecBase, content_type: str) -> None:
        self.codec = codec
        self.content_type = content_type.encode("ascii")

    @abstractmethod
    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> MessageReader:
        """A reader of a request's body; `limit` bounds one message in bytes."""

    @abstractmethod
    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        """A response that carries the status of a call and no message.

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

    encoding_field: ClassVar[bytes]
    """The name of the field that tells the encoding of the messages."""

    def head(self, initial: Fields, *, compress: bool) -> Fields:
        """The fields that open a response; its HTTP status is always 200."""
        fields = [(b"content-type", self.content_type)]
        if compress:
            fields.append((self.encoding_field, b"gzip"))
        return fields + initial

    @abstractmethod
    def closing(
        self, status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
    ) -> bytes:
        """The bytes behind the last message."""

    def sealed(self, message: bytes, *, compress: bool) -> bytes:
        """The envelope of a message."""
        return seal(message, compress=compress)


@dataclass(slots=True, kw_only=True)
class WebRoute(Route):
    """The route of a head that asks for a call in a `WebProtocol`."""

    protocol: WebProtocol
    message: bytes | None = None
    """The request's only message where the head itself brings it (GET), else None."""
    extra: Fields = field(default_factory=list[Field])
    """Fields of the response's head that are not the protocol's: CORS, caching."""


def accepts_gzip(accepted: bytes | None, sent: bytes) -> bool:
    """True if the response may be gzipped; without a list, if the request was."""
    if accepted is None:
        return sent == b"gzip"
    for each in accepted.split(b","):
        name, _, quality = each.partition(b";")
        if name.strip().lower() == b"gzip":
            return quality.strip().rstrip(b"0.").lower() != b"q="
    return False
