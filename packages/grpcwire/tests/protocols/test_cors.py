"""Browsers from other origins: who may call, what a page may send and read."""

import pytest
from protocols.test_connect import PROTO, SAY

from grpcwire import Cors

ORIGIN = {"origin": "https://app.example"}
PREFLIGHT = ORIGIN | {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-mine",
}


@pytest.fixture
async def port(serve):
    cors = Cors(frozenset(["https://app.example"]), ("x-mine",), ("x-initial", "x-trailing"))
    return (await serve(cors=cors, idempotent=[SAY]))[1]


def names(response, header):
    return set(response.headers[f"access-control-{header}"].split(", "))


async def test_a_preflight_names_what_may_be_sent_for_two_hours(fetch):
    response = await fetch("OPTIONS", SAY, PREFLIGHT)
    assert (response.status, response.body) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert names(response, "allow-methods") == {"GET", "POST"}
    assert names(response, "allow-headers") == {
        "connect-accept-encoding",
        "connect-content-encoding",
        "connect-protocol-version",
        "connect-timeout-ms",
        "content-encoding",
        "content-type",
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-timeout",
        "x-grpc-web",
        "x-mine",
        "x-user-agent",
    }
    assert response.headers["access-control-max-age"] == "7200"
    assert "Origin" in response.headers["vary"]


async def test_a_preflight_from_elsewhere_is_forbidden(fetch):
    response = await fetch("OPTIONS", SAY, PREFLIGHT | {"origin": "https://evil.example"})
    assert response.status == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_a_page_may_read_status_and_metadata(fetch):
    response = await fetch("POST", SAY, PROTO | ORIGIN, b"x")
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["vary"] == "Origin"
    assert names(response, "expose-headers") == {
        "connect-content-encoding",
        "content-encoding",
        "grpc-encoding",
        "grpc-message",
        "grpc-status",
        "grpc-status-details-bin",
        "trailer-x-initial",
        "trailer-x-trailing",
        "x-initial",
        "x-trailing",
    }


@pytest.mark.parametrize("path", ["/test.Test/Fail", "/test.Test/None"])
@pytest.mark.parametrize(
    "content_type", ["application/proto", "application/grpc-web", "application/connect+proto"]
)
async def test_errors_may_be_read_too(fetch, path, content_type):
    response = await fetch("POST", path, ORIGIN | {"content-type": content_type}, b"\0\0\0\0\0")
    assert response.headers["access-control-allow-origin"] == "https://app.example"


async def test_elsewhere_gets_an_answer_that_no_page_may_read(fetch):
    response = await fetch("POST", SAY, PROTO | {"origin": "https://evil.example"}, b"x")
    assert (response.status, response.headers["vary"]) == (200, "Origin")
    assert "access-control-allow-origin" not in response.headers


async def test_caches_tell_origins_apart(fetch):
    response = await fetch("GET", f"{SAY}?encoding=proto&message=x", ORIGIN)
    vary = [value for name, value in response.values if name == "vary"]
    assert vary == ["Accept-Encoding", "Origin"]


async def test_a_star_lets_everybody(serve, fetch_from):
    _, port = await serve(cors=Cors(frozenset(["*"])))
    response = await fetch_from(port, "POST", SAY, PROTO | ORIGIN, b"x")
    assert response.headers["access-control-allow-origin"] == "*"


async def test_it_is_off_unless_asked_for(serve, fetch_from):
    _, port = await serve()
    assert (await fetch_from(port, "OPTIONS", SAY, PREFLIGHT)).status == 405
    response = await fetch_from(port, "POST", SAY, PROTO | ORIGIN, b"x")
    assert not {"vary", "access-control-allow-origin"} & set(response.headers)


def test_one_origin_alone_is_a_mistake():
    with pytest.raises(TypeError):
        Cors("https://app.example")
