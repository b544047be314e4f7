"""`GET /healthz`: what grpc.health.v1 answers for the whole server, said by HTTP alone.

For load balancers that know nothing else. The health service itself is asked, so that
there is one truth; its answer is read as far as its status.
"""

from typing import Final

from grpclib.const import Status

from grpcwire.calls.metadata import MetadataLike
from grpcwire.counters import Counters
from grpcwire.http.fields import Fields
from grpcwire.http.response import Response
from grpcwire.protocols.readers import BareReader
from grpcwire.protocols.web_protocol import BareProtocol

PATH: Final = b"/healthz"
METHOD: Final = "/grpc.health.v1.Health/Check"
# HealthCheckResponse{status: SERVING}, encoded.
_SERVING: Final = b"\x08\x01"
_PLAIN: Final = [
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


class PlainHealth(BareProtocol):
    """200 while serving, else 503."""

    def reader(self, limit: int, counters: Counters, *, gzipped: bool) -> BareReader:
        """No body is read."""
        return BareReader(limit, counters, gzipped=gzipped)

    def reply(
        self,
        message: bytes,
        initial: Fields,  # noqa: ARG002 - said to gRPC's clients alone
        metadata: MetadataLike,  # noqa: ARG002 - likewise
        *,
        compress: bool,  # noqa: ARG002 - too short
    ) -> Response:
        """What health answered."""
        if message == _SERVING:
            return Response(200, _PLAIN, b"SERVING\n")
        return Response(503, _PLAIN, b"NOT_SERVING\n")

    def status_alone(
        self,
        status: Status,  # noqa: ARG002 - any failure is one
        message: str | None = None,  # noqa: ARG002 - nobody reads it
        details: bytes | None = None,  # noqa: ARG002 - likewise
        metadata: MetadataLike = (),  # noqa: ARG002 - likewise
        initial: Fields | None = None,  # noqa: ARG002 - likewise
    ) -> Response:
        """Health cannot be asked."""
        return Response(503, _PLAIN, b"NOT_SERVING\n")
