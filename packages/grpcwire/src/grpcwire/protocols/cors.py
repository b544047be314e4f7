"""Cross-origin requests of browsers (the Fetch standard's CORS protocol).

Off unless a server is given origins. The lists of headers are exact, since browsers
read a star as nothing where credentials are sent: what the protocols use, and the
application's own metadata by name.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from grpcwire.http.fields import Fields
from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response

_METHODS: Final = b"GET, POST"
_REQUEST_HEADERS: Final = (
    "content-type",
    "content-encoding",
    "connect-protocol-version",
    "connect-timeout-ms",
    "connect-content-encoding",
    "connect-accept-encoding",
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "x-grpc-web",
    "x-user-agent",
)
_RESPONSE_HEADERS: Final = (
    "content-encoding",
    "connect-content-encoding",
    "grpc-encoding",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
)
# Two hours: Chromium keeps none longer.
_MAX_AGE_S: Final = 7200


@dataclass(frozen=True)
class Cors:
    """Who may call from a browser; an origin of "*" lets everybody.

    `request_metadata` and `response_metadata` name the application's own headers that
    a page may send and read, in lowercase.
    """

    origins: frozenset[str]
    request_metadata: tuple[str, ...] = ()
    response_metadata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.origins, str):
            raise TypeError("origins is a collection of origins")

    def fields(self, fields: dict[bytes, bytes]) -> Fields:
        """What a response says to the page that the request came from."""
        allowed = self._allowed(fields)
        if allowed is None:
            return [(b"vary", b"Origin")]
        trailers = (f"trailer-{name}" for name in self.response_metadata)
        exposed = (*_RESPONSE_HEADERS, *self.response_metadata, *trailers)
        return [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", ", ".join(exposed).encode("ascii")),
            (b"vary", b"Origin"),
        ]

    def preflight(self, head: RequestHead, fields: dict[bytes, bytes]) -> Response | None:
        """The answer to a preflight; None for any other request."""
        if head.method != b"OPTIONS" or b"access-control-request-method" not in fields:
            return None
        vary = b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        allowed = self._allowed(fields)
        if allowed is None:
            return Response(HTTPStatus.FORBIDDEN, [(b"vary", vary)])
        names = ", ".join((*_REQUEST_HEADERS, *self.request_metadata))
        return Response(
            HTTPStatus.NO_CONTENT,
            [
                (b"access-control-allow-origin", allowed),
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", names.encode("ascii")),
                (b"access-control-max-age", b"%d" % _MAX_AGE_S),
                (b"vary", vary),
            ],
        )

    def _allowed(self, fields: dict[bytes, bytes]) -> bytes | None:
        """What to name as the allowed origin; None where it is not allowed."""
        origin = fields.get(b"origin")
        if origin is None:
            return None
        if "*" in self.origins:
            return b"*"
        return origin if origin.decode("latin-1") in self.origins else None
