"""The field that could not be encoded, by its path, and the reason in plain words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

import protowire
from protowire.check import find_error
from protowire.registry import shape_of
from protowire.wire import MAX_DEPTH, TOO_DEEP


def found(message):
    return find_error(shape_of, message)


def with_field(cls, name, value):
    message = cls()
    setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("a_int32", "1", "expected int, got str"),
        ("a_int32", None, "expected int, got NoneType"),
        ("a_int32", 1.0, "expected int, got float"),
        ("a_int32", True, "expected int, got bool"),
        ("a_int32", 2**31, "2147483648 is out of range for int32"),
        ("a_uint64", -1, "-1 is out of range for uint64"),
        ("a_fixed32", 2**32, "4294967296 is out of range for fixed32"),
        ("a_sint64", 2**200, "a huge int is out of range for sint64"),
        ("a_color", 2**31, "2147483648 is out of range for int32"),
        ("a_float", 1e39, "1e+39 is out of range for float"),
        ("a_double", "1.5", "expected float, got str"),
        ("a_double", 10**400, "is out of range for double"),
        ("a_bool", 1, "expected bool, got int"),
        ("a_string", b"x", "expected str, got bytes"),
        ("a_string", "\ud800", "holds a lone surrogate, which UTF-8 has not"),
        ("a_bytes", "x", "expected bytes, got str"),
    ],
)
def test_a_scalar_is_refused_with_its_reason(torture, name, value, reason):
    name = name if name in torture.Scalars.__dataclass_fields__ else name.replace("a_", "an_", 1)
    error = found(with_field(torture.Scalars, name, value))
    assert error is not None
    assert error[1] == name
    assert reason in error[0]


def test_a_good_message_has_no_error(torture):
    assert found(torture.Scalars(a_string="é", a_double=1, a_bytes=bytearray(b"x"))) is None
    assert found(torture.Maps(many_int32={1: 2})) is None
    assert found(torture.Known(time=datetime(2020, 1, 1, tzinfo=UTC))) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0, "expected datetime, got int"),
        (datetime(2020, 1, 1), "a datetime needs a time zone"),  # noqa: DTZ001 - that is the case
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            "Timestamp is outside the years 1 to 9999",
        ),
    ],
)
def test_a_time_is_refused_with_its_reason(torture, value, reason):
    assert found(torture.Known(time=value)) == (reason, "time")


def test_a_span_of_another_type_is_refused(torture):
    assert found(torture.Known(span=1.5)) == ("expected timedelta, got float", "span")


def test_paths_lead_through_messages_lists_and_maps(torture):
    leaf = torture.Leaf(number="x")
    tree = torture.Tree
    inner = tree(children=[tree(), tree(named={"k": tree(leaf=leaf)})])
    reason, path = found(tree(left=inner))
    assert path == "left.children[1].named['k'].leaf.number"
    assert reason == "expected int, got str"


def test_a_key_is_named_as_such(torture):
    reason, path = found(torture.Maps(many_int32={"x": 1}))
    assert path == "many_int32 key 'x'"
    assert reason == "expected int, got str"


@pytest.mark.parametrize("value", ["ab", {"a"}, 5, None], ids=repr)
def test_what_is_neither_list_nor_tuple_is_not_a_list(task, value):
    kind = type(value).__name__
    assert found(with_field(task.Task, "tags", value)) == (f"expected a list, got {kind}", "tags")
    assert found(with_field(task.Task, "tags", ("a",))) is None


def test_a_list_for_a_map_is_refused(torture):
    assert found(torture.Maps(many_int32=[1])) == ("expected a dict, got list", "many_int32")


def test_a_message_of_another_class_is_refused(torture):
    assert found(torture.Tree(leaf=torture.Tree())) == ("expected Leaf, got Tree", "leaf")


def test_the_first_error_by_number_is_the_one_that_is_told(torture):
    assert found(torture.Leaf(name=1, number="x"))[1] == "number"


def test_a_level_too_many_is_told_where_it_is(torture):
    tree = torture.Tree()
    for _ in range(MAX_DEPTH):
        tree = torture.Tree(left=tree)
    assert found(tree) is None
    reason, path = found(torture.Tree(left=tree))
    assert reason == TOO_DEEP
    assert path == ".".join(["left"] * (MAX_DEPTH + 1))


def test_what_is_known_by_its_bytes_is_not_looked_into(task):
    lazy = protowire.from_encoded(task.Task, b"not a task")
    assert found(task.CreateTaskResponse(task=lazy)) is None
