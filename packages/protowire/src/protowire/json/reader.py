"""ProtoJSON to messages, as strict as https://protobuf.dev/programming-guides/json.

The standard library parses the text into plain values; the rest here maps those to fields by
shape, or, for messages in their usual form, quick code does. Strict means:
a name may come once, in its lowerCamelCase or its proto spelling (betterproto forgets its
capitals and underscores, so those are not compared); numbers must be in range and integers
whole, whether they come as number or string; strings must be valid Unicode, base64 must be
base64; null means absent, and is refused as an element. Unknown names, and unknown enum names,
are refused or passed over by a flag.

Work is bounded: the size of the text and the nesting of messages are limited, and numbers
are judged by their exponent before they are expanded.
"""

# Parsed JSON may be anything until it is looked at.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, NamedTuple, NoReturn, TypeVar

from protowire.errors import DecodeError
from protowire.json.fallback import TakeFullWay
from protowire.json.values import SCALARS, SKIP, enum_value, map_key, read_duration, read_timestamp
from protowire.registry import QUICK_JSON_READERS, SHAPES, shape_of
from protowire.shape import Field, Label, Value
from protowire.wellknown import WRAPPERS, well_known_name
from protowire.wire import MAX_DEPTH

__all__ = ["from_json"]

T = TypeVar("T")
MAX_JSON_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of a text, unless told: what a message may have in gRPC by default."""
_NULL_VALUE: Final = 0
_SPACE: Final = " \t\n\r"


def from_json(
    cls: type[T],
    text: str | bytes,
    *,
    ignore_unknown: bool = False,
    max_bytes: int = MAX_JSON_BYTES,
    max_depth: int = MAX_DEPTH,
) -> T:
    """Read a message from JSON; DecodeError names the field that is wrong.

    Unknown fields are an error unless `ignore_unknown` is set. `max_bytes` limits the text,
    `max_depth` the nesting of messages and of the lists and objects of a Struct.
    """
    if cls not in SHAPES and shape_of(cls) is None:
        raise TypeError(f"{cls.__name__} is not compiled")
    message = _quick_message(cls, text, max_bytes, max_depth)
    if message is not None:
        return message
    reader = _LENIENT if ignore_unknown else _STRICT
    try:
        message = reader.message(cls, _parse(text, max_bytes), max_depth)
    except DecodeError as error:
        error.message = cls.__name__
        raise
    return message  # type: ignore[no-any-return] # one of `cls`


def _quick_message(cls: type[T], text: str | bytes, max_bytes: int, max_depth: int) -> T | None:
    """The message by quick code; None where there is none or it takes the full way."""
    from_plain = QUICK_JSON_READERS.get(cls)
    # A character has at most four bytes: the full way counts where that may be too many.
    if from_plain is None or len(text) > max_bytes >> 2:
        return None
    try:
        if not isinstance(text, str):
            text = bytes(text).decode()
        plain, end = _quick_scan(text, 0)
        return from_plain(plain, max_depth) if end == len(text) else None
    except (TakeFullWay, StopIteration, ValueError, ArithmeticError, RecursionError):
        return None


def _parse(text: str | bytes, max_bytes: int) -> Any:
    # A character has at most four bytes: a text within the limit by that needs no encoding.
    size = len(text)
    if isinstance(text, str) and max_bytes < 4 * size:
        size = len(text.encode(errors="surrogatepass"))
    if size > max_bytes:
        raise DecodeError(f"JSON is larger than {max_bytes} bytes")
    try:
        return _plain(text if isinstance(text, str) else bytes(text).decode())
    except UnicodeDecodeError as error:
        raise DecodeError("invalid UTF-8", offset=error.start) from None
    except json.JSONDecodeError as error:
        raise DecodeError(f"not JSON: {error.msg}", offset=error.pos) from None
    except RecursionError:
        raise DecodeError("nested too deeply") from None
    except DecodeError:
        raise
    except (InvalidOperation, ValueError):  # more digits than Python cares to read
        raise DecodeError("a number is out of range") from None


def _plain(text: str) -> Any:
    start = 0 if text[:1] == "{" else len(text) - len(text.lstrip(_SPACE))
    plain, end = _decoder.raw_decode(text, start)
    if end != len(text) and text[end:].strip(_SPACE):
        raise DecodeError("not JSON: Extra data", offset=end)
    return plain


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value] # None is meant
        raise DecodeError(f"the name {twice!r:.80} comes twice")
    return plain


def _refuse_constant(name: str) -> NoReturn:
    raise DecodeError(f"{name} must be a string")


def _scanner(of_object: Callable[[list[tuple[str, Any]]], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=of_object, parse_float=Decimal, parse_constant=_refuse_constant
    )


_decoder = _scanner(_object)
_quick_scan = _scanner(tuple).scan_once  # type: ignore[attr-defined] # of every JSONDecoder


class _Known(NamedTuple):
    """A field; `read` gives its value of a plain one where nothing else is to be looked at."""

    field: Field
    kind: str
    read: Callable[[str, Any], Any] | None


class _Plan(NamedTuple):
    """The way to read a class: by a function of its own, or by the fields of these names."""

    special: Any
    names: dict[str, _Known]


@cache
def _plan(cls: type) -> _Plan:
    names: dict[str, _Known] = {}
    known = [_known(field) for field in SHAPES[cls].fields]
    for each in known:
        field = each.field
        for name in (field.name, field.name.rstrip("_"), field.json_name):
            names.setdefault(name, each)
    for each in known:
        names.setdefault(_letters(each.field.name), each)
    return _Plan(_SPECIAL.get(well_known_name(cls)), names)


def _known(field: Field) -> _Known:
    kind = field.value.inner_kind
    alone = not field.many and not field.group and kind != "enum"
    return _Known(field, kind, SCALARS.get(kind) if alone else None)


def _letters(name: str) -> str:
    return name.replace("_", "").lower() if name.isascii() else name


class _Reader:
    def __init__(self, *, ignore_unknown: bool) -> None:
        self.ignore_unknown = ignore_unknown

    def message(self, cls: Any, plain: Any, depth: int) -> Any:
        if depth < 0:
            raise DecodeError("nested too deeply")
        special, names = _plan(cls)
        if special is not None:
            return special(self, cls, plain, depth)
        if not isinstance(plain, dict):
            raise DecodeError("expected an object")
        values: dict[str, Any] = {}
        seen: set[str] = set()
        for name, value in plain.items():
            known = names.get(name) or names.get(_letters(name))
            if known is None:
                if not self.ignore_unknown:
                    raise DecodeError(f"no field is named {name!r:.80}")
                continue
            field, kind, read = known
            try:
                if read is None or value is None or field.name in seen:
                    self.field(field, value, values, seen, depth)
                else:
                    seen.add(field.name)
                    values[field.name] = read(kind, value)
            except DecodeError as error:
                raise error.inside("", field.name) from None
        return cls(**values)

    def field(
        self, field: Field, plain: Any, values: dict[str, Any], seen: set[str], depth: int
    ) -> None:
        if field.name in seen:
            raise DecodeError("is there in two spellings")
        seen.add(field.name)
        if plain is None and not (_takes_null(field.value) and not field.many):
            return
        if field.group:
            if f"oneof {field.group}" in seen:
                raise DecodeError(f"another field of the oneof {field.group!r} is there too")
            seen.add(f"oneof {field.group}")
        if field.label is Label.MAP:
            value: Any = self.map_of(field, plain, depth)
        elif field.label is Label.REPEATED:
            value = self.list_of(field, plain, depth)
        else:
            value = self.value(field.value, plain, depth)
        if value is not SKIP:
            values[field.name] = value

    def list_of(self, field: Field, plain: Any, depth: int) -> Any:
        if not isinstance(plain, list):
            raise DecodeError("expected an array")
        values = [self.element(field, item, depth) for item in plain]
        return [value for value in values if value is not SKIP]

    def map_of(self, field: Field, plain: Any, depth: int) -> Any:
        if not isinstance(plain, dict):
            raise DecodeError("expected an object")
        values: dict[Any, Any] = {}
        for name, item in plain.items():
            key = map_key(field.key, name)
            if key in values:
                raise DecodeError(f"the key {name!r:.80} comes twice")
            value = self.element(field, item, depth - 1)
            if value is not SKIP:
                values[key] = value
        return values

    def element(self, field: Field, plain: Any, depth: int) -> Any:
        if plain is None and not _takes_null(field.value):
            raise DecodeError("null can't be an element")
        return self.value(field.value, plain, depth)

    def value(self, kind: Value, plain: Any, depth: int) -> Any:
        if kind.kind == "message":
            return self.message(kind.type, plain, depth - 1)
        if kind.kind == "enum":
            if plain is None:
                return kind.type.try_value(_NULL_VALUE)
            return enum_value(kind.type, plain, ignore_unknown=self.ignore_unknown)
        name = kind.inner_kind
        return SCALARS[name](name, plain)


def _takes_null(kind: Value) -> bool:
    if kind.kind == "message":
        return well_known_name(kind.type) == "Value"
    return kind.kind == "enum" and kind.type.__name__ == "NullValue"


def _struct(reader: _Reader, cls: Any, plain: Any, depth: int) -> Any:
    if not isinstance(plain, dict):
        raise DecodeError("expected an object")
    value_cls = SHAPES[cls].fields[0].value.type
    return cls(
        fields={
            SCALARS["string"]("string", key): reader.message(value_cls, item, depth - 1)
            for key, item in plain.items()
        }
    )


def _list_value(reader: _Reader, cls: Any, plain: Any, depth: int) -> Any:
    if not isinstance(plain, list):
        raise DecodeError("expected an array")
    value_cls = SHAPES[cls].fields[0].value.type
    return cls(values=[reader.message(value_cls, item, depth - 1) for item in plain])


def _value(reader: _Reader, cls: Any, plain: Any, depth: int) -> Any:
    types = {field.name: field.value.type for field in SHAPES[cls].fields}
    if plain is None:
        return cls(null_value=types["null_value"].try_value(_NULL_VALUE))
    if isinstance(plain, bool):
        return cls(bool_value=plain)
    if isinstance(plain, str):
        return cls(string_value=SCALARS["string"]("string", plain))
    if isinstance(plain, dict):
        return cls(struct_value=reader.message(types["struct_value"], plain, depth - 1))
    if isinstance(plain, list):
        return cls(list_value=reader.message(types["list_value"], plain, depth - 1))
    return cls(number_value=SCALARS["double"]("double", plain))


def _field_mask(_: _Reader, cls: Any, plain: Any, __: int) -> Any:
    if not isinstance(plain, str):
        raise DecodeError("expected a string")
    if "_" in plain or not (plain.isascii() and plain.replace(".", "").replace(",", "").isalnum()):
        if plain:
            raise DecodeError("not a field mask")
        return cls()
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in plain)
    return cls(paths=snake.split(","))


def _timestamp(_: _Reader, cls: Any, plain: Any, __: int) -> Any:
    seconds, nanos = read_timestamp(plain)
    return cls(seconds=seconds, nanos=nanos)


def _duration(_: _Reader, cls: Any, plain: Any, __: int) -> Any:
    seconds, nanos = read_duration(plain)
    return cls(seconds=seconds, nanos=nanos)


def _wrapper(reader: _Reader, cls: Any, plain: Any, depth: int) -> Any:
    return cls(value=reader.value(SHAPES[cls].fields[0].value, plain, depth))


def _any(_: _Reader, __: Any, ___: Any, ____: int) -> NoReturn:
    raise DecodeError("a google.protobuf.Any has no JSON without a registry of types")


_SPECIAL: Final[dict[str, Any]] = {
    "Struct": _struct,
    "ListValue": _list_value,
    "Value": _value,
    "FieldMask": _field_mask,
    "Any": _any,
    "Timestamp": _timestamp,
    "Duration": _duration,
    **dict.fromkeys(WRAPPERS, _wrapper),
}
_STRICT: Final = _Reader(ignore_unknown=False)
_LENIENT: Final = _Reader(ignore_unknown=True)
