"""Single values of ProtoJSON: numbers, strings, bytes, times, enum names, map keys.

Each reader takes a kind and a plain value as the standard library parsed it, where a number
with fraction or exponent is a Decimal, and gives the field's value or raises DecodeError.
"""

import math
import re
import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from protowire.betterproto_internals import enum_member, enum_member_name, enum_names
from protowire.errors import DecodeError
from protowire.shape import RANGES
from protowire.wellknown import (
    MAX_DURATION_S,
    TIMESTAMP_ZERO,
    Parts,
    duration_from_parts,
    timestamp_from_parts,
)

__all__ = [
    "QUOTED",
    "SCALARS",
    "SKIP",
    "enum_value",
    "map_key",
    "read_duration",
    "read_timestamp",
]

QUOTED: Final = frozenset({"int64", "uint64", "sint64", "fixed64", "sfixed64"})
"""Integers that JSON has as strings, since many of its readers know only doubles."""
SKIP: Final = object()
"""The value of an unknown enum name that is to be ignored."""
MAX_DIGITS: Final = 24
"""No integer of 64 bits has more, sign and zeros of a fraction included generously."""
MAX_NUMBER_LENGTH: Final = 400
"""No double needs as many characters to be told exactly enough; longer is an attack."""

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_TO_STANDARD: Final = str.maketrans("-_", "+/")
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_FLOAT_MAX: Final[float] = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_FLOAT_LIMIT: Final = _FLOAT_MAX + 2.0**103
"""Halfway to the next float: what is nearer to the maximum rounds to it."""


def _number_of(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        raise DecodeError("expected a number")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise DecodeError("a number is out of range") from None


def _int(kind: str, plain: Any) -> int:
    if isinstance(plain, str):
        plain = _number_of(plain)
    if isinstance(plain, Decimal):
        if plain.is_zero():
            return 0
        if plain.adjusted() > MAX_DIGITS:
            raise DecodeError(f"out of range for {kind}")
        if plain != plain.to_integral_value():
            raise DecodeError("expected an integer")
        plain = int(plain)
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise DecodeError("expected an integer")
    low, high = RANGES[kind]
    if not low <= plain <= high:
        raise DecodeError(f"out of range for {kind}")
    return plain


def _float(kind: str, plain: Any) -> float:
    if isinstance(plain, str):
        if plain in {"NaN", "Infinity", "-Infinity"}:
            return float(plain)
        plain = _number_of(plain)
    if isinstance(plain, bool) or not isinstance(plain, (int, Decimal)):
        raise DecodeError("expected a number")
    try:
        value = float(plain)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (kind == "float" and abs(value) >= _FLOAT_LIMIT):
        raise DecodeError(f"out of range for {kind}")
    if kind == "float" and abs(value) > _FLOAT_MAX:
        value = math.copysign(_FLOAT_MAX, value)
    return float(struct.unpack("<f", struct.pack("<f", value))[0]) if kind == "float" else value


def _bool(_: str, plain: Any) -> bool:
    if not isinstance(plain, bool):
        raise DecodeError("expected true or false")
    return plain


def _string(_: str, plain: Any) -> str:
    if not isinstance(plain, str):
        raise DecodeError("expected a string")
    if not plain.isascii():
        try:
            plain.encode()
        except UnicodeEncodeError:
            raise DecodeError("holds a lone surrogate, which is not a character") from None
    return plain


def _bytes(_: str, plain: Any) -> bytes:
    if not isinstance(plain, str):
        raise DecodeError("expected a string")
    text = plain.translate(_TO_STANDARD)
    if not _BASE64.fullmatch(text):
        raise DecodeError("not base64")
    bare = text.rstrip("=")
    padding = -len(bare) % 4
    if padding == 3 or len(text) - len(bare) not in {0, padding}:  # noqa: PLR2004 - one letter alone holds no byte
        raise DecodeError("not base64")
    try:
        return b64decode(bare + "=" * padding, validate=True)
    except Base64Error:
        raise DecodeError("not base64") from None


def read_timestamp(plain: Any) -> Parts:
    """Read a Timestamp's text, to the nanosecond."""
    match = _TIMESTAMP.fullmatch(plain) if isinstance(plain, str) else None
    if match is None:
        raise DecodeError("expected a time as RFC 3339 has it")
    moment, fraction, sign, hours, minutes = match.groups()
    try:
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-offset if sign == "-" else offset)
        value = datetime.fromisoformat(moment).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DecodeError("no such time in the years 1 to 9999") from None
    return (value - TIMESTAMP_ZERO) // timedelta(seconds=1), _nanos(fraction)


def _nanos(fraction: str | None) -> int:
    return int((fraction or "0").ljust(9, "0"))


def read_duration(plain: Any) -> Parts:
    """Read a Duration's text, to the nanosecond."""
    match = _DURATION.fullmatch(plain) if isinstance(plain, str) else None
    if match is None:
        raise DecodeError('expected a duration such as "1.5s"')
    sign, seconds, fraction = match.groups()
    if int(seconds) > MAX_DURATION_S or (int(seconds) == MAX_DURATION_S and int(fraction or 0)):
        raise DecodeError("longer than 10,000 years")
    parts = int(seconds), _nanos(fraction)
    return (-parts[0], -parts[1]) if sign else parts


def _timestamp(_: str, plain: Any) -> datetime:
    return timestamp_from_parts(read_timestamp(plain))


def _duration(_: str, plain: Any) -> timedelta:
    return duration_from_parts(read_duration(plain))


def enum_value(enum: Any, plain: Any, *, ignore_unknown: bool) -> Any:
    """Read an enum by the name that the proto or that Python has for it, or by number."""
    if isinstance(plain, str):
        members = enum_names(enum)
        for name in (plain, enum_member_name(enum, plain)):
            if name in members:
                return members[name]
        if ignore_unknown:
            return SKIP
        raise DecodeError(f"{enum.__name__} has no {plain!r:.80}")
    return enum_member(enum)(_int("enum", plain))


def map_key(kind: str, name: str) -> Any:
    """Read the key of a map entry, which JSON has as a string."""
    if kind == "bool":
        if name not in {"true", "false"}:
            raise DecodeError("expected a key true or false")
        return name == "true"
    return _string(kind, name) if kind == "string" else _int(kind, name)


SCALARS: Final[dict[str, Callable[[str, Any], Any]]] = {
    **dict.fromkeys(RANGES, _int),
    "float": _float,
    "double": _float,
    "bool": _bool,
    "string": _string,
    "bytes": _bytes,
    "timestamp": _timestamp,
    "duration": _duration,
}
