"""Bytes in, frames out: pieces of any size, header blocks, and the peer's errors."""

import pytest
from wirescript import wire
from wirescript.wire import CONTINUATION, DATA, HEADERS, PING, PREFACE, SETTINGS

from grpcwire import Counters, Limits
from grpcwire.http.budget import Budget, BudgetExhausted
from grpcwire.http2.errors import (
    ConnectionFrameSizeError,
    EnhanceYourCalmError,
    Http2ConnectionError,
)
from grpcwire.http2.frame_reader import SELF_DEPENDENT, FrameReader, unpadded

BLOCK = bytes(range(1, 60))


class Script:
    """A reader that is fed turn by turn."""

    def __init__(self, *, preface: bytes = b"", settled: bool = True, **limits: int) -> None:
        self.counters = Counters()
        bounds = Limits(**limits)
        self.budget = Budget(bounds.budget, self.counters)
        self.reader = FrameReader(bounds, self.budget, self.counters, preface=preface)
        if settled:
            self.turn(wire.settings())

    def turn(self, data: bytes = b"") -> list[tuple[int, int, int, bytes]]:
        self.reader.begin_turn(data)
        return list(self.reader.frames())


def split_block(*cuts: int, flags: int = 0) -> bytes:
    """A header block in HEADERS and CONTINUATION, cut at these places."""
    ends = [*cuts, len(BLOCK)]
    starts = [0, *cuts]
    pieces = b""
    for start, end in zip(starts, ends, strict=True):
        kind = HEADERS if start == 0 else CONTINUATION
        last = wire.END_HEADERS if end == len(BLOCK) else 0
        pieces += wire.frame(kind, last | (flags if start == 0 else 0), 1, BLOCK[start:end])
    return pieces


# Frames.


@pytest.mark.parametrize("size", [1, 2, 8, 9, 10, 17, 1000])
def test_frames_come_out_whole_however_they_come(size):
    script = Script()
    data = wire.ping() + wire.data(1, b"x" * 100, end=True) + wire.frame(0x1F, 0xFF, 7, b"")
    found = []
    for start in range(0, len(data), size):
        found += script.turn(data[start : start + size])
    assert found == [
        (PING, 0, 0, b"12345678"),
        (DATA, wire.END_STREAM, 1, b"x" * 100),
        (0x1F, 0xFF, 7, b""),
    ]
    assert not script.reader.backlogged


def test_the_reserved_bit_of_a_stream_is_ignored():
    ((_, _, stream, _),) = Script().turn(wire.frame(DATA, 0, 0x80000003, b"x"))
    assert stream == 3


def test_a_frame_longer_than_the_setting_is_a_size_error_by_its_header_alone():
    script = Script()
    assert script.turn(wire.data(1, bytes(16_384)))
    with pytest.raises(ConnectionFrameSizeError):
        script.turn(wire.data(1, bytes(16_385))[:9])


def test_a_turn_is_bounded_and_the_rest_waits():
    script = Script(frames_per_turn=3)
    assert len(script.turn(wire.ping() * 7)) == 3
    assert script.reader.backlogged
    assert [len(script.turn()) for _ in range(3)] == [3, 1, 0]
    assert not script.reader.backlogged


def test_a_caller_that_stops_halfway_finds_the_rest_in_the_next_turn():
    script = Script()
    script.reader.begin_turn(wire.ping(b"1" * 8) + wire.ping(b"2" * 8))
    assert next(script.reader.frames())[3] == b"1" * 8
    assert script.reader.backlogged
    assert [frame[3] for frame in script.turn()] == [b"2" * 8]


def test_a_long_block_costs_as_much_as_many_frames():
    script = Script(frames_per_turn=4)
    block = wire.frame(HEADERS, wire.END_HEADERS, 1, bytes(128 * 3))
    assert len(script.turn(block + wire.ping())) == 1
    assert len(script.turn()) == 1


# The beginning.


@pytest.mark.parametrize("size", [1, 5, 23, 24, 25])
def test_a_clients_bytes_begin_with_the_preface(size):
    script = Script(preface=PREFACE, settled=False)
    data = PREFACE + wire.settings((3, 1))
    for start in range(0, len(data), size):
        assert not script.reader.settled
        found = script.turn(data[start : start + size])
    assert script.reader.settled
    assert [frame[0] for frame in found] == [SETTINGS]


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nXX", b"\0"])
def test_other_beginnings_end_the_connection_at_their_first_wrong_byte(data):
    with pytest.raises(Http2ConnectionError):
        Script(preface=PREFACE, settled=False).turn(data)


def test_a_servers_bytes_have_no_preface():
    assert Script(settled=False).turn(wire.settings()) == [(SETTINGS, 0, 0, b"")]


@pytest.mark.parametrize(
    "first", [wire.ping(), wire.settings(ack=True), wire.headers(1), wire.data(1, b"x")]
)
def test_the_first_frame_is_settings(first):
    with pytest.raises(Http2ConnectionError, match="SETTINGS"):
        Script(settled=False).turn(first)


# Header blocks.


@pytest.mark.parametrize("cuts", [(), (1,), (58,), (1, 2, 3), tuple(range(1, 59))])
def test_a_block_in_pieces_is_one_frame(cuts):
    flags = wire.END_STREAM
    ((kind, found, stream, payload),) = Script().turn(split_block(*cuts, flags=flags))
    assert (kind, stream, payload) == (HEADERS, 1, BLOCK)
    assert found & wire.END_STREAM


def test_a_block_may_come_over_many_turns():
    script = Script()
    data = split_block(10, 20)
    found = [script.turn(data[at : at + 1]) for at in range(len(data))]
    assert [frame[3] for frames in found for frame in frames] == [BLOCK]


@pytest.mark.parametrize(
    "between",
    [
        wire.ping(),
        wire.frame(CONTINUATION, wire.END_HEADERS, 3, b""),
        wire.frame(HEADERS, wire.END_HEADERS, 1, b""),
        wire.frame(0x1F, 0, 0, b""),
    ],
)
def test_nothing_may_come_between_the_pieces_of_a_block(between):
    script = Script()
    assert script.turn(wire.frame(HEADERS, 0, 1, b"x")) == []
    with pytest.raises(Http2ConnectionError):
        script.turn(between)


@pytest.mark.parametrize(
    "data",
    [
        wire.frame(CONTINUATION, wire.END_HEADERS, 1, b""),
        wire.frame(HEADERS, wire.END_HEADERS, 0, b""),
    ],
)
def test_a_block_begins_with_headers_on_a_stream(data):
    with pytest.raises(Http2ConnectionError):
        Script().turn(data)


def test_a_block_is_bounded():
    script = Script(header_block_bytes=100)
    script.turn(wire.frame(HEADERS, 0, 1, bytes(60)))
    with pytest.raises(EnhanceYourCalmError):
        script.turn(wire.frame(CONTINUATION, 0, 1, bytes(41)))
    assert script.counters.header_list_too_large == 1


def test_continuations_draw_on_the_budget():
    script = Script(budget=2)
    script.turn(wire.frame(HEADERS, 0, 1, b""))
    empty = wire.frame(CONTINUATION, 0, 1, b"")
    script.turn(empty * 2)
    with pytest.raises(BudgetExhausted):
        script.turn(empty)


# Padding and priority.


def test_padding_and_priority_do_not_reach_the_block():
    flags = wire.END_HEADERS | wire.PADDED | wire.PRIORITY_FLAG
    payload = b"\x02" + (3).to_bytes(4, "big") + b"\x10" + BLOCK + b"\0\0"
    ((_, found, _, block),) = Script().turn(wire.frame(HEADERS, flags, 1, payload))
    assert block == BLOCK
    assert not found & SELF_DEPENDENT


@pytest.mark.parametrize("exclusive", [0, 0x80000000])
def test_a_stream_that_depends_on_itself_is_marked(exclusive):
    flags = wire.END_HEADERS | wire.PRIORITY_FLAG
    payload = (exclusive | 1).to_bytes(4, "big") + b"\x10" + BLOCK
    ((_, found, _, _),) = Script().turn(wire.frame(HEADERS, flags, 1, payload))
    assert found & SELF_DEPENDENT


def test_headers_too_short_for_their_priority_are_a_size_error():
    flags = wire.END_HEADERS | wire.PRIORITY_FLAG
    with pytest.raises(ConnectionFrameSizeError):
        Script().turn(wire.frame(HEADERS, flags, 1, bytes(4)))


@pytest.mark.parametrize(
    ("payload", "rest"), [(b"\0abc", b"abc"), (b"\x02abc", b"a"), (b"\x03abc", b""), (b"\0", b"")]
)
def test_padding_is_taken_off(payload, rest):
    assert unpadded(payload) == rest


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", ConnectionFrameSizeError),
        (b"\x01", Http2ConnectionError),
        (b"\x04abc", Http2ConnectionError),
    ],
)
def test_padding_longer_than_its_frame_ends_the_connection(payload, error):
    with pytest.raises(error):
        unpadded(payload)
