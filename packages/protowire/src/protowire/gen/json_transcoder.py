"""Writes, as Python source, what gives the JSON of a message from its bytes alone.

For messages known only by their bytes (`lazy`), which need not become objects for it. The
code goes through the fields in the order of their numbers, once, as encoders write them.
At anything else (another order, a repetition, an unknown field, a large number) it raises
Unusual, and the message is looked into after all: proven equal by
`test_json_transcoder.py::test_json_from_bytes_equals_json_of_the_message`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protowire.gen.decoder_pieces import Pieces
from protowire.gen.json_encoder import QUOTED, is_plain
from protowire.json.fallback import write_unusual_if
from protowire.shape import LEN, Field, Label, Shape

if TYPE_CHECKING:
    from protowire.gen.source import Source

__all__ = ["is_transcodable", "write_json_transcoder"]

_NUMBERS = frozenset({"int32", "int64", "uint32", "uint64"})
_ONE_OCTET = 128
"""Tags, lengths and numbers below it take one octet."""
_LEAST_OF_32_BITS = 2**31


def is_transcodable(shape: Shape) -> bool:
    """Whether a plain class can have such code, as far as its own fields go."""
    return is_plain(shape) and all(map(_is_fit, shape.fields))


def _is_fit(field: Field) -> bool:
    kind = field.value.kind
    if field.group or field.label is Label.MAP or _tag(field) >= _ONE_OCTET:
        return False
    return kind in {"string", "message"} or (kind in _NUMBERS and not field.many)


def _tag(field: Field) -> int:
    return field.number << 3 | field.value.wire_type


def write_json_transcoder(source: Source, shape: Shape) -> None:
    """Write `transcode(data, pos, end, depth)` of a class."""
    add, block = source.add, source.block
    with block("def transcode(data, pos, end, depth):"):
        write_unusual_if(source, "depth < 0")
        add("parts = []")
        for field in shape.by_number:
            name = f',"{field.json_name}":'
            if field.many:
                _write_list(source, field, name)
            else:
                with block(f"if pos < end and data[pos] == {_tag(field)}:"):
                    _write_one(source, field, name)
        write_unusual_if(source, "pos != end")
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
        with block(f"if v >= {_ONE_OCTET}:"):
            add("v, pos = read_varint(v, data, pos)")
            write_unusual_if(source, f"v >= {_LEAST_OF_32_BITS}")
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
