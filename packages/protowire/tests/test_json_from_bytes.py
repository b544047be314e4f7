"""Quick JSON of what is known only by its bytes: transcoded, or decoded, or given up."""

import pytest

import protowire
from protowire import registry
from protowire.json.fallback import TakeFullWay
from protowire.json.from_bytes import json_of_bytes


def test_bytes_in_their_usual_form_are_transcoded(task, monkeypatch):
    lazy = protowire.from_encoded(task.Task, b"\x08\x01\x12\x01a")
    monkeypatch.setitem(registry.DECODERS, task.Task, None)
    assert json_of_bytes(lazy, task.Task, 5) == '{"id":1,"text":"a"}'


def test_a_message_is_not_settled_by_it(task):
    lazy = protowire.from_encoded(task.Task, b"\x08\x01")
    json_of_bytes(lazy, task.Task, 5)
    assert type(lazy) is registry.LAZY[task.Task]


@pytest.mark.parametrize(
    "data",
    [b"\x12\x01a\x08\x01", b"\x08\x02\x08\x01\x12\x01a", b"\x08\x01\x12\x01a\xf8\x07\x01"],
    ids=["another order", "twice", "an unknown field"],
)
def test_other_forms_are_decoded(task, data):
    lazy = protowire.from_encoded(task.Task, data)
    assert json_of_bytes(lazy, task.Task, 5) == '{"id":1,"text":"a"}'


def test_a_class_without_a_transcoder_is_decoded(torture):
    assert torture.Plain not in registry.QUICK_JSON_TRANSCODERS
    lazy = protowire.from_encoded(torture.Plain, protowire.encode(torture.Plain(a_bool=True)))
    assert json_of_bytes(lazy, torture.Plain, 5) == '{"aBool":true}'


def test_invalid_bytes_are_a_decode_error(task):
    lazy = protowire.from_encoded(task.Task, b"\x12\x05a")
    with pytest.raises(protowire.DecodeError, match="truncated"):
        json_of_bytes(lazy, task.Task, 5)


def test_any_other_object_takes_the_full_way(task):
    for other in (task.Task(), task.CreateTaskRequest(), None, "x"):
        with pytest.raises(TakeFullWay):
            json_of_bytes(other, task.Task, 5)


def test_a_level_too_many_takes_the_full_way(task):
    lazy = protowire.from_encoded(task.Task, b"")
    with pytest.raises(TakeFullWay):
        json_of_bytes(lazy, task.Task, -1)
