"""A message known by its bytes is passed on untouched, and never stale once touched."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import betterproto
import pytest

import protowire
from protowire.betterproto_internals import class_attributes
from protowire.registry import LAZY, SHAPES

# The tag comes in five bytes: what only copies bytes keeps that, what re-encodes does not.
TELLTALE = b"\x88\x80\x80\x80\x00\x07\x12\x01a"
PLAIN = b"\x08\x07\x12\x01a"


@pytest.fixture
def lazy(torture):
    return protowire.from_encoded(torture.Leaf, TELLTALE)


def _is_lazy(message) -> bool:
    return type(message) in LAZY.values()


def test_its_bytes_are_given_back_untouched(lazy):
    assert protowire.encode(lazy) == TELLTALE
    assert bytes(lazy) == TELLTALE
    assert lazy.SerializeToString() == TELLTALE
    assert len(lazy) == len(TELLTALE)
    assert _is_lazy(lazy)


def test_its_bytes_are_copied_into_other_messages(torture, lazy):
    size = bytes([len(TELLTALE)])
    assert protowire.encode(torture.Tree(leaf=lazy)) == b"\x2a" + size + TELLTALE
    assert protowire.encode(torture.Choice(a_leaf=lazy)) == b"\x42" + size + TELLTALE
    assert protowire.encode(torture.Optionals(a_leaf=lazy)) == b"\x8a\x01" + size + TELLTALE
    assert protowire.encode(torture.Packed(leaves=[lazy, torture.Leaf(), lazy])) == (
        (b"\x8a\x01" + size + TELLTALE) + b"\x8a\x01\x00" + (b"\x8a\x01" + size + TELLTALE)
    )
    entry = b"\x0a\x00\x12" + size + TELLTALE
    assert protowire.encode(torture.Maps(leaves={"": lazy})) == (
        b"\x8a\x01" + bytes([len(entry)]) + entry
    )
    assert _is_lazy(lazy)


def test_it_is_an_instance_of_its_class_at_all_times(torture, lazy):
    assert isinstance(lazy, torture.Leaf)
    assert isinstance(lazy, betterproto.Message)
    assert type(lazy).__name__ == "Leaf"
    assert _is_lazy(lazy)
    assert lazy.number == 7
    assert type(lazy) is torture.Leaf


LOOKS = {
    "field": lambda m: m.number,
    "dict": lambda m: m.__dict__,
    "vars": vars,
    "eq": lambda m: m == type(m)(),
    "ne": lambda m: m != 1,
    "repr": repr,
    "str": str,
    "bool": bool,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "to_dict": lambda m: m.to_dict(),
    "to_json": protowire.to_json,
    "serialized_on_wire": betterproto.serialized_on_wire,
    "unknown_fields": lambda m: m._unknown_fields,
    "is_set": lambda m: m.is_set("number"),
    "rich": lambda m: list(m.__rich_repr__()),
    "set": lambda m: setattr(m, "number", 7),
    "getattr": lambda m: getattr(m, "name", None),
    "parse": lambda m: m.parse(b""),
    "from_dict": lambda m: m.from_dict({"number": 7}),
}


@pytest.mark.parametrize("look", LOOKS)
def test_any_look_settles_it(torture, lazy, look):
    LOOKS[look](lazy)
    assert type(lazy) is torture.Leaf
    assert (lazy.number, lazy.name) == (7, "a")
    assert protowire.encode(lazy) == PLAIN


def test_a_look_gives_what_the_decoded_message_gives(torture):
    decoded = protowire.decode(torture.Leaf, PLAIN)
    for look in ("repr", "str", "bool", "to_dict", "to_json", "is_set", "unknown_fields"):
        fresh = protowire.from_encoded(torture.Leaf, PLAIN)
        assert LOOKS[look](fresh) == LOOKS[look](decoded)
    assert protowire.from_encoded(torture.Leaf, PLAIN) == decoded
    assert decoded == protowire.from_encoded(torture.Leaf, PLAIN)
    assert protowire.from_encoded(torture.Leaf, PLAIN) == protowire.from_encoded(
        torture.Leaf, TELLTALE
    )
    assert copy.deepcopy(protowire.from_encoded(torture.Leaf, PLAIN)) == decoded
    assert protowire.from_encoded(torture.Leaf, PLAIN) != torture.Leaf()


def test_every_change_is_in_the_next_encoding(torture):
    def changed(change, cls=torture.Leaf, data=TELLTALE):
        message = protowire.from_encoded(cls, data)
        change(message)
        return protowire.encode(message)

    assert changed(lambda m: setattr(m, "number", 8)) == b"\x08\x08\x12\x01a"
    assert changed(lambda m: delattr(m, "number")) == b"\x12\x01a"
    assert changed(lambda m: m.parse(b"\x08\x09")) == b"\x08\x09\x12\x01a"
    assert changed(lambda m: setattr(m, "_unknown_fields", b"\x78\x01")) == PLAIN + b"\x78\x01"
    assert changed(lambda m: m.from_dict({"number": 1})) == b"\x08\x01\x12\x01a"
    tree = protowire.encode(torture.Tree(leaf=torture.Leaf(number=1)))
    assert (
        changed(lambda m: setattr(m.leaf, "number", 2), torture.Tree, tree) == b"\x2a\x02\x08\x02"
    )
    packed = protowire.encode(torture.Packed(strings=["a"]))
    assert changed(lambda m: m.strings.append("b"), torture.Packed, packed) == b"\x72\x01a\x72\x01b"
    choice = protowire.encode(torture.Choice(a_number=5))
    assert changed(lambda m: setattr(m, "a_string", "x"), torture.Choice, choice) == b"\x1a\x01x"


def test_every_name_that_holds_something_of_a_message_settles_it(torture, task):
    for module in (torture, task):
        for cls, lazy_cls in list(LAZY.items()):
            if cls.__module__ == module.__name__:
                held = {*class_attributes(SHAPES[cls]), "__dict__"}
                assert held <= set(vars(lazy_cls)) | {"__dict__"}
                for name in held:
                    assert hasattr(vars(lazy_cls)[name], "__set__")


def test_an_attribute_of_ones_own_outlives_settling(lazy):
    lazy.note = "kept"
    assert lazy.number == 7
    assert lazy.note == "kept"


def test_pickling_keeps_the_message_of_its_bytes(torture, lazy):
    assert pickle.loads(pickle.dumps(lazy)) == torture.Leaf(number=7, name="a")  # noqa: S301 - ours


def test_a_message_inside_another_settles_there(torture, lazy):
    tree = torture.Tree(leaf=lazy)
    assert tree.leaf.name == "a"
    assert protowire.encode(tree) == b"\x2a\x05" + PLAIN
    tree.parse(b"\x2a\x02\x08\x09")
    assert tree.leaf.number == 9


def test_invalid_bytes_raise_at_the_first_look_and_at_each_later_one(torture):
    message = protowire.from_encoded(torture.Leaf, b"\x12\x05")
    for _ in range(2):
        with pytest.raises(protowire.DecodeError, match="truncated"):
            _ = message.number


def test_ordinary_messages_carry_no_trace_of_it(torture):
    message = torture.Leaf(number=1)
    assert type(message).__getattribute__ is object.__getattribute__
    assert not hasattr(type(message), "__getattr__")
    assert type(message).__setattr__ is object.__setattr__
    assert set(message.__dict__) == {"number"}


def test_threads_that_look_at_once_all_see_the_message(torture):
    data = protowire.encode(torture.Packed(strings=["x"] * 50))
    with ThreadPoolExecutor(8) as pool:
        for _ in range(50):
            message = protowire.from_encoded(torture.Packed, data)
            seen = pool.map(lambda _, m=message: len(m.strings), range(8))
            assert set(seen) == {50}


def test_joined_encodings_answer_a_list(task):
    tasks = [task.Task(id=n, text="a") for n in (1, 2)]
    rows = [protowire.encode(task.ListTasksByTagResponse(tasks=[one])) for one in tasks]
    more = {"next_page_token": "x"}
    rest = protowire.encode(task.ListTasksByTagResponse(**more))
    answer = protowire.from_encoded(task.ListTasksByTagResponse, b"".join([*rows, rest]))
    expected = task.ListTasksByTagResponse(tasks=tasks, **more)
    assert protowire.encode(answer) == protowire.encode(expected)
    assert answer == expected


def test_its_hidden_class_makes_ordinary_messages(torture, lazy):
    hidden = type(lazy)
    assert type(hidden(number=1)) is torture.Leaf
    assert type(hidden.FromString(PLAIN)) is torture.Leaf
    assert type(protowire.decode(hidden, PLAIN)) is torture.Leaf
    assert protowire.encode(lazy) == TELLTALE


def test_a_subclass_of_a_compiled_class_is_a_type_error(torture):
    class Mine(torture.Leaf):
        pass

    protowire.encode(Mine(number=1))
    with pytest.raises(TypeError, match="not compiled"):
        protowire.from_encoded(Mine, b"")


def test_a_class_that_is_not_compiled_is_a_type_error(stock):
    with pytest.raises(TypeError, match="not compiled"):
        protowire.from_encoded(stock.Leaf, b"")
