"""Writes, as Python source, what gives a plain message's JSON in the usual form.

A message is plain whose fields are integers, strings, bools, wrappers of these and other
plain messages, singly or in lists. `json` gives its text piece by piece, in the order of
the numbers, as `json_writer` does by way of dicts: proven equal by
`test_json_encoder.py::test_quick_json_equals_the_long_way`.

Nothing is judged here. At the first value that is not exactly of its field's type the code
raises Unusual, and `json_writer` begins again by the long way, which names what is wrong.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from protowire.betterproto_internals import READ, new
from protowire.json.fallback import Unusual, write_unusual_if
from protowire.lazy import encode_lazy
from protowire.registry import DECODE_FAULTS, DECODERS, JSON, LAZY, TRANSCODERS
from protowire.shape import RANGES, Field, Label, Shape, Value
from protowire.wellknown import well_known_name
from protowire.wire import MAX_DEPTH

if TYPE_CHECKING:
    from protowire.gen.source import Source

__all__ = ["JSON_NAMES", "QUOTED", "is_plain", "write_json_encoder"]

QUOTED = frozenset({"int64", "uint64", "sint64", "fixed64", "sfixed64"})
"""Integers that JSON has as strings, since many of its readers know only doubles."""

_TYPES = {"string": "str", "bool": "bool"} | dict.fromkeys(RANGES, "int")
_PLAIN = frozenset(_TYPES) - {"enum"}


def _json_of_bytes(message: Any, cls: type, depth: int) -> str:
    """The JSON of a message that is no plain object of this class, but known by its bytes."""
    if type(message) is not LAZY[cls]:
        raise Unusual
    data = encode_lazy(message, 0)
    transcode = TRANSCODERS.get(cls)
    if transcode is not None:
        try:
            return transcode(data, 0, len(data), depth)
        except (Unusual, *DECODE_FAULTS):
            pass  # decoding says what it is
    decoded: Any = new(cls)
    DECODERS[cls](data, 0, len(data), decoded, MAX_DEPTH)
    return JSON[cls](decoded, depth)


JSON_NAMES: dict[str, Any] = {
    "EMPTY": [],
    "Unusual": Unusual,
    "quote": encode_basestring,
    "json_of_bytes": _json_of_bytes,
}
"""What the generated code calls."""


def is_plain(shape: Shape) -> bool:
    """Whether a class is plain, as far as its own fields go."""
    return not well_known_name(shape.cls) and all(
        field.label is not Label.MAP and (field.value.inner_kind in _PLAIN or _is_message(field))
        for field in shape.fields
    )


def _is_message(field: Field) -> bool:
    return field.value.kind == "message"


def write_json_encoder(source: Source, shape: Shape) -> None:
    """Write `json(self, depth)` of a plain class."""
    add, block = source.add, source.block
    with block("def json(self, depth):"):
        write_unusual_if(source, "depth < 0")
        add("fields = self.__dict__")
        if shape.refers_to:
            write_unusual_if(source, f"{READ!r} in fields")
        add("parts = []")
        for field in shape.by_number:
            _write_field(source, field)
        add("return '{' + ''.join(parts)[1:] + '}'")


def _write_field(source: Source, field: Field) -> None:
    add, block = source.add, source.block
    implicit = field.label is Label.IMPLICIT
    name = f',"{field.json_name}":'
    if field.label is Label.REPEATED:
        add(f"v = fields.get({field.name!r}, EMPTY)")
        write_unusual_if(source, "type(v) is not list")
        with block("if v:"):
            add(f"parts.append({name + '['!r} + ','.join({_items(source, field)}) + ']')")
        return
    add(f"v = self.{field.name}" if implicit else f"v = fields.get({field.name!r})")
    if implicit:
        _write_check(source, field.value)
        with block("if v:"):
            add(f"parts.append({name!r} + {_text(source, field.value)})")
    else:
        with block("if v is not None:"):
            _write_check(source, field.value)
            add(f"parts.append({name!r} + {_text(source, field.value)})")


def _write_check(source: Source, value: Value) -> None:
    if value.kind != "message":
        write_unusual_if(source, _is_other(value))


def _is_other(value: Value) -> str:
    """What is true of a `v` that is not exactly what a field of this type holds."""
    kind = value.inner_kind
    test = f"type(v) is not {_TYPES[kind]}"
    if kind in RANGES:
        low, high = RANGES[kind]
        test += f" or not {low} <= v <= {high}"
    return f"depth < 1 or {test}" if value.kind == "wrapper" else test  # a level of its own


def _text(source: Source, value: Value) -> str:
    """The expression for the JSON of `v`."""
    kind = value.inner_kind
    if kind == "message":
        cls = source.class_name(value.type)
        json = source.part_of(value.type, "json")
        of_bytes = f"json_of_bytes(v, {cls}, depth - 1)"
        return f"({json}(v, depth - 1) if type(v) is {cls} else {of_bytes})"
    if kind == "string":
        return "quote(v)"
    if kind == "bool":
        return "('true' if v else 'false')"
    return "f'\"{v}\"'" if kind in QUOTED else "str(v)"


def _items(source: Source, field: Field) -> str:
    """The expression for the JSON of each element of the list `v`."""
    if field.value.kind == "string":
        return "map(quote, v)"  # which takes nothing but strings
    text = _text(source, field.value)
    if field.value.kind == "message":
        return f"[{text} for v in v]"
    other = source.bind("other", _raise_unusual)
    return f"[{other}() if {_is_other(field.value)} else {text} for v in v]"


def _raise_unusual() -> str:
    raise Unusual
