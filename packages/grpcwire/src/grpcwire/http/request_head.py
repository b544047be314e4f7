"""The head of a request, checked, whichever version of HTTP brought it.

Made by `http2.request` and `http1.head`, each by its own rules. Requests that repeat
their head share one object, so nothing of one request may be kept in it. The router
keeps the head's route in it, made once for all requests that repeat the head.
"""

from grpcwire.http.fields import Field

__all__ = ["RequestHead"]


class RequestHead:
    """The header list of one request, checked; fields without the pseudo-headers."""

    __slots__ = ("authority", "content_length", "fields", "method", "path", "route", "scheme")

    def __init__(self, pseudo: dict[bytes, bytes], fields: tuple[Field, ...], length: int) -> None:
        """`length` is the content-length, -1 without one."""
        self.method = pseudo[b":method"]
        self.scheme = pseudo[b":scheme"]
        self.path = pseudo[b":path"]
        self.authority = pseudo.get(b":authority")
        self.fields = fields
        self.content_length = length
        self.route: object = None
