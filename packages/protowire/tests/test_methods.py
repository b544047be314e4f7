"""Compiled classes beside betterproto's own: the same in every use, save where it says why."""

import copy
import dataclasses
import inspect
import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import betterproto
import pytest
from betterproto import which_one_of
from oracle import Inputs, ours

import protowire

FIXED_SEED = 7
FILLED = {
    "Scalars": {"an_int32": -5, "a_string": "é", "a_bytes": b"\xff", "a_bool": True, "far": 1},
    "Optionals": {"an_int32": 0, "a_string": "", "a_bool": False},
    "Packed": {"many_int32": [1, 2], "strings": ["a", ""], "doubles": [0.5]},
    "Leaf": {"number": 7},
    "Choice": {"before": 1, "a_string": "x", "right": "", "after": "z"},
    "Maps": {"many_int32": {1: 2}, "strings": {"a": "b"}},
    "Known": {"time": datetime(2020, 1, 1, tzinfo=UTC), "span": timedelta(1), "an_int32": 0},
    "Nothing": {},
}


@pytest.fixture(params=FILLED)
def both(request, torture, stock):
    """A filled message of ours, and of betterproto's."""
    name, values = request.param, FILLED[request.param]
    return getattr(torture, name)(**values), getattr(stock, name)(**values)


def test_a_class_keeps_its_dataclass_fields_and_its_signature(both):
    mine, its = both
    names = [field.name for field in dataclasses.fields(its)]
    assert [field.name for field in dataclasses.fields(mine)] == names
    assert list(inspect.signature(type(mine)).parameters) == names
    assert type(mine).__match_args__ == type(its).__match_args__
    assert isinstance(mine, betterproto.Message)


def test_attributes_read_as_betterproto_gives_them(both):
    mine, its = both
    for field in dataclasses.fields(its):
        value = getattr(its, field.name, "unset")
        if not isinstance(value, betterproto.Message):
            assert getattr(mine, field.name, "unset") == value


def test_repr_to_dict_and_bool_are_betterprotos(torture, both):
    mine, its = both
    assert repr(mine) == repr(its)
    assert mine.to_dict() == its.to_dict()
    assert mine.to_dict(include_default_values=True) == its.to_dict(include_default_values=True)
    if not isinstance(mine, torture.Choice):  # betterproto's fails on the unset members of a oneof
        assert mine.to_pydict() == its.to_pydict()
    assert mine.to_json() == its.to_json()
    assert bool(mine) == bool(its)


def test_encoding_is_what_betterproto_reads(both):
    mine, its = both
    data = bytes(mine)
    assert type(its).FromString(data) == its
    assert mine.SerializeToString() == data
    assert len(mine) == len(data)
    assert type(mine).FromString(data) == mine
    assert type(mine)().parse(data) == mine


def test_from_dict_makes_an_equal_message(both):
    mine, _ = both
    assert type(mine).from_dict(mine.to_dict()) == mine
    assert type(mine)().from_dict(mine.to_dict()) == mine
    if type(mine).__name__ != "Maps":  # betterproto leaves the keys of JSON strings
        assert type(mine)().from_json(mine.to_json()) == mine


def test_serialized_on_wire_is_betterprotos(both):
    mine, its = both
    assert betterproto.serialized_on_wire(mine) == betterproto.serialized_on_wire(its)
    assert not betterproto.serialized_on_wire(type(mine)())
    assert betterproto.serialized_on_wire(type(mine).FromString(b""))


def test_is_set_is_betterprotos(both):
    mine, its = both
    for field in dataclasses.fields(its):
        assert mine.is_set(field.name) == its.is_set(field.name), field.name
    with pytest.raises(KeyError):
        mine.is_set("no_such_field")


def test_which_one_of_is_betterprotos(torture, stock):
    for values in ({}, {"a_number": 0}, {"a_leaf": None}, {"a_string": "x", "left": "y"}):
        mine, its = torture.Choice(**values), stock.Choice(**values)
        if None not in values.values():
            assert which_one_of(mine, "kind") == which_one_of(its, "kind")
        assert which_one_of(mine, "other") == which_one_of(its, "other")


def test_the_members_of_a_oneof_exclude_each_other(torture):
    message = torture.Choice(a_number=1)
    message.a_string = "x"
    assert which_one_of(message, "kind") == ("a_string", "x")
    with pytest.raises(AttributeError, match="'kind' is set to 'a_string', not 'a_number'"):
        _ = message.a_number
    message.a_leaf = torture.Leaf()
    assert not hasattr(message, "a_string")
    assert protowire.encode(message) == b"\x42\x00"
    assert which_one_of(torture.Choice(a_string="x", a_number=1), "kind") == ("a_string", "x")


def test_copies_are_equal_and_independent(both):
    mine, _ = both
    for copied in (copy.copy(mine), copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))):  # noqa: S301 - ours
        assert copied == mine
        assert type(copied) is type(mine)
        assert bytes(copied) == bytes(mine)


def test_a_deep_copy_shares_nothing(torture):
    message = torture.Tree(leaf=torture.Leaf(number=1), children=[torture.Tree(label="a")])
    copied = copy.deepcopy(message)
    copied.leaf.number = 2
    copied.children[0].label = "b"
    copied.children.append(torture.Tree())
    assert message.leaf.number == 1
    assert message.children == [torture.Tree(label="a")]


def test_copies_keep_unknown_fields_which_betterproto_drops(torture):
    message = torture.Leaf.FromString(b"\x08\x01\x78\x05")
    assert message._unknown_fields == b"\x78\x05"
    for copied in (copy.copy(message), copy.deepcopy(message)):
        assert bytes(copied) == b"\x08\x01\x78\x05"
        copied.parse(b"\x78\x06")
        assert bytes(message) == b"\x08\x01\x78\x05"


def test_unknown_fields_can_be_set_as_in_betterproto(torture):
    message = torture.Leaf(number=1)
    message._unknown_fields += b"\x78\x05"
    assert bytes(message) == b"\x08\x01\x78\x05"
    message._unknown_fields = b""
    assert bytes(message) == b"\x08\x01"


def test_equality_is_by_fields_and_class(torture):
    leaf = torture.Leaf
    assert leaf() == leaf(number=0, name="")
    assert leaf(number=1) != leaf()
    assert leaf() != torture.Nothing()
    assert leaf() != 1
    assert torture.Tree() == torture.Tree(leaf=leaf(), children=[])
    assert torture.Tree(leaf=leaf(number=1)) != torture.Tree()
    assert torture.Optionals(an_int32=0) != torture.Optionals()
    assert torture.Optionals(a_leaf=leaf()) != torture.Optionals()
    assert torture.Packed(strings=["a"]) != torture.Packed(strings=["b"])
    nan = float("nan")
    assert torture.Scalars(a_double=nan) == torture.Scalars(a_double=float("nan"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(leaf())


def test_an_absent_sub_message_reads_as_empty_and_stays_absent(torture):
    tree = torture.Tree()
    assert tree.leaf == torture.Leaf()
    assert tree.leaf is tree.leaf
    assert tree.left.left.left.leaf.number == 0
    assert not tree.is_set("leaf")
    assert bytes(tree) == b""
    assert repr(tree) == "Tree()"
    assert not betterproto.serialized_on_wire(tree)
    assert bytes(copy.copy(tree)) == b""
    assert bytes(copy.deepcopy(tree)) == b""


def test_setting_a_field_of_an_absent_sub_message_makes_it_present(torture):
    tree = torture.Tree()
    tree.leaf.number = 5
    assert tree.is_set("leaf")
    assert bytes(tree) == b"\x2a\x02\x08\x05"
    tree.left.leaf.name = ""
    assert bytes(tree) == b"\x12\x02\x2a\x00\x2a\x02\x08\x05"


def test_an_empty_sub_message_that_was_given_is_present_where_betterproto_loses_it(torture, stock):
    assert bytes(stock.Tree(leaf=stock.Leaf())) == b""
    assert bytes(torture.Tree(leaf=torture.Leaf())) == b"\x2a\x00"
    tree = torture.Tree()
    tree.leaf = torture.Leaf()
    assert bytes(tree) == b"\x2a\x00"
    assert bytes(torture.Tree.FromString(b"\x2a\x00")) == b"\x2a\x00"
    assert bytes(torture.Tree(children=[torture.Tree()])) == b"\x1a\x00"


def test_the_epoch_that_was_given_is_present_where_betterproto_loses_it(torture):
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert torture.Known().time == epoch
    assert bytes(torture.Known()) == b""
    assert bytes(torture.Known(time=epoch, span=timedelta(0))) == b"\x0a\x00\x12\x00"


def test_lists_and_maps_can_be_filled_in_place(torture):
    message = torture.Packed()
    message.strings.append("a")
    message.many_int32 += [1]
    assert bytes(message) == b"\x1a\x01\x01\x72\x01a"
    maps = torture.Maps()
    maps.strings["a"] = "b"
    assert torture.Maps.FromString(bytes(maps)).strings == {"a": "b"}
    del message.strings
    assert message.strings == []


def test_two_messages_never_share_a_default(torture):
    torture.Packed().strings.append("a")
    torture.Tree().leaf.number = 1
    assert torture.Packed().strings == []
    assert torture.Tree().leaf.number == 0


@pytest.mark.parametrize("look", [repr, copy.copy, copy.deepcopy, betterproto.serialized_on_wire])
def test_a_message_may_be_read_while_it_is_looked_at_as_threads_do(torture, look):
    class Reading(torture.Leaf):
        @property
        def _serialized_on_wire(self) -> bool:
            _ = tree.left, tree.children, tree.named
            return False

    tree = object.__new__(torture.Tree)
    tree.leaf = Reading()
    tree._read_defaults = {"leaf": tree.leaf}
    look(tree)
    assert not betterproto.serialized_on_wire(tree)
    assert bytes(tree) == b""


def test_threads_that_read_at_once_get_one_sub_message(torture):
    with ThreadPoolExecutor(8) as pool:
        for _ in range(50):
            tree = torture.Tree()
            assert len(set(pool.map(lambda _, t=tree: id(t.leaf), range(8)))) == 1
            assert bytes(tree) == b""


def test_arguments_may_be_positional_and_unknown_ones_are_refused(torture):
    assert torture.Leaf(1, "a") == torture.Leaf(number=1, name="a")
    with pytest.raises(TypeError):
        torture.Leaf(no_such_field=1)
    assert dataclasses.replace(torture.Leaf(1, "a"), name="b") == torture.Leaf(1, "b")


def test_none_stands_for_absent_where_a_field_is_no_scalar(torture):
    message = torture.Tree(leaf=None, children=None, named=None, branch=None)
    assert bytes(message) == b""
    assert message == torture.Tree()


def test_fields_set_to_none_are_absent(torture):
    message = torture.Tree(leaf=torture.Leaf())
    assert message.left.label == ""
    message.leaf = None
    assert bytes(message) == b""
    assert repr(message) == "Tree(leaf=None)"
    assert message == torture.Tree()
    assert not message
    assert protowire.to_json(message) == "{}"


def test_parse_merges_into_a_message(torture):
    message = torture.Tree(label="a", leaf=torture.Leaf(number=1), children=[torture.Tree()])
    message.parse(bytes(torture.Tree(leaf=torture.Leaf(name="b"), children=[torture.Tree()])))
    assert message.leaf == torture.Leaf(number=1, name="b")
    assert len(message.children) == 2
    assert message.label == "a"
    choice = torture.Choice(a_number=1).parse(bytes(torture.Choice(a_leaf=torture.Leaf(number=2))))
    assert which_one_of(choice, "kind") == ("a_leaf", torture.Leaf(number=2))
    known = torture.Known(time=datetime(2020, 1, 1, tzinfo=UTC), a_string="x")
    known.parse(b"\x0a\x03\x10\xe8\x07\x52\x00")
    assert known.time == datetime(2020, 1, 1, microsecond=1, tzinfo=UTC)
    assert known.a_string == "x"
    maps = torture.Maps(strings={"a": "b"}).parse(bytes(torture.Maps(strings={"c": "d"})))
    assert maps.strings == {"a": "b", "c": "d"}


def test_streams_are_written_and_read(torture):
    stream = io.BytesIO()
    first, second = torture.Leaf(number=1), torture.Leaf(name="x" * 200)
    first.dump(stream, betterproto.SIZE_DELIMITED)
    second.dump(stream, betterproto.SIZE_DELIMITED)
    stream.seek(0)
    assert torture.Leaf().load(stream, betterproto.SIZE_DELIMITED) == first
    assert torture.Leaf().load(stream, betterproto.SIZE_DELIMITED) == second
    with pytest.raises(EOFError):
        torture.Leaf().load(stream, betterproto.SIZE_DELIMITED)
    plain = io.BytesIO()
    first.dump(plain)
    assert plain.getvalue() == bytes(first)
    plain.seek(0)
    assert torture.Leaf().load(plain) == first
    plain.seek(0)
    assert torture.Leaf().load(plain, 2) == first
    with pytest.raises(protowire.DecodeError, match="truncated"):
        torture.Leaf().load(io.BytesIO(b"\x08"), 2)


def test_rich_sees_the_fields(torture):
    seen = list(torture.Leaf(number=1).__rich_repr__())
    assert [name for name, *_ in seen] == ["number", "name"]
    assert seen[0][1] == 1


def test_a_subclass_without_fields_is_served_by_its_bases_code(torture):
    class Mine(torture.Leaf):
        def shout(self) -> str:
            return self.name.upper()

    message = Mine.FromString(b"\x12\x01a")
    assert type(message) is Mine
    assert message.shout() == "A"
    assert bytes(torture.Tree(leaf=message)) == b"\x2a\x03\x12\x01a"
    assert bytes(Mine(number=1)) == b"\x08\x01"


def test_a_subclass_with_fields_of_its_own_must_be_compiled(torture):
    @dataclasses.dataclass(eq=False, repr=False)
    class More(torture.Leaf):
        extra: int = betterproto.int32_field(3)

    with pytest.raises(protowire.CompileError, match="compile it too"):
        protowire.encode(More(number=1))
    protowire.compile_messages(More)
    assert bytes(More(number=1, extra=2)) == b"\x08\x01\x18\x02"
    assert More.FromString(b"\x18\x02").extra == 2


def test_random_messages_survive_betterprotos_dict_and_copies(torture, upb):
    inputs = Inputs(FIXED_SEED)
    for name in ("Scalars", "Optionals", "Packed", "Tree", "Leaf"):
        cls = getattr(torture, name)
        for _ in range(100):
            message = cls.FromString(inputs.valid(getattr(upb.torture, name)))
            for copied in (copy.copy(message), copy.deepcopy(message)):
                assert copied == message
                assert ours(copied) == ours(message)
            if name in {"Tree", "Leaf"}:  # betterproto's JSON of unknown enum members fails
                assert cls.from_dict(message.to_dict()).to_dict() == message.to_dict()
