"""`GET /healthz`: the status of grpc.health.v1 for the whole server, by plain HTTP.

For load balancers that know nothing else. The call goes to the health service itself,
so that there is one truth; its response is read as far as its status.
"""

from typing import Final

from grpclib.const import Status
from typing_extensions import override

from grpcwire.calls.metadata import MetadataLike
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.protocols.readers import BareReader
from grpcwire.protocols.web_protocol import BareProtocol

__all__ = ["METHOD", "PATH", "PlainHealth"]

PATH: Final = b"/healthz"
METHOD: Final = "/grpc.health.v1.Health/Check"
"""The rpc that is asked."""
_SERVING: Final = b"\x08\x01"
"""HealthCheckResponse{status: SERVING}, encoded."""
_PLAIN: Final = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


class PlainHealth(BareProtocol):
    """200 while serving, else 503."""

    @override
    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> BareReader:
        return BareReader(limit, counters, gzipped=gzipped)

    @override
    def reply(
        self,
        message: bytes,
        initial: Fields,
        metadata: MetadataLike,
        *,
        compress: bool,
    ) -> Response:
        if message == _SERVING:
            return Response(200, _PLAIN, b"SERVING\n")
        return Response(503, _PLAIN, b"NOT_SERVING\n")

    @override
    def status_alone(
        self,
        status: Status,
        message: str | None = None,
        details: bytes | None = None,
        metadata: MetadataLike = (),
        initial: Fields | None = None,
    ) -> Response:
        return Response(503, _PLAIN, b"NOT_SERVING\n")
