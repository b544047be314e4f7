"""SETTINGS: the ones we send, and the values that the peer's may have."""

import pytest
from wirescript import wire

from grpcwire import Limits
from grpcwire.http2 import settings
from grpcwire.http2.errors import (
    ConnectionFlowControlError,
    ConnectionFrameSizeError,
    Http2ConnectionError,
)

ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_LIST, UNKNOWN = 2, 3, 4, 5, 6, 0x2A


def payload(*pairs: tuple[int, int]) -> bytes:
    return wire.settings(*pairs)[9:]


def opened(**limits: int) -> tuple[dict[int, int], list[int]]:
    """The parameters we send first, and by how much we raise the connection's window."""
    frames, rest = wire.parse(settings.opening(Limits(**limits)))
    assert rest == b""
    first, *others = frames
    assert (first.type, first.flags, first.stream) == (wire.SETTINGS, 0, 0)
    assert all((each.type, each.stream) == (wire.WINDOW_UPDATE, 0) for each in others)
    increments = [int.from_bytes(each.payload, "big") for each in others]
    return settings.received(first.payload), increments


def test_we_tell_our_limits():
    values, increments = opened(concurrent_streams=7, header_list_bytes=99)
    assert values == {MAX_STREAMS: 7, MAX_LIST: 99}
    assert increments == [1024 * 1024 - 65_535]


def test_a_window_of_the_default_size_is_not_told():
    assert INITIAL_WINDOW not in opened()[0]
    assert opened(stream_window_bytes=1000)[0][INITIAL_WINDOW] == 1000


@pytest.mark.parametrize("size", [0, 65_535])
def test_the_connections_window_is_never_lowered(size):
    assert opened(connection_window_bytes=size)[1] == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (ENABLE_PUSH, 0),
        (ENABLE_PUSH, 1),
        (INITIAL_WINDOW, 0),
        (INITIAL_WINDOW, 2**31 - 1),
        (MAX_FRAME, 16_384),
        (MAX_FRAME, 16_777_215),
        (UNKNOWN, 2**32 - 1),
    ],
)
def test_values_at_the_ends_of_their_range_are_taken(parameter, value):
    assert settings.received(payload((parameter, value))) == {parameter: value}


@pytest.mark.parametrize(
    ("parameter", "value", "error"),
    [
        (ENABLE_PUSH, 2, Http2ConnectionError),
        (INITIAL_WINDOW, 2**31, ConnectionFlowControlError),
        (MAX_FRAME, 16_383, Http2ConnectionError),
        (MAX_FRAME, 16_777_216, Http2ConnectionError),
    ],
)
def test_values_beyond_their_range_end_the_connection(parameter, value, error):
    with pytest.raises(error) as caught:
        settings.received(payload((parameter, value)))
    assert type(caught.value) is error


def test_the_last_of_a_repeated_parameter_counts():
    assert settings.received(payload((INITIAL_WINDOW, 1), (INITIAL_WINDOW, 2))) == {
        INITIAL_WINDOW: 2
    }


def test_one_wrong_value_among_right_ones_is_found():
    with pytest.raises(Http2ConnectionError):
        settings.received(payload((ENABLE_PUSH, 3), (ENABLE_PUSH, 0)))


def test_none_is_allowed():
    assert settings.received(b"") == {}


@pytest.mark.parametrize("size", [1, 5, 7, 11])
def test_a_size_that_is_not_a_multiple_of_six_is_a_size_error(size):
    with pytest.raises(ConnectionFrameSizeError):
        settings.received(bytes(size))
