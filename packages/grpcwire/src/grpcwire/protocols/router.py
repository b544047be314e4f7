"""The route of a request's head: its protocol, and its method in that protocol.

The method, the content type and the path decide. gRPC goes to its own `GrpcRouter`, a
call in another protocol becomes a `WebRoute`; for everything else the route is a
`Response`, which is sent as it is. All of it derives from the head alone, so that the
transports, which call `Router.route`, can keep it with the head.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpclib's Handler leaves out the parameters of its generics.

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase

from grpcwire.calls.metadata import decode_metadata, decode_timeout
from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response, text_response
from grpcwire.protocols import connect, health
from grpcwire.protocols.connect import ConnectStream, ConnectUnary
from grpcwire.protocols.cors import Cors
from grpcwire.protocols.grpc import GrpcRoute, GrpcRouter, TrailersOnly, status_fields
from grpcwire.protocols.grpc_web import GrpcWeb, GrpcWebText
from grpcwire.protocols.web_protocol import (
    ENCODINGS,
    RESERVED,
    BareProtocol,
    WebProtocol,
    WebRoute,
    accepts_gzip,
)

__all__ = ["Router"]

_GRPC: Final = b"application/grpc"
_READING: Final = (b"GET", b"HEAD")
"""The methods that a path takes if it can be read."""


@dataclass(frozen=True, slots=True)
class _Headers:
    """The names of a protocol's own headers."""

    timeout: bytes
    encoding: bytes
    accept: bytes
    """The encodings that the client accepts."""
    prefix: bytes
    """The beginning of every name that is the protocol's, not the application's."""


_GRPC_WEB: Final = _Headers(b"grpc-timeout", b"grpc-encoding", b"grpc-accept-encoding", b"grpc-")
_UNARY: Final = _Headers(
    b"connect-timeout-ms", b"content-encoding", b"accept-encoding", b"connect-"
)
_STREAM: Final = _Headers(
    b"connect-timeout-ms",
    b"connect-content-encoding",
    b"connect-accept-encoding",
    b"connect-",
)


class Router:
    """The router of every protocol."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        codecs: Mapping[str, CodecBase],
        idempotent: frozenset[str],
        cors: Cors | None,
    ) -> None:
        """`idempotent` holds the paths of methods that GET may call."""
        self._grpc = GrpcRouter(handlers, codecs)
        self._handlers = handlers
        self._idempotent = idempotent
        self._cors = cors
        self._unary = {
            name: ConnectUnary(codec, f"application/{name}") for name, codec in codecs.items()
        }
        self._protocols: dict[bytes, tuple[WebProtocol, _Headers]] = {}
        for name, codec in codecs.items():
            stream = ConnectStream(codec, f"application/connect+{name}")
            self._add(self._unary[name], _UNARY)
            self._add(stream, _STREAM)
            for kind, content_type in ((GrpcWeb, "grpc-web"), (GrpcWebText, "grpc-web-text")):
                self._add(kind(codec, f"application/{content_type}+{name}"), _GRPC_WEB)
                if name == "proto":
                    self._add(kind(codec, f"application/{content_type}"), _GRPC_WEB)
        self._accepted = b", ".join(self._protocols)
        self._health = health.PlainHealth(next(iter(codecs.values())), "text/plain")

    def _add(self, protocol: WebProtocol, headers: _Headers) -> None:
        self._protocols[protocol.content_type] = (protocol, headers)

    def route(
        self, head: RequestHead, *, http1: bool = False
    ) -> GrpcRoute | TrailersOnly | WebRoute | Response:
        """The route of a checked head; over HTTP/1.1 never gRPC's."""
        fields = dict(head.fields)
        content_type = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        posted = head.method == b"POST"
        protocol = self._protocols.get(content_type)
        grpc = content_type == _GRPC or content_type.startswith(_GRPC + b"+")
        cors = self._cors
        if cors is not None and (preflight := cors.preflight(head, fields)) is not None:
            return preflight
        if posted and grpc and not http1:
            return self._grpc.route(head)
        route: WebRoute | Response
        if posted and protocol is not None:
            route = self._posted(head, fields, *protocol)
        else:
            route = self._plain(head, fields, grpc=grpc)
        if cors is not None:
            more = cors.fields(fields)
            if isinstance(route, Response):
                route.fields = route.fields + more
            else:
                route.extra = route.extra + more
        return route

    def trailers_only(self, status: Status, message: str) -> bytes:
        """The header block of a gRPC response to a head that could not be read."""
        return self._grpc.trailers_only(status, message)

    def _plain(
        self, head: RequestHead, fields: dict[bytes, bytes], *, grpc: bool
    ) -> WebRoute | Response:
        """The route of a request by GET or HEAD, or of one that leads nowhere."""
        methods = self._methods(head.path.partition(b"?")[0])
        if not methods:
            return text_response(HTTPStatus.NOT_FOUND, "Not found")
        if head.method not in methods:
            allow = b", ".join(methods)
            text = f"Allowed here: {allow.decode()}"
            return text_response(HTTPStatus.METHOD_NOT_ALLOWED, text, (b"allow", allow))
        if head.method in _READING:
            return self._got(head, fields)
        if grpc:
            return text_response(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2")
        return self._unsupported()

    def _methods(self, path: bytes) -> tuple[bytes, ...]:
        """The methods of HTTP that a path takes; none for an unknown path."""
        name = path.decode("latin-1")
        handler = self._handlers.get(name)
        if handler is None:
            return _READING if path == health.PATH and health.METHOD in self._handlers else ()
        if name in self._idempotent and handler.cardinality is Cardinality.UNARY_UNARY:
            return (*_READING, b"POST")
        return (b"POST",)

    def _unsupported(self) -> Response:
        text = "Unsupported content-type"
        return text_response(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            text,
            (b"accept-post", self._accepted),
            *status_fields(Status.UNKNOWN, text),  # it may have been meant for gRPC
        )

    # POST.

    def _posted(
        self,
        head: RequestHead,
        fields: dict[bytes, bytes],
        protocol: WebProtocol,
        headers: _Headers,
    ) -> WebRoute | Response:
        handler = self._handlers.get(head.path.partition(b"?")[0].decode("latin-1"))
        if handler is None:
            response = protocol.status_alone(Status.UNIMPLEMENTED, "Method not found")
            if headers is not _GRPC_WEB:
                response.status = HTTPStatus.NOT_FOUND
            return response
        unary = handler.cardinality is Cardinality.UNARY_UNARY
        if headers is not _GRPC_WEB:
            if unary is not isinstance(protocol, BareProtocol):
                return self._unsupported()
            version = fields.get(b"connect-protocol-version", b"1")
            if version != b"1":
                text = "Unknown connect-protocol-version"
                return protocol.status_alone(Status.INVALID_ARGUMENT, text)
        return self._route(head, fields, protocol, headers, handler=handler)

    # GET and HEAD.

    def _got(self, head: RequestHead, fields: dict[bytes, bytes]) -> WebRoute | Response:
        path, _, query = head.path.partition(b"?")
        if path == health.PATH:
            check = self._handlers[health.METHOD]
            return self._route(head, {}, self._health, _UNARY, handler=check, message=b"")
        parameters = connect.query_parameters(query)
        protocol = self._unary.get(parameters.get(b"encoding", b"").decode("latin-1"))
        if protocol is None:
            return self._unsupported()
        if parameters.get(b"connect", b"v1") != b"v1":
            return protocol.status_alone(Status.INVALID_ARGUMENT, "Unknown version of Connect")
        try:
            message = connect.query_message(parameters)
        except ValueError as error:
            return protocol.status_alone(Status.INVALID_ARGUMENT, str(error))
        fields = fields | {b"content-encoding": parameters.get(b"compression", b"identity")}
        return self._route(
            head,
            fields,
            protocol,
            _UNARY,
            handler=self._handlers[path.decode("latin-1")],
            message=message,
            extra=[(b"vary", b"Accept-Encoding")],
        )

    # Both.

    def _route(
        self,
        head: RequestHead,
        fields: dict[bytes, bytes],
        protocol: WebProtocol,
        headers: _Headers,
        **more: Any,
    ) -> WebRoute | Response:
        timeout = fields.get(headers.timeout)
        try:
            if headers is not _GRPC_WEB:
                timeout_s = connect.timeout(timeout)
            else:
                timeout_s = None if timeout is None else decode_timeout(timeout)
            metadata = decode_metadata(head.fields, RESERVED, headers.prefix)
        except ValueError as error:
            return protocol.status_alone(Status.INVALID_ARGUMENT, str(error))
        encoding = fields.get(headers.encoding, b"").lower() or b"identity"
        if encoding not in (b"identity", b"gzip"):
            text = f"Unknown {headers.encoding.decode()}; supported: {ENCODINGS}"
            return protocol.status_alone(Status.UNIMPLEMENTED, text)
        agent = fields.get(b"user-agent")
        return WebRoute(
            path=head.path.partition(b"?")[0].decode("latin-1"),
            codec=protocol.codec,
            content_type=fields.get(b"content-type", b"").decode("latin-1"),
            timeout_s=timeout_s,
            metadata=metadata,
            user_agent=None if agent is None else agent.decode("latin-1"),
            gzipped=encoding == b"gzip",
            compress=accepts_gzip(fields.get(headers.accept), encoding),
            protocol=protocol,
            **more,
        )
