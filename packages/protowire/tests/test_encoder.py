"""The values that encoders refuse, and that the check behind EncodeError agrees with them."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import betterproto
import pytest

import protowire
from protowire.check import find_error
from protowire.registry import ENCODERS, SHAPES
from protowire.wire import MAX_DEPTH

INTS = {
    "an_int32": (-(2**31), 2**31 - 1),
    "an_int64": (-(2**63), 2**63 - 1),
    "a_uint32": (0, 2**32 - 1),
    "a_uint64": (0, 2**64 - 1),
    "a_sint32": (-(2**31), 2**31 - 1),
    "a_sint64": (-(2**63), 2**63 - 1),
    "a_fixed32": (0, 2**32 - 1),
    "a_fixed64": (0, 2**64 - 1),
    "a_sfixed32": (-(2**31), 2**31 - 1),
    "a_sfixed64": (-(2**63), 2**63 - 1),
    "a_color": (-(2**31), 2**31 - 1),
}
LISTS = {
    "an_int32": "many_int32",
    "a_uint64": "many_uint64",
    "a_sint32": "many_sint32",
    "a_fixed32": "many_fixed32",
    "a_sfixed64": "many_sfixed64",
    "a_bool": "bools",
    "a_float": "floats",
    "a_double": "doubles",
    "a_string": "strings",
    "a_bytes": "byteses",
    "a_color": "colors",
}
WRONG = {
    **{name: [True, 1.0, "1", b"1", [], {}, object(), math.nan, ""] for name in INTS},
    "a_bool": [1, 0, "x", 1.0, [], ""],
    "a_float": ["1", True, [], b"", object(), 1e39, 10**400],
    "a_double": ["1", True, [], b"", object(), 10**400],
    "a_string": [1, True, b"x", [], b"", 0, object(), "\ud800", "ok\udfff"],
    "a_bytes": [1, True, "x", [], "", 0, object()],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]
CASES += [(name, low - 1) for name, (low, _) in INTS.items()]
CASES += [(name, high + 1) for name, (_, high) in INTS.items()]


def _refused(message, field) -> protowire.EncodeError:
    with pytest.raises(protowire.EncodeError) as caught:
        protowire.encode(message)
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)
    return caught.value


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_field_refuses_what_it_cannot_hold(torture, name, value):
    _refused(torture.Scalars(**{name: value}), name)
    _refused(torture.Optionals(**{name: value}), name)
    message = torture.Scalars()
    setattr(message, name, value)
    _refused(message, name)
    with pytest.raises(protowire.EncodeError):
        bytes(message)


@pytest.mark.parametrize(("name", "value"), [case for case in CASES if case[0] in LISTS])
def test_a_repeated_field_refuses_what_it_cannot_hold(torture, name, value):
    good = protowire.decode(torture.Scalars, b"")
    _refused(torture.Packed(**{LISTS[name]: [getattr(good, name), value]}), f"{LISTS[name]}[1]")


@pytest.mark.parametrize("name", INTS)
def test_integers_are_written_up_to_their_limits(torture, upb, name):
    for value in INTS[name]:
        data = protowire.encode(torture.Scalars(**{name: value}))
        assert data == upb.torture.Scalars(**{name: value}).SerializeToString()


@pytest.mark.parametrize("name", [*LISTS, "an_int64", "a_uint32"])
def test_none_is_no_scalar_but_is_an_absent_optional(torture, name):
    _refused(torture.Scalars(**{name: None}), name)
    assert protowire.encode(torture.Optionals(**{name: None})) == b""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("leaf", "x"),
        ("leaf", 1),
        ("leaf", {}),
        ("children", "x"),
        ("children", {}),
        ("children", 1),
        ("named", []),
        ("named", 1),
    ],
)
def test_a_sub_message_list_or_map_of_another_type_is_refused(torture, name, value):
    _refused(torture.Tree(**{name: value}), name)


def test_none_that_is_set_later_is_refused_or_absent_in_bytes_and_json_alike(torture):
    message = torture.Packed()
    message.strings = None
    _refused(message, "strings")
    with pytest.raises(protowire.EncodeError, match=r"Packed\.strings"):
        protowire.to_json(message)
    known = torture.Known()
    known.time = known.a_string = known.span = None
    assert protowire.encode(known) == b""
    assert protowire.to_json(known) == "{}"


def test_an_element_of_another_type_is_refused_by_its_path(torture):
    _refused(torture.Tree(children=[torture.Tree(), torture.Leaf()]), "children[1]")
    _refused(torture.Tree(named={"a": torture.Leaf()}), "named['a']")
    _refused(torture.Tree(named={1: torture.Tree()}), "named key 1")
    deep = torture.Tree(left=torture.Tree(children=[torture.Tree(label=1)]))
    error = _refused(deep, "left.children[0].label")
    assert str(error) == "Tree.left.children[0].label: expected str, got int"


def test_a_string_for_a_list_of_strings_is_refused(torture):
    _refused(torture.Packed(strings="abc"), "strings")


def test_times_of_another_type_are_refused(torture):
    naive = datetime(2020, 1, 1)  # noqa: DTZ001 - what is tested
    _refused(torture.Known(time=naive), "time")
    _refused(torture.Known(time=timedelta(1)), "time")
    _refused(torture.Known(span=1), "span")
    _refused(torture.Known(span=datetime(2020, 1, 1, tzinfo=UTC)), "span")
    _refused(torture.Known(an_int32="x"), "an_int32")
    _refused(torture.Known(a_string="\ud800"), "a_string")


def test_a_time_that_its_zone_moves_out_of_range_is_refused(torture):
    # The decoder would refuse it as well.
    east, west = timezone(timedelta(hours=1)), timezone(timedelta(hours=-1))
    for moment in (datetime.min.replace(tzinfo=east), datetime.max.replace(tzinfo=west)):
        _refused(torture.Known(time=moment), "time")
        _refused(torture.Known(times=[moment]), "times[0]")


def test_a_time_zone_that_tells_no_offset_is_none(torture):
    class Nowhere(tzinfo):
        def utcoffset(self, _: datetime | None) -> None:
            return None

    _refused(torture.Known(time=datetime(2020, 1, 1, tzinfo=Nowhere())), "time")


def test_integers_of_other_classes_are_written(torture):
    class Index:
        def __index__(self) -> int:
            return 7

    data = protowire.encode(torture.Scalars(an_int32=7))
    assert protowire.encode(torture.Scalars(an_int32=Index())) == data
    assert protowire.encode(torture.Scalars(a_color=torture.Color.RED)) == protowire.encode(
        torture.Scalars(a_color=1)
    )


def test_strings_bytes_and_lists_of_kindred_classes_are_written(torture):
    class Text(str):
        __slots__ = ()

    plain = protowire.encode(torture.Packed(strings=["a"], byteses=[b"b"]))
    kin = torture.Packed(strings=(Text("a"),), byteses=[bytearray(b"b")])
    assert protowire.encode(kin) == plain


def test_a_float_beyond_its_range_is_refused_where_upb_writes_infinity(torture, upb):
    assert upb.torture.Scalars(a_float=1e39).a_float == math.inf
    assert "out of range" in _refused(torture.Scalars(a_float=1e39), "a_float").reason


def test_a_message_that_holds_itself_is_refused(torture):
    tree = torture.Tree()
    tree.left = tree
    with pytest.raises(protowire.EncodeError, match="nested deeper than 100"):
        protowire.encode(tree)


def test_encoding_ends_where_decoding_would_refuse_though_upb_goes_on(torture, upb):
    tree = torture.Tree()
    for _ in range(MAX_DEPTH):
        tree = torture.Tree(left=tree)
    upb.torture.Tree.FromString(protowire.encode(tree))
    with pytest.raises(protowire.EncodeError, match="nested deeper"):
        protowire.encode(torture.Tree(left=tree))


def test_nested_maps_are_written_as_deep_as_they_are_read(torture):
    tree = torture.Tree()
    for _ in range(MAX_DEPTH // 2):
        tree = torture.Tree(named={"": tree})
    protowire.decode(torture.Tree, protowire.encode(tree))
    with pytest.raises(protowire.EncodeError, match="nested deeper"):
        protowire.encode(torture.Tree(named={"": tree}))


NOW = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(eq=False, repr=False)
class Node(betterproto.Message):
    """A message with everything in it that is a level of nesting, but no class of its own."""

    node: "Node" = betterproto.message_field(1)  # noqa: RUF009 - so is it generated
    moment: datetime = betterproto.message_field(2)  # noqa: RUF009
    moments: list[datetime] = betterproto.message_field(3)  # noqa: RUF009
    wrapped: int | None = betterproto.message_field(4, wraps=betterproto.TYPE_INT32)
    counts: dict[int, int] = betterproto.map_field(  # noqa: RUF009
        5, betterproto.TYPE_INT32, betterproto.TYPE_INT32
    )


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("moment", NOW, "moment"),
        ("moments", [NOW], "moments[0]"),
        ("wrapped", 0, "wrapped"),
        ("counts", {1: 2}, "counts"),
    ],
)
def test_levels_without_a_class_of_their_own_are_counted_as_decoders_do(name, value, place):
    protowire.compile_messages(Node)
    node = Node(**{name: value})
    for _ in range(MAX_DEPTH - 1):
        node = Node(node=node)
    protowire.decode(Node, protowire.encode(node))
    error = _refused(Node(node=node), "node." * MAX_DEPTH + place)
    assert error.reason == "nested deeper than 100"
    with pytest.raises(protowire.EncodeError, match="nested deeper than 100"):
        protowire.to_json(Node(node=node))


@dataclass(eq=False, repr=False)
class Plain(betterproto.Message):
    """A message whose JSON is written by generated code."""

    plain: "Plain" = betterproto.message_field(1)  # noqa: RUF009
    wrapped: int | None = betterproto.message_field(2, wraps=betterproto.TYPE_INT32)


def test_a_wrapper_below_the_last_level_is_refused_by_quick_json_too():
    protowire.compile_messages(Plain)
    plain = Plain(wrapped=1)
    for _ in range(MAX_DEPTH - 1):
        plain = Plain(plain=plain)
    assert protowire.from_json(Plain, protowire.to_json(plain)) == plain
    with pytest.raises(protowire.EncodeError, match="nested deeper than 100"):
        protowire.to_json(Plain(plain=plain))


@pytest.mark.parametrize(("name", "value"), CASES)
def test_the_check_and_the_encoder_agree(torture, name, value):
    message = torture.Scalars(**{name: value})
    assert find_error(SHAPES.get, message) is not None
    with pytest.raises(Exception):  # noqa: B017, PT011 - any: the check is what names it
        ENCODERS[torture.Scalars](message, MAX_DEPTH)


def test_the_check_finds_nothing_in_a_good_message(torture):
    message = torture.Scalars(an_int32=1, a_string="é", a_bytes=b"\xff", a_color=77, a_float=1)
    assert find_error(SHAPES.get, message) is None
    protowire.encode(message)


def test_an_unlawful_integer_of_any_size_is_told_briefly(torture):
    assert len(str(_refused(torture.Scalars(an_int32=10**5000), "an_int32"))) < 100
