import pytest
from hypothesis import given
from hypothesis import strategies as st
from wirescript import wire
from wirescript.wire import Script, headers, settings

from grpcwire.http2.errors import IllegalSendError
from grpcwire.http2.events import StreamsUnblocked
from grpcwire.http2.hpack_encoder import encode_fields
from grpcwire.http2.sender import HeaderBlock
from grpcwire.http2.streams import State

HEAD = HeaderBlock(encode_fields([(b":status", b"200"), (b"content-type", b"application/grpc")]))
OK = HeaderBlock(encode_fields([(b"grpc-status", b"0")]))


def opened(*pieces: bytes, end: bool = True) -> tuple[Script, object]:
    script = Script()
    events = script.feed(*pieces, headers(1, end=end))
    script.sent()
    return script, events[0].stream


def payloads(frames: list[wire.Frame]) -> list[int]:
    return [len(each.payload) for each in frames if each.type == wire.DATA]


@given(st.binary(max_size=16384), st.booleans())
def test_response_equals_its_three_parts(message, request_ended):
    one, stream = opened(end=request_ended)
    assert one.connection.send_response(stream, HEAD, message, OK)
    three, other = opened(end=request_ended)
    three.connection.sender.headers(other, HEAD.block, end=False)
    three.connection.sender.data(other, message)
    three.connection.send_trailers(other, OK.block)
    assert one.sent() == three.sent()
    assert stream.state is other.state
    assert stream.send_window == other.send_window
    assert one.connection.sender.window == three.connection.sender.window
    assert one.connection.streams == three.connection.streams == {}


@pytest.mark.parametrize(
    "pieces", [[settings((0x4, 10))], [], [settings((0x4, 2**20), (0x5, 2**20))]]
)
def test_answer_sends_nothing_where_a_window_or_frame_is_too_small(pieces):
    script, stream = opened(*pieces)
    message = bytes(65536 if len(pieces) else 16385)
    assert not script.connection.send_response(stream, HEAD, message, OK)
    assert script.sent() == []
    assert stream.state is State.HALF_CLOSED_REMOTE


def test_data_is_cut_into_the_peers_frames():
    script, stream = opened(settings((0x5, 20000), (0x4, 10**6)), wire.window_update(0, 10**6))
    script.connection.sender.data(stream, bytes(50000))
    assert payloads(script.sent()) == [20000, 20000, 10000]


def test_no_frame_is_longer_than_what_one_turn_may_gather():
    script, stream = opened(settings((0x5, 2**24 - 1), (0x4, 10**7)), wire.window_update(0, 10**7))
    script.connection.sender.data(stream, bytes(10**6))
    sent = payloads(script.sent())
    while script.connection.unblock() or script.connection.sender.outgoing:
        sent += payloads(script.sent())
    assert sum(sent) == 10**6
    assert max(sent) == 256 * 1024


def test_data_stops_at_the_streams_window_and_trailers_wait_behind_it():
    script, stream = opened(settings((0x4, 100)))
    sender = script.connection.sender
    sender.headers(stream, HEAD.block, end=False)
    sender.data(stream, bytes(250))
    script.connection.send_trailers(stream, OK.block)
    assert payloads(script.sent()) == [100]
    script.feed(wire.window_update(1, 100))
    assert payloads(script.sent()) == [100]
    events = script.feed(wire.window_update(1, 100))
    assert events == [StreamsUnblocked([stream])]
    last, trailers = script.sent()
    assert len(last.payload) == 50
    assert trailers.ended
    assert stream.state is State.CLOSED


def test_data_stops_at_the_connections_window_and_streams_take_turns():
    script = Script()
    script.feed(settings((0x4, 10**6)))
    streams = [script.feed(headers(number, end=True))[0].stream for number in (1, 3)]
    script.sent()
    for stream in streams:
        script.connection.sender.data(stream, bytes(100_000))
    script.connection.sender.take()
    script.feed(wire.window_update(0, 4 * 16384))
    order = [each.stream for each in script.sent() if each.type == wire.DATA]
    assert order == [1, 3, 1, 3]


def test_one_turn_gathers_a_bounded_amount():
    script, stream = opened(settings((0x4, 2**30)), wire.window_update(0, 2**30))
    script.connection.sender.data(stream, bytes(4 * 1024 * 1024))
    first = sum(payloads(script.sent()))
    assert 200_000 < first < 300_000
    total = first
    while script.connection.sender.blocked:
        script.connection.unblock()
        total += sum(payloads(script.sent()))
    assert total == 4 * 1024 * 1024


def test_nothing_is_produced_while_the_transport_is_full():
    script, stream = opened()
    sender = script.connection.sender
    sender.pause(paused=True)
    sender.data(stream, b"waits")
    assert not script.connection.send_response(stream, HEAD, b"too", OK)
    assert script.sent() == []
    assert script.connection.unblock() == []
    sender.pause(paused=False)
    assert script.connection.unblock() == [stream]
    assert payloads(script.sent()) == [5]


def test_long_header_blocks_go_on_in_continuation():
    script, stream = opened()
    block = encode_fields([(b"a", b"x" * 40000)])
    script.connection.sender.headers(stream, block, end=True)
    frames = script.sent()
    assert [each.type for each in frames] == [1, 9, 9]
    assert [each.flags for each in frames] == [wire.END_STREAM, 0, wire.END_HEADERS]
    assert b"".join(each.payload for each in frames) == block


def test_an_end_without_trailers_is_an_empty_data_frame():
    script, stream = opened()
    script.connection.send_trailers(stream, b"")
    (last,) = script.sent()
    assert (last.type, last.flags, last.payload) == (wire.DATA, wire.END_STREAM, b"")


def test_a_reset_drops_what_was_kept_back():
    script, stream = opened(settings((0x4, 10)))
    script.connection.sender.data(stream, bytes(100))
    script.feed(wire.rst(1))
    assert not script.connection.sender.blocked
    with pytest.raises(IllegalSendError):
        script.connection.sender.data(stream, b"more")


def test_empty_messages_leave_at_once():
    script, stream = opened()
    script.connection.sender.data(stream, b"")
    assert payloads(script.sent()) == [0]
    assert stream.unsent is None
