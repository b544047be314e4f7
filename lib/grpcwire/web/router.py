"""Which protocol a request's head speaks, and what it asks for in it.

The method, the content type and the path decide. gRPC goes to its own `Interpreter`;
a call in another dialect becomes a `WebMeaning`; everything else an `Answer`, which
is given as it is. All of it derives from the head alone and is kept with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.base import CodecBase

from grpcwire.grpc import GrpcMeaning, Interpreter, Refusal, status_fields
from grpcwire.http2.request import RequestHead
from grpcwire.metadata import decode_metadata, decode_timeout
from grpcwire.web import connect, health
from grpcwire.web.answer import Answer, text_answer
from grpcwire.web.connect import ConnectStream, ConnectUnary
from grpcwire.web.cors import Cors
from grpcwire.web.dialect import ENCODINGS, RESERVED, BareDialect, Dialect, WebMeaning, accepts_gzip
from grpcwire.web.grpc_web import GrpcWeb, GrpcWebText

_GRPC: Final = b"application/grpc"
_READING: Final = (b"GET", b"HEAD")


@dataclass(frozen=True, slots=True)
class _Headers:
    """Where a protocol says its things in the head."""

    timeout: bytes
    encoding: bytes
    accept: bytes
    prefix: bytes  # of the names that are the protocol's own


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
    """Heads to meanings, for every protocol."""

    def __init__(
        self,
        interpreter: Interpreter,
        handlers: Mapping[str, Handler],
        codecs: Mapping[str, CodecBase],
        idempotent: frozenset[str],
        cors: Cors | None,
    ) -> None:
        """`idempotent` holds the paths of methods that GET may call."""
        self._interpreter = interpreter
        self._handlers = handlers
        self._idempotent = idempotent
        self._cors = cors
        self._unary = {
            name: ConnectUnary(codec, f"application/{name}") for name, codec in codecs.items()
        }
        self._dialects: dict[bytes, tuple[Dialect, _Headers]] = {}
        for name, codec in codecs.items():
            stream = ConnectStream(codec, f"application/connect+{name}")
            self._add(self._unary[name], _UNARY)
            self._add(stream, _STREAM)
            for kind, content_type in ((GrpcWeb, "grpc-web"), (GrpcWebText, "grpc-web-text")):
                self._add(kind(codec, f"application/{content_type}+{name}"), _GRPC_WEB)
                if name == "proto":
                    self._add(kind(codec, f"application/{content_type}"), _GRPC_WEB)
        self._accepted = b", ".join(self._dialects)
        self._health = health.PlainHealth(next(iter(codecs.values())), "text/plain")

    def _add(self, dialect: Dialect, headers: _Headers) -> None:
        self._dialects[dialect.content_type] = (dialect, headers)

    def interpret(
        self, head: RequestHead, *, http1: bool = False
    ) -> GrpcMeaning | Refusal | WebMeaning | Answer:
        """What a checked head means here; over HTTP/1.1 never gRPC."""
        fields = dict(head.fields)
        content_type = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        posted = head.method == b"POST"
        spoken = self._dialects.get(content_type)
        grpc = content_type == _GRPC or content_type.startswith(_GRPC + b"+")
        cors = self._cors
        if cors is not None and (preflight := cors.preflight(head, fields)) is not None:
            return preflight
        if posted and grpc and not http1:
            return self._interpreter.interpret(head)
        meaning: WebMeaning | Answer
        if posted and spoken is not None:
            meaning = self._posted(head, fields, *spoken)
        else:
            meaning = self._asked(head, fields, grpc=grpc)
        if cors is not None:
            more = cors.fields(fields)
            if isinstance(meaning, Answer):
                meaning.fields = meaning.fields + more
            else:
                meaning.extra = meaning.extra + more
        return meaning

    def _asked(
        self, head: RequestHead, fields: dict[bytes, bytes], *, grpc: bool
    ) -> WebMeaning | Answer:
        """What is asked for by HTTP alone, or the answer to what cannot be."""
        methods = self._methods(head.path.partition(b"?")[0])
        if not methods:
            return text_answer(HTTPStatus.NOT_FOUND, "Not found")
        if head.method not in methods:
            allow = b", ".join(methods)
            text = f"Allowed here: {allow.decode()}"
            return text_answer(HTTPStatus.METHOD_NOT_ALLOWED, text, (b"allow", allow))
        if head.method in _READING:
            return self._got(head, fields)
        if grpc:
            return text_answer(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "gRPC needs HTTP/2")
        return self._unsupported()

    def _methods(self, path: bytes) -> tuple[bytes, ...]:
        """The methods of HTTP that a path takes; none where nothing is."""
        name = path.decode("latin-1")
        handler = self._handlers.get(name)
        if handler is None:
            return _READING if path == health.PATH and health.METHOD in self._handlers else ()
        if name in self._idempotent and handler.cardinality is Cardinality.UNARY_UNARY:
            return (*_READING, b"POST")
        return (b"POST",)

    def _unsupported(self) -> Answer:
        text = "Unsupported content-type"
        return text_answer(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            text,
            (b"accept-post", self._accepted),
            *status_fields(Status.UNKNOWN, text),  # it may have been meant for gRPC
        )

    # ---- POST

    def _posted(
        self, head: RequestHead, fields: dict[bytes, bytes], dialect: Dialect, headers: _Headers
    ) -> WebMeaning | Answer:
        handler = self._handlers.get(head.path.partition(b"?")[0].decode("latin-1"))
        if handler is None:
            answer = dialect.status_alone(Status.UNIMPLEMENTED, "Method not found")
            if headers is not _GRPC_WEB:
                answer.status = HTTPStatus.NOT_FOUND
            return answer
        unary = handler.cardinality is Cardinality.UNARY_UNARY
        if headers is not _GRPC_WEB:
            if unary is not isinstance(dialect, BareDialect):
                return self._unsupported()
            version = fields.get(b"connect-protocol-version", b"1")
            if version != b"1":
                text = "Unknown connect-protocol-version"
                return dialect.status_alone(Status.INVALID_ARGUMENT, text)
        return self._meaning(head, fields, dialect, headers, handler=handler)

    # ---- GET and HEAD

    def _got(self, head: RequestHead, fields: dict[bytes, bytes]) -> WebMeaning | Answer:
        path, _, query = head.path.partition(b"?")
        if path == health.PATH:
            asked = self._handlers[health.METHOD]
            return self._meaning(head, {}, self._health, _UNARY, handler=asked, message=b"")
        parameters = connect.query_parameters(query)
        dialect = self._unary.get(parameters.get(b"encoding", b"").decode("latin-1"))
        if dialect is None:
            return self._unsupported()
        if parameters.get(b"connect", b"v1") != b"v1":
            return dialect.status_alone(Status.INVALID_ARGUMENT, "Unknown version of Connect")
        try:
            message = connect.query_message(parameters)
        except ValueError as error:
            return dialect.status_alone(Status.INVALID_ARGUMENT, str(error))
        fields = fields | {b"content-encoding": parameters.get(b"compression", b"identity")}
        return self._meaning(
            head,
            fields,
            dialect,
            _UNARY,
            handler=self._handlers[path.decode("latin-1")],
            message=message,
            extra=[(b"vary", b"Accept-Encoding")],
        )

    # ---- both

    def _meaning(
        self,
        head: RequestHead,
        fields: dict[bytes, bytes],
        dialect: Dialect,
        headers: _Headers,
        **more: Any,
    ) -> WebMeaning | Answer:
        timeout = fields.get(headers.timeout)
        try:
            if headers is not _GRPC_WEB:
                timeout_s = connect.timeout(timeout)
            else:
                timeout_s = None if timeout is None else decode_timeout(timeout)
            metadata = decode_metadata(head.fields, RESERVED, headers.prefix)
        except ValueError as error:
            return dialect.status_alone(Status.INVALID_ARGUMENT, str(error))
        encoding = fields.get(headers.encoding, b"").lower() or b"identity"
        if encoding not in (b"identity", b"gzip"):
            text = f"Unknown {headers.encoding.decode()}; supported: {ENCODINGS}"
            return dialect.status_alone(Status.UNIMPLEMENTED, text)
        agent = fields.get(b"user-agent")
        return WebMeaning(
            path=head.path.partition(b"?")[0].decode("latin-1"),
            codec=dialect.codec,
            content_type=fields.get(b"content-type", b"").decode("latin-1"),
            timeout_s=timeout_s,
            metadata=metadata,
            user_agent=None if agent is None else agent.decode("latin-1"),
            gzipped=encoding == b"gzip",
            compress=accepts_gzip(fields.get(headers.accept), encoding),
            dialect=dialect,
            **more,
        )
