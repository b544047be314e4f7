"""A whole HTTP response, made before anything of it is sent."""

from dataclasses import dataclass, field
from http import HTTPStatus

from grpcwire.http.fields import Fields


@dataclass(slots=True)
class Response:
    """Status, header fields and body; a router's answer to what is no call at all."""

    status: int
    fields: Fields = field(default_factory=list)
    body: bytes = b""


def text_response(status: HTTPStatus, text: str, *fields: tuple[bytes, bytes]) -> Response:
    """An answer for people and for clients that expect no more of HTTP."""
    plain = (b"content-type", b"text/plain; charset=utf-8")
    return Response(status, [plain, *fields], text.encode() + b"\n")
