"""The same scripts of calls on both engines: what stock clients see must be the same.

Where the engines differ on purpose, the row says what each does. The client is
grpcio's, over real sockets; raw frames where no client would say such a thing.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import grpc
import pytest
from wirescript import wire
from wirescript.server_process import ServerProcess, running
from wirescript.wire import Client, call, data, headers, message, request

OPTIONS = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture(scope="module")
def ours() -> Iterator[ServerProcess]:
    with running() as process:
        yield process


@pytest.fixture(scope="module")
def stock() -> Iterator[ServerProcess]:
    with running("grpclib") as process:
        yield process


class Seen(NamedTuple):
    """All that a client can tell of a call."""

    answers: list[bytes]
    code: str
    details: str | None
    initial: list[tuple[str, Any]]
    trailing: list[tuple[str, Any]]


def observe(make: Callable[[], Any], *, single: bool) -> Seen:
    """Run a call to its end and note what the client got, a `single` answer or many."""
    answers: list[bytes] = []
    try:
        running_call = make()
        answers += [running_call.result()] if single else running_call
        code = running_call.code().name
        details = running_call.details()
    except grpc.RpcError as error:
        running_call, code, details = error, error.code().name, error.details()
    return Seen(
        answers,
        code,
        details,
        sorted(tuple(pair) for pair in running_call.initial_metadata() or ()),
        sorted(tuple(pair) for pair in running_call.trailing_metadata() or ()),
    )


def unary(name: str, body: bytes = b"x", **options: Any) -> Callable[[grpc.Channel], Seen]:
    options.setdefault("timeout", 10)
    return lambda channel: observe(
        lambda: channel.unary_unary(f"/test.Test/{name}").future(body, **options), single=True
    )


def server_stream(body: bytes, **options: Any) -> Callable[[grpc.Channel], Seen]:
    options.setdefault("timeout", 10)
    return lambda channel: observe(
        lambda: channel.unary_stream("/test.Test/Down")(body, **options), single=False
    )


def client_stream(bodies: list[bytes], name: str = "Up") -> Callable[[grpc.Channel], Seen]:
    return lambda channel: observe(
        lambda: channel.stream_unary(f"/test.Test/{name}").future(iter(bodies), timeout=10),
        single=True,
    )


def both_ways(bodies: list[bytes]) -> Callable[[grpc.Channel], Seen]:
    return lambda channel: observe(
        lambda: channel.stream_stream("/test.Test/Both")(iter(bodies), timeout=10), single=False
    )


def many_at_once(channel: grpc.Channel) -> list[Seen]:
    say = channel.unary_unary("/test.Test/Say")
    calls = [say.future(b"%d" % number, timeout=10) for number in range(200)]
    return [Seen([each.result()], each.code().name, None, [], []) for each in calls]


def cancelled_by_the_client(channel: grpc.Channel) -> str:
    waiting = channel.unary_unary("/test.Test/Wait").future(b"x", timeout=10)
    threading.Timer(0.1, waiting.cancel).start()
    with suppress(grpc.FutureCancelledError):
        waiting.result()
    return waiting.code().name


def stopped_halfway(channel: grpc.Channel) -> tuple[bytes, str]:
    stream = channel.unary_stream("/test.Test/Down")(b"1000000 100", timeout=10)
    first = next(stream)
    stream.cancel()
    return first, stream.code().name


SAME: dict[str, Callable[[grpc.Channel], Any]] = {
    "an answer": unary("Say", b"hello"),
    "an empty message": unary("Say", b""),
    "a message of many frames": unary("Say", bytes(range(256)) * 4000),
    "a status with details": unary("Fail", "naïve 100%\n☃".encode()),
    "an unexpected error": unary("Crash"),
    "no message": unary("Silent"),
    "metadata of the handler": unary("Explicit"),
    "an unknown method": unary("None"),
    "a deadline": unary("Wait", timeout=0.2),
    "metadata of the client": unary("Say", metadata=[("a", "b"), ("c-bin", b"\0\xff"), ("a", "d")]),
    "a stream of answers": server_stream(b"50 1000"),
    "an empty stream of answers": server_stream(b"0"),
    "a stream of large answers": server_stream(b"5 1000000"),
    "a stream of requests": client_stream([b"abc"] * 300),
    "an empty stream of requests": client_stream([]),
    "a stream of large requests": client_stream([bytes(500_000)] * 5),
    "streams both ways": both_ways([b"%d" % number for number in range(200)]),
    "an empty stream both ways": both_ways([]),
    "many at once": many_at_once,
    "a call that the client cancels": cancelled_by_the_client,
    "a stream that the client stops": stopped_halfway,
}


# On purpose another answer: of the stock engine, of ours, and why ours.
DIFFERENT = {
    "a malformed message": (
        unary("Say", b"!bad"),
        ("UNKNOWN", "INVALID_ARGUMENT"),  # it is the client's fault
    ),
    "a malformed message in a stream": (
        client_stream([b"fine", b"!bad"]),
        ("UNKNOWN", "INVALID_ARGUMENT"),
    ),
    "a compressed message": (
        unary("Say", b"a" * 5000, compression=grpc.Compression.Gzip),
        ("UNKNOWN", "OK"),  # the stock engine knows no compression
    ),
    "a message of five million bytes": (
        unary("Say", bytes(5_000_000)),
        # grpcio refuses the answer that the stock engine gives.
        ("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"),
    ),
}


def channel_to(process: ServerProcess) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{process.port}", options=OPTIONS)


def without_noise(seen: Any) -> Any:
    """Deadlines come from the client or the server, whichever is quicker."""
    if isinstance(seen, Seen) and seen.code == "DEADLINE_EXCEEDED":
        return seen.code
    return seen


@pytest.mark.parametrize("name", SAME)
def test_clients_see_the_same_on_both_engines(name, ours, stock):
    with channel_to(ours) as channel:
        found = SAME[name](channel)
    with channel_to(stock) as channel:
        expected = SAME[name](channel)
    assert without_noise(found) == without_noise(expected)


@pytest.mark.parametrize("name", DIFFERENT)
def test_where_the_engines_differ_it_is_on_purpose(name, ours, stock):
    script, (of_stock, of_ours) = DIFFERENT[name]
    with channel_to(ours) as channel:
        assert script(channel).code == of_ours
    with channel_to(stock) as channel:
        assert script(channel).code == of_stock


def test_an_endless_stream_of_answers_holds_up_nobody(ours):
    """On the stock engine a handler that never waits keeps the loop to itself."""
    with channel_to(ours) as endless, channel_to(ours) as other:
        stream = endless.unary_stream("/test.Test/Down")(b"1000000000 1", timeout=5)
        next(stream)
        for _ in range(10):
            assert other.unary_unary("/test.Test/Say")(b"x", timeout=1) == b"x"
        stream.cancel()
        assert stream.code() is grpc.StatusCode.CANCELLED


# Raw frames.


async def status_of(port: int, *pieces: bytes, stream: int = 1) -> dict[str, str]:
    client = await Client.connect(port)
    client.send(*pieces)
    try:
        fields = await client.status(stream)
    finally:
        await client.close()
    fields.pop("content-type", None)
    return fields


def with_fields(**more: str) -> bytes:
    return headers(1, call(**more)) + data(1, message(b"x"), end=True)


RAW_SAME = {
    "an answer": [request(1)],
    "message and end apart": [headers(1), data(1, message(b"x")), data(1, end=True)],
    "a message in pieces": [headers(1), data(1, b"\0\0\0"), data(1, b"\0\1x", end=True)],
    "an unknown method": [headers(1, call("/test.Test/None"), end=True)],
    "an invalid timeout": [with_fields(grpc_timeout="soon")],
    "a long timeout": [with_fields(grpc_timeout="99999999H")],
    "padded data": [
        headers(1),
        wire.frame(0, wire.PADDED | wire.END_STREAM, 1, b"\3" + message(b"x") + bytes(3)),
    ],
}
# The stock engine answers these wrongly, or not at all; ours tells the client.
RAW_OURS = {
    "no message": ([headers(1, end=True)], "12"),
    "two messages": ([headers(1), data(1, message(b"a") + message(b"b"), end=True)], "12"),
    "half a message": ([headers(1), data(1, message(b"abc")[:-1], end=True)], "13"),
    "4 GiB declared": ([headers(1), data(1, b"\0\xff\xff\xff\xff")], "8"),
    "an unknown encoding": ([with_fields(grpc_encoding="br")], "12"),
}


@pytest.mark.parametrize("name", RAW_SAME)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_raw_frames_are_answered_the_same_on_both_engines(name, ours, stock):
    found = await status_of(ours.port, *RAW_SAME[name])
    assert found == await status_of(stock.port, *RAW_SAME[name])


@pytest.mark.parametrize("name", RAW_OURS)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_raw_frames_that_only_our_engine_answers_rightly(name, ours):
    pieces, status = RAW_OURS[name]
    assert (await status_of(ours.port, *pieces))["grpc-status"] == status


# What harms no other call: the faults measured in the stock engine.

HARMLESS = {
    "the 101st stream": b"".join(headers(stream) for stream in range(3, 300, 2)),
    "an unknown frame type": wire.frame(0x1F, 0xFF, 0, b"grease"),
    "PRIORITY_UPDATE": wire.frame(0x10, 0, 0, bytes(4) + b"u=1"),
    "a header value beyond ASCII": headers(3, call(x_note="ünïcode"), end=True),
    "a header list of 70 KiB": b"".join(
        [
            wire.frame(1, 1, 3, (block := wire.block([*wire.POST, ("a", "x" * 70_000)]))[:16_000]),
            *[wire.frame(9, 0, 3, block[at : at + 16_000]) for at in range(16_000, 70_000, 16_000)],
            wire.frame(9, 4, 3),
        ]
    ),
    "a client's GOAWAY": wire.goaway(),
    "a missing path": headers(3, [field for field in wire.POST if field[0] != ":path"]),
    "CR LF in a value": headers(3, call(x_note="a\r\nb")),
    "NUL in a value": headers(3, call(x_note="a\0b")),
    "a path that is no text": headers(
        3, [(name, b"/\xff" if name == ":path" else value) for name, value in wire.POST]
    ),
    "a window update of nothing": headers(3) + wire.window_update(3, 0),
    "a body unlike its content-length": headers(3, call(content_length="3")) + data(3, b"x" * 20),
    "an upper-case name": headers(3, call(Name="x")),
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_what_one_call_does_wrong_harms_no_other(name, ours):
    client = await Client.connect(ours.port)
    client.send(headers(1, call("/test.Test/Both")), data(1, message(b"before")))
    assert (await client.until(wire.DATA, 1)).payload == message(b"before")
    client.send(HARMLESS[name], data(1, message(b"after"), end=True))
    assert (await client.until(wire.DATA, 1)).payload == message(b"after")
    await client.until(wire.HEADERS, 1, ended=True)
    await client.close()
