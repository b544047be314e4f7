"""JSON by generated code: the same text, and the same refusals, as the full way gives."""

from copy import deepcopy

import pytest
from oracle import Inputs

from protowire import EncodeError, encode, from_encoded, from_json, registry, to_json
from protowire.json import writer as json_writer
from protowire.wire import MAX_DEPTH


class Text(str):
    __slots__ = ()


class Number(int):
    pass


ODD = [
    *[None, False, True, 0, -1, 1.5, 2**31, -(2**63) - 1, 2**64, "", "x", "\ud800", b"x"],
    *[
        Text("own"),
        Number(5),
        [],
        (),
        {},
        ...,
        [None],
        [1, "x"],
        ["\ud800"],
        (1,),
        [Text("y")],
    ],
]


def outcome(message):
    try:
        return to_json(message)
    except EncodeError as error:
        return f"EncodeError: {error}"


@pytest.fixture
def both(monkeypatch):
    """A message's JSON, by generated code and the full way."""

    def both(message):
        quick = outcome(deepcopy(message))
        with monkeypatch.context() as context:
            context.setattr(json_writer, "QUICK_JSON_WRITERS", {})
            return quick, outcome(message)

    return both


def test_plain_classes_have_generated_code_and_others_have_not(torture, task):
    assert {
        torture.Plain,
        task.Task,
        task.ListTasksByTagResponse,
    } <= {*registry.QUICK_JSON_WRITERS}
    assert not {torture.Scalars, torture.Maps, torture.Known} & registry.QUICK_JSON_WRITERS.keys()


def test_quick_json_equals_the_full_way(torture, task, upb, both):
    for cls, oracle in (
        (torture.Plain, upb.torture.Plain),
        (torture.PlainWrappers, upb.torture.PlainWrappers),
        (task.ListTasksByTagResponse, upb.task.ListTasksByTagResponse),
    ):
        inputs = Inputs(20241124)
        for _ in range(500):
            message = cls.FromString(inputs.valid(oracle))
            quick, full = both(message)
            assert quick == full == json_writer._quick_json(message)
            assert from_json(cls, quick) == message


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_quick_json_refuses_what_the_full_way_refuses(torture, both, odd):
    for cls in (torture.Plain, torture.PlainWrappers):
        for name in cls.__dataclass_fields__:
            message = cls()
            setattr(message, name, odd)
            quick, full = both(message)
            assert quick == full, name


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_quick_json_names_what_is_wrong_within(torture, both, odd):
    for name in torture.Plain.__dataclass_fields__:
        message = torture.Plain()
        setattr(message, name, odd)
        quick, full = both(torture.Plain(inner=message))
        assert quick == full, name


def test_a_sub_message_that_was_merely_read_is_left_out(torture, both):
    message = torture.Plain(a_bool=True)
    assert not message.inner.a_bool
    assert both(message) == ('{"aBool":true}', '{"aBool":true}')


def test_a_message_known_by_its_bytes_is_written(torture, both):
    inner = encode(torture.Plain(a_string="é"))
    message = torture.Plain(inner=from_encoded(torture.Plain, inner))
    assert to_json(message) == '{"inner":{"aString":"é"}}'
    assert to_json(from_encoded(torture.Plain, inner)) == '{"aString":"é"}'


def test_messages_are_nested_as_deep_as_the_full_way_nests_them(torture, both):
    for depth in (MAX_DEPTH, MAX_DEPTH + 1):
        message = torture.Plain()
        for _ in range(depth):
            message = torture.Plain(many_plain=[message])
        quick, full = both(message)
        assert quick == full
        assert quick.startswith("EncodeError") is (depth > MAX_DEPTH)
