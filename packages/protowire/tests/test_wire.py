"""The wire format's pieces, one by one."""

import pytest

from protowire import wire
from protowire.errors import DecodeError

EDGES = [0, 1, 127, 128, 300, 16383, 16384, 2**21, 2**28, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1]


@pytest.mark.parametrize("value", EDGES)
def test_a_varint_comes_back(value):
    data = wire.varint(value)
    if value < 128:
        assert data == bytes([value])
    else:
        assert wire.read_varint(data[0], data, 1) == (value, len(data))


@pytest.mark.parametrize("value", EDGES)
def test_signed_values_are_written_as_64_bits_and_zigzag(value):
    number = min(value, 2**31 - 1)
    assert wire.int32_bytes(number) == wire.int64_bytes(number) == wire.varint(number)
    assert wire.int32_bytes(-number - 1) == wire.varint(2**64 - number - 1)
    assert wire.sint32_bytes(number) == wire.varint(2 * number)
    assert wire.sint32_bytes(-number - 1) == wire.varint(2 * number + 1)


@pytest.mark.parametrize(
    ("write", "low", "high"),
    [
        (wire.int32_bytes, -(2**31), 2**31 - 1),
        (wire.int64_bytes, -(2**63), 2**63 - 1),
        (wire.uint32_bytes, 0, 2**32 - 1),
        (wire.uint64_bytes, 0, 2**64 - 1),
        (wire.sint32_bytes, -(2**31), 2**31 - 1),
        (wire.sint64_bytes, -(2**63), 2**63 - 1),
    ],
)
def test_values_beyond_their_range_are_refused(write, low, high):
    write(low)
    write(high)
    for value in (low - 1, high + 1):
        with pytest.raises(OverflowError):
            write(value)


def test_bits_beyond_64_are_dropped():
    data = b"\xff" * 9 + b"\x7f"
    assert wire.read_varint(data[0], data, 1) == (2**64 - 1, 10)


@pytest.mark.parametrize("read", [wire.read_tag, wire.read_length])
def test_tags_and_lengths_have_five_bytes_at_most(read):
    assert read(0x88, b"\x88\x80\x80\x80\x00", 1) == (8, 5)
    with pytest.raises(DecodeError):
        read(0x88, b"\x88\x80\x80\x80\x80\x00", 1)
    with pytest.raises(DecodeError):
        read(0x88, b"\x88\x80\x80\x80\x10", 1)


def test_a_length_has_31_bits_and_a_tag_32():
    data = wire.varint(2**31)
    assert wire.read_tag(data[0], data, 1) == (2**31, 5)
    with pytest.raises(DecodeError, match="length is too large"):
        wire.read_length(data[0], data, 1)


@pytest.mark.parametrize(
    ("tag", "rest", "end"),
    [(0x78, b"\x01", 1), (0x79, b"", 8), (0x7A, b"\x03abc", 4), (0x7D, b"", 4), (0x7B, b"\x7c", 1)],
)
def test_unknown_fields_are_skipped_by_their_wire_type(tag, rest, end):
    assert wire.skip_field(rest, 0, tag, wire.MAX_DEPTH) == end


def test_packed_values_of_one_byte_and_of_more_are_read():
    assert wire.packed_varints(b"..\x01\x02\x7f", 2, 5) == [1, 2, 127]
    assert wire.packed_varints(b"..\x01\xac\x02", 2, 5) == [1, 300]
    with pytest.raises(DecodeError, match="truncated"):
        wire.packed_varints(b"\x01", 0, 2)
    with pytest.raises(DecodeError, match="truncated"):
        wire.packed_fixed(b"\x01\x02\x03", 0, 3, "I", 4)
