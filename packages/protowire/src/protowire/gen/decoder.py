"""Writes the decoder of a message class as Python source.

A decoder reads `data[pos:end]` into `self`. It is one loop: read a tag, go to the branch of
that tag, store the value as a plain attribute. Short lengths and integers are read inline,
and a run of elements of one repeated field stays inside its branch. A message that ends
early is noticed at the loop's end or by an IndexError, so no read checks for it; an overrun
never gets further than the input. Every byte is read at most once, so work is linear in the
input whatever it holds.

`old` is the message's `__dict__` when it already holds something: a sub-message seen again
is merged, as the specification demands. Where a field's number is known but its wire type
is not the field's, and where the number is unknown, the field is kept as it came.

Sub-structures that are not messages of their own (map entries, wrappers, Timestamp, Duration)
are read by functions that return their parts as a tuple.
"""

from collections.abc import Callable

from protowire.betterproto_internals import SERIALIZED, UNKNOWN
from protowire.gen.decoder_pieces import Pieces, dispatch, write_parts_reader
from protowire.gen.source import Source
from protowire.shape import LEN, Field, Label, Shape, Value

__all__ = ["write_decoder"]


def write_decoder(source: Source, shape: Shape) -> None:
    """Write `decode(data, pos, end, self, depth, old=None)` of a class."""
    decoder = Pieces(source, in_dict=bool(shape.groups))
    add = source.add
    for field in shape.fields:
        if field.label is Label.MAP:
            slots = (Value(field.key), field.value)
            write_parts_reader(source, f"read_entry_{field.name}", slots)
    with source.block("def decode(data, pos, end, self, depth, old=None):"):
        _write_prologue(decoder, shape)
        with source.block("try:"):
            with source.block("while pos < end:"):
                _write_tag(source)
                dispatch(source, _branches(decoder, shape), lambda: _keep_unknown(source))
            with source.block("if pos != end:"):
                add("raise DecodeError(TRUNCATED)")
            _write_times(decoder, shape)
        with source.block("except DECODE_ERRORS as error:"):
            add("raise locate(error, TITLE, FIELDS.get(tag, ''), start) from None")
        for field in shape.fields:
            if field.many:
                with source.block(f"if {_local(field)} is None:"):
                    add(decoder.store(field.name)("[]" if field.label is Label.REPEATED else "{}"))


def _local(field: Field) -> str:
    return f"f_{field.name}"


def _place(field: Field) -> str:
    return f"at_{field.name}"


def _is_time(field: Field) -> bool:
    return field.value.kind in {"timestamp", "duration"} and not field.many


def _merged(shape: Shape) -> list[Field]:
    """Return the fields whose later occurrences build on the earlier ones."""
    return [field for field in shape.fields if field.many or field.value.kind == "message"] + [
        field
        for field in shape.fields
        if not field.many and (field.value.kind == "wrapper" or _is_time(field))
    ]


def _write_prologue(decoder: Pieces, shape: Shape) -> None:
    add, block = decoder.source.add, decoder.source.block
    merged = _merged(shape)
    groups = [f"which_{group}" for group in shape.groups]
    add(" = ".join([*map(_local, merged), *groups, "unknown", "None"]))
    add("tag = 0", " = ".join(["start", *map(_place, filter(_is_time, shape.fields)), "pos"]))
    if decoder.in_dict:
        add("fields = self.__dict__")
    with block("if pos == end:"):
        add(decoder.store(SERIALIZED)("True"))
    with block("if old is not None:"):
        add(f"unknown = old.get({UNKNOWN!r})")
        for group, members in shape.groups.items():
            add(f"which_{group} = next((name for name in {members} if name in old), None)")
        for field in merged:
            read = f"old.get({field.name!r})"
            if _is_time(field):
                read = f"{field.value.kind}_parts({read})"
            elif field.value.kind == "wrapper" and not field.many:
                read = f"wrapper_parts({read})"
            add(f"{_local(field)} = {read}")


def _write_tag(source: Source) -> None:
    source.add("start = pos", "tag = data[pos]", "pos += 1")
    with source.block("if tag > 127:"):
        source.add("tag, pos = read_tag(tag, data, pos)")


def _keep_unknown(source: Source) -> None:
    source.add(
        "pos = skip_field(data, pos, tag, depth)",
        "unknown = keep_unknown(self, unknown, data[start:pos])",
    )


def _write_times(decoder: Pieces, shape: Shape) -> None:
    for field in filter(_is_time, shape.fields):
        test = f"{_local(field)} is not None"
        if field.group:  # another member of the oneof may have come since
            test += f" and which_{field.group} == {field.name!r}"
        with decoder.source.block(f"if {test}:"):
            convert = f"{field.value.kind}_from_parts({_local(field)})"
            decoder.source.add(f"tag = {field.number << 3 | LEN}", f"start = {_place(field)}")
            decoder.source.add(decoder.store(field.name)(convert))


def _branches(decoder: Pieces, shape: Shape) -> dict[int, Callable[[], None]]:
    branches: dict[int, Callable[[], None]] = {}
    for field in shape.by_number:
        tag = field.number << 3
        branches[tag | field.value.wire_type if not field.key else tag | LEN] = _branch(
            decoder, field
        )
        if field.packable:
            branches[tag | LEN] = _packed_branch(decoder, field)
    return branches


def _branch(decoder: Pieces, field: Field) -> Callable[[], None]:
    if field.label is Label.MAP:
        return lambda: _write_entry(decoder, field)
    if field.label is Label.REPEATED:
        return lambda: _write_element(decoder, field)
    return lambda: _write_singular(decoder, field)


def _packed_branch(decoder: Pieces, field: Field) -> Callable[[], None]:
    def write() -> None:
        _make_container(decoder, field)
        decoder.packed(field, _local(field))

    return write


def _make_container(decoder: Pieces, field: Field) -> None:
    local = _local(field)
    with decoder.source.block(f"if {local} is None:"):
        empty = "[]" if field.label is Label.REPEATED else "{}"
        decoder.source.add(decoder.store(field.name)(f"{local} = {empty}"))


def _write_element(decoder: Pieces, field: Field) -> None:
    add, block = decoder.source.add, decoder.source.block
    value, items = field.value, _local(field)
    tag = field.number << 3 | value.wire_type
    _make_container(decoder, field)
    one_byte = tag < 128  # noqa: PLR2004 - then the next element is known by one look
    with block("while True:" if one_byte else "if True:"):
        if value.kind == "message":
            decoder.length()
            decoder.check_depth()
            new, decode = decoder.new_message(value)
            add(f"v = {new}", f"{decode}(data, pos, stop, v, depth - 1)")
            add(f"{items}.append(v)", "pos = stop")
        elif value.kind in {"timestamp", "duration", "wrapper"}:
            decoder.length()
            decoder.check_depth()
            convert = "" if value.kind == "wrapper" else f"{value.kind}_from_parts"
            suffix = "[0]" if value.kind == "wrapper" else ""
            add(f"{items}.append({convert}({decoder.parts(value, 'None')}){suffix})", "pos = stop")
        else:
            decoder.scalar(value, lambda read: f"{items}.append({read})")
        if one_byte:
            with block(f"if pos >= end or data[pos] != {tag}:"):
                add("break")
            add("start = pos", "pos += 1")


def _write_entry(decoder: Pieces, field: Field) -> None:
    add, block = decoder.source.add, decoder.source.block
    _make_container(decoder, field)
    decoder.length()
    decoder.check_depth()
    add(f"key, v, whole = read_entry_{field.name}(data, pos, stop, depth - 1)", "pos = stop")
    with block("if whole:"):
        add(f"{_local(field)}[key] = v")
    with block("else:"):
        add("unknown = keep_unknown(self, unknown, data[start:pos])")


def _write_singular(decoder: Pieces, field: Field) -> None:
    add, block = decoder.source.add, decoder.source.block
    value, local = field.value, _local(field)
    if field.group:
        which = f"which_{field.group}"
        with block(f"if {which} != {field.name!r}:"):
            with block(f"if {which} is not None:"):
                add(f"fields.pop({which}, None)")
            add(f"{which} = {field.name!r}")
            if value.wire_type == LEN and value.kind not in {"string", "bytes"}:
                add(f"{local} = None")
    store = decoder.store(field.name)
    if value.kind in {"message", "timestamp", "duration", "wrapper"}:
        decoder.length()
        decoder.check_depth()
    if value.kind == "message":
        new, decode = decoder.new_message(value)
        with block(f"if {local} is None:"):
            add(store(f"{local} = {new}"))
            add(f"{decode}(data, pos, stop, {local}, depth - 1)")
        with block("else:"):
            add(f"{decode}(data, pos, stop, {local}, depth - 1, {local}.__dict__)")
        add("pos = stop")
    elif value.kind == "wrapper":
        add(f"{local} = {decoder.parts(value, local)}", store(f"{local}[0]"), "pos = stop")
    elif _is_time(field):
        add(f"{local} = {decoder.parts(value, local)}", "pos = stop", f"{_place(field)} = start")
    else:
        decoder.scalar(value, store)
