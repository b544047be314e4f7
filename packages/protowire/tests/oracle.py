"""Compares our messages with those of protobuf's upb: what both hold, as plain data.

`ours` and `theirs` turn a message into {field number: value}, holding what is present. Times
are cut to whole microseconds, which is all that betterproto's datetime holds; a NaN is the
word "nan".
"""

import math
import random
import struct
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as UpbError

import protowire
from protowire.betterproto_internals import field_default, only_read
from protowire.registry import SHAPES
from protowire.shape import Label
from protowire.wellknown import duration_parts, timestamp_parts

MICRO = 1000
ON_PURPOSE = ("Timestamp is outside", "Duration is longer", "field number 0")
"""Refusals of ours that upb does not share; test_decoder and test_wellknown say why."""


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        # Minus zero is not zero, and NaN equals itself.
        return "nan" if math.isnan(value) else (value, math.copysign(1, value))
    return bytes(value) if isinstance(value, bytearray) else value


def _our_value(kind: Any, value: Any) -> Any:
    if kind.kind == "message":
        return ours(value)
    if kind.kind == "timestamp":
        return timestamp_parts(value)
    if kind.kind == "duration":
        return duration_parts(value)
    return int(value) if kind.kind == "enum" else _plain(value)


def ours(message: Any) -> dict[int, Any]:
    shape = SHAPES[type(message)]
    fields = message.__dict__
    facts: dict[int, Any] = {}
    for field in shape.fields:
        value = fields.get(field.name)
        if value is None or (field.many and not value) or only_read(fields, field.name, value):
            continue
        if field.label is Label.MAP:
            facts[field.number] = {k: _our_value(field.value, v) for k, v in value.items()}
        elif field.many:
            facts[field.number] = [_our_value(field.value, item) for item in value]
        elif (
            field.label is not Label.IMPLICIT
            or field.value.kind in {"timestamp", "duration"}
            or _plain(value) != _plain(field_default(field))
        ):
            facts[field.number] = _our_value(field.value, value)
    return facts


_WELL_KNOWN = "google.protobuf."


def _their_value(field: FieldDescriptor, value: Any) -> Any:
    if field.type != FieldDescriptor.TYPE_MESSAGE:
        return _plain(value)
    name = field.message_type.full_name
    if name == "google.protobuf.Timestamp":
        total = value.seconds * 10**6 + value.nanos // MICRO
        return (total // 10**6, total % 10**6 * MICRO)
    if name == "google.protobuf.Duration":
        micros = abs(value.nanos) // MICRO * (1 if value.nanos >= 0 else -1)
        total = value.seconds * 10**6 + micros
        sign = 1 if total >= 0 else -1
        return (sign * (abs(total) // 10**6), sign * (abs(total) % 10**6) * MICRO)
    if name.startswith(_WELL_KNOWN) and name.endswith("Value") and name not in _NO_WRAPPERS:
        return _plain(value.value)
    return theirs(value)


_NO_WRAPPERS = {"google.protobuf.Value", "google.protobuf.ListValue"}


def theirs(message: Any) -> dict[int, Any]:
    facts: dict[int, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            item = field.message_type.fields_by_name["value"]
            facts[field.number] = {k: _their_value(item, value[k]) for k in value}
        elif field.is_repeated:
            facts[field.number] = [_their_value(field, item) for item in value]
        else:
            facts[field.number] = _their_value(field, value)
    return facts


def differ(cls: Any, oracle: Any, data: bytes) -> str:
    """Decode and encode by both; give what differs, or nothing."""
    mine = other = None
    refusal = ""
    try:
        mine = protowire.decode(cls, data)
    except protowire.DecodeError as error:
        refusal = str(error)
    try:
        other = oracle.FromString(data)
    except UpbError:
        return "" if mine is None else f"upb refuses it, we read {mine!r}"
    if mine is None:
        purpose = any(reason in refusal for reason in ON_PURPOSE)
        return "" if purpose else f"upb accepts it, we say: {refusal}"
    if ours(mine) != theirs(other):
        return f"we read {ours(mine)}, upb {theirs(other)}"
    return _encodings_differ(mine, other)


def _encodings_differ(mine: Any, other: Any) -> str:
    facts, encoded = ours(mine), protowire.encode(mine)
    if theirs(type(other).FromString(encoded)) != facts:
        return f"we write {encoded.hex()}, which upb reads otherwise"
    if ours(protowire.decode(type(mine), encoded)) != facts:
        return f"we write {encoded.hex()}, and read it otherwise"
    canonical = other.SerializeToString(deterministic=True)
    if other.DESCRIPTOR.name in _INEXACT or encoded == canonical:
        return ""
    if "nan" in repr(facts):  # test_decoder: the payload of a NaN is not kept
        return ""
    return f"we write {encoded.hex()}, upb {canonical.hex()}"


_INEXACT = {"Known", "PlainWrappers", "Choice", "Maps", "Unpacked", "Tree", "Foreign"}
"""Where betterproto has no place for what upb keeps: unknown fields of times and wrappers, and
whether a field was declared unpacked. And where maps are: their order is open."""


class Inputs:
    """An endless source of inputs: valid, truncated, flipped, spliced, structured, random."""

    def __init__(self, seed: int, *, micros: bool = False) -> None:
        self.random = random.Random(seed)
        self.micros = micros  # times hold whole microseconds, in range

    def varint(self, value: int, *, long: bool = False) -> bytes:
        out = bytearray()
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
        if long:
            out[-1] |= 128
            out += b"\x80" * self.random.randrange(3) + b"\x00"
        return bytes(out)

    def text(self) -> str:
        choice = self.random.random()
        if choice < 0.1:
            return "é☃\U0001f600"[: self.random.randrange(4)]
        return "x" * self.random.choice((0, 1, 5, 127, 128, 300) if choice < 0.3 else (1, 2, 3))

    def number(self, bits: int, *, signed: bool) -> int:
        edge = self.random.choice((0, 1, 7, 8, 14, 21, 28, 31, 32, 35, 62, 63, 64))
        value = (1 << min(edge, bits)) - self.random.randrange(3)
        if signed:
            value = max(min(value, (1 << bits - 1) - 1), -(1 << bits - 1))
            return -value if self.random.random() < 0.4 else value
        return max(0, min(value, (1 << bits) - 1))

    def scalar(self, field: FieldDescriptor) -> Any:
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            text = self.text()
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        if kind in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
            numbers = (0.0, -0.0, 1.5, -2.25, 1e30, math.inf, -math.inf, math.nan)
            return struct.unpack("<f", struct.pack("<f", self.random.choice(numbers)))[0]
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.random.random() < 0.7
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            return self.random.choice((0, 1, 2, 200, -3, 77, -1, 2**31 - 1))
        bits = 64 if "64" in _TYPE_NAMES[kind] else 32
        return self.number(bits, signed="U" not in _TYPE_NAMES[kind])

    def fill(self, message: Any, depth: int = 0) -> Any:
        fields = list(message.DESCRIPTOR.fields)
        chosen = self.random.sample(
            fields, k=self.random.randint(min(len(fields), not depth), min(len(fields), 5))
        )
        for field in chosen:
            self._fill_field(message, field, depth)
        return message

    def _fill_field(  # noqa: C901, PLR0912 - one branch for each kind of field
        self, message: Any, field: FieldDescriptor, depth: int
    ) -> None:
        target = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, item = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            for _ in range(self.random.randrange(3)):
                if item.message_type is None:
                    target[self.scalar(key)] = self.scalar(item)
                elif self.micros and item.message_type.full_name in _TIMES:
                    self._fill_time(target[self.scalar(key)])
                elif depth < 3:
                    self.fill(target[self.scalar(key)], depth + 1)
        elif field.message_type is not None:
            if depth > 3:
                return
            if field.is_repeated:
                for _ in range(self.random.randrange(4)):
                    if self.micros and field.message_type.full_name in _TIMES:
                        self._fill_time(target.add())
                    else:
                        self.fill(target.add(), depth + 1)
            elif field.message_type.full_name in _TIMES and (
                self.micros or self.random.random() < 0.9
            ):
                self._fill_time(target)
            else:
                target.SetInParent()
                self.fill(target, depth + 1)
        elif field.is_repeated:
            target.extend(self.scalar(field) for _ in range(self.random.randrange(5)))
        else:
            setattr(message, field.name, self.scalar(field))

    def _fill_time(self, time: Any) -> None:
        time.seconds = self.random.choice((0, 1, 1, 2**35))
        time.nanos = self.random.choice((0, 1000, 5_000_000, 999_999_000))
        if not self.micros:
            time.seconds *= self.random.choice((1, -1))
            time.nanos += self.random.choice((0, 1))
        time.SetInParent()

    def valid(self, oracle: Any) -> bytes:
        return self.fill(oracle()).SerializeToString()

    def structured(self, oracle: Any, depth: int = 0) -> bytes:
        """Fields that exist, with wire types, lengths and varints that may not fit."""
        rng = self.random
        out = b""
        for _ in range(rng.randrange(4) + (not depth)):
            fields = list(oracle.DESCRIPTOR.fields)
            number = (
                rng.choice(fields).number
                if fields and rng.random() < 0.9
                else rng.choice((0, 1, 2, 99, 2**29 - 1))
            )
            wire_type = rng.choice(
                (0, 0, 1, 2, 2, 2, 2, 3, 5) if rng.random() < 0.95 else (4, 6, 7)
            )
            out += self.varint(number << 3 | wire_type, long=rng.random() < 0.05)
            if wire_type == 0:
                out += self.varint(self.number(64, signed=False), long=rng.random() < 0.1)
            elif wire_type in (1, 5):
                out += rng.randbytes(8 if wire_type == 1 else 4)
            elif wire_type == 2:
                body = rng.choice(
                    (
                        b"",
                        b"a",
                        b"\x08\x01",
                        b"\x08\x01\x10\x02",
                        rng.randbytes(4),
                        b"\xff",
                        bytes(8),
                    )
                )
                if depth < 3 and rng.random() < 0.5:
                    body = self.structured(oracle, depth + 1)
                size = len(body) + (rng.choice((-1, 1, 200)) if rng.random() < 0.05 else 0)
                out += self.varint(max(size, 0), long=rng.random() < 0.05) + body
            elif wire_type == 3:
                out += self.structured(oracle, depth + 1) if depth < 3 else b""
                out += self.varint((number + (rng.random() < 0.1)) << 3 | 4)
        return out

    def one(self, oracle: Any) -> bytes:  # noqa: C901, PLR0911 - one for each kind of input
        rng = self.random
        kind = rng.random()
        if kind < 0.25:
            return self.structured(oracle)
        if kind < 0.3:
            return rng.randbytes(rng.randrange(12))
        data = self.valid(oracle)
        if kind < 0.5:
            return data
        if kind < 0.6:
            return data + self.valid(oracle)
        if kind < 0.75:
            return data[: rng.randrange(len(data) + 1)]
        if not data:
            return data
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(changed))
            if kind < 0.9:
                changed[at] ^= 1 << rng.randrange(8)
            elif rng.random() < 0.5:
                changed.insert(at, rng.randrange(256))
            elif len(changed) > 1:
                del changed[at]
        return bytes(changed)


_TIMES = {"google.protobuf.Timestamp", "google.protobuf.Duration"}
_TYPE_NAMES = {
    FieldDescriptor.CPPTYPE_INT32: "INT32",
    FieldDescriptor.CPPTYPE_INT64: "INT64",
    FieldDescriptor.CPPTYPE_UINT32: "UINT32",
    FieldDescriptor.CPPTYPE_UINT64: "UINT64",
}
