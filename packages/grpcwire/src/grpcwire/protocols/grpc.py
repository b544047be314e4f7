"""gRPC over HTTP/2 as header lists: the routes of heads, the header blocks of responses.

`GrpcRouter` turns a checked head into a `GrpcRoute` (method, deadline, encodings) or
into a `TrailersOnly` (the response to a head that reaches no handler). Both derive from
the head alone, so they are kept with it and made once for all calls that repeat it.
`router` calls it; `grpc_call` builds its responses from the functions below. Nothing
here knows calls, tasks or connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from grpclib.const import Handler, Status
from grpclib.encoding.base import CodecBase

from grpcwire.calls.metadata import (
    MetadataLike,
    decode_metadata,
    decode_timeout,
    encode_binary,
    encode_message,
    encode_metadata,
)
from grpcwire.calls.route import Route
from grpcwire.http.fields import Fields
from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response, text_response
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.sender import HeaderBlock

__all__ = [
    "CONTENT_TYPE",
    "OK_TRAILERS",
    "GrpcRoute",
    "GrpcRouter",
    "Heads",
    "TrailersOnly",
    "status_fields",
]

CONTENT_TYPE: Final = "application/grpc"
_POST: Final = b"POST"
_ENCODINGS: Final = (b"identity", b"gzip")


class Heads:
    """The header blocks that open the responses of one content type."""

    __slots__ = ("_content_type", "gzip", "plain")

    def __init__(self, subtype: str) -> None:
        self._content_type = f"{CONTENT_TYPE}+{subtype}".encode("ascii")
        self.plain = HeaderBlock(encode_fields(self.fields(compress=False)))
        self.gzip = HeaderBlock(encode_fields(self.fields(compress=True)))

    def fields(self, *, compress: bool) -> Fields:
        """The fields that open a response."""
        fields = [(b":status", b"200"), (b"content-type", self._content_type)]
        if compress:
            fields.append((b"grpc-encoding", b"gzip"))
        return fields


@dataclass(slots=True, kw_only=True)
class GrpcRoute(Route):
    """The route of a head that asks for a gRPC call."""

    heads: Heads
    """The header blocks that open its responses."""


@dataclass(slots=True)
class TrailersOnly:
    """The response to a gRPC head that leads to no handler, sent at once."""

    block: bytes


class GrpcRouter:
    """The router of gRPC's heads, for one set of handlers and their codecs."""

    def __init__(self, handlers: Mapping[str, Handler], codecs: Mapping[str, CodecBase]) -> None:
        """`codecs` by content subtype, the part behind the plus sign; the first serves errors."""
        self._handlers = handlers
        self._by_content_type: dict[bytes, tuple[CodecBase, Heads]] = {}
        for subtype, codec in codecs.items():
            entry = (codec, Heads(subtype))
            self._by_content_type[f"{CONTENT_TYPE}+{subtype}".encode("ascii")] = entry
            if subtype == "proto":
                self._by_content_type[CONTENT_TYPE.encode("ascii")] = entry
        self._heads = next(iter(self._by_content_type.values()))[1]

    def trailers_only(self, status: Status, message: str, extra: Fields | None = None) -> bytes:
        """A response without a body, on HTTP's side a success."""
        fields = self._heads.fields(compress=False) + status_fields(status, message)
        return encode_fields(fields + (extra or []))

    def route(self, head: RequestHead) -> GrpcRoute | TrailersOnly | Response:
        """The route of a checked head."""
        if head.method != _POST:
            text = "gRPC calls are POST requests"
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, text, (b"allow", b"POST"))
        fields = dict(head.fields)
        content_type = fields.get(b"content-type", b"").partition(b";")[0].strip()
        codec_and_heads = self._by_content_type.get(content_type)
        if codec_and_heads is None:
            named = "Unacceptable" if content_type else "Missing"
            return _not_grpc(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{named} content-type header")
        if b"te" not in fields:
            return _not_grpc(HTTPStatus.BAD_REQUEST, 'Required "te: trailers" header is missing')
        path = head.path.decode("latin-1")
        handler = self._handlers.get(path)
        if handler is None:
            return TrailersOnly(self.trailers_only(Status.UNIMPLEMENTED, "Method not found"))
        return self._route(head, fields, handler, *codec_and_heads)

    def _route(
        self,
        head: RequestHead,
        fields: dict[bytes, bytes],
        handler: Handler,
        codec: CodecBase,
        heads: Heads,
    ) -> GrpcRoute | TrailersOnly:
        timeout = fields.get(b"grpc-timeout")
        try:
            timeout_s = None if timeout is None else decode_timeout(timeout)
        except ValueError:
            return TrailersOnly(self.trailers_only(Status.UNKNOWN, "Invalid grpc-timeout header"))
        try:
            metadata = decode_metadata(head.fields)
        except ValueError:
            return TrailersOnly(self.trailers_only(Status.INTERNAL, "Malformed binary metadata"))
        encoding = fields.get(b"grpc-encoding", b"identity")
        if encoding not in _ENCODINGS:
            known = [(b"grpc-accept-encoding", b",".join(_ENCODINGS))]
            text = "Unknown grpc-encoding"
            return TrailersOnly(self.trailers_only(Status.UNIMPLEMENTED, text, known))
        gzipped = encoding == b"gzip"
        accepted = fields.get(b"grpc-accept-encoding", b"").replace(b" ", b"").split(b",")
        agent = fields.get(b"user-agent")
        return GrpcRoute(
            path=head.path.decode("latin-1"),
            handler=handler,
            codec=codec,
            content_type=fields[b"content-type"].decode("latin-1"),
            timeout_s=timeout_s,
            metadata=metadata,
            user_agent=None if agent is None else agent.decode("latin-1"),
            gzipped=gzipped,
            compress=gzipped and b"gzip" in accepted,
            heads=heads,
        )


def status_fields(
    status: Status,
    message: str | None = None,
    details: bytes | None = None,
    metadata: MetadataLike = (),
) -> Fields:
    """The trailers that end every response."""
    fields = [(b"grpc-status", b"%d" % status.value)]
    if message is not None:
        fields.append((b"grpc-message", encode_message(message)))
    if details is not None:
        fields.append((b"grpc-status-details-bin", encode_binary(details)))
    return fields + encode_metadata(metadata) if metadata else fields


def _not_grpc(http_status: HTTPStatus, message: str) -> Response:
    """The response to a request that is not gRPC's: HTTP's status must say so too."""
    return text_response(http_status, message, *status_fields(Status.UNKNOWN, message))


OK_TRAILERS: Final = HeaderBlock(encode_fields(status_fields(Status.OK)))
"""The trailers of a call that ends well and says nothing more."""
