"""A whole HTTP response, made before anything of it is sent."""

from dataclasses import dataclass, field
from http import HTTPStatus

from grpcwire.http.fields import Field, Fields

__all__ = ["Response", "text_response"]


@dataclass(slots=True)
class Response:
    """Status, header fields and body; the route of a head that asks for no call."""

    status: int
    fields: Fields = field(default_factory=list[Field])
    body: bytes = b""


def text_response(status: HTTPStatus, text: str, *fields: tuple[bytes, bytes]) -> Response:
    """A response for people and for clients that know nothing but HTTP."""
    plain = (b"content-type", b"text/plain; charset=utf-8")
    return Response(status, [plain, *fields], text.encode() + b"\n")
