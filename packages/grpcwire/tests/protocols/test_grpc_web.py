"""gRPC-Web: trailers in the body, in the headers where there is no body, in text."""

import base64
import gzip

import pytest
from wirescript.http import envelope, envelopes

WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
TEXT = {"content-type": "application/grpc-web-text"}
SAY = "/test.Test/Say"


def web_end(body):
    *messages, (flags, trailers) = envelopes(body)
    assert flags == 0x80
    assert trailers.endswith(b"\r\n")
    lines = trailers.decode().split("\r\n")[:-1]
    return messages, dict(line.split(": ", 1) for line in lines)


def from_text(body):
    """Base64 whose pieces may each be padded."""
    quanta = [body[at : at + 4] for at in range(0, len(body), 4)]
    return b"".join(base64.b64decode(quantum, validate=True) for quantum in quanta)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [("grpc-web", "grpc-web"), ("grpc-web+proto",) * 2, ("grpc-web+json",) * 2],
)
async def test_the_status_follows_the_message(fetch, sent, answered):
    headers = {"content-type": f"application/{sent}"}
    response = await fetch("POST", SAY, headers, envelope(b"hello"))
    assert (response.status, response.headers["content-type"]) == (200, f"application/{answered}")
    assert web_end(response.body) == ([(0, b"hello")], {"grpc-status": "0"})


async def test_an_error_before_anything_is_headers_alone(fetch):
    response = await fetch("POST", "/test.Test/Fail", WEB, envelope(b"gone \xc3\xa9"))
    assert (response.status, response.body) == (200, b"")
    assert response.headers["grpc-status"] == "5"
    assert response.headers["grpc-message"] == "gone %C3%A9"
    assert response.headers["grpc-status-details-bin"] == "ZGV0YWlscwA"


async def test_an_error_follows_what_was_sent(fetch):
    response = await fetch("POST", "/test.Failing/Partly", WEB, envelope(b"x"))
    trailers = {"grpc-status": "10", "grpc-message": "then not"}
    assert web_end(response.body) == ([(0, b"first")], trailers)


async def test_metadata_goes_both_ways(fetch, calls):
    headers = WEB | {"x-raw-bin": "AP8"}
    response = await fetch("POST", "/test.Test/Context", headers, envelope(b""))
    assert calls.seen[0].metadata["x-raw-bin"] == b"\0\xff"
    assert response.headers["x-initial"] == "one"
    _, trailers = web_end(response.body)
    assert (trailers["x-trailing"], trailers["x-raw-bin"]) == ("two", "AP8")


async def test_streams_of_all_kinds(fetch):
    down = await fetch("POST", "/test.Test/Down", WEB, envelope(b"2 3"))
    assert web_end(down.body)[0] == [(0, bytes(3))] * 2
    up = await fetch("POST", "/test.Test/Up", WEB, envelope(b"12") + envelope(b"345"))
    assert web_end(up.body)[0] == [(0, b"5")]
    both = await fetch("POST", "/test.Test/Both", WEB, envelope(b"12") + envelope(b"345"))
    assert web_end(both.body)[0] == [(0, b"12"), (0, b"345")]


async def test_no_message_at_all_is_a_stream_too(fetch):
    response = await fetch("POST", "/test.Test/Down", WEB, envelope(b"0"))
    assert web_end(response.body) == ([], {"grpc-status": "0"})


async def test_messages_are_gzipped_as_agreed(fetch):
    message = b"again " * 1000
    headers = WEB | {"grpc-encoding": "gzip", "grpc-accept-encoding": "gzip"}
    response = await fetch("POST", SAY, headers, envelope(gzip.compress(message), 1))
    assert response.headers["grpc-encoding"] == "gzip"
    [(flags, packed)], _ = web_end(response.body)
    assert (flags, gzip.decompress(packed)) == (1, message)


async def test_a_deadline_is_kept(fetch, calls):
    headers = WEB | {"grpc-timeout": "50m"}
    response = await fetch("POST", "/test.Test/Wait", headers, envelope(b"x"))
    assert response.headers["grpc-status"] == "4"
    assert calls.cancelled.is_set()


async def test_an_unknown_method_is_unimplemented(fetch):
    response = await fetch("POST", "/test.Test/None", WEB, envelope(b"x"))
    assert (response.status, response.headers["grpc-status"]) == (200, "12")


@pytest.mark.parametrize("split", range(1, 12))
async def test_text_is_base64_in_padded_pieces(fetch, split):
    raw = envelope(b"hello")
    split = min(split, len(raw))
    body = base64.b64encode(raw[:split]) + base64.b64encode(raw[split:])
    response = await fetch("POST", SAY, TEXT, body)
    assert response.headers["content-type"] == "application/grpc-web-text"
    assert web_end(from_text(response.body)) == ([(0, b"hello")], {"grpc-status": "0"})


@pytest.mark.parametrize("body", [b"AAAAA", b"AA*A", b"====", b"AAAAAAVoZQ"])
async def test_text_that_is_no_base64_is_refused(fetch, body):
    response = await fetch("POST", SAY, TEXT, body)
    assert response.headers["grpc-status"] == "13"
