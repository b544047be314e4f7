"""Routes: the kind of the rpc, and a deadline for each call."""

import pytest
from grpclib.const import Cardinality, Handler
from wirescript.handlers import RawCodec

from grpcwire.calls.route import Route


def route(kind: Cardinality = Cardinality.UNARY_UNARY, timeout_s: float | None = None) -> Route:
    return Route(
        path="/a.B/C",
        handler=Handler(None, kind, bytes, bytes),
        codec=RawCodec(),
        content_type="application/grpc",
        timeout_s=timeout_s,
        metadata=[],
        user_agent=None,
        gzipped=False,
        compress=False,
    )


@pytest.mark.parametrize("kind", list(Cardinality))
def test_a_route_knows_the_kind_of_its_rpc(kind):
    found = route(kind)
    assert found.client_streaming is kind.client_streaming
    assert found.server_streaming is kind.server_streaming


def test_a_call_without_a_timeout_has_no_deadline():
    assert route().deadline() is None


def test_each_call_has_a_deadline_of_its_own():
    shared = route(timeout_s=10)
    first, second = shared.deadline(), shared.deadline()
    assert first is not second
    assert 9 < first.time_remaining() <= second.time_remaining() <= 10
