"""One call over raw frames: how it begins, what it may send, how it ends."""

import asyncio
import gzip
from itertools import pairwise

import pytest
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from wirescript import wire
from wirescript.wire import Client, call, data, headers, message, request, rst

from grpcwire import Limits
from grpcwire.calls.call import MOVES, Life
from grpcwire.protocols.grpc_call import GrpcCall

SAY = "/test.Test/Say"


async def answered(client: Client, *pieces: bytes, stream: int = 1) -> dict[str, str]:
    client.send(*pieces)
    return await client.status(stream)


async def ok(client: Client, stream: int) -> None:
    """The connection still serves calls."""
    assert (await answered(client, request(stream), stream=stream))["grpc-status"] == "0"


async def test_a_unary_call_is_answered(client, calls):
    client.send(request(1, b"hello"))
    head = await client.until(wire.HEADERS)
    fields = dict(client.decoder.decode(head.payload))
    assert fields == {":status": "200", "content-type": "application/grpc+proto"}
    body = await client.until(wire.DATA)
    assert body.payload == message(b"hello")
    assert await client.status(1) == {"grpc-status": "0"}


CHOPS = [[1], [5], [6], [5, 6], [1, 2, 3, 4, 5, 6, 7], []]


@pytest.mark.parametrize("cuts", CHOPS)
@pytest.mark.parametrize("separate_end", [False, True])
async def test_one_piece_equals_many(client, calls, cuts, separate_end):
    whole = message(b"hello")
    edges = [0, *cuts, len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges)]
    client.send(headers(1, call()))
    for piece in pieces[:-1]:
        client.send(data(1, piece))
    client.send(data(1, pieces[-1], end=not separate_end))
    if separate_end:
        client.send(data(1, end=True))
    body = await client.until(wire.DATA)
    assert body.payload == whole
    assert await client.status(1) == {"grpc-status": "0"}
    assert calls.seen == [b"hello"]


async def test_the_request_may_end_by_trailers(client):
    client.send(headers(1, call()), data(1, message(b"x" * 20)))
    fields = await answered(client, headers(1, [("x", "y")], end=True))
    assert fields == {"grpc-status": "0"}


@pytest.mark.parametrize(
    "body",
    [
        [headers(1, call(), end=True)],
        [headers(1, call()), data(1, end=True)],
        [headers(1, call()), data(1, message(b"a") + message(b"b"), end=True)],
        [headers(1, call()), data(1, message(b"a")), data(1, message(b"b"), end=True)],
    ],
)
async def test_a_unary_request_without_exactly_one_message_is_unimplemented(client, calls, body):
    assert (await answered(client, *body))["grpc-status"] == "12"
    assert calls.seen == []
    await ok(client, 3)


async def test_a_message_that_ends_early_is_internal(client, calls):
    fields = await answered(client, headers(1, call()), data(1, message(b"abc")[:-1], end=True))
    assert (fields["grpc-status"], calls.seen) == ("13", [])


async def test_a_malformed_message_is_invalid_argument_and_never_handled(client, calls):
    fields = await answered(client, request(1, b"!bad"))
    assert fields["grpc-status"] == "3"
    assert fields["grpc-message"] == "Malformed request message"
    assert calls.seen == []


async def test_a_malformed_message_in_a_stream_is_invalid_argument(client):
    path = "/test.Test/Up"
    fields = await answered(client, headers(1, call(path)), data(1, message(b"!bad"), end=True))
    assert fields["grpc-status"] == "3"
    assert fields["grpc-message"] == "Malformed request message"


async def test_an_error_of_the_handlers_is_a_status_with_details(client):
    fields = await answered(client, request(1, "naïve 100%\n".encode(), "/test.Test/Fail"))
    assert fields["grpc-status"] == "5"
    assert fields["grpc-message"] == "na%C3%AFve 100%25%0A"
    assert fields["grpc-status-details-bin"] == "ZGV0YWlscwA"
    assert fields[":status"] == "200"


async def test_an_unexpected_error_is_unknown_and_only_logged(client, caplog):
    fields = await answered(client, request(1, path="/test.Test/Crash"))
    assert fields["grpc-status"] == "2"
    assert fields["grpc-message"] == "Internal Server Error"
    assert "secret" not in str(fields)
    assert "secret" in caplog.text
    await ok(client, 3)


async def test_a_handler_that_sends_no_message_is_unknown(client, caplog):
    assert (await answered(client, request(1, path="/test.Test/Silent")))["grpc-status"] == "2"
    assert "sent no message" in caplog.text


class Regretful:
    """Replies, and then fails."""

    async def reply(self, stream):
        await stream.recv_message()
        await stream.send_message(b"too early")
        raise GRPCError(Status.ABORTED, "then not")

    def __mapping__(self):
        kind = Cardinality.UNARY_UNARY
        return {"/test.Regretful/Reply": Handler(self.reply, kind, bytes, bytes)}


async def test_a_reply_is_not_sent_where_the_handler_fails_after_it(serve):
    _, port = await serve(handlers=[Regretful()])
    client = await Client.connect(port)
    client.send(request(1, path="/test.Regretful/Reply"))
    head = await client.until(wire.HEADERS)
    assert head.ended  # no message before it
    fields = dict(client.decoder.decode(head.payload))
    assert (fields["grpc-status"], fields["grpc-message"]) == ("10", "then not")
    await client.close()


async def test_an_unknown_method_is_unimplemented(client):
    fields = await answered(client, headers(1, call("/test.Test/None")))
    assert (fields["grpc-status"], fields["grpc-message"]) == ("12", "Method not found")


async def test_a_path_that_is_no_text_is_unimplemented_and_harms_nobody(client):
    fields = [(name, b"/\xff" if name == ":path" else value) for name, value in wire.POST]
    assert (await answered(client, headers(1, fields)))["grpc-status"] == "12"
    await ok(client, 3)


async def test_deadline_cancels_the_handler_and_tells_the_client(client, calls):
    fields = await answered(client, request(1, path="/test.Test/Wait", grpc_timeout="50m"))
    assert fields["grpc-status"] == "4"
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    await ok(client, 3)


async def test_deadline_strikes_before_the_message_has_come(client, calls):
    fields = await answered(client, headers(1, call(grpc_timeout="50m")))
    assert (fields["grpc-status"], calls.seen) == ("4", [])


async def test_deadline_is_told_even_where_the_handler_will_not_end(client, calls):
    fields = await answered(client, request(1, path="/test.Test/Stubborn", grpc_timeout="50m"))
    assert fields["grpc-status"] == "4"
    calls.go.set()
    await ok(client, 3)


@pytest.mark.parametrize("method", ["Wait", "Say"])
async def test_a_deadline_that_has_passed_at_once(client, calls, method):
    fields = await answered(client, request(1, path=f"/test.Test/{method}", grpc_timeout="0n"))
    assert (calls.seen, calls.started.is_set()) == ([], False)
    assert fields["grpc-status"] == "4"


async def test_a_reset_cancels_the_handler(client, calls):
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    client.send(rst(1))
    await asyncio.wait_for(calls.cancelled.wait(), 5)
    await ok(client, 3)


async def test_a_reset_in_the_same_packet_begins_nothing(client, calls):
    client.send(request(1), rst(1), request(3))
    assert await client.status(3) == {"grpc-status": "0"}
    assert len(calls.seen) == 1


async def test_a_lost_connection_cancels_the_handler(client, calls):
    client.send(request(1, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    client.writer.transport.abort()
    await asyncio.wait_for(calls.cancelled.wait(), 5)


async def test_a_handler_may_cancel_its_call(client):
    client.send(request(1, path="/test.Test/HangUp"))
    assert (await client.until(wire.RST_STREAM)).code == wire.CANCEL
    await ok(client, 3)


async def test_explicit_metadata_opens_and_ends_the_response(client):
    client.send(request(1, path="/test.Test/Explicit"))
    head = await client.until(wire.HEADERS)
    assert dict(client.decoder.decode(head.payload))["x-initial"] == "one"
    assert await client.status(1) == {"grpc-status": "0", "x-trailing": "two"}


async def test_a_stream_of_answers_keeps_to_the_window(client, calls):
    client.send(wire.settings((0x4, 1000)), request(1, b"10 495", "/test.Test/Down"))
    await client.until(wire.DATA)
    client.send(wire.ping())
    await client.until(wire.PING)
    assert len(calls.seen) < 4, "the handler waits for the client"
    client.send(wire.window_update(1, 10**6))
    assert await client.status(1) == {"grpc-status": "0"}
    assert len(calls.seen) == 10


async def test_a_stream_of_requests_that_nobody_reads_stops_at_the_window(client, calls):
    client.send(headers(1, call("/test.Test/Unread")))
    piece = message(bytes(8000))
    client.send(*[data(1, piece) for _ in range(8)])
    await asyncio.wait_for(calls.started.wait(), 5)
    client.send(wire.ping())
    await client.until(wire.PING)
    assert not [each for each in client.frames if each.type == wire.WINDOW_UPDATE and each.stream]
    calls.go.set()
    await client.until(wire.WINDOW_UPDATE, 1)
    client.send(data(1, end=True))
    body = await client.until(wire.DATA, 1)
    assert body.payload == message(b"64000")


async def test_a_large_message_fits_through_a_small_window(client, calls):
    whole = message(bytes(300_000))
    client.send(headers(1, call()))
    window = 65535
    for start in range(0, len(whole), 15000):
        piece = whole[start : start + 15000]
        while window < len(piece):
            update = await client.until(wire.WINDOW_UPDATE, 1)
            window += int.from_bytes(update.payload, "big")
        window -= len(piece)
        client.send(data(1, piece, end=start + 15000 >= len(whole)))
    client.send(wire.window_update(0, 10**6), wire.window_update(1, 10**6))
    assert await client.status(1) == {"grpc-status": "0"}
    assert len(calls.seen[0]) == 300_000


async def test_gzip_both_ways(client, calls):
    payload = b"again and " * 200
    fields = call(grpc_encoding="gzip", grpc_accept_encoding="identity, gzip")
    client.send(headers(1, fields), data(1, message(gzip.compress(payload), 1), end=True))
    head = await client.until(wire.HEADERS)
    assert dict(client.decoder.decode(head.payload))["grpc-encoding"] == "gzip"
    body = await client.until(wire.DATA)
    assert body.payload[0] == 1
    assert gzip.decompress(body.payload[5:]) == payload
    assert calls.seen == [payload]


@pytest.mark.parametrize(
    ("encoding", "flags", "body", "status"),
    [
        ("br", 0, b"x", "12"),
        ("identity", 1, b"x", "13"),
        ("gzip", 1, b"no gzip", "13"),
        ("gzip", 1, gzip.compress(b"x", mtime=0)[:-4], "13"),
        ("gzip", 1, gzip.compress(b"x", mtime=0) + b"more", "13"),
        ("gzip", 2, b"x", "13"),
        ("gzip", 0, b"x", "0"),
    ],
)
async def test_encodings_that_are_not_as_announced(client, encoding, flags, body, status):
    fields = call(grpc_encoding=encoding)
    answer = await answered(client, headers(1, fields), data(1, message(body, flags), end=True))
    assert answer["grpc-status"] == status
    if encoding == "br":
        assert answer["grpc-accept-encoding"] == "identity,gzip"


WAIT = request(1, path="/test.Test/Wait")
# Packets, each sent once the handler has begun, and the lives after the first.
LIVES = {
    "an answer": ([request(1)], (1, 2, 4)),
    "a malformed message": ([request(1, b"!")], (1, 4)),
    "two messages": ([headers(1) + data(1, message(b"a") * 2, end=True)], (4,)),
    "a reset before the message": ([headers(1) + rst(1)], (4,)),
    "a reset before the handler runs": ([request(1) + rst(1)], (1, 4)),
    "a reset while the handler runs": ([WAIT, rst(1)], (1, 2, 3, 4)),
    "a handler that cancels its call": ([request(1, path="/test.Test/HangUp")], (1, 2, 4)),
    "a stream of requests": ([headers(1, call("/test.Test/Up"), end=True)], (1, 2, 4)),
}


@pytest.mark.parametrize("name", LIVES)
async def test_a_call_lives_as_its_table_says(client, calls, monkeypatch, name):
    (first, *later), lives = LIVES[name]
    seen = [Life.WAITING]
    over = asyncio.Event()

    class Recorded(GrpcCall):
        @property
        def _life(self):
            return seen[-1]

        @_life.setter
        def _life(self, life):
            if life is not seen[-1]:
                seen.append(life)
            if life is Life.RELEASED:
                over.set()

    monkeypatch.setattr("grpcwire.transport.http2_protocol.GrpcCall", Recorded)
    client.send(first)
    for packet in later:
        await calls.started.wait()
        client.send(packet)
    await asyncio.wait_for(over.wait(), 5)
    assert tuple(seen[1:]) == lives
    assert all(after in MOVES[before] for before, after in pairwise(seen))


def test_every_move_of_the_table_is_seen():
    moves = {move for _, lives in LIVES.values() for move in pairwise((0, *lives))}
    assert moves == {(before, after) for before, later in MOVES.items() for after in later}


async def test_asyncio_timeout_and_current_task_work_from_the_first_line(serve):
    from grpclib.const import Cardinality, Handler

    class Timed:
        async def handle(self, stream):
            assert asyncio.current_task() is not None
            async with asyncio.timeout(5), asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0))
            await stream.send_message(await stream.recv_message())

        def __mapping__(self):
            kind = Cardinality.UNARY_UNARY
            return {SAY: Handler(self.handle, kind, bytes, bytes)}

    _, port = await serve(handlers=[Timed()])
    client = await Client.connect(port)
    await ok(client, 1)
    await client.close()


async def test_calls_beyond_the_process_limit_are_refused_before_any_work(serve, calls):
    server, port = await serve(limits=Limits(concurrent_calls=2))
    client = await Client.connect(port)
    client.send(request(1, path="/test.Test/Wait"), request(3, path="/test.Test/Wait"))
    await asyncio.wait_for(calls.started.wait(), 5)
    fields = await answered(client, request(5), stream=5)
    assert fields["grpc-status"] == "8"
    assert (calls.seen, server.counters.calls_refused) == ([], 1)
    calls.go.set()
    assert (await client.status(3))["grpc-status"] == "0"
    await ok(client, 7)
    await client.close()


async def test_an_answer_needs_no_turn_of_its_own(client, calls):
    """Many calls of one packet are answered in one."""
    client.send(*[request(stream) for stream in range(1, 101, 2)])
    for stream in range(1, 101, 2):
        assert await client.status(stream) == {"grpc-status": "0"}
    assert len(calls.seen) == 50
