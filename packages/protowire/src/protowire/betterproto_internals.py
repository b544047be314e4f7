"""All that protowire knows of betterproto's inside; no other module may know any.

betterproto 2.0.0b7 keeps a message's fields in the instance's `__dict__`, a PLACEHOLDER
standing for what was never set, beside `_serialized_on_wire`, `_unknown_fields` and
`_group_current`; its `__getattribute__` and `__setattr__` look at all of these on every
access. Compiled classes keep only what was set, and Python's own attribute access:

- an absent scalar is read from the class, whose attribute of that name is the default;
- an absent sub-message, list or dict is made by a descriptor and then is the instance's own.
  A sub-message made by reading is remembered in `_read_defaults` and is not present until
  something in it is set;
- a oneof has at most one member among the instance's attributes; reading another raises
  AttributeError, and setting one removes the others;
- the three underscore attributes are computed from that when betterproto asks for them;
  unknown fields are a list, `_unknown_parts`, so that keeping one never copies the others.

Reading thus may change an instance's attributes, and threads may read at once: whoever walks
them walks a copy, and the descriptors let one reader make what all get.

So betterproto's own to_dict, from_dict, which_one_of, serialized_on_wire work unchanged. The
pin is checked at import: on another version nothing here may be trusted.
"""

# Messages are of classes that are made at run time, and betterproto is typed in part.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from threading import RLock
from typing import Any, Final

import betterproto
from betterproto import casing
from betterproto._version import __version__

from protowire.errors import CompileError
from protowire.shape import Field, Label, Shape, Value
from protowire.wellknown import DURATION_ZERO, TIMESTAMP_ZERO

__all__ = [
    "METHODS",
    "PINNED",
    "READ",
    "SERIALIZED",
    "UNKNOWN",
    "UNSET",
    "class_attributes",
    "enum_member",
    "enum_member_name",
    "enum_members",
    "enum_names",
    "field_default",
    "has_post_init",
    "install",
    "instance_dict",
    "is_message_class",
    "new",
    "only_read",
    "read_shape",
    "run_post_init",
]

PINNED: Final = "2.0.0b7"
"""The one version of betterproto whose inside this is."""
if __version__ != PINNED:
    raise ImportError(
        f"protowire relies on the inside of betterproto {PINNED}, "
        f"and this is betterproto {__version__}"
    )

Message = betterproto.Message
UNSET: Final = betterproto.PLACEHOLDER
"""The value of a field that was never set."""
SERIALIZED: Final = "_serialized_on_wire"
"""The attribute that is true of a message in which anything was set."""
UNKNOWN: Final = "_unknown_parts"
"""The attribute that lists a message's unknown fields, as bytes."""
READ: Final = "_read_defaults"
"""The attribute that remembers sub-messages made by reading them."""
_OWN: Final = frozenset({SERIALIZED, UNKNOWN, READ})
_reading: Final = RLock()

new: Final[Callable[[Any], Any]] = object.__new__
instance_dict: Callable[[Any], dict[str, Any]] = Message.__dict__["__dict__"].__get__

_SCALARS: Final = frozenset(
    {
        *betterproto.WIRE_VARINT_TYPES,
        *betterproto.FIXED_TYPES,
        betterproto.TYPE_STRING,
        betterproto.TYPE_BYTES,
    }
) - {betterproto.TYPE_ENUM}


# Reading classes.


def is_message_class(cls: object) -> bool:
    """True if this is one of betterproto's message classes."""
    return isinstance(cls, type) and issubclass(cls, Message) and cls is not Message


def enum_members(enum: Any) -> dict[int, Any]:
    """Return the members of an enum by their numbers."""
    members: dict[int, Any] = enum._value_map_
    return members


def enum_names(enum: Any) -> dict[str, Any]:
    """Return the members of an enum by their names."""
    members: dict[str, Any] = enum._member_map_
    return members


@cache
def _prefix(enum: Any) -> str:
    return casing.snake_case(enum.__name__).upper()


def enum_member_name(enum: Any, name: str) -> str:
    """Return the Python name of a proto's enum member: without the enum's name, never a keyword."""
    _, found, rest = name.partition(_prefix(enum))
    return casing.sanitize_name(rest.strip("_") if found else name)


def enum_member(enum: Any) -> Callable[[int], Any]:
    """Return the function that makes a member of any number, known or not."""
    make: Callable[[int], Any] = enum.try_value
    return make


def read_shape(cls: Any) -> Shape:
    """Read a class; CompileError names every field, or the class, that can't be compiled."""
    name = cls.__name__
    if "__dataclass_fields__" not in vars(cls) or hasattr(cls, "__pydantic_fields__"):
        raise CompileError({name: "is not a dataclass of its own"})
    own = sorted((set(vars(cls)) & _REPLACED) - set(cls.__dataclass_fields__))
    if own:
        raise CompileError({name: f"defines its own {', '.join(own)}"})
    try:
        # Not `cls._betterproto`: of a subclass that gives the base's, once that is made.
        meta = betterproto.ProtoClassMetadata(cls)
    except (NameError, TypeError, AttributeError) as error:
        raise CompileError({name: f"its type hints can't be resolved: {error}"}) from error
    fields: list[Field] = []
    reasons: dict[str, str] = {}
    for field in dataclasses.fields(cls):
        try:
            fields.append(_read_field(field.name, meta))
        except TypeError as error:
            reasons[f"{name}.{field.name}"] = str(error)
    if reasons:
        raise CompileError(reasons)
    return Shape(cls, name, tuple(fields))


def _read_field(name: str, meta: Any) -> Field:
    info = meta.meta_by_field_name[name]
    if hasattr(Message, name) or name.startswith("__"):
        raise TypeError("has the name of something that every message has")
    if info.proto_type == betterproto.TYPE_MAP:
        key, kind = info.map_types
        value = _value(kind, meta.cls_by_field[f"{name}.value"], "")
        return Field(name, info.number, value, Label.MAP, key=key)
    value = _value(info.proto_type, meta.cls_by_field[name], info.wraps or "")
    if meta.default_gen[name] is list:
        label = Label.REPEATED
    elif info.optional:
        label = Label.OPTIONAL
    elif info.group:
        return Field(name, info.number, value, Label.ONEOF, group=info.group)
    elif value.kind == "wrapper":
        label = Label.OPTIONAL
    else:
        label = Label.PRESENT if value.kind == "message" else Label.IMPLICIT
    return Field(name, info.number, value, label)


def _value(kind: str, cls: Any, wraps: str) -> Value:
    if kind == betterproto.TYPE_ENUM and issubclass(cls, betterproto.Enum):
        return Value("enum", cls)
    if kind in _SCALARS:
        return Value(kind)
    if wraps in _SCALARS:
        return Value("wrapper", wraps=wraps)
    if cls is datetime:
        return Value("timestamp")
    if cls is timedelta:
        return Value("duration")
    if is_message_class(cls):
        return Value("message", cls)
    raise TypeError(f"betterproto does not tell what is in {cls}")


# What takes the place of betterproto's own attributes.


class _SerializedOnWire:
    """True if anything was set. A plain attribute of the instance overrules it."""

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return self
        fields = message.__dict__
        read = fields.get(READ, ())
        for name, value in fields.copy().items():
            if name in _OWN:
                continue
            if name in read and read[name] is value:
                if value._serialized_on_wire:
                    return True
            elif value.__class__ not in {list, dict} or value:
                return True
        return bool(fields.get(UNKNOWN))


class _UnknownFields:
    """The unknown fields as one string of bytes."""

    def __get__(self, message: Any, owner: Any) -> Any:
        return self if message is None else b"".join(message._unknown_parts)

    def __set__(self, message: Any, value: bytes) -> None:
        message.__dict__[UNKNOWN] = [value] if value else []


class _GroupCurrent:
    """The name of each oneof's member that is set, or None."""

    def __init__(self, groups: dict[str, tuple[str, ...]]) -> None:
        self.groups = groups

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return self
        fields = message.__dict__
        return {
            group: next((name for name in members if name in fields), None)
            for group, members in self.groups.items()
        }

    def __set__(self, message: Any, value: object) -> None:
        """Ignore betterproto's own bookkeeping."""


class _ReadMessage:
    """An absent sub-message: reading it makes one that is not present yet."""

    def __init__(self, name: str, cls: type) -> None:
        self.name, self.cls = name, cls

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return UNSET
        fields = message.__dict__
        with _reading:
            if self.name not in fields:
                made: Any = new(self.cls)
                fields.setdefault(READ, {})[self.name] = made
                fields[self.name] = made
            return fields[self.name]


class _ReadContainer:
    """An absent list or dict."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name, self.make = name, make

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return UNSET
        return message.__dict__.setdefault(self.name, self.make())


class _ReadMember:
    """An absent member of a oneof."""

    def __init__(self, name: str, group: str) -> None:
        self.name, self.group = name, group

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return UNSET
        current = message._group_current[self.group]
        raise AttributeError(
            f"{self.group!r} is set to {current!r}, not {self.name!r}", name=self.name, obj=message
        )


def field_default(field: Field) -> Any:
    """Return the value that equals an absent field's; None for a sub-message."""
    if field.label is Label.OPTIONAL or field.value.kind in {"message", "wrapper"}:
        return None
    if field.value.kind == "timestamp":
        return TIMESTAMP_ZERO
    if field.value.kind == "duration":
        return DURATION_ZERO
    return enum_member(field.value.type)(0) if field.value.kind == "enum" else field.value.zero


def only_read(fields: dict[str, Any], name: str, value: Any) -> bool:
    """True if a sub-message is there only because it was read."""
    read = fields.get(READ, ())
    return name in read and read[name] is value and not value._serialized_on_wire


def class_attributes(shape: Shape) -> dict[str, Any]:
    """Return what stands on the class for what an instance may lack."""
    attributes: dict[str, Any] = {
        SERIALIZED: _SerializedOnWire(),
        "_unknown_fields": _UnknownFields(),
        UNKNOWN: (),
        "_group_current": _GroupCurrent(shape.groups),
    }
    for field in shape.fields:
        if field.many:
            make: Callable[[], Any] = list if field.label is Label.REPEATED else dict
            attributes[field.name] = _ReadContainer(field.name, make)
        elif field.label is Label.ONEOF:
            attributes[field.name] = _ReadMember(field.name, field.group)
        elif field.label is Label.PRESENT:
            attributes[field.name] = _ReadMessage(field.name, field.value.type)
        else:
            attributes[field.name] = field_default(field)
    return attributes


def _oneof_setattr(shape: Shape) -> Callable[[Any, str, Any], None]:
    rivals = {
        name: tuple(other for other in members if other != name)
        for members in shape.groups.values()
        for name in members
    }
    plain = object.__setattr__

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807 - it becomes the method
        if name in rivals:
            fields = self.__dict__
            for other in rivals[name]:
                fields.pop(other, None)
        plain(self, name, value)

    return __setattr__


def run_post_init(message: Any) -> None:
    """Run a class's own `__post_init__`, which betterproto writes for deprecated fields.

    It looks at every member of a oneof: None stands for those that would refuse.
    """
    fields = message.__dict__
    groups = type(message)._group_current.groups
    absent = [name for members in groups.values() for name in members if name not in fields]
    fields.update(dict.fromkeys(absent))
    message.__post_init__()
    for name in (*absent, SERIALIZED, "_unknown_fields", "_group_current"):
        fields.pop(name, None)


def has_post_init(cls: type) -> bool:
    """True if a class has a `__post_init__` of its own."""
    return vars(cls).get("__post_init__") is not None


def install(shape: Shape, methods: dict[str, Any]) -> None:
    """Return a class its fast attributes and methods."""
    cls: Any = shape.cls
    members = {
        **class_attributes(shape),
        "__getattribute__": object.__getattribute__,
        "__setattr__": _oneof_setattr(shape) if shape.groups else object.__setattr__,
        **methods,
    }
    for name, value in members.items():
        setattr(cls, name, value)


METHODS: Final = (
    "FromString",
    "SerializeToString",
    "__bool__",
    "__bytes__",
    "__copy__",
    "__deepcopy__",
    "__eq__",
    "__len__",
    "__reduce__",
    "__repr__",
    "__rich_repr__",
    "dump",
    "is_set",
    "load",
    "parse",
)
"""The methods that compiled classes have in place of betterproto's own, besides `__init__`."""
_REPLACED: Final = frozenset({*METHODS, "__getattribute__", "__setattr__"})
