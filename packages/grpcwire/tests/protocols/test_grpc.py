"""Routes of heads: refusals and their words, on HTTP and on gRPC."""

import pytest
from wirescript import wire
from wirescript.wire import Client, call, data, headers, message, request


async def answer(client: Client, *pieces: bytes) -> tuple[dict[str, str], bytes]:
    """The head of the answer and its body, whose end may be data or trailers."""
    client.send(*pieces)
    head = await client.until(wire.HEADERS, 1)
    fields, body = dict(client.decoder.decode(head.payload)), b""
    while not head.ended:
        head = await client.until(wire.DATA, 1)
        body += head.payload
    return fields, body


def without(name: str) -> list[tuple[str, str]]:
    return [field for field in wire.POST if field[0] != name]


async def test_other_methods_than_post_are_405(client):
    fields, body = await answer(client, headers(1, [*without(":method")][:0] + get(), end=True))
    assert (fields[":status"], fields["allow"]) == ("405", "POST")
    assert body


def get() -> list[tuple[str, str]]:
    return [(":method", "GET"), *without(":method")]


@pytest.mark.parametrize(
    "value", [None, "text/html", "application/json", "application/grpcfoo", "application/grpc+json"]
)
async def test_content_types_that_are_no_grpc_are_415(client, value):
    fields = without("content-type") + ([("content-type", value)] if value else [])
    got, body = await answer(client, headers(1, fields), data(1, b"x" * 20, end=True))
    assert (got[":status"], got["grpc-status"]) == ("415", "2")
    assert body


@pytest.mark.parametrize("value", ["application/grpc", "application/grpc+proto"])
async def test_content_types_of_grpc_are_taken(client, value):
    fields = [*without("content-type"), ("content-type", value)]
    client.send(headers(1, fields), data(1, message(b"x"), end=True))
    assert await client.status(1) == {"grpc-status": "0"}


async def test_without_te_it_is_400(client):
    fields, _ = await answer(client, headers(1, without("te"), end=True))
    assert (fields[":status"], fields["grpc-status"]) == ("400", "2")


@pytest.mark.parametrize("value", ["", "1", "1x", "123456789S"])
async def test_an_invalid_timeout_is_told(client, value):
    client.send(headers(1, call(grpc_timeout=value)))
    fields = await client.status(1)
    assert (fields["grpc-status"], fields["grpc-message"]) == ("2", "Invalid grpc-timeout header")


async def test_malformed_binary_metadata_is_told(client):
    client.send(headers(1, call(x_bin="!")))
    assert (await client.status(1))["grpc-status"] == "13"


async def test_text_beyond_ascii_in_metadata_harms_no_call(client, calls):
    client.send(request(1, path="/test.Test/Wait"))
    fields = [*wire.POST, ("x-note", "ünï"), ("x-raw", b"\xff")]
    client.send(headers(3, fields), data(3, message(b"x"), end=True))
    assert await client.status(3) == {"grpc-status": "0"}
    assert calls.streams[0].metadata["x-raw"] == "\xff"


async def test_metadata_reaches_the_handler(client, calls):
    fields = [*call(x_id="7", x_raw_bin="AAE", user_agent="me/1"), ("x-id", "8")]
    client.send(headers(1, fields), data(1, message(b"x"), end=True))
    await client.status(1)
    (stream,) = calls.streams
    assert stream.metadata.getall("x-id") == ["7", "8"]
    assert stream.metadata["x-raw-bin"] == b"\0\1"
    assert stream.user_agent == "me/1"
    assert "te" not in stream.metadata


async def test_each_call_has_its_own_metadata_though_their_heads_are_shared(client, calls):
    client.send(request(1), request(3))
    await client.status(1)
    await client.status(3)
    first, second = calls.streams
    first.metadata["mine"] = "yes"
    assert "mine" not in second.metadata


async def test_repeated_heads_have_deadlines_of_their_own(client, calls):
    for stream in (1, 3):
        client.send(request(stream, grpc_timeout="10S"))
        await client.status(stream)
    first, second = (stream.deadline for stream in calls.streams)
    assert first < second
    assert 9 < second.time_remaining() <= 10
