"""Writes, as Python source, the quick writer of a message's JSON from its bytes alone.

For messages known only by their bytes (`lazy`), which need not become objects for it. The
code goes through the fields in the order of their numbers, once, as encoders write them.
At anything else (another order, a repetition, an unknown field, a large number) it raises
TakeFullWay, and the message is looked into after all: proven equal by
`test_quick_json_transcoder.py::test_json_from_bytes_equals_json_of_the_message`.
"""

from typing import Final

from protowire.gen.decoder_pieces import Pieces
from protowire.gen.json_fallback import write_fallback_if
from protowire.gen.quick_json_writer import has_quick_writer
from protowire.gen.source import Source
from protowire.json.values import QUOTED
from protowire.shape import LEN, Field, Label, Shape

__all__ = ["has_quick_transcoder", "write_quick_transcoder"]

_NUMBERS: Final = frozenset({"int32", "int64", "uint32", "uint64"})
_ONE_BYTE: Final = 128
"""Tags, lengths and numbers below it take one byte."""
_LEAST_OF_32_BITS: Final = 2**31
"""Numbers from it on may be negative, or more than a field of 32 bits holds."""


def has_quick_transcoder(shape: Shape) -> bool:
    """True if a plain class can have such code, as far as its own fields go."""
    return has_quick_writer(shape) and all(map(_is_fit, shape.fields))


def _is_fit(field: Field) -> bool:
    kind = field.value.kind
    if field.group or field.label is Label.MAP or _tag(field) >= _ONE_BYTE:
        return False
    return kind in {"string", "message"} or (kind in _NUMBERS and not field.many)


def _tag(field: Field) -> int:
    return field.number << 3 | field.value.wire_type


def write_quick_transcoder(source: Source, shape: Shape) -> None:
    """Write `transcode(data, pos, end, depth)` of a class."""
    add, block = source.add, source.block
    with block("def transcode(data, pos, end, depth):"):
        write_fallback_if(source, "depth < 0")
        add("parts = []")
        for field in shape.by_number:
            name = f',"{field.json_name}":'
            if field.many:
                _write_list(source, field, name)
            else:
                with block(f"if pos < end and data[pos] == {_tag(field)}:"):
                    _write_one(source, field, name)
        write_fallback_if(source, "pos != end")
        add("return '{' + ''.join(parts)[1:] + '}'")


def _write_list(source: Source, field: Field, name: str) -> None:
    add, block = source.add, source.block
    there = f"pos < end and data[pos] == {_tag(field)}"
    with block(f"if {there}:"):
        add("items = []")
        with block(f"while {there}:"):
            _write_value(source, field)
            add(f"items.append({_text(source, field)})", "pos = stop")
        add(f"parts.append({name + '['!r} + ','.join(items) + ']')")


def _write_one(source: Source, field: Field, name: str) -> None:
    add = source.add
    _write_value(source, field)
    text = f"parts.append({name!r} + {_text(source, field)})"
    if field.label is Label.IMPLICIT:
        with source.block("if v:"):
            add(text)
    else:
        add(text)
    if field.value.wire_type == LEN:
        add("pos = stop")


def _write_value(source: Source, field: Field) -> None:
    """Read the value at `pos`: a number as `v`, else what lies between `pos` and `stop`."""
    add, block = source.add, source.block
    if field.value.wire_type != LEN:
        add("v = data[pos + 1]", "pos += 2")
        with block(f"if v >= {_ONE_BYTE}:"):
            add("v, pos = read_varint(v, data, pos)")
            write_fallback_if(source, f"v >= {_LEAST_OF_32_BITS}")
        return
    add("pos += 1")
    Pieces(source, in_dict=False).length()
    if field.value.kind == "string":
        add("v = data[pos:stop].decode()")


def _text(source: Source, field: Field) -> str:
    kind = field.value.kind
    if kind == "message":
        transcode = source.part_of(field.value.type, "transcode")
        return f"{transcode}(data, pos, stop, depth - 1)"
    if kind == "string":
        return "quote(v)"
    return "f'\"{v}\"'" if kind in QUOTED else "str(v)"
