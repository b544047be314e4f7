"""Timestamp and Duration between their wire parts and Python's own time types.

betterproto gives these fields as `datetime` and `timedelta`, which hold microseconds from
year 1 to 9999 (Timestamp's own range) where the messages hold nanoseconds: what is finer is
cut off, what no datetime can hold is a DecodeError. Parts are (seconds, nanos).
https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from protowire.errors import DecodeError
from protowire.wire import int32_bytes, int64_bytes

__all__ = [
    "CALLED_BY_GENERATED_CODE",
    "DURATION_ZERO",
    "MAX_DURATION_S",
    "MAX_NANOS",
    "MAX_TIMESTAMP_S",
    "MIN_TIMESTAMP_S",
    "TIMESTAMP_ZERO",
    "WRAPPERS",
    "Parts",
    "duration_from_parts",
    "duration_parts",
    "timestamp_bytes",
    "timestamp_from_parts",
    "timestamp_parts",
    "well_known_name",
]

Parts = tuple[int, int]
"""The seconds and nanoseconds of a Timestamp or Duration."""

TIMESTAMP_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment that a Timestamp without fields is."""
DURATION_ZERO: Final = timedelta(0)
"""The length of a Duration without fields."""
_MICROSECOND: Final = timedelta(microseconds=1)
MAX_NANOS: Final = 999_999_999
"""The most nanoseconds beside whole seconds."""
MAX_DURATION_S: Final = 315_576_000_000
"""The longest Duration that has JSON, in seconds: about 10,000 years."""
MIN_TIMESTAMP_S: Final = -62_135_596_800
"""The first second of the year 1, counted from 1970."""
MAX_TIMESTAMP_S: Final = 253_402_300_799
"""The last second of the year 9999, counted from 1970."""
WRAPPERS: Final = tuple(
    f"{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
"""The messages that hold one scalar each, by name."""


def timestamp_from_parts(parts: Parts) -> datetime:
    """Make the datetime, in UTC."""
    seconds, nanos = parts
    try:
        return TIMESTAMP_ZERO + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise DecodeError("Timestamp is outside the years 1 to 9999") from None


def duration_from_parts(parts: Parts) -> timedelta:
    """Make the timedelta; fractions of a microsecond are cut off towards zero."""
    seconds, nanos = parts
    micros = nanos // 1000 if nanos >= 0 else -(-nanos // 1000)
    try:
        return timedelta(seconds=seconds, microseconds=micros)
    except OverflowError:
        raise DecodeError("Duration is longer than a timedelta can be") from None


def timestamp_parts(value: datetime | None) -> Parts | None:
    """Take a datetime apart; None stays None."""
    if value is None:
        return None
    seconds, micros = divmod((value - TIMESTAMP_ZERO) // _MICROSECOND, 1_000_000)
    return seconds, micros * 1000


def duration_parts(value: timedelta | None) -> Parts | None:
    """Take a timedelta apart, both parts of one sign; None stays None."""
    if value is None:
        return None
    total = value // _MICROSECOND
    seconds, micros = divmod(abs(total), 1_000_000)
    return (seconds, micros * 1000) if total >= 0 else (-seconds, -micros * 1000)


def _time_bytes(parts: Parts) -> bytes:
    seconds, nanos = parts
    encoded = b"\x08" + int64_bytes(seconds) if seconds else b""
    return encoded + b"\x10" + int32_bytes(nanos) if nanos else encoded


def timestamp_bytes(value: object) -> bytes:
    """Encode the body of a Timestamp; a naive datetime is refused, and one that is out of range."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError
    parts = timestamp_parts(value) or (0, 0)
    if not MIN_TIMESTAMP_S <= parts[0] <= MAX_TIMESTAMP_S:  # its time zone may bring it there
        raise OverflowError
    return _time_bytes(parts)


def duration_bytes(value: object) -> bytes:
    """Encode the body of a Duration."""
    if not isinstance(value, timedelta):
        raise TypeError
    return _time_bytes(duration_parts(value) or (0, 0))


def wrapper_parts(value: object) -> tuple[object] | None:
    """Return a wrapped value as its only part; None stays None."""
    return None if value is None else (value,)


def well_known_name(message: object) -> str:
    """Return the name of one of google.protobuf's own messages, or nothing."""
    cls = message if isinstance(message, type) else type(message)
    return cls.__name__ if cls.__module__.endswith(".google.protobuf") else ""


CALLED_BY_GENERATED_CODE: Final = (
    duration_bytes,
    duration_from_parts,
    duration_parts,
    timestamp_bytes,
    timestamp_from_parts,
    timestamp_parts,
    wrapper_parts,
)
"""The functions that generated code calls, each by its name."""
