"""Shapes: wire types, presence, names and order of fields as plain data."""

import dataclasses

import pytest

from protowire.shape import FIXED, FLOATS, RANGES, SIGNED, VARINTS, Field, Label, Shape, Value


def field(name="a", kind="int32", label=Label.IMPLICIT, number=1, **more):
    return Field(name, number, Value(kind, **more), label)


@pytest.mark.parametrize(
    ("kind", "wire_type"),
    [
        *((kind, 0) for kind in sorted(VARINTS)),
        *((kind, 1) for kind in ("fixed64", "sfixed64", "double")),
        *((kind, 2) for kind in ("string", "bytes", "message", "timestamp", "wrapper")),
        *((kind, 5) for kind in ("fixed32", "sfixed32", "float")),
    ],
)
def test_a_kind_has_one_wire_type(kind, wire_type):
    assert Value(kind).wire_type == wire_type
    assert field(kind=kind).wire_type == wire_type


@pytest.mark.parametrize("kind", ["int32", "bool", "enum", "double", "fixed32"])
def test_lists_of_numbers_are_packed(kind):
    packed = field(kind=kind, label=Label.REPEATED)
    assert packed.packable
    assert packed.wire_type == 2


@pytest.mark.parametrize("kind", ["string", "bytes", "message", "wrapper", "timestamp"])
def test_lists_of_what_has_a_length_are_not_packed(kind):
    assert not field(kind=kind, label=Label.REPEATED).packable


def test_a_map_is_written_with_a_length_whatever_its_values():
    entries = Field("m", 1, Value("int32"), Label.MAP, key="int32")
    assert entries.wire_type == 2
    assert entries.many
    assert not entries.packable


@pytest.mark.parametrize("kind", sorted(RANGES))
def test_ranges_have_the_width_and_sign_of_their_kind(kind):
    low, high = RANGES[kind]
    bits = 64 if "64" in kind else 32
    assert high - low == 2**bits - 1
    assert (low < 0) == (kind in SIGNED)


def test_every_number_is_a_varint_or_fixed():
    assert RANGES.keys() | FLOATS | {"bool"} == VARINTS | FIXED.keys()
    assert not VARINTS & FIXED.keys()


@pytest.mark.parametrize(
    ("kind", "zero"),
    [("int32", 0), ("double", 0.0), ("bool", False), ("string", ""), ("bytes", b"")],
)
def test_an_absent_scalar_is_its_zero_in_type_too(kind, zero):
    value = Value(kind).zero
    assert value == zero
    assert type(value) is type(zero)


def test_a_wrapper_holds_its_scalar():
    assert Value("wrapper", wraps="string").inner_kind == "string"
    assert Value("string").inner_kind == "string"


@pytest.mark.parametrize(
    ("kind", "label", "by_instance"),
    [
        ("int32", Label.IMPLICIT, False),
        ("int32", Label.OPTIONAL, False),
        ("int32", Label.ONEOF, True),
        ("message", Label.PRESENT, True),
        ("timestamp", Label.IMPLICIT, True),
        ("duration", Label.IMPLICIT, True),
        ("timestamp", Label.OPTIONAL, False),
        ("timestamp", Label.REPEATED, False),
    ],
)
def test_presence_is_told_by_the_instance_where_the_class_has_no_answer(kind, label, by_instance):
    assert field(kind=kind, label=label).by_instance is by_instance


@pytest.mark.parametrize(
    ("name", "json_name"),
    [
        ("text", "text"),
        ("request_id", "requestId"),
        ("class_", "class"),
        ("a_1_b", "a1B"),
        ("html_url", "htmlUrl"),
    ],
)
def test_json_names_are_lower_camel_case(name, json_name):
    assert field(name).json_name == json_name


def test_fields_are_written_by_number_and_kept_as_declared():
    fields = (field("b", number=7), field("a", number=2))
    shape = Shape(object, "Thing", fields)
    assert [each.name for each in shape.by_number] == ["a", "b"]
    assert shape.fields == fields


def test_oneofs_list_their_members():
    members = tuple(
        Field(name, number, Value("int32"), Label.ONEOF, group=group)
        for number, (name, group) in enumerate([("a", "x"), ("b", "y"), ("c", "x")], 1)
    )
    assert Shape(object, "Thing", members).groups == {"x": ("a", "c"), "y": ("b",)}


def test_a_class_refers_to_each_message_once_and_to_no_enum():
    fields = (
        field("a", "message", Label.PRESENT, type=int),
        field("b", "message", Label.REPEATED, type=int),
        field("c", "enum", type=str),
    )
    assert Shape(object, "Thing", fields).refers_to == (int,)


def test_a_shape_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        field().name = "b"
