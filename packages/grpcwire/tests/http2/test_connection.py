"""RFC 9113 section by section: frames in, frames out.

h2spec's cases for HTTP/2 servers, re-expressed; h2spec itself runs in
test_h2spec.py where it is installed.
"""

import pytest
from wirescript import wire
from wirescript.wire import Script, data, frame, headers, rst, settings

from grpcwire.http2.events import (
    ConnectionFailed,
    DataReceived,
    PingAcknowledged,
    RequestReceived,
    StreamReset,
    StreamsUnblocked,
    TrailersReceived,
)
from grpcwire.limits import Limits

PRIORITY_FIELDS = (0).to_bytes(4, "big") + b"\x0f"


def connection_error(*pieces: bytes, code: int, greet: bool = True) -> None:
    """The pieces end the connection with GOAWAY, and nothing after it is handled."""
    script = Script(greet=greet)
    events = script.feed(*pieces)
    assert [event.code for event in events if isinstance(event, ConnectionFailed)] == [code]
    goaways = [each for each in script.sent() if each.type == wire.GOAWAY]
    assert [each.code for each in goaways] == [code]
    assert script.feed(wire.ping()) == []
    assert script.sent() == []
    assert script.counters.connection_errors == 1


def stream_error(*pieces: bytes, code: int, stream: int = 1) -> Script:
    """The pieces reset one stream, and the connection goes on."""
    script = Script()
    answer = script.answer(*pieces)
    resets = [(each.stream, each.code) for each in answer if each.type == wire.RST_STREAM]
    assert resets == [(stream, code)]
    assert [each.type for each in script.answer(wire.ping())] == [wire.PING]
    assert script.counters.stream_errors == 1
    return script


# ---- 3.4 the preface


def test_3_4_settings_are_the_first_frame_sent():
    first, second = Script(greet=False).sent()
    assert (first.type, first.flags, first.stream) == (wire.SETTINGS, 0, 0)
    assert (second.type, second.stream) == (wire.WINDOW_UPDATE, 0)


def test_3_4_the_preface_may_come_byte_by_byte():
    script = Script(greet=False)
    script.sent()
    for byte in wire.PREFACE + settings() + wire.request(1):
        events = script.feed(bytes([byte]))
    assert script.connection.settled
    assert isinstance(events[-1], DataReceived)


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\n\r\n", b"X", wire.PREFACE[:-1] + b"x"])
def test_3_4_another_preface_is_a_connection_error(raw):
    connection_error(raw, code=wire.PROTOCOL_ERROR, greet=False)


@pytest.mark.parametrize("first", [wire.ping(), headers(1), settings(ack=True)])
def test_3_4_the_first_frame_must_be_settings(first):
    connection_error(wire.PREFACE, first, code=wire.PROTOCOL_ERROR, greet=False)


# ---- 4.1, 4.2 frames


def test_4_1_unknown_frame_types_are_ignored():
    script = Script()
    assert script.feed(frame(0x16, 0xFF, 0, b"12345678"), frame(0x10, 0, 1, b"u=1")) == []
    assert [each.type for each in script.answer(wire.ping())] == [wire.PING]


def test_4_1_unknown_flags_and_the_reserved_bit_are_ignored():
    script = Script()
    answer = script.answer(frame(wire.PING, 0x16, 0, b"12345678"))
    assert [each.type for each in answer] == [wire.PING]
    events = script.feed(frame(wire.HEADERS, 0x5, 0x80000001, wire.block(wire.POST)))
    assert events[0].stream.id == 1


@pytest.mark.parametrize("kind", [wire.DATA, wire.HEADERS, wire.SETTINGS, 0x16])
def test_4_2_a_frame_beyond_the_maximum_is_a_frame_size_error(kind):
    connection_error(frame(kind, 4, 1, bytes(16385)), code=wire.FRAME_SIZE_ERROR)


def test_4_2_a_frame_of_the_maximum_is_taken():
    script = Script()
    events = script.feed(headers(1), data(1, bytes(16384)))
    assert len(events[1].data) == 16384


# ---- 4.3 header blocks


def test_4_3_an_invalid_block_is_a_compression_error():
    connection_error(frame(wire.HEADERS, 5, 1, b"\xff\xff\xff"), code=wire.COMPRESSION_ERROR)


def test_4_3_a_block_on_a_refused_stream_still_changes_the_table():
    script = Script(Limits(concurrent_streams=1))
    script.feed(headers(1))
    insert = wire.block(wire.POST) + b"\x40\x01a\x01b"
    assert [each.code for each in script.answer(frame(1, 5, 3, insert))] == [wire.REFUSED_STREAM]
    script.feed(rst(1))
    script.connection.release()
    refer = wire.block(wire.POST) + b"\xbe"
    (event,) = script.feed(frame(1, 5, 5, refer))
    assert (b"a", b"b") in event.head.fields


@pytest.mark.parametrize(
    "between",
    [
        data(1),
        headers(3),
        frame(wire.CONTINUATION, 4, 3),
        frame(0x16),
        wire.ping(),
        frame(wire.PRIORITY, 0, 1, PRIORITY_FIELDS),
    ],
)
def test_4_3_a_header_block_is_not_interrupted(between):
    opened = frame(wire.HEADERS, 0, 1, wire.block(wire.POST))
    connection_error(opened, between, code=wire.PROTOCOL_ERROR)


# ---- 5.1 stream states


@pytest.mark.parametrize(
    "piece", [data(1), rst(1), wire.window_update(1, 1), data(2), rst(2), headers(2)]
)
def test_5_1_on_an_idle_stream_only_headers_and_priority_may_come(piece):
    connection_error(piece, code=wire.PROTOCOL_ERROR)


def test_5_1_priority_may_come_on_any_stream():
    script = Script()
    whole = wire.request(1)
    for stream in (1, 3):
        assert script.feed(frame(wire.PRIORITY, 0, stream, PRIORITY_FIELDS)) == []
    assert len(script.feed(whole, frame(wire.PRIORITY, 0, 1, PRIORITY_FIELDS))) == 2


@pytest.mark.parametrize("piece", [data(1, b"x"), data(1, end=True), headers(1, end=True)])
def test_5_1_after_end_stream_data_and_headers_are_stream_closed(piece):
    stream_error(headers(1, end=True), piece, code=wire.STREAM_CLOSED)


def test_5_1_after_end_stream_window_update_and_reset_may_come():
    script = Script()
    events = script.feed(headers(1, end=True), wire.window_update(1, 5), rst(1))
    assert isinstance(events[-1], StreamReset)


def test_5_1_data_on_a_stream_the_client_reset_is_stream_closed():
    stream_error(headers(1), rst(1), data(1, b"x" * 20), code=wire.STREAM_CLOSED)


def test_5_1_headers_on_a_closed_stream_end_the_connection():
    connection_error(headers(1), rst(1), headers(1), code=wire.STREAM_CLOSED)


def test_5_1_frames_under_way_on_a_stream_we_reset_are_ignored():
    script = stream_error(headers(1), wire.window_update(1, 0), code=wire.PROTOCOL_ERROR)
    late = [data(1, b"x" * 20), wire.window_update(1, 1), headers(1, end=True), rst(1)]
    assert script.feed(*late) == []
    assert script.sent() == []


def test_5_1_1_stream_identifiers_grow():
    connection_error(headers(5), headers(3), code=wire.PROTOCOL_ERROR)


def test_5_1_1_a_client_uses_odd_identifiers():
    connection_error(headers(2), code=wire.PROTOCOL_ERROR)


def test_5_1_2_streams_beyond_the_limit_are_refused_and_the_others_live():
    script = Script(Limits(concurrent_streams=3))
    answer = script.answer(*(headers(stream) for stream in (1, 3, 5, 7, 9)))
    assert [(each.stream, each.code) for each in answer] == [
        (7, wire.REFUSED_STREAM),
        (9, wire.REFUSED_STREAM),
    ]
    assert isinstance(script.feed(data(1, b"x" * 20))[0], DataReceived)
    assert script.counters.streams_refused == 2


def test_5_1_2_a_reset_stream_counts_until_its_call_is_released():
    script = Script(Limits(concurrent_streams=1))
    script.feed(headers(1), rst(1))
    assert [each.code for each in script.answer(headers(3))] == [wire.REFUSED_STREAM]
    script.connection.release()
    assert script.answer(headers(5)) == []


# ---- 5.2, 6.9 flow control of what comes in


def test_6_9_1_data_beyond_the_streams_window_is_a_flow_control_error():
    pieces = [data(1, bytes(16384)) for _ in range(4)]
    stream_error(headers(1), *pieces, code=wire.FLOW_CONTROL_ERROR)


def test_6_9_1_data_beyond_the_connections_window_ends_the_connection():
    script = Script(Limits(stream_window_bytes=10**6, connection_window_bytes=20_000))
    script.connection._receive_window = 100
    events = script.feed(headers(1), data(1, bytes(101)))
    assert events[-1].code == wire.FLOW_CONTROL_ERROR


def test_5_2_the_connections_window_is_credited_as_data_comes():
    script = Script()
    for stream in range(1, 41, 2):
        script.feed(headers(stream), *[data(stream, bytes(16000)) for _ in range(4)])
    updates = [each for each in script.sent() if each.type == wire.WINDOW_UPDATE]
    assert {each.stream for each in updates} == {0}
    credited = sum(int.from_bytes(each.payload, "big") for each in updates)
    assert credited > 20 * 64000 - 1024 * 1024 // 2


def test_5_2_a_streams_window_is_credited_as_its_data_is_read():
    script = Script()
    script.feed(headers(1), data(1, bytes(16000)), data(1, bytes(16000)), data(1, bytes(9000)))
    assert script.sent() == []
    stream = script.connection.streams[1]
    script.connection.credit(stream, 16000)
    assert script.sent() == []
    script.connection.credit(stream, 25000)
    (update,) = script.sent()
    assert (update.stream, int.from_bytes(update.payload, "big")) == (1, 41000)


def test_6_9_1_padding_counts_against_the_windows():
    script = Script()
    padded = frame(wire.DATA, wire.PADDED, 1, bytes([255]) + b"x" + bytes(255))
    (_, event) = script.feed(headers(1), padded)
    assert (event.data, event.charged) == (b"x", 257)


@pytest.mark.parametrize(("stream", "opened"), [(0, b""), (1, headers(1))])
def test_6_9_an_increment_of_nothing_is_a_protocol_error(stream, opened):
    piece = wire.window_update(stream, 0)
    if stream:
        stream_error(opened, piece, code=wire.PROTOCOL_ERROR)
    else:
        connection_error(piece, code=wire.PROTOCOL_ERROR)


def test_6_9_1_a_window_beyond_the_maximum_is_a_flow_control_error():
    top = 2**31 - 1
    connection_error(wire.window_update(0, top), code=wire.FLOW_CONTROL_ERROR)
    stream_error(headers(1), wire.window_update(1, top), code=wire.FLOW_CONTROL_ERROR)


def test_6_9_window_update_has_four_bytes():
    connection_error(frame(wire.WINDOW_UPDATE, 0, 0, b"abc"), code=wire.FRAME_SIZE_ERROR)


# ---- 5.4 errors


def test_5_4_1_goaway_names_the_last_stream():
    script = Script()
    goaway = script.answer(headers(1), headers(7), data(0, b"x"))[-1]
    assert int.from_bytes(goaway.payload[:4], "big") == 7


# ---- 6.1 DATA


def test_6_1_data_on_stream_0_is_a_protocol_error():
    connection_error(data(0, b"x" * 20), code=wire.PROTOCOL_ERROR)


@pytest.mark.parametrize("kind", [wire.DATA, wire.HEADERS])
def test_6_1_padding_longer_than_the_frame_is_a_protocol_error(kind):
    piece = frame(kind, wire.PADDED | wire.END_HEADERS, 1, b"\x05abcd")
    opened = headers(1) if kind == wire.DATA else b""
    connection_error(opened, piece, code=wire.PROTOCOL_ERROR)


def test_6_1_a_padded_frame_without_pad_length_is_a_frame_size_error():
    connection_error(headers(1), frame(wire.DATA, wire.PADDED, 1), code=wire.FRAME_SIZE_ERROR)


# ---- 6.2 HEADERS, 6.10 CONTINUATION


def test_6_2_headers_on_stream_0_are_a_protocol_error():
    connection_error(headers(0), code=wire.PROTOCOL_ERROR)


def test_6_2_padding_and_priority_are_taken_off():
    script = Script()
    payload = b"\x03" + PRIORITY_FIELDS + wire.block(wire.POST) + bytes(3)
    flags = wire.PADDED | wire.PRIORITY_FLAG | wire.END_HEADERS
    (event,) = script.feed(frame(wire.HEADERS, flags, 1, payload))
    assert event.head.path == b"/test.Test/Say"


def test_6_2_headers_too_short_for_their_priority_are_a_frame_size_error():
    piece = frame(wire.HEADERS, wire.PRIORITY_FLAG | wire.END_HEADERS, 1, b"\0\0")
    connection_error(piece, code=wire.FRAME_SIZE_ERROR)


def test_6_10_a_block_may_come_in_pieces():
    script = Script()
    block = wire.block(wire.POST)
    (event,) = script.feed(
        frame(wire.HEADERS, wire.END_STREAM, 1, block[:5]),
        frame(wire.CONTINUATION, 0, 1, block[5:9]),
        frame(wire.CONTINUATION, 0, 1),
        frame(wire.CONTINUATION, wire.END_HEADERS, 1, block[9:]),
    )
    assert isinstance(event, RequestReceived)
    assert event.ended
    assert event.head.path == b"/test.Test/Say"


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(wire.CONTINUATION, 4, 1, b"")],
        [headers(1), frame(wire.CONTINUATION, 4, 1, b"")],
        [headers(1), data(1), frame(wire.CONTINUATION, 4, 1, b"")],
    ],
)
def test_6_10_continuation_without_an_open_block_is_a_protocol_error(pieces):
    connection_error(*pieces, code=wire.PROTOCOL_ERROR)


def test_6_10_a_block_beyond_its_limit_ends_the_connection():
    script = Script(Limits(header_block_bytes=20_000))
    script.feed(frame(wire.HEADERS, 0, 1, bytes(16384)))
    events = script.feed(frame(wire.CONTINUATION, 0, 1, bytes(4000)))
    assert events[-1].code == wire.ENHANCE_YOUR_CALM


def test_6_5_2_a_header_list_beyond_the_limit_fails_its_call_alone():
    script = Script()
    block = wire.block([*wire.POST, ("a", "x" * 70_000)])
    pieces = [block[start : start + 16000] for start in range(0, len(block), 16000)]
    opened = frame(wire.HEADERS, wire.END_STREAM, 1, pieces[0])
    rest = [frame(wire.CONTINUATION, 0, 1, piece) for piece in pieces[1:]]
    (event,) = script.feed(opened, *rest, frame(wire.CONTINUATION, 4, 1))
    assert event.head is None
    assert script.counters.header_list_too_large == 1
    assert isinstance(script.feed(headers(3))[0], RequestReceived)


# ---- 6.3 PRIORITY


def test_6_3_priority_errors():
    connection_error(frame(wire.PRIORITY, 0, 0, PRIORITY_FIELDS), code=wire.PROTOCOL_ERROR)
    stream_error(headers(1), frame(wire.PRIORITY, 0, 1, b"abcd"), code=wire.FRAME_SIZE_ERROR)
    itself = (1).to_bytes(4, "big") + b"\0"
    stream_error(headers(1), frame(wire.PRIORITY, 0, 1, itself), code=wire.PROTOCOL_ERROR)
    flags = wire.PRIORITY_FLAG | wire.END_HEADERS
    piece = frame(wire.HEADERS, flags, 1, itself + wire.block(wire.POST))
    stream_error(piece, code=wire.PROTOCOL_ERROR)


# ---- 6.4 RST_STREAM


def test_6_4_rst_stream_errors():
    connection_error(rst(0), code=wire.PROTOCOL_ERROR)
    short = frame(wire.RST_STREAM, 0, 1, b"abc")
    connection_error(headers(1), short, code=wire.FRAME_SIZE_ERROR)


@pytest.mark.parametrize(("sent", "told"), [(8, 8), (0, 0), (0xFFFF, wire.INTERNAL_ERROR)])
def test_6_4_a_reset_is_reported_with_its_code(sent, told):
    event = Script().feed(headers(1), rst(1, sent))[-1]
    assert isinstance(event, StreamReset)
    assert event.by_peer
    assert event.code == told


# ---- 6.5 SETTINGS


def test_6_5_settings_are_acknowledged():
    (ack,) = Script().answer(settings((0x3, 100), (0xABCD, 7)))
    assert (ack.type, ack.flags, ack.payload) == (wire.SETTINGS, wire.ACK, b"")


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (frame(wire.SETTINGS, wire.ACK, 0, bytes(6)), wire.FRAME_SIZE_ERROR),
        (frame(wire.SETTINGS, 0, 1, b""), wire.PROTOCOL_ERROR),
        (frame(wire.SETTINGS, 0, 0, b"abc"), wire.FRAME_SIZE_ERROR),
        (settings((0x2, 2)), wire.PROTOCOL_ERROR),
        (settings((0x4, 2**31)), wire.FLOW_CONTROL_ERROR),
        (settings((0x5, 16383)), wire.PROTOCOL_ERROR),
        (settings((0x5, 2**24)), wire.PROTOCOL_ERROR),
        (settings((0x2, 2), (0x2, 0)), wire.PROTOCOL_ERROR),
        (settings((0x4, 2**31), (0x4, 100)), wire.FLOW_CONTROL_ERROR),
        (settings((0x5, 1), (0x5, 16384)), wire.PROTOCOL_ERROR),
    ],
)
def test_6_5_settings_errors(piece, code):
    connection_error(piece, code=code)


def test_6_9_2_a_change_of_the_initial_window_moves_all_streams_even_below_zero():
    script = Script()
    script.feed(headers(1))
    stream = script.connection.streams[1]
    script.connection.sender.headers(stream, b"\x88", end=False)
    script.connection.sender.data(stream, bytes(1000))
    script.sent()
    script.feed(settings((0x4, 100)))
    assert stream.send_window == 100 - 1000
    script.sent()
    script.connection.sender.data(stream, b"waits")
    assert script.sent() == []
    (event,) = script.feed(wire.window_update(1, 905))
    assert isinstance(event, StreamsUnblocked)
    assert [each.payload for each in script.sent()] == [b"waits"]


def test_6_9_2_a_change_that_overflows_a_window_ends_the_connection():
    grown = [headers(1), wire.window_update(1, 2**31 - 1 - 65535)]
    connection_error(*grown, settings((0x4, 65536)), code=wire.FLOW_CONTROL_ERROR)


# ---- 6.6 PUSH_PROMISE, 6.7 PING, 6.8 GOAWAY


def test_6_6_a_client_does_not_push():
    connection_error(headers(1), frame(wire.PUSH_PROMISE, 4, 1, bytes(4)), code=1)


def test_6_7_ping_is_answered_with_its_bytes():
    (answer,) = Script().answer(wire.ping(b"abcdefgh"))
    assert (answer.flags, answer.payload) == (wire.ACK, b"abcdefgh")


def test_6_7_a_pings_answer_is_reported_and_not_answered():
    script = Script()
    assert script.feed(wire.ping(ack=True)) == [PingAcknowledged(b"12345678")]
    assert script.sent() == []


def test_6_7_ping_errors():
    connection_error(frame(wire.PING, 0, 1, bytes(8)), code=wire.PROTOCOL_ERROR)
    connection_error(frame(wire.PING, 0, 0, bytes(6)), code=wire.FRAME_SIZE_ERROR)


@pytest.mark.parametrize("code", [wire.NO_ERROR, wire.INTERNAL_ERROR])
def test_6_8_a_clients_goaway_kills_no_stream(code):
    script = Script()
    events = script.feed(headers(1), wire.goaway(code), data(1, b"x" * 20))
    assert [type(event) for event in events] == [RequestReceived, DataReceived]


def test_6_8_goaway_errors():
    connection_error(frame(wire.GOAWAY, 0, 1, bytes(8)), code=wire.PROTOCOL_ERROR)
    connection_error(frame(wire.GOAWAY, 0, 0, bytes(7)), code=wire.FRAME_SIZE_ERROR)


def test_6_8_draining_says_goaway_twice_and_takes_what_came_before_the_second():
    script = Script()
    script.connection.announce_drain()
    goaway, ping = script.sent()
    assert goaway.payload == (2**31 - 1).to_bytes(4, "big") + bytes(4)
    assert isinstance(script.feed(headers(1))[0], RequestReceived)
    assert script.feed(wire.ping(ping.payload, ack=True)) == [PingAcknowledged(ping.payload)]
    script.connection.drain()
    (goaway,) = script.sent()
    assert goaway.payload[:8] == (1).to_bytes(4, "big") + bytes(4)
    (refused,) = script.answer(headers(3))
    assert (refused.stream, refused.code) == (3, wire.REFUSED_STREAM)
    assert isinstance(script.feed(data(1, b"x" * 20))[0], DataReceived)


# ---- 8.1 messages


def test_8_1_trailers_end_a_request():
    events = Script().feed(headers(1), data(1, b"x" * 20), headers(1, [("a", "b")], end=True))
    assert isinstance(events[-1], TrailersReceived)


def test_8_1_trailers_without_end_stream_are_a_protocol_error():
    stream_error(headers(1), headers(1, [("a", "b")]), code=wire.PROTOCOL_ERROR)


def test_8_1_trailers_hold_no_pseudo_headers():
    trailers = headers(1, [(":path", "/")], end=True)
    stream_error(headers(1), trailers, code=wire.PROTOCOL_ERROR)


def test_8_1_after_our_end_the_rest_of_the_request_is_not_wanted():
    script = Script()
    (event,) = script.feed(headers(1))
    script.connection.send_headers_only(event.stream, b"\x88")
    response, reset = script.sent()
    assert response.ended
    assert (reset.type, reset.code) == (wire.RST_STREAM, wire.NO_ERROR)
    assert script.answer(data(1, b"x" * 20)) == []


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        ("5", [data(1, b"1234", end=True)]),
        ("5", [data(1, b"123456")]),
        ("5", [data(1, b"123"), data(1, b"123", end=True)]),
        ("5", [headers(1, [("a", "b")], end=True)]),
        ("1", [headers(1, [("a", "b")], end=True)]),
    ],
)
def test_8_1_1_a_body_unlike_its_content_length_is_malformed(length, pieces):
    opened = headers(1, [*wire.POST, ("content-length", length)])
    padding = [each for each in pieces if len(each) > 9 + 16]
    assert not padding
    stream_error(opened, *pieces, code=wire.PROTOCOL_ERROR)


def test_8_1_1_no_body_for_a_content_length_is_malformed():
    opened = headers(1, [*wire.POST, ("content-length", "1")], end=True)
    stream_error(opened, code=wire.PROTOCOL_ERROR)


def test_8_1_1_a_body_of_its_content_length_is_taken():
    opened = headers(1, [*wire.POST, ("content-length", "5")])
    events = Script().feed(opened, data(1, b"123"), data(1, b"45", end=True))
    assert [event.data for event in events[1:]] == [b"123", b"45"]


def test_8_3_a_malformed_request_is_reset_and_was_never_there():
    fields = [field for field in wire.POST if field[0] != ":path"]
    script = stream_error(headers(1, fields), code=wire.PROTOCOL_ERROR)
    assert script.connection.occupied == 0
    assert script.answer(data(1, b"x" * 20)) == []


# ---- 10.5 what costs us more than the peer


FLOODS = {
    "resets": lambda number: headers(2 * number + 1) + rst(2 * number + 1),
    "resets provoked": lambda number: headers(2 * number + 1, [(":path", "/")]),
    "provoked by a window": lambda n: headers(2 * n + 1) + wire.window_update(2 * n + 1, 0),
    "pings": lambda _: wire.ping(),
    "pings answered": lambda _: wire.ping(ack=True),
    "settings": lambda _: settings((0x4, 65535)),
    "settings acknowledged": lambda _: settings(ack=True),
    "empty data": lambda number: (headers(1) if number == 0 else b"") + data(1),
    "tiny data": lambda number: (headers(1) if number == 0 else b"") + data(1, b"x"),
    "priority": lambda _: frame(wire.PRIORITY, 0, 1, PRIORITY_FIELDS),
    "unknown": lambda _: frame(0x77),
    "window updates": lambda _: wire.window_update(0, 1) * 4,
    "continuation": lambda number: frame(9 if number else 1, 0, 1),
    "late data": lambda number: (wire.request(1) + rst(1) if not number else b"") + data(1) * 20,
    "goaways": lambda _: wire.goaway(),
}


@pytest.mark.parametrize("name", FLOODS)
def test_10_5_a_flood_is_ended_by_the_budget(name):
    script = Script(Limits(budget=100))
    for number in range(110):
        for event in script.feed(FLOODS[name](number)):
            if isinstance(event, RequestReceived):
                script.connection.release()
        script.connection.sender.take()
        if script.connection.failed:
            break
    assert script.connection.failed, "the flood went on"
    assert number > 40
    assert script.counters.budget_exhausted == 1


def test_10_5_answered_calls_pay_for_themselves():
    script = Script(Limits(budget=10))
    for stream in range(1, 2001, 2):
        event = script.feed(wire.request(stream), wire.ping(), wire.window_update(0, 10))[0]
        sender = script.connection.sender
        sender.headers(event.stream, b"\x88", end=False)
        sender.data(event.stream, wire.message(b"answer"))
        script.connection.send_trailers(event.stream, b"\x88")
        script.connection.budget.earn(0.5)
        script.connection.release()
        script.sent()
    assert not script.connection.failed


def test_10_5_a_window_of_tiny_messages_to_a_stream_that_ended_is_forgiven():
    script = Script()
    stream = script.feed(headers(1))[0].stream
    script.connection.send_headers_only(stream, b"\x88")
    script.feed(data(1, wire.message(b"x")) * 10_000)
    assert not script.connection.failed


def test_10_5_resets_that_cross_the_answer_cost_next_to_nothing():
    """Where deadlines strike on both sides each client resets what is over already."""
    script = Script(Limits(budget=10))
    for number in range(1, 2001, 2):
        stream = script.feed(headers(number))[0].stream
        script.connection.send_headers_only(stream, b"\x88")
        script.connection.release()
        script.feed(rst(number), wire.window_update(0, 10))
    assert not script.connection.failed


def test_10_5_answers_drawn_out_byte_by_byte_pay_for_nothing():
    """CVE-2019-9511: each WINDOW_UPDATE lets the least of a large answer out."""
    script = Script(Limits(budget=100))
    stream = script.feed(settings((0x4, 0)), wire.request(1))[0].stream
    script.connection.sender.headers(stream, b"\x88", end=False)
    script.connection.sender.data(stream, bytes(10_000))
    script.feed(wire.window_update(1, 1) * 500)
    assert script.sent()[-1].code == wire.ENHANCE_YOUR_CALM


def test_10_5_a_long_header_block_fills_a_slice():
    """Each of its bytes may be a field to look up."""
    script = Script(Limits(frames_per_turn=100))
    block = wire.block(wire.POST) + b"\x82" * 16_000
    connection = script.connection
    events = script.turn(b"".join(frame(1, 5, stream, block) for stream in (1, 3, 5)))
    assert [event.stream.id for event in events] == [1]
    assert connection.backlogged
    assert [event.stream.id for event in script.turn()] == [3]


def test_10_5_one_read_is_handled_in_slices():
    script = Script(Limits(frames_per_turn=10))
    pings = wire.ping() * 25
    connection = script.connection
    script.turn(pings)
    assert len(script.sent()) == 10
    assert connection.backlogged
    script.turn()
    assert len(script.sent()) == 10
    script.turn(wire.ping())
    assert len(script.sent()) == 6
    assert not connection.backlogged
