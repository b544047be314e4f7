"""Pieces of decoders, and the readers of what is not a message of its own.

A piece reads one value where `pos` stands and hands it to a statement that stores it. Map
entries, wrappers, Timestamp and Duration are read by functions made of the same pieces, which
return their parts as a tuple; `decoder` makes whole messages.
"""

from collections.abc import Callable, Iterable
from typing import Final

from protowire.betterproto_internals import enum_member, enum_members
from protowire.gen.source import Source
from protowire.shape import FIXED, VARINTS, Field, Value

__all__ = ["Pieces", "dispatch", "write_parts_reader"]

CHAIN: Final = 6
"""As many tags as are compared one after the other; more are searched by halves."""

_FROM_VARINT: Final = {
    "int32": ("((v & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000", "v"),
    "int64": ("(v ^ 0x8000000000000000) - 0x8000000000000000", "v"),
    "uint32": ("v & 0xFFFFFFFF", "v"),
    "uint64": ("v", "v"),
    "sint32": ("(v & 0xFFFFFFFF) >> 1 ^ -(v & 1)", "v >> 1 ^ -(v & 1)"),
    "sint64": ("v >> 1 ^ -(v & 1)", "v >> 1 ^ -(v & 1)"),
    "bool": ("v != 0", "v != 0"),
}
"""The expressions that turn an unsigned varint `v` into a value.

The first is for values that may have more than one byte, the second for those that have one.
"""


class Pieces:
    """Writes the pieces that every kind of decoder is made of."""

    def __init__(self, source: Source, *, in_dict: bool) -> None:
        self.source = source
        self.in_dict = in_dict

    def store(self, name: str) -> Callable[[str], str]:
        """Return what makes the statement that stores a field's value."""
        if self.in_dict:
            return lambda value: f"fields[{name!r}] = {value}"
        return lambda value: f"self.{name} = {value}"

    def check_depth(self) -> None:
        """Refuse another level below the last."""
        with self.source.block("if not depth:"):
            self.source.add("raise DecodeError(TOO_DEEP)")

    def length(self) -> None:
        """Read a length; `stop` is where it ends."""
        self.source.add("stop = data[pos]", "pos += 1")
        with self.source.block("if stop > 127:"):
            self.source.add("stop, pos = read_length(stop, data, pos)")
        self.source.add("stop += pos")

    def member(self, value: Value, expression: str) -> str:
        """Turn a number into a member of an enum, known or not."""
        enum = self.source.class_name(value.type)
        self.source.bind(f"{enum}_members", enum_members(value.type))
        self.source.bind(f"{enum}_member", enum_member(value.type))
        return f"{enum}_members.get({expression}) or {enum}_member({expression})"

    def scalar(self, value: Value, store: Callable[[str], str]) -> None:
        """Read one scalar or enum."""
        add = self.source.add
        if value.kind in VARINTS:
            long, short = _FROM_VARINT["int32" if value.kind == "enum" else value.kind]
            add("v = data[pos]", "pos += 1")
            with self.source.block("if v > 127:"):
                add("byte = data[pos]")
                with self.source.block("if byte < 128:"):
                    add("pos += 1", "v += (byte << 7) - 128")
                with self.source.block("else:"):
                    add("v, pos = read_varint(v, data, pos)")
                    if long != short:
                        add(f"v = {long if short == 'v' else 'v & 0xFFFFFFFF'}")
            add(store(self.member(value, "v") if value.kind == "enum" else short))
        elif value.kind in FIXED:
            add(f"{store(f'read_{value.kind}(data, pos)[0]')}")
            add(f"pos += {8 if value.wire_type == 1 else 4}")
        else:
            self.length()
            add(store("data[pos:stop].decode()" if value.kind == "string" else "data[pos:stop]"))
            add("pos = stop")

    def packed(self, field: Field, items: str) -> None:
        """Read a packed run of scalars or enums."""
        value = field.value
        self.length()
        if value.kind in FIXED:
            width = 8 if value.wire_type == 1 else 4
            run = f"packed_fixed(data, pos, stop, {FIXED[value.kind]!r}, {width})"
        else:
            run = "packed_varints(data, pos, stop)"
            if value.kind == "enum":
                long = self.member(value, "v")
                run = f"[{long} for v in [{_FROM_VARINT['int32'][0]} for v in {run}]]"
            elif (long := _FROM_VARINT[value.kind][0]) != "v":
                run = f"[{long} for v in {run}]"
        self.source.add(f"{items}.extend({run})", "pos = stop")

    def parts(self, value: Value, old: str) -> str:
        """Read a wrapper, Timestamp or Duration as the tuple of its parts."""
        reader = f"read_{value.wraps or 'time'}_parts"
        return f"{reader}(data, pos, stop, depth - 1, {old})"

    def new_message(self, value: Value) -> tuple[str, str]:
        """Return the expressions of a new sub-message and of its decoder."""
        cls = self.source.class_name(value.type)
        return f"new({cls})", self.source.part_of(value.type, "decode")


def dispatch(
    source: Source, branches: dict[int, Callable[[], None]], otherwise: Callable[[], None]
) -> None:
    """Write the way from `tag` to its branch: a chain of comparisons, or halves of one."""
    tags = sorted(branches)
    if len(tags) > CHAIN:
        middle = len(tags) // 2
        halves: Iterable[list[int]] = (tags[:middle], tags[middle:])
        heads = (f"if tag < {tags[middle]}:", "else:")
        for head, half in zip(heads, halves, strict=True):
            with source.block(head):
                dispatch(source, {tag: branches[tag] for tag in half}, otherwise)
        return
    for index, tag in enumerate(tags):
        with source.block(f"{'elif' if index else 'if'} tag == {tag}:"):
            branches[tag]()
    if tags:
        with source.block("else:"):
            otherwise()
    else:
        otherwise()


def write_parts_reader(source: Source, name: str, slots: tuple[Value, ...]) -> None:
    """Write a function that reads fields 1, 2, ... and returns their values.

    A map entry's reader returns one more: whether every field was known. An entry with others
    is kept as unknown, whole, as upb does it.
    """
    decoder = Pieces(source, in_dict=False)
    add, block = source.add, source.block
    entry = name.startswith("read_entry_")
    locals_ = [f"part{number}" for number in range(1, len(slots) + 1)]
    with block(f"def {name}(data, pos, end, depth{'' if entry else ', old=None'}):"):
        if entry:
            add("whole = True")
            for local, slot in zip(locals_, slots, strict=True):
                add(f"{local} = {_zero(source, slot)}")
        else:
            zeros = ", ".join(repr(slot.zero) for slot in slots)
            add(f"{', '.join(locals_)}, = old or ({zeros},)")
        with block("while pos < end:"):
            add("tag = data[pos]", "pos += 1")
            with block("if tag > 127:"):
                add("tag, pos = read_tag(tag, data, pos)")
            branches = {
                number << 3 | slot.wire_type: _part(decoder, slot, f"part{number}")
                for number, slot in enumerate(slots, 1)
            }

            def skip() -> None:
                add("pos = skip_field(data, pos, tag, depth)")
                if entry:
                    add("whole = False")

            dispatch(source, branches, skip)
        with block("if pos != end:"):
            add("raise DecodeError(TRUNCATED)")
        if entry and slots[1].kind in {"timestamp", "duration"}:
            add(f"part2 = {slots[1].kind}_from_parts(part2)")
        elif entry and slots[1].kind == "message":
            with block("if part2 is None:"):
                new, decode = decoder.new_message(slots[1])
                add(f"part2 = {new}", f"{decode}(data, pos, pos, part2, depth)")
        add(f"return {', '.join(locals_)}, {'whole' if entry else ''}")


def _zero(source: Source, slot: Value) -> str:
    if slot.kind in {"message", "timestamp", "duration"}:
        return "None" if slot.kind == "message" else "(0, 0)"
    if slot.kind == "enum":
        return f"{source.class_name(slot.type)}_member(0)"
    return repr(slot.zero)


def _part(decoder: Pieces, slot: Value, local: str) -> Callable[[], None]:
    def write() -> None:
        if slot.kind in {"timestamp", "duration"}:
            decoder.length()
            decoder.check_depth()
            decoder.source.add(f"{local} = {decoder.parts(slot, local)}", "pos = stop")
        elif slot.kind == "message":
            decoder.length()
            decoder.check_depth()
            new, decode = decoder.new_message(slot)
            with decoder.source.block(f"if {local} is None:"):
                decoder.source.add(f"{local} = {new}")
                decoder.source.add(f"{decode}(data, pos, stop, {local}, depth - 1)")
            with decoder.source.block("else:"):
                again = f"{local}, depth - 1, {local}.__dict__"
                decoder.source.add(f"{decode}(data, pos, stop, {again})")
            decoder.source.add("pos = stop")
        else:
            decoder.scalar(slot, lambda read: f"{local} = {read}")

    return write
