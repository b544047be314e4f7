"""`GET /healthz` and grpc.health.v1 over every protocol."""

import json

import pytest
from grpclib.encoding.proto import ProtoCodec
from grpclib.health.check import ServiceStatus
from grpclib.health.service import OVERALL, Health
from wirescript.handlers import ProtobufJsonCodec
from wirescript.http import envelope, envelopes

CHECK = "/grpc.health.v1.Health/Check"


@pytest.fixture
def status():
    return ServiceStatus()


@pytest.fixture
async def port(serve, status):
    health = Health({OVERALL: [status]})
    _, port = await serve(handlers=[health], codec=ProtoCodec(), codecs=[ProtobufJsonCodec()])
    return port


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, (200, b"SERVING\n")),
        (False, (503, b"NOT_SERVING\n")),
        (None, (503, b"NOT_SERVING\n")),
    ],
)
async def test_healthz_says_what_health_says(fetch, status, value, expected):
    status.set(value)
    response = await fetch("GET", "/healthz")
    assert (response.status, response.body) == expected
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("value", "expected"), [(True, 200), (False, 503)])
async def test_healthz_may_be_asked_for_its_head(fetch, status, value, expected):
    status.set(value)
    response = await fetch("HEAD", "/healthz?probe=1")
    assert (response.status, response.body) == (expected, b"")
    assert int(response.headers["content-length"]) > 0


async def test_healthz_is_not_found_without_a_health_service(serve, fetch_from):
    _, port = await serve()
    assert (await fetch_from(port, "GET", "/healthz")).status == 404


async def test_connect_asks_health_in_json(fetch, status):
    status.set(True)
    headers = {"content-type": "application/json"}
    response = await fetch("POST", CHECK, headers, b'{"service": ""}')
    assert json.loads(response.body) == {"status": "SERVING"}
    response = await fetch("POST", CHECK, headers, b'{"service": "none"}')
    assert (response.status, json.loads(response.body)["code"]) == (404, "not_found")
    assert (await fetch("POST", CHECK, headers, b"{")).status == 400


async def test_grpc_web_asks_health(fetch, status):
    status.set(True)
    headers = {"content-type": "application/grpc-web"}
    response = await fetch("POST", CHECK, headers, envelope(b""))
    assert envelopes(response.body)[0] == (0, b"\x08\x01")
