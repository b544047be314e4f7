"""The field for which a message could not be encoded, found after the fact.

Generated encoders check as they go and stop at the first error without knowing its name.
Then, and only then, this walks the message by its shape and names the culprit. What it
calls wrong the encoders must refuse, and the other way round; a test holds the two together.
"""

# A field may hold anything: that is what is checked.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from protowire.shape import FLOATS, RANGES, Field, Label, Shape, Value
from protowire.wellknown import timestamp_bytes
from protowire.wire import MAX_DEPTH, TOO_DEEP, as_float, as_int, pack_float

__all__ = ["FieldError", "ShapeOf", "find_error"]

ShapeOf = Callable[[type], Shape | None]
"""Looks up the shape of a class: None for one that is not compiled."""
FieldError = tuple[str, str]
"""The reason why a field can't be encoded, and the field's path."""


def find_error(shape_of: ShapeOf, message: Any) -> FieldError | None:
    """Return the reason and the path of the first field that can't be encoded."""
    return next(_errors(shape_of, message, "", MAX_DEPTH), None)


def _errors(shape_of: ShapeOf, message: Any, path: str, depth: int) -> Iterator[FieldError]:
    fields = message.__dict__
    shape = shape_of(type(message))
    for field in shape.by_number if shape else ():
        value = fields.get(field.name)
        none_is_absent = field.by_instance or field.label is Label.OPTIONAL
        if value is None and (none_is_absent or field.name not in fields):
            continue
        inner = f"{path}.{field.name}" if path else field.name
        yield from _field_errors(shape_of, field, value, inner, depth)


def _field_errors(
    shape_of: ShapeOf, field: Field, value: Any, path: str, depth: int
) -> Iterator[FieldError]:
    if field.label is Label.MAP:
        if not isinstance(value, dict):
            yield _wrong("a dict", value), path
            return
        if value and depth < 1:
            yield TOO_DEEP, path
            return
        for key, item in value.items():
            yield from _value_errors(shape_of, Value(field.key), key, f"{path} key {key!r}", depth)
            yield from _value_errors(shape_of, field.value, item, f"{path}[{key!r}]", depth - 1)
    elif field.label is Label.REPEATED:
        if not isinstance(value, (list, tuple)):
            yield _wrong("a list", value), path
            return
        for index, item in enumerate(value):
            yield from _value_errors(shape_of, field.value, item, f"{path}[{index}]", depth)
    else:
        yield from _value_errors(shape_of, field.value, value, path, depth)


def _value_errors(
    shape_of: ShapeOf, kind: Value, value: Any, path: str, depth: int
) -> Iterator[FieldError]:
    if kind.kind in {"message", "timestamp", "duration", "wrapper"} and depth < 1:
        yield TOO_DEEP, path
    elif kind.kind == "message":
        if not isinstance(value, kind.type) or shape_of(type(value)) is None:
            yield _wrong(kind.type.__name__, value), path
        elif not getattr(type(value), "_protowire_lazy", False):
            yield from _errors(shape_of, value, path, depth - 1)
    else:
        reason = _scalar_error(kind.inner_kind, value)
        if reason:
            yield reason, path


def _wrong(expected: str, value: object) -> str:
    return f"expected {expected}, got {type(value).__name__}"


def _scalar_error(kind: str, value: Any) -> str | None:  # noqa: PLR0911 - one return for each kind
    if kind == "string":
        if not isinstance(value, str):
            return _wrong("str", value)
        try:
            value.encode()
        except UnicodeEncodeError:
            return "holds a lone surrogate, which UTF-8 has not"
        return None
    if kind == "bytes":
        ok = isinstance(value, (bytes, bytearray, memoryview))
        return None if ok else _wrong("bytes", value)
    if kind == "bool":
        return None if isinstance(value, bool) else _wrong("bool", value)
    if kind in FLOATS:
        return _float_error(kind, value)
    if kind == "timestamp":
        if not isinstance(value, datetime):
            return _wrong("datetime", value)
        return _time_error(value)
    if kind == "duration":
        return None if isinstance(value, timedelta) else _wrong("timedelta", value)
    return _int_error(kind, value)


def _time_error(value: datetime) -> str | None:
    try:
        timestamp_bytes(value)
    except TypeError:
        return "a datetime needs a time zone"
    except OverflowError:
        return "Timestamp is outside the years 1 to 9999"
    return None


def _float_error(kind: str, value: object) -> str | None:
    try:
        number = as_float(value)
        if kind == "float":
            pack_float(number)
    except TypeError:
        return _wrong("float", value)
    except OverflowError:
        return f"{value!r:.40} is out of range for {kind}"
    return None


def _int_error(kind: str, value: object) -> str | None:
    try:
        number = as_int(value)
    except TypeError:
        return _wrong("int", value)
    low, high = RANGES[kind]
    if low <= number <= high:
        return None
    # Digits of a huge int could be refused by Python, or flood a log.
    shown = str(number) if number.bit_length() < 128 else "a huge int"  # noqa: PLR2004 - twice the widest field
    return f"{shown} is out of range for {'int32' if kind == 'enum' else kind}"
