"""A message class as plain data: its fields, their numbers and kinds.

`betterproto_internals` reads shapes off classes; the generators, the check behind
`EncodeError` and the JSON mapping read shapes and nothing else, so none of them knows
betterproto. A shape never changes once made.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Final

__all__ = [
    "FIXED",
    "FLOATS",
    "LEN",
    "RANGES",
    "SIGNED",
    "VARINTS",
    "Field",
    "Label",
    "Shape",
    "Value",
]

VARINTS: Final = frozenset(
    {"int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum"},
)
"""Kinds that are written as varints."""
FIXED: Final = {
    "fixed32": "I",
    "sfixed32": "i",
    "float": "f",
    "fixed64": "Q",
    "sfixed64": "q",
    "double": "d",
}
"""Kinds of fixed width, with the struct module's letter for each."""
FLOATS: Final = frozenset({"float", "double"})
SIGNED: Final = frozenset({"int32", "int64", "sint32", "sint64", "sfixed32", "sfixed64", "enum"})
"""Integer kinds that may be negative."""
RANGES: Final = {
    kind: (-(1 << bits - 1), (1 << bits - 1) - 1) if kind in SIGNED else (0, (1 << bits) - 1)
    for bits, kinds in (
        (32, ("int32", "uint32", "sint32", "fixed32", "sfixed32", "enum")),
        (64, ("int64", "uint64", "sint64", "fixed64", "sfixed64")),
    )
    for kind in kinds
}
"""Integer kinds, with the least and the greatest value of each."""

VARINT: Final = 0
I64: Final = 1
LEN: Final = 2
I32: Final = 5
"""The wire types of the encoding specification."""
_EIGHT_BYTES: Final = frozenset({"fixed64", "sfixed64", "double"})


class Label(Enum):
    """The way in which a field keeps its presence."""

    IMPLICIT = "implicit"
    """A scalar that is absent when zero."""
    OPTIONAL = "optional"
    """Absent when None: proto3 optional, and wrappers."""
    PRESENT = "present"
    """A singular sub-message, present when set."""
    ONEOF = "oneof"
    REPEATED = "repeated"
    MAP = "map"


@dataclass(frozen=True)
class Value:
    """The type of a field's element.

    `kind` is a scalar type's name, `enum`, `message`, `timestamp`, `duration` or `wrapper`;
    `type` is the class of an enum or message, `wraps` the scalar inside a wrapper.
    """

    kind: str
    type: Any = None
    wraps: str = ""

    @cached_property
    def inner_kind(self) -> str:
        """The kind of what is held: inside a wrapper, its scalar's."""
        return self.wraps or self.kind

    @property
    def wire_type(self) -> int:
        """The wire type of one unpacked element."""
        if self.kind in VARINTS:
            return VARINT
        if self.kind in FIXED:
            return I64 if self.kind in _EIGHT_BYTES else I32
        return LEN

    @property
    def zero(self) -> Any:
        """The value of an absent scalar; enums are read from their class."""
        if self.kind in FLOATS:
            return 0.0
        return {"string": "", "bytes": b"", "bool": False}.get(self.kind, 0)


@dataclass(frozen=True)
class Field:
    """One field. `group` names its oneof, `key` the kind of a map's keys."""

    name: str
    number: int
    value: Value
    label: Label
    group: str = ""
    key: str = ""

    @property
    def packable(self) -> bool:
        """True if elements may share one length-delimited field."""
        return self.label is Label.REPEATED and self.value.wire_type != LEN

    @property
    def wire_type(self) -> int:
        """The wire type this field is written with."""
        if self.packable or self.label is Label.MAP:
            return LEN
        return self.value.wire_type

    @property
    def by_instance(self) -> bool:
        """True if only the instance's own attributes tell if it is present."""
        is_time = self.value.kind in {"timestamp", "duration"}
        return self.label in {Label.PRESENT, Label.ONEOF} or (
            is_time and self.label is Label.IMPLICIT
        )

    @cached_property
    def many(self) -> bool:
        """True if it holds a list or dict."""
        return self.label in {Label.REPEATED, Label.MAP}

    @cached_property
    def json_name(self) -> str:
        """The lowerCamelCase name, as protoc derives it."""
        head, *rest = self.name.strip("_").split("_")
        return head + "".join(word[:1].upper() + word[1:] for word in rest)


@dataclass(frozen=True)
class Shape:
    """One message class: its fields in declaration order."""

    cls: type
    name: str
    fields: tuple[Field, ...]

    @cached_property
    def by_number(self) -> tuple[Field, ...]:
        """The fields in the order they are written."""
        return tuple(sorted(self.fields, key=lambda field: field.number))

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The oneofs: group name to the names of its members."""
        found: dict[str, tuple[str, ...]] = {}
        for field in self.fields:
            if field.group:
                found[field.group] = (*found.get(field.group, ()), field.name)
        return found

    @cached_property
    def refers_to(self) -> tuple[type, ...]:
        """The message classes of its fields, each once."""
        kinds = [field.value.type for field in self.fields if field.value.kind == "message"]
        return tuple(dict.fromkeys(kinds))
