"""Writes, as Python source, the quick writer of a plain message's JSON.

A message is plain whose fields are integers, strings, bools, wrappers of these and other
plain messages, singly or in lists. `json` gives its text piece by piece, in the order of
the numbers, as the full way (`json/writer`) does by way of dicts: proven equal by
`test_quick_json_writer.py::test_quick_json_equals_the_full_way`.

Nothing is judged here. At the first value that is not exactly of its field's type the code
raises TakeFullWay, and `json/writer` begins again, which names what is wrong.
"""

from typing import Final

from protowire.betterproto_internals import READ
from protowire.gen.json_fallback import write_fallback_if
from protowire.gen.source import Source
from protowire.json.fallback import take_full_way
from protowire.json.values import QUOTED
from protowire.shape import RANGES, Field, Label, Shape, Value
from protowire.wellknown import well_known_name

__all__ = ["has_quick_writer", "write_quick_writer"]

_TYPES: Final = {"string": "str", "bool": "bool"} | dict.fromkeys(RANGES, "int")
_PLAIN: Final = frozenset(_TYPES) - {"enum"}


def has_quick_writer(shape: Shape) -> bool:
    """True if a class is plain, as far as its own fields go."""
    return not well_known_name(shape.cls) and all(
        field.label is not Label.MAP and (field.value.inner_kind in _PLAIN or _is_message(field))
        for field in shape.fields
    )


def _is_message(field: Field) -> bool:
    return field.value.kind == "message"


def write_quick_writer(source: Source, shape: Shape) -> None:
    """Write `json(self, depth)` of a plain class."""
    add, block = source.add, source.block
    with block("def json(self, depth):"):
        write_fallback_if(source, "depth < 0")
        add("fields = self.__dict__")
        if shape.refers_to:
            write_fallback_if(source, f"{READ!r} in fields")
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
        write_fallback_if(source, "type(v) is not list")
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
        write_fallback_if(source, _is_other(value))


def _is_other(value: Value) -> str:
    """The condition that holds for a `v` that is not exactly of this type."""
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
    other = source.bind("other", take_full_way)
    return f"[{other}() if {_is_other(field.value)} else {text} for v in v]"
