"""Messages to ProtoJSON, as https://protobuf.dev/programming-guides/json says.

A message becomes plain dicts, lists and strings by its shape, and the standard library
writes those. What can't be encoded as bytes can't be written as JSON either: the same check
names the same field. Plain messages have quick code, which is generated, for the usual
options.

Field names are lowerCamelCase as protoc derives them from the Python names, since
betterproto keeps neither the proto's spelling nor a json_name; enum members have
betterproto's names, which lack their common prefix.
"""

# A field may hold anything until it is checked.
# pyright: reportUnknownArgumentType=false

import json
import math
import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from protowire.betterproto_internals import field_default, only_read
from protowire.check import find_error
from protowire.errors import EncodeError
from protowire.json.fallback import TakeFullWay
from protowire.json.values import QUOTED
from protowire.registry import QUICK_JSON_WRITERS, SHAPES, shape_of
from protowire.shape import Field, Label, Value
from protowire.wellknown import (
    MAX_DURATION_S,
    MAX_NANOS,
    MAX_TIMESTAMP_S,
    MIN_TIMESTAMP_S,
    TIMESTAMP_ZERO,
    WRAPPERS,
    Parts,
    duration_parts,
    timestamp_parts,
    well_known_name,
)
from protowire.wire import MAX_DEPTH

__all__ = ["to_json"]


def to_json(
    message: Any,
    *,
    indent: int | None = None,
    with_defaults: bool = False,
    proto_names: bool = False,
) -> str:
    """Write a message as JSON; EncodeError names the field that can't be.

    `with_defaults` writes also fields that have no presence and are zero or empty;
    `proto_names` writes names as the proto has them instead of lowerCamelCase.
    """
    if indent is None and not with_defaults and not proto_names:
        text = _quick_json(message)
        if text is not None:
            return text
    error = find_error(shape_of, message)
    if error is not None:
        reason, path = error
        raise EncodeError(reason, field=path, message=type(message).__name__)
    plain = _Writer(with_defaults=with_defaults, proto_names=proto_names).message(message)
    separators = (",", ":") if indent is None else None
    return json.dumps(
        plain, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )


def _quick_json(message: Any) -> str | None:
    """The text by quick code; None where there is none or it takes the full way."""
    message.__dict__  # noqa: B018 - asking decodes what is known by its bytes
    json_of = QUICK_JSON_WRITERS.get(type(message))
    if json_of is None:
        return None
    try:
        text = json_of(message, MAX_DEPTH)
        if not text.isascii():
            text.encode()
    except (TakeFullWay, AttributeError, TypeError, UnicodeEncodeError):
        return None
    return text


class _Writer:
    def __init__(self, *, with_defaults: bool, proto_names: bool) -> None:
        self.with_defaults = with_defaults
        self.proto_names = proto_names

    def message(self, message: Any) -> Any:
        special = _SPECIAL.get(well_known_name(message))
        if special is not None:
            return special(self, message)
        fields = message.__dict__
        plain: dict[str, Any] = {}
        shape = shape_of(type(message))
        if shape is None:
            raise TypeError(f"{type(message).__name__} is not compiled")
        for field in shape.by_number:
            value = fields.get(field.name)
            name = field.name.rstrip("_") if self.proto_names else field.json_name
            if _is_present(field, fields, value):
                plain[name] = self.field(field, value)
            elif self.with_defaults and (field.many or field.label is Label.IMPLICIT):
                plain[name] = self.default(field)
        return plain

    def default(self, field: Field) -> Any:
        if field.many:
            return [] if field.label is Label.REPEATED else {}
        if field.value.kind in {"timestamp", "duration"}:
            return None
        return self.value(field.value, field_default(field))

    def field(self, field: Field, value: Any) -> Any:
        if field.label is Label.MAP:
            return {_map_key(key): self.value(field.value, item) for key, item in value.items()}
        if field.label is Label.REPEATED:
            return [self.value(field.value, item) for item in value]
        return self.value(field.value, value)

    def value(self, kind: Value, value: Any) -> Any:  # noqa: PLR0911 - one return for each kind
        name = kind.inner_kind
        if name == "message":
            return self.message(value)
        if name == "enum":
            return _enum_name(kind.type, value)
        if name in QUOTED:
            return str(int(value))
        if name in {"float", "double"}:
            return _float(name, float(value))
        if name == "bytes":
            return b64encode(value).decode()
        if name == "timestamp":
            return _timestamp(timestamp_parts(value) or (0, 0))
        if name == "duration":
            return _duration(duration_parts(value) or (0, 0))
        return value if isinstance(value, (bool, str)) else int(value)


def _is_present(field: Field, fields: dict[str, Any], value: Any) -> bool:
    if value is None or only_read(fields, field.name, value):
        return False
    if field.many:
        return bool(value)
    if field.label is Label.IMPLICIT and field.value.kind not in {"timestamp", "duration"}:
        return bool(value) or (isinstance(value, float) and math.copysign(1, value) < 0)
    return True


def _map_key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(int(key))


def _enum_name(enum: Any, value: int) -> Any:
    if enum.__name__ == "NullValue":
        return None
    name = enum.try_value(int(value)).name
    return name.rstrip("_") if name else int(value)  # betterproto adds one to Python's keywords


def _float(kind: str, value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if kind == "float":  # the shortest text that gives the same float
        packed = struct.pack("<f", value)
        for digits in range(6, 9):
            short = float(f"{value:.{digits}g}")
            if abs(short) <= _FLOAT_MAX and struct.pack("<f", short) == packed:
                return short
    return value


_FLOAT_MAX: Final[float] = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def _fraction(nanos: int) -> str:
    """Return no digits, or 3, 6 or 9 of them."""
    digits = f"{nanos:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}" if digits else ""


def _timestamp(parts: Parts) -> str:
    seconds, nanos = parts
    if not MIN_TIMESTAMP_S <= seconds <= MAX_TIMESTAMP_S:
        raise EncodeError("Timestamp is outside the years 1 to 9999")
    if not 0 <= nanos <= MAX_NANOS:
        raise EncodeError("a Timestamp's nanos are from 0 to 999,999,999")
    moment = TIMESTAMP_ZERO + timedelta(seconds=seconds)
    return f"{moment.year:04}{moment:-%m-%dT%H:%M:%S}{_fraction(nanos)}Z"


def _duration(parts: Parts) -> str:
    seconds, nanos = parts
    if abs(seconds) > MAX_DURATION_S:
        raise EncodeError("Duration is longer than 10,000 years")
    if abs(nanos) > MAX_NANOS or seconds * nanos < 0:
        raise EncodeError("a Duration's nanos are below 1,000,000,000 and of its seconds' sign")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def _struct(writer: _Writer, message: Any) -> Any:
    return {key: writer.message(item) for key, item in message.fields.items()}


def _list_value(writer: _Writer, message: Any) -> Any:
    return [writer.message(item) for item in message.values]


def _value(writer: _Writer, message: Any) -> Any:
    fields: dict[str, Any] = message.__dict__
    name = next((name for name in fields if name.endswith("_value")), "")
    value: Any = fields.get(name)
    if name == "":
        raise EncodeError("a google.protobuf.Value without a value has no JSON")
    if name in {"struct_value", "list_value"}:
        return writer.message(value)
    if name == "number_value" and value is not None and not math.isfinite(value):
        raise EncodeError("a google.protobuf.Value can't hold NaN or an infinity")
    return None if name == "null_value" else value


def _field_mask(_: _Writer, message: Any) -> str:
    paths: list[str] = []
    for path in message.paths:
        head, *rest = path.split("_")
        if path != path.lower() or any(not word[:1].isalpha() for word in rest):
            raise EncodeError(f"field mask path {path!r:.80} has no JSON spelling")
        paths.append(head + "".join(word.capitalize() for word in rest))
    return ",".join(paths)


def _wrapper(writer: _Writer, message: Any) -> Any:
    return writer.value(SHAPES[type(message)].fields[0].value, message.value)


def _any(_: _Writer, __: Any) -> Any:
    raise EncodeError("a google.protobuf.Any has no JSON without a registry of types")


_SPECIAL: Final[dict[str, Callable[[_Writer, Any], Any]]] = {
    "Struct": _struct,
    "ListValue": _list_value,
    "Value": _value,
    "FieldMask": _field_mask,
    "Any": _any,
    "Timestamp": lambda _, message: _timestamp((message.seconds, message.nanos)),
    "Duration": lambda _, message: _duration((message.seconds, message.nanos)),
    **dict.fromkeys(WRAPPERS, _wrapper),
}
