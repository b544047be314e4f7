"""Connect, unary and streaming, as connectrpc.com/docs/protocol has it."""

import asyncio
import base64
import gzip
import json

import pytest
from grpclib.const import Status
from wirescript.http import Http1Client, envelope, envelopes
from wirescript.http import request as http_request

from grpcwire.protocols.connect_errors import CODES

PROTO = {"content-type": "application/proto", "connect-protocol-version": "1"}
STREAM = {"content-type": "application/connect+proto"}
SAY = "/test.Test/Say"


def stream_end(body):
    *messages, (flags, end) = envelopes(body)
    assert flags == 2
    return messages, json.loads(end)


@pytest.mark.parametrize("subtype", ["proto", "json", "json; charset=utf-8"])
async def test_a_unary_call_is_an_ordinary_exchange(fetch, subtype):
    headers = {"content-type": f"application/{subtype}"}
    response = await fetch("POST", SAY, headers, b"hello")
    assert (response.status, response.body) == (200, b"hello")
    assert response.headers["content-type"] == f"application/{subtype.partition(';')[0]}"


@pytest.mark.parametrize("body", [b"hello", b"!malformed"])
async def test_one_piece_equals_many(serve, body):
    server, port = await serve()
    client = await Http1Client.connect(port)
    client.send(http_request("POST", SAY, PROTO, body))
    whole = await client.response()
    client.send(http_request("POST", SAY, PROTO | {"content-length": str(len(body))}, b""))
    client.send(body[:2])
    async with asyncio.timeout(5):
        while server.counters.buffered_bytes != len(body[:2]):
            await asyncio.sleep(0.001)
    client.send(body[2:])
    pieces = await client.response()
    assert (pieces.status, pieces.body) == (whole.status, whole.body)
    await client.close()


async def test_an_empty_body_is_an_empty_message(fetch, calls):
    response = await fetch("POST", SAY, PROTO)
    assert (response.status, response.body, calls.seen) == (200, b"", [b""])


async def test_a_large_message_goes_both_ways(fetch):
    message = bytes(range(256)) * 200
    assert (await fetch("POST", SAY, PROTO, message)).body == message


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
async def test_each_status_has_its_code_and_its_http_status(fetch, status):
    response = await fetch("POST", "/test.Failing/End", PROTO, status.name.encode())
    code, http_status = CODES[status]
    assert response.status == http_status
    assert response.headers["content-type"] == "application/json"
    error = json.loads(response.body)
    assert (error["code"], error["message"]) == (code, "ends with é %")
    assert error["details"] == [{"type": "google.rpc.RetryInfo", "value": "CgIIAw"}]
    assert response.headers["x-initial"] == "one"
    assert response.headers["trailer-x-trailing"] == "two"


async def test_details_that_are_none_are_left_out(fetch):
    error = json.loads((await fetch("POST", "/test.Test/Fail", PROTO, b"gone")).body)
    assert error == {"code": "not_found", "message": "gone"}


async def test_a_crash_tells_nothing(fetch, caplog):
    response = await fetch("POST", "/test.Test/Crash", PROTO, b"x")
    assert response.status == 500
    assert json.loads(response.body) == {"code": "unknown", "message": "Internal Server Error"}


async def test_metadata_goes_both_ways(fetch, calls):
    headers = PROTO | {"x-text": "a", "x-raw-bin": "AP8"}
    response = await fetch("POST", "/test.Test/Context", headers, b"x")
    assert calls.seen[0].metadata["x-text"] == "a"
    assert calls.seen[0].metadata["x-raw-bin"] == b"\0\xff"
    assert "content-type" not in calls.seen[0].metadata
    assert "connect-protocol-version" not in calls.seen[0].metadata
    assert response.headers["x-initial"] == "one"
    assert response.headers["trailer-x-trailing"] == "two"
    assert response.headers["trailer-x-raw-bin"] == "AP8"


@pytest.mark.parametrize(
    ("sent", "accepted", "answered"),
    [
        ("gzip", None, "gzip"),
        ("GZip", None, "gzip"),
        ("gzip", "identity", None),
        ("identity", "br, gzip", "gzip"),
        ("identity", "gzip;q=0", None),
        ("identity", None, None),
    ],
)
async def test_contents_are_gzipped_as_agreed(fetch, sent, accepted, answered):
    message = b"again " * 1000
    headers = PROTO | {"content-encoding": sent}
    if accepted:
        headers["accept-encoding"] = accepted
    body = message if sent == "identity" else gzip.compress(message)
    response = await fetch("POST", SAY, headers, body)
    assert response.headers.get("content-encoding") == answered
    assert (gzip.decompress(response.body) if answered else response.body) == message


async def test_an_empty_body_is_not_inflated(fetch, calls):
    await fetch("POST", SAY, PROTO | {"content-encoding": "gzip"})
    assert calls.seen == [b""]


async def test_an_unknown_encoding_is_refused_naming_the_known(fetch):
    response = await fetch("POST", SAY, PROTO | {"content-encoding": "br"}, b"x")
    error = json.loads(response.body)
    assert (response.status, error["code"]) == (501, "unimplemented")
    assert "gzip, identity" in error["message"]


ONE_PACKED = gzip.compress(b"x", mtime=0)


@pytest.mark.parametrize("body", [b"no gzip", ONE_PACKED[:-2], ONE_PACKED + b"!"])
async def test_a_body_that_cannot_be_inflated_is_refused(fetch, body):
    response = await fetch("POST", SAY, PROTO | {"content-encoding": "gzip"}, body)
    assert json.loads(response.body)["code"] == "internal"


async def test_a_malformed_message_is_an_invalid_argument(fetch):
    response = await fetch("POST", SAY, PROTO, b"!")
    error = json.loads(response.body)
    assert error == {"code": "invalid_argument", "message": "Malformed request message"}


async def test_a_deadline_cancels_the_handler(fetch, calls):
    headers = PROTO | {"connect-timeout-ms": "50"}
    response = await fetch("POST", "/test.Test/Wait", headers, b"x")
    assert (response.status, json.loads(response.body)["code"]) == (504, "deadline_exceeded")
    assert calls.cancelled.is_set()


async def test_a_deadline_of_nothing_begins_nothing(fetch, calls):
    response = await fetch("POST", SAY, PROTO | {"connect-timeout-ms": "0"}, b"x")
    assert (response.status, json.loads(response.body)["code"]) == (504, "deadline_exceeded")
    assert calls.seen == []


@pytest.mark.parametrize(
    "header",
    [
        {"connect-timeout-ms": "1s"},
        {"connect-timeout-ms": "12345678901"},
        {"connect-protocol-version": "2"},
        {"x-bad-bin": "!"},
    ],
)
async def test_headers_that_make_no_sense_are_invalid_arguments(fetch, header):
    response = await fetch("POST", SAY, PROTO | header, b"x")
    assert (response.status, json.loads(response.body)["code"]) == (400, "invalid_argument")


async def test_an_unknown_method_is_not_found(fetch):
    response = await fetch("POST", "/test.Test/None", PROTO, b"x")
    assert (response.status, json.loads(response.body)["code"]) == (404, "unimplemented")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (SAY, "application/connect+proto"),
        ("/test.Test/Down", "application/proto"),
        (SAY, "application/xml"),
    ],
)
async def test_a_content_type_of_the_wrong_kind_is_refused(fetch, path, content_type):
    response = await fetch("POST", path, {"content-type": content_type}, b"x")
    assert response.status == 415
    assert "application/connect+json" in response.headers["accept-post"]


# GET.


def get(message, **parameters):
    encoded = base64.urlsafe_b64encode(message).decode().rstrip("=")
    pairs = {"connect": "v1", "encoding": "proto", "base64": "1", "message": encoded} | parameters
    return SAY + "?" + "&".join(f"{name}={value}" for name, value in pairs.items() if value)


async def test_a_call_without_side_effects_is_got(fetch):
    response = await fetch("GET", get(b"\0hello\xff"))
    assert (response.status, response.body) == (200, b"\0hello\xff")
    assert response.headers["content-type"] == "application/proto"
    assert response.headers["vary"] == "Accept-Encoding"


async def test_a_got_message_may_be_plain_text(fetch):
    response = await fetch("GET", f"{SAY}?encoding=json&message=%7B%22a%22%3A+1%7D&more=1")
    assert (response.headers["content-type"], response.body) == ("application/json", b'{"a": 1}')


async def test_a_got_message_may_be_gzipped(fetch):
    packed = gzip.compress(b"hello")
    response = await fetch("GET", get(packed, compression="gzip"))
    assert response.body == b"hello"


@pytest.mark.parametrize(
    "path",
    [
        f"{SAY}?encoding=proto",
        f"{SAY}?encoding=proto&base64=1&message=*",
        get(b"x", connect="v2"),
        get(b"!"),
    ],
)
async def test_a_get_that_makes_no_sense_is_an_invalid_argument(fetch, path):
    response = await fetch("GET", path)
    assert (response.status, json.loads(response.body)["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (get(b"", encoding="xml"), 415),
        ("/test.Test/Wait?encoding=proto&message=", 405),
        ("/test.Test/Down?encoding=proto&message=", 405),
        ("/", 404),
        ("/favicon.ico?a", 404),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_cannot_be_got_is_refused_in_http(fetch, method, path, status):
    assert (await fetch(method, path)).status == status


async def test_the_head_of_a_call_without_side_effects_is_got(fetch):
    response = await fetch("HEAD", get(b"hello"))
    assert (response.status, response.headers["content-length"]) == (200, "5")
    assert response.body == b""


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "allowed"), [(SAY, "GET, HEAD, POST"), ("/test.Test/Wait", "POST")]
)
async def test_other_methods_are_refused_naming_those_allowed(fetch, method, path, allowed):
    response = await fetch(method, path)
    assert (response.status, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_where_nothing_is_found_method_and_content_do_not_matter(fetch, method):
    response = await fetch(method, "/none", {"content-type": "text/html"}, b"x")
    assert response.status == 404


# Streams.


async def test_a_server_streams(fetch):
    response = await fetch("POST", "/test.Test/Down", STREAM, envelope(b"3 4"))
    assert (response.status, response.headers["content-type"]) == (200, STREAM["content-type"])
    assert stream_end(response.body) == ([(0, bytes(4))] * 3, {})


async def test_a_client_streams(fetch):
    body = envelope(b"one") + envelope(b"three")
    response = await fetch("POST", "/test.Test/Up", STREAM, body)
    assert stream_end(response.body) == ([(0, b"8")], {})


async def test_both_stream(fetch):
    body = envelope(b"one") + envelope(b"two")
    response = await fetch("POST", "/test.Test/Both", STREAM, body)
    assert stream_end(response.body) == ([(0, b"one"), (0, b"two")], {})


async def test_an_error_ends_a_stream(fetch):
    response = await fetch("POST", "/test.Failing/EndStream", STREAM, envelope(b"NOT_FOUND"))
    assert (response.status, response.headers["x-initial"]) == (200, "one")
    details = [{"type": "google.rpc.RetryInfo", "value": "CgIIAw"}]
    error = {"code": "not_found", "message": "ends with é %", "details": details}
    assert stream_end(response.body) == ([], {"error": error, "metadata": {"x-trailing": ["two"]}})


async def test_an_error_follows_what_was_sent(fetch):
    response = await fetch("POST", "/test.Failing/Partly", STREAM, envelope(b"x"))
    messages, end = stream_end(response.body)
    assert messages == [(0, b"first")]
    assert end == {"error": {"code": "aborted", "message": "then not"}}


async def test_messages_of_a_stream_are_gzipped_as_agreed(fetch):
    headers = STREAM | {"connect-content-encoding": "gzip"}
    message = b"again " * 1000
    response = await fetch("POST", "/test.Test/Both", headers, envelope(gzip.compress(message), 1))
    assert response.headers["connect-content-encoding"] == "gzip"
    (((flags, packed),), _) = stream_end(response.body)
    assert (flags, gzip.decompress(packed)) == (1, message)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "unimplemented"),
        (envelope(b"1") * 2, "unimplemented"),
        (envelope(b"1")[:-1], "internal"),
        (envelope(b"1", 1), "internal"),
        (envelope(b"{}", 2), "internal"),
        (b"\0\xff\xff\xff\xff", "resource_exhausted"),
        (envelope(b"!"), "invalid_argument"),
    ],
)
async def test_a_request_that_is_no_single_message_is_refused(fetch, body, code):
    response = await fetch("POST", "/test.Test/Down", STREAM, body)
    assert stream_end(response.body)[1]["error"]["code"] == code
