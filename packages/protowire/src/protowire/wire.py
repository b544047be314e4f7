"""The wire format's pieces that generated code calls when its inline fast path ends.

Generated code handles one-byte tags, lengths and integers by itself; everything longer,
unknown or malformed comes here. Readers take the whole input and a position and give back
the new position; they may run past the end of an enclosing message, never past the input:
there the input's own IndexError stops them, and the caller compares its position with its
end once, when its loop is over. So no reader needs to know where its message ends.

Limits are those of protobuf's own runtimes: a varint has at most 10 bytes, a tag or length
at most 5, a length is below 2 GiB, a tag below 2**32. Nesting is limited to `MAX_DEPTH`,
for sub-messages, map entries and unknown groups alike.
https://protobuf.dev/programming-guides/encoding
"""

# A field may hold anything until it is looked at.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from struct import Struct, unpack
from typing import Any, Final

from protowire.errors import DecodeError

__all__ = [
    "CALLED_BY_GENERATED_CODE",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "TOO_DEEP",
    "TRUNCATED",
    "as_float",
    "as_int",
    "int32_bytes",
    "int64_bytes",
    "pack_float",
    "varint",
]

MAX_DEPTH: Final = 100
"""Levels of nesting below the outermost message, protobuf's default in every language."""
MAX_LENGTH: Final = 0x7FFFFFFF
"""The greatest length of a field, in bytes: what a signed int32 holds, as in protobuf."""
_MAX_TAG: Final = 0xFFFFFFFF
"""The greatest tag: field numbers have 29 bits, wire types 3."""
_MASK64: Final = 0xFFFFFFFFFFFFFFFF
_TAG_BYTES: Final = 5
"""The most bytes that a tag's varint may have."""
_LENGTH_BYTES: Final = 5
"""The most bytes that a length's varint may have."""
_VARINT_BYTES: Final = 10
"""The most bytes that any varint may have."""
_START_GROUP: Final = 3
_END_GROUP: Final = 4

TRUNCATED: Final = "truncated"
"""The reason of an error for input that ends within a field."""
TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH}"
"""The reason of an error for a level too many."""

pack_float: Final = Struct("<f").pack
"""Encode a float; a number that no float can hold is an OverflowError."""


def read_varint(first: int, data: bytes, pos: int, limit: int = _VARINT_BYTES) -> tuple[int, int]:
    """Read the rest of a varint whose first byte, just before `pos`, has its high bit set."""
    byte = data[pos]
    pos += 1
    value = first & 127 | (byte & 127) << 7
    shift = 14
    while byte > 127:
        if shift >= 7 * limit:
            raise DecodeError("varint is too long")
        byte = data[pos]
        pos += 1
        value |= (byte & 127) << shift
        shift += 7
    return value & _MASK64, pos


def read_tag(first: int, data: bytes, pos: int) -> tuple[int, int]:
    """Read the rest of a tag."""
    tag, pos = read_varint(first, data, pos, _TAG_BYTES)
    if tag > _MAX_TAG:
        raise DecodeError("field number is too large")
    return tag, pos


def read_length(first: int, data: bytes, pos: int) -> tuple[int, int]:
    """Read the rest of a length."""
    length, pos = read_varint(first, data, pos, _LENGTH_BYTES)
    if length > MAX_LENGTH:
        raise DecodeError("length is too large")
    return length, pos


def skip_field(data: bytes, pos: int, tag: int, depth: int) -> int:
    """Return the position after the unknown field whose tag ends at `pos`."""
    wire_type = tag & 7
    if tag < 8:
        raise DecodeError("field number 0")
    if wire_type == 0:
        first = data[pos]
        pos += 1
        return pos if first < 128 else read_varint(first, data, pos)[1]
    if wire_type == 1:
        return pos + 8
    if wire_type == 2:
        length = data[pos]
        pos += 1
        if length > 127:
            length, pos = read_length(length, data, pos)
        return pos + length
    if wire_type == 5:
        return pos + 4
    if wire_type == _START_GROUP:
        return _skip_group(data, pos, tag, depth)
    if wire_type == _END_GROUP:
        raise DecodeError("end of a group that was not begun")
    raise DecodeError(f"wire type {wire_type} does not exist")


def _skip_group(data: bytes, pos: int, tag: int, depth: int) -> int:
    open_groups = [tag]
    while open_groups:
        if len(open_groups) > depth:
            raise DecodeError(TOO_DEEP)
        inner = data[pos]
        pos += 1
        if inner > 127:
            inner, pos = read_tag(inner, data, pos)
        if inner & 7 == _START_GROUP and inner > 7:
            open_groups.append(inner)
        elif inner & 7 == _END_GROUP and inner > 7:
            if inner != open_groups.pop() + 1:
                raise DecodeError("end of another group")
        else:
            pos = skip_field(data, pos, inner, depth)
    return pos


def packed_varints(data: bytes, pos: int, stop: int) -> list[int]:
    """Read the varints from `pos` to `stop`, as unsigned 64-bit values."""
    chunk = data[pos:stop]
    if len(chunk) != stop - pos:
        raise DecodeError(TRUNCATED)
    if chunk.isascii():  # every element is one byte
        return list(chunk)
    values: list[int] = []
    pos, end = 0, len(chunk)
    while pos < end:
        value = chunk[pos]
        pos += 1
        if value > 127:
            value, pos = read_varint(value, chunk, pos)
        values.append(value)
    return values


def packed_fixed(data: bytes, pos: int, stop: int, letter: str, width: int) -> tuple[int, ...]:
    """Read the fixed-width elements from `pos` to `stop`."""
    count, rest = divmod(stop - pos, width)
    if rest or stop > len(data):
        raise DecodeError(TRUNCATED)
    return unpack(f"<{count}{letter}", data[pos:stop])


def varint(value: int) -> bytes:
    """Encode an unsigned integer below 2**64."""
    if value < 128:
        return bytes((value,))
    if value < 16384:
        return bytes((value & 127 | 128, value >> 7))
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def int32_bytes(value: int) -> bytes:
    """Encode an int32 or enum."""
    if 127 < value < 16384:
        return bytes((value & 127 | 128, value >> 7))
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise OverflowError
    return varint(value & _MASK64)


def int64_bytes(value: int) -> bytes:
    """Encode an int64."""
    if 127 < value < 16384:
        return bytes((value & 127 | 128, value >> 7))
    if not -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        raise OverflowError
    return varint(value & _MASK64)


def uint32_bytes(value: int) -> bytes:
    """Encode a uint32."""
    if 127 < value < 16384:
        return bytes((value & 127 | 128, value >> 7))
    if not 0 <= value <= 0xFFFFFFFF:
        raise OverflowError
    return varint(value)


def uint64_bytes(value: int) -> bytes:
    """Encode a uint64."""
    if 127 < value < 16384:
        return bytes((value & 127 | 128, value >> 7))
    if not 0 <= value <= _MASK64:
        raise OverflowError
    return varint(value)


def sint32_bytes(value: int) -> bytes:
    """Encode a sint32."""
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise OverflowError
    return varint(value << 1 if value >= 0 else ~(value << 1))


def sint64_bytes(value: int) -> bytes:
    """Encode a sint64."""
    if not -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        raise OverflowError
    return varint(value << 1 if value >= 0 else ~(value << 1))


def as_int(value: Any) -> int:
    """Accept integers of any class but bool."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError
    return int(value.__index__())


def as_float(value: Any) -> float:
    """Accept floats and integers of any class but bool."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError
    return float(value.__float__())


def as_bool(value: object) -> bool:
    """Refuse: generated code asks only for what is not a bool."""
    raise TypeError(value)


def as_bit(value: object) -> int:
    """Return 0 or 1 for a bool."""
    if not isinstance(value, bool):
        raise TypeError
    return int(value)


def as_str(value: object) -> str:
    """Accept strings of any class."""
    if not isinstance(value, str):
        raise TypeError
    return str.__str__(value)


def as_bytes(value: Any) -> bytes:
    """Accept bytes and their mutable kin."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(value)


def as_list(value: Any) -> list[Any]:
    """Accept lists and tuples."""
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return list(value)


def as_dict(value: Any) -> dict[Any, Any]:
    """Accept dicts of any class."""
    if not isinstance(value, dict):
        raise TypeError
    return value


CALLED_BY_GENERATED_CODE: Final = (
    as_bit,
    as_bool,
    as_bytes,
    as_dict,
    as_float,
    as_int,
    as_list,
    as_str,
    int32_bytes,
    int64_bytes,
    packed_fixed,
    packed_varints,
    read_length,
    read_tag,
    read_varint,
    sint32_bytes,
    sint64_bytes,
    skip_field,
    uint32_bytes,
    uint64_bytes,
    varint,
)
"""The functions that generated code calls, each by its name."""
