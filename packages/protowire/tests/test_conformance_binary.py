"""The binary cases of protobuf's conformance suite for proto3, as our own.

Each input goes through upb too, which passes that suite: where it agrees with what is
written here, the expectation is not only ours.
"""

import struct

import pytest
from google.protobuf.message import DecodeError as UpbError
from oracle import ours, theirs

import protowire

VARINT, I64, LEN, I32 = 0, 1, 2, 5
UNKNOWN = 666


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def tag(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def delimited(number: int, body: bytes) -> bytes:
    return tag(number, LEN) + varint(len(body)) + body


KINDS = {
    # kind: (field number, wire type, [(input, value)])
    "double": (
        1,
        I64,
        [(struct.pack("<d", v), v) for v in (0.0, 0.1, 1.7976931348623157e308, 2.2250738585e-308)],
    ),
    "float": (2, I32, [(struct.pack("<f", v), v) for v in (0.0, 0.5, 1.0, -1.5)]),
    "int32": (
        3,
        VARINT,
        [(varint(v), v) for v in (0, 12345, 2**31 - 1, -(2**31))]
        + [(varint(2**33 + 2**31 - 1), 2**31 - 1), (varint(2**33 - 1), -1)]
        + [(b"\x80\x00", 0), (b"\x81" + b"\x80" * 8 + b"\x00", 1)],
    ),
    "int64": (4, VARINT, [(varint(v), v) for v in (0, 12345, 2**63 - 1, -(2**63))]),
    "uint32": (
        5,
        VARINT,
        [(varint(v), v) for v in (0, 12345, 2**32 - 1)]
        + [(varint(2**33 + 2**31 - 1), 2**31 - 1), (varint(2**33 + 2**32 - 1), 2**32 - 1)],
    ),
    "uint64": (6, VARINT, [(varint(v), v) for v in (0, 12345, 2**64 - 1)]),
    "sint32": (
        7,
        VARINT,
        [(varint(v), w) for v, w in ((0, 0), (1, -1), (24690, 12345), (2**32 - 1, -(2**31)))]
        + [(varint(2**33 + 2), 1), (varint(2**32 - 2), 2**31 - 1)],
    ),
    "sint64": (
        8,
        VARINT,
        [(varint(v), w) for v, w in ((0, 0), (24689, -12345), (2**64 - 1, -(2**63)))],
    ),
    "fixed32": (9, I32, [(struct.pack("<I", v), v) for v in (0, 12345, 2**32 - 1)]),
    "fixed64": (10, I64, [(struct.pack("<Q", v), v) for v in (0, 12345, 2**64 - 1)]),
    "sfixed32": (11, I32, [(struct.pack("<i", v), v) for v in (0, 12345, 2**31 - 1, -(2**31))]),
    "sfixed64": (12, I64, [(struct.pack("<q", v), v) for v in (0, 12345, 2**63 - 1, -(2**63))]),
    "bool": (
        13,
        VARINT,
        [(varint(v), bool(v)) for v in (0, 1, 12345678, 1 << 63, 2**64 - 1)]
        + [(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", True)],
    ),
    "string": (
        14,
        LEN,
        [(varint(len(v)) + v, v.decode()) for v in (b"", b"Hello world!", "谷歌\0".encode())],
    ),
    "bytes": (15, LEN, [(varint(len(v)) + v, v) for v in (b"", b"\x01\x02", b"\xff\xfe")]),
    "enum": (
        16,
        VARINT,
        [(varint(v), w) for v, w in ((0, 0), (1, 1), (200, 200), (-3, -3), (77, 77))]
        + [(varint(2**33 + 1), 1)],
    ),
}
CASES = [(kind, *case) for kind, (_, _, cases) in KINDS.items() for case in cases]
INCOMPLETE = {VARINT: b"\x80", I64: b"abcdefg", LEN: b"\x80", I32: b"abc"}
PACKED = [kind for kind in KINDS if kind not in {"string", "bytes"}]


def check(cls, oracle, data: bytes):
    """Decode by both, compare, encode again, and give the message."""
    message = protowire.decode(cls, data)
    facts = ours(message)
    assert facts == theirs(oracle.FromString(data))
    assert theirs(oracle.FromString(protowire.encode(message))) == facts
    return message


def refused(cls, oracle, data: bytes) -> None:
    with pytest.raises(protowire.DecodeError):
        protowire.decode(cls, data)
    with pytest.raises(UpbError):
        oracle.FromString(data)


@pytest.mark.parametrize(("kind", "encoded", "value"), CASES)
def test_valid_scalar_is_read(torture, upb, kind, encoded, value):
    number, wire_type, _ = KINDS[kind]
    message = check(torture.Scalars, upb.torture.Scalars, tag(number, wire_type) + encoded)
    name = (
        next(f for f in vars(torture.Scalars)["__dataclass_fields__"] if f.endswith(kind))
        if (kind != "enum")
        else "a_color"
    )
    assert getattr(message, name) == value
    assert type(getattr(message, name)) is type(value) or kind == "enum"


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_of_repeated_scalars_wins(torture, upb, kind):
    number, wire_type, cases = KINDS[kind]
    data = b"".join(tag(number, wire_type) + encoded for encoded, _ in cases)
    check(torture.Scalars, upb.torture.Scalars, data)


@pytest.mark.parametrize("kind", KINDS)
def test_optional_keeps_the_presence_of_zero(torture, upb, kind):
    number, wire_type, cases = KINDS[kind]
    data = tag(number, wire_type) + cases[0][0]
    message = check(torture.Optionals, upb.torture.Optionals, data)
    assert protowire.encode(message) == data


@pytest.mark.parametrize("kind", PACKED)
def test_repeated_scalars_are_read_packed_and_unpacked(torture, upb, kind):
    number, wire_type, cases = KINDS[kind]
    one_by_one = b"".join(tag(number, wire_type) + encoded for encoded, _ in cases)
    packed = delimited(number, b"".join(encoded for encoded, _ in cases))
    first = check(torture.Packed, upb.torture.Packed, one_by_one)
    second = check(torture.Packed, upb.torture.Packed, packed)
    assert first == second
    assert protowire.encode(first) == protowire.encode(second)
    check(torture.Packed, upb.torture.Packed, packed + one_by_one + packed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", ["Scalars", "Optionals", "Packed"])
@pytest.mark.parametrize("rest", ["before", "inside"])
def test_premature_end_of_a_value_is_refused(torture, upb, kind, message, rest):
    number, wire_type, _ = KINDS[kind]
    tail = INCOMPLETE[wire_type] if rest == "inside" else b""
    cls, oracle = getattr(torture, message), getattr(upb.torture, message)
    refused(cls, oracle, tag(number, wire_type) + tail)
    refused(cls, oracle, tag(UNKNOWN, wire_type) + tail)


@pytest.mark.parametrize("kind", PACKED)
def test_premature_end_of_a_packed_field_is_refused(torture, upb, kind):
    number, wire_type, _ = KINDS[kind]
    cls, oracle = torture.Packed, upb.torture.Packed
    refused(cls, oracle, delimited(number, INCOMPLETE[wire_type]))
    refused(cls, oracle, delimited(number, INCOMPLETE[wire_type]) + b"\x00\x00\x00\x00\x00")
    refused(cls, oracle, tag(number, LEN) + varint(1))


@pytest.mark.parametrize("number", [14, 15, UNKNOWN])
def test_premature_end_of_delimited_data_is_refused(torture, upb, number):
    for message in ("Scalars", "Packed"):
        cls, oracle = getattr(torture, message), getattr(upb.torture, message)
        refused(cls, oracle, tag(number, LEN) + varint(1))


def test_premature_end_inside_a_sub_message_is_refused(torture, upb):
    inner = tag(1, VARINT) + b"\x80"
    refused(torture.Tree, upb.torture.Tree, delimited(5, inner))
    refused(torture.Tree, upb.torture.Tree, delimited(5, inner) + delimited(1, b"more"))


@pytest.mark.parametrize(
    "data",
    [b"\1DEADBEEF", b"\2\1\1", b"\3\4", b"\5DEAD", b"\x00\x00", b"\x80\x00\x01"],
)
def test_field_number_zero_is_refused(torture, upb, data):
    refused(torture.Scalars, upb.torture.Scalars, data)


@pytest.mark.parametrize(
    "rest",
    [
        b"\x80\x80\x80\x80\x80\x0f",
        b"\x80\x80\x80\x40",
        b"\x80\x80\x80\x80\x80\x80\x80\x00",
        b"\x80" * 11 + b"\x00",
    ],
)
def test_bad_tag_is_refused(torture, upb, rest):
    refused(torture.Scalars, upb.torture.Scalars, b"\x88" + rest + varint(1234))


@pytest.mark.parametrize("number", [14, 15, UNKNOWN])
@pytest.mark.parametrize("length", [b"\x80\x80\x80\x80\x10", b"\xff\xff\xff\xff\x0f"])
def test_length_beyond_31_bits_is_refused(torture, upb, number, length):
    refused(torture.Scalars, upb.torture.Scalars, tag(number, LEN) + length + b"abc")


@pytest.mark.parametrize("wire_type", [6, 7])
@pytest.mark.parametrize("number", [1, UNKNOWN])
def test_wire_type_that_does_not_exist_is_refused(torture, upb, wire_type, number):
    refused(torture.Scalars, upb.torture.Scalars, tag(number, wire_type) + b"\x00" * 8)


@pytest.mark.parametrize(
    "data",
    [tag(201, 4), tag(1002, 4), tag(201, 3), tag(201, 3) + tag(202, 4), tag(1, 3) + tag(1, 0)],
)
def test_unmatched_group_is_refused(torture, upb, data):
    refused(torture.Scalars, upb.torture.Scalars, data)


def test_varint_of_eleven_bytes_is_refused(torture, upb):
    for number in (3, UNKNOWN):
        data = tag(number, VARINT) + b"\x80" * 10 + b"\x01"
        refused(torture.Scalars, upb.torture.Scalars, data)


@pytest.mark.parametrize(
    "body", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]
)
def test_string_that_is_no_utf8_is_refused(torture, upb, body):
    refused(torture.Scalars, upb.torture.Scalars, delimited(14, body))
    refused(torture.Packed, upb.torture.Packed, delimited(14, body))
    refused(torture.Choice, upb.torture.Choice, delimited(13, body))
    entry = delimited(1, body) + delimited(2, b"")
    refused(torture.Maps, upb.torture.Maps, delimited(12, entry))


def test_unknown_fields_are_kept_in_their_order(torture, upb):
    data = (
        tag(UNKNOWN, VARINT)
        + varint(7)
        + delimited(500, b"x")
        + tag(3000, I32)
        + b"abcd"
        + tag(3001, I64)
        + b"abcdefgh"
        + tag(77, 3)
        + tag(1, VARINT)
        + b"\x01"
        + tag(77, 4)
        + tag(UNKNOWN, VARINT)
        + varint(8)
    )
    message = check(torture.Scalars, upb.torture.Scalars, data)
    assert protowire.encode(message) == data
    assert message._unknown_fields == data


@pytest.mark.parametrize("kind", KINDS)
def test_known_field_of_another_wire_type_is_kept_as_unknown(torture, upb, kind):
    number, wire_type, _ = KINDS[kind]
    for other, body in ((VARINT, b"\x01"), (I64, b"abcdefgh"), (LEN, b"\x01a"), (I32, b"abcd")):
        if other != wire_type:
            data = tag(number, other) + body
            message = check(torture.Scalars, upb.torture.Scalars, data)
            assert protowire.encode(message) == data


def test_sub_messages_are_merged(torture, upb):
    leaf = delimited(5, b"\x08\x01") + delimited(5, b"\x12\x01a")
    tree = delimited(2, delimited(3, delimited(1, b"x"))) + delimited(2, delimited(3, b""))
    message = check(torture.Tree, upb.torture.Tree, leaf + tree)
    assert message.leaf == torture.Leaf(number=1, name="a")
    assert len(message.left.children) == 2


def test_sub_message_in_a_oneof_is_merged(torture, upb):
    data = delimited(8, b"\x08\x01") + delimited(8, b"\x12\x01a")
    message = check(torture.Choice, upb.torture.Choice, data)
    assert message.a_leaf == torture.Leaf(number=1, name="a")


def test_sub_message_after_another_member_of_its_oneof_starts_anew(torture, upb):
    data = delimited(8, b"\x08\x01") + tag(2, VARINT) + b"\x05" + delimited(8, b"\x12\x01a")
    message = check(torture.Choice, upb.torture.Choice, data)
    assert message.a_leaf == torture.Leaf(name="a")


@pytest.mark.parametrize(
    "data",
    [
        tag(2, VARINT) + b"\x00",
        delimited(3, b""),
        delimited(4, b""),
        tag(5, VARINT) + b"\x00",
        tag(6, I64) + bytes(8),
        tag(7, VARINT) + b"\x00",
        delimited(8, b""),
        delimited(10, b""),
        delimited(11, b""),
        delimited(12, b""),
    ],
)
def test_zero_in_a_oneof_is_present(torture, upb, data):
    message = check(torture.Choice, upb.torture.Choice, data)
    assert protowire.encode(message) == data
    check(torture.Choice, upb.torture.Choice, tag(2, VARINT) + b"\x07" + data)


def entry(number: int, *fields: bytes) -> bytes:
    return delimited(number, b"".join(fields))


MAPS = {
    "int32": (1, tag(1, VARINT) + b"\x07", tag(2, VARINT) + b"\x08", tag(2, VARINT) + b"\x00"),
    "fixed32": (7, tag(1, I32) + b"abcd", tag(2, I32) + b"efgh", tag(2, I32) + bytes(4)),
    "bool": (11, tag(1, VARINT) + b"\x01", tag(2, VARINT) + b"\x01", tag(2, VARINT) + b"\x00"),
    "string": (12, delimited(1, b"a"), delimited(2, b"b"), delimited(2, b"")),
    "bytes": (13, delimited(1, b"a"), delimited(2, b"\xff"), delimited(2, b"")),
    "enum": (16, delimited(1, b"a"), tag(2, VARINT) + b"\x01", tag(2, VARINT) + b"\x00"),
    "message": (17, delimited(1, b"a"), delimited(2, b"\x08\x01"), delimited(2, b"")),
}


@pytest.mark.parametrize("kind", MAPS)
def test_map_entry_is_read_in_any_order_and_with_parts_missing(torture, upb, kind):
    number, key, value, zero = MAPS[kind]
    for data in (
        entry(number, key, value),
        entry(number, value, key),
        entry(number),
        entry(number, key),
        entry(number, value),
        entry(number, key, zero) + entry(number, key, value),
        entry(number, key, key, value),
        entry(number, key, zero, value),
        entry(number, key, value, zero),
    ):
        check(torture.Maps, upb.torture.Maps, data)


@pytest.mark.parametrize("kind", MAPS)
def test_map_entry_with_a_field_of_another_kind_is_kept_as_unknown(torture, upb, kind):
    number, key, value, _ = MAPS[kind]
    for wrong in (tag(1, I64) + bytes(8), tag(2, I64) + bytes(8), tag(3, VARINT) + b"\x01"):
        data = entry(number, key, value, wrong)
        message = check(torture.Maps, upb.torture.Maps, data)
        assert protowire.encode(message) == data


def nested(levels: int, number: int = 2, innermost: bytes = b"") -> bytes:
    data = innermost
    for _ in range(levels):
        data = delimited(number, data)
    return data


@pytest.mark.parametrize("number", [2, 3, 6])
def test_a_hundred_levels_are_read_and_one_more_is_refused(torture, upb, number):
    check(torture.Tree, upb.torture.Tree, nested(100, number))
    refused(torture.Tree, upb.torture.Tree, nested(101, number))


def test_map_entries_count_as_levels(torture, upb):
    data = b""
    for _ in range(50):
        data = delimited(4, delimited(2, data))
    check(torture.Tree, upb.torture.Tree, data)
    refused(torture.Tree, upb.torture.Tree, delimited(4, delimited(2, data)))
    refused(torture.Tree, upb.torture.Tree, delimited(2, data))


def test_unknown_groups_count_as_levels(torture, upb):
    for outer in (0, 40):
        groups = tag(UNKNOWN, 3) * (100 - outer) + tag(UNKNOWN, 4) * (100 - outer)
        check(torture.Tree, upb.torture.Tree, nested(outer, 2, groups))
        groups = tag(UNKNOWN, 3) * (101 - outer) + tag(UNKNOWN, 4) * (101 - outer)
        refused(torture.Tree, upb.torture.Tree, nested(outer, 2, groups))


def test_minus_zero_is_written(torture, upb):
    data = tag(1, I64) + struct.pack("<d", -0.0) + tag(2, I32) + struct.pack("<f", -0.0)
    message = check(torture.Scalars, upb.torture.Scalars, data)
    assert protowire.encode(message) == data


def test_wrappers_and_times_are_merged(torture, upb):
    data = b"".join(
        (
            delimited(1, b"\x10\xe8\x07"),
            delimited(1, b"\x08\x05"),
            delimited(7, b"\x08\x05"),
            delimited(7, b""),
            delimited(2, b"\x08\x03"),
            delimited(2, b"\x10\xe8\x07"),
        )
    )
    message = check(torture.Known, upb.torture.Known, data)
    assert message.an_int32 == 5
