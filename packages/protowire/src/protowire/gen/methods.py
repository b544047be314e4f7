"""The methods of compiled classes that are written by hand, and the source of `__init__`.

They behave as betterproto's do, on the instance layout that `betterproto_internals` tells.
Each begins by taking `self.__dict__`, which is what decodes a message known only by its
bytes (`lazy`). They differ from betterproto's in this, on purpose: copies keep unknown
fields and presence, `is_set` and `repr` pass over what was merely read, and what is empty
and repeated counts as not set.
"""

# The methods are of classes that are made at run time.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import betterproto

from protowire.betterproto_internals import (
    READ,
    UNKNOWN,
    UNSET,
    field_default,
    has_post_init,
    new,
    only_read,
    run_post_init,
)
from protowire.errors import DecodeError
from protowire.gen.source import Source
from protowire.shape import Field, Label, Shape
from protowire.wire import MAX_LENGTH, varint

__all__ = ["make_methods", "write_init"]


def write_init(source: Source, shape: Shape) -> None:
    """Write `__init__`, which takes the fields by name or position.

    Its own names begin with two underscores, which no field's does.
    """
    add, block = source.add, source.block
    source.bind("__UNSET", UNSET)
    parameters = "".join(
        f", {field.name}={'None' if field.label is Label.OPTIONAL else '__UNSET'}"
        for field in shape.fields
    )
    with block(f"def __init__(__self{parameters}):"):
        if shape.groups:
            add("__fields = __self.__dict__")
        for field in shape.fields:
            _write_argument(source, shape, field)
        if has_post_init(shape.cls):
            add(f"{source.bind('__run_post_init', run_post_init)}(__self)")
        elif not shape.fields:
            add("pass")


def _write_argument(source: Source, shape: Shape, field: Field) -> None:
    add, block, name = source.add, source.block, field.name
    target = f"__fields[{name!r}]" if shape.groups else f"__self.{name}"
    if field.many:
        empty = "[]" if field.label is Label.REPEATED else "{}"
        add(f"{target} = {empty} if {name} is __UNSET or {name} is None else {name}")
        return
    test = f"{name} is not __UNSET"
    if field.label is not Label.IMPLICIT:
        test += f" and {name} is not None"
    with block(f"if {test}:"):
        for rival in shape.groups.get(field.group, ()):
            if rival == name:
                break
            add(f"__fields.pop({rival!r}, None)")
        add(f"{target} = {name}")


def _own_fields(message: Any) -> dict[str, Any]:
    """Return a copy of the instance's attributes, without those that were merely read."""
    fields: dict[str, Any] = message.__dict__.copy()
    if READ not in fields:
        return fields
    return {
        name: value
        for name, value in fields.items()
        if name != READ and not only_read(fields, name, value)
    }


def _differs(value: Any, default: Any, field: Field) -> bool:
    if field.many or (field.value.kind == "message" and field.label is not Label.OPTIONAL):
        return bool(value)
    return bool(value != default)


def _equal(ours: Any, theirs: Any, field: Field) -> bool:
    if ours is theirs:
        return True
    if field.many:  # an absent list equals an empty one
        return (not ours and not theirs) or bool(ours == theirs)
    if field.value.kind == "message":
        if ours is None or theirs is None:  # an absent sub-message equals an empty one
            return not ours and not theirs and (ours is theirs or field.label is not Label.OPTIONAL)
        return bool(ours == theirs)
    if ours == theirs:
        return True
    # As in betterproto, a message that holds NaN equals itself.
    both = isinstance(ours, float) and isinstance(theirs, float)
    return both and math.isnan(ours) and math.isnan(theirs)


def make_methods(
    shape: Shape,
    encode: Callable[[Any], bytes],
    decode: Callable[[Any, bytes], Any],
    merge: Callable[[Any, bytes], Any],
) -> dict[str, Any]:
    """Make the methods of a class around its encoder and decoder."""
    return {
        **_bytes_methods(shape, encode, decode, merge),
        **_stream_methods(encode, merge),
        **_value_methods(shape),
        **_display_methods(shape),
        **_copy_methods(),
    }


def _bytes_methods(
    shape: Shape,
    encode: Callable[[Any], bytes],
    decode: Callable[[Any, bytes], Any],
    merge: Callable[[Any, bytes], Any],
) -> dict[str, Any]:
    def __bytes__(self: Any) -> bytes:
        """Return the binary encoding."""
        return encode(self)

    def __len__(self: Any) -> int:
        """Return the size of the binary encoding."""
        return len(encode(self))

    def __reduce__(self: Any) -> tuple[Any, ...]:
        cls: Any = shape.cls if getattr(type(self), "_protowire_lazy", False) else type(self)
        return (cls.FromString, (encode(self),))

    def parse(self: Any, data: bytes) -> Any:
        """Merge the binary encoding of another message into this one, and return this one."""
        return merge(self, data)

    def from_string(cls: Any, data: bytes) -> Any:
        """Make a message from its binary encoding."""
        return decode(cls, data)

    from_string.__name__ = "FromString"
    return {
        "__bytes__": __bytes__,
        "SerializeToString": __bytes__,
        "__len__": __len__,
        "__reduce__": __reduce__,
        "parse": parse,
        "FromString": classmethod(from_string),
    }


def _stream_methods(
    encode: Callable[[Any], bytes], merge: Callable[[Any, bytes], Any]
) -> dict[str, Any]:
    def dump(self: Any, stream: Any, delimit: Any = False) -> None:
        """Write the binary encoding to a stream, after its length with `SIZE_DELIMITED`."""
        data = encode(self)
        if delimit == betterproto.SIZE_DELIMITED:
            stream.write(varint(len(data)))
        stream.write(data)

    def load(self: Any, stream: Any, size: int | None = None) -> Any:
        """Merge from a stream: all of it, `size` bytes, or as many as its first varint says."""
        if size is None:
            return merge(self, stream.read())
        if size == betterproto.SIZE_DELIMITED:
            size, _ = betterproto.load_varint(stream)
        if size > MAX_LENGTH:
            raise DecodeError("length is too large")
        data = stream.read(size)
        if len(data) != size:
            raise DecodeError("truncated", offset=len(data))
        return merge(self, data)

    return {"dump": dump, "load": load}


def _value_methods(shape: Shape) -> dict[str, Any]:
    plan = [
        (field, field.name, None if field.many else field_default(field)) for field in shape.fields
    ]

    def __eq__(self: Any, other: object) -> Any:
        ours, theirs = self.__dict__, getattr(other, "__dict__", None)
        if type(self) is not type(other) or theirs is None:
            return NotImplemented
        return all(
            _equal(ours.get(name, default), theirs.get(name, default), field)
            for field, name, default in plan
        )

    def __bool__(self: Any) -> bool:
        """True if any field differs from its default."""
        fields = self.__dict__
        return any(
            _differs(fields[name], default, field)
            for field, name, default in plan
            if fields.get(name) is not None
        )

    return {"__eq__": __eq__, "__bool__": __bool__}


def _display_methods(shape: Shape) -> dict[str, Any]:
    by_name = {field.name: field for field in shape.fields}

    def __repr__(self: Any) -> str:
        fields = _own_fields(self)
        parts = [
            f"{field.name}={fields.get(field.name)!r}"
            for field in shape.by_number
            if (fields.get(field.name) if field.many else field.name in fields)
            or (field.label is Label.OPTIONAL and field.value.kind != "wrapper")
        ]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __rich_repr__(self: Any) -> Iterable[tuple[str, Any, Any]]:
        fields = _own_fields(self)
        for field in shape.by_number:
            yield field.name, fields.get(field.name, UNSET), UNSET

    def is_set(self: Any, name: str) -> bool:
        """True if a field was set; KeyError for one that does not exist."""
        field = by_name[name]
        value = _own_fields(self).get(name)
        return bool(value) if field.many else value is not None

    return {
        "__repr__": __repr__,
        "__rich_repr__": __rich_repr__,
        "is_set": is_set,
    }


def _copy_methods() -> dict[str, Any]:
    def __copy__(self: Any, _: Any = None) -> Any:
        fields = _own_fields(self)
        copied = new(type(self))
        copied.__dict__.update(fields)
        if UNKNOWN in fields:
            copied.__dict__[UNKNOWN] = list(fields[UNKNOWN])
        return copied

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        fields = _own_fields(self)
        copied = new(type(self))
        memo[id(self)] = copied
        own = copied.__dict__
        for name, value in fields.items():
            own[name] = deepcopy(value, memo)
        return copied

    return {"__copy__": __copy__, "__deepcopy__": __deepcopy__}
