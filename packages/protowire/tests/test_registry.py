"""The doors to generated code: which class has which, and one family of errors."""

import struct

import betterproto.lib.google.protobuf
import pytest
from google.protobuf import wrappers_pb2

import protowire
from protowire import registry
from protowire.errors import DecodeError


@pytest.mark.parametrize(
    "error",
    [IndexError(), struct.error("unpack")],
    ids=lambda error: type(error).__name__,
)
def test_running_off_the_input_is_told_as_truncated(error):
    told = registry.locate(error, "Task", "text", 7)
    assert str(told) == "Task.text: truncated at offset 7"


def test_invalid_utf8_is_told_as_such():
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")
    assert registry.locate(error, "Task", "text", 7).reason == "invalid UTF-8"


def test_an_error_from_within_keeps_its_offset_and_gains_a_path():
    inner = registry.locate(DecodeError("x", offset=9), "Task", "text", 7)
    outer = registry.locate(inner, "Response", "task", 2)
    assert outer is inner
    assert (outer.message, outer.field, outer.offset) == ("Response", "task.text", 9)


def test_an_error_without_an_offset_gets_the_fields():
    assert registry.locate(DecodeError("x"), "Task", "text", 7).offset == 7


def test_the_shape_of_a_class_that_is_not_compiled_is_none(stock):
    assert registry.shape_of(stock.Leaf) is None
    assert registry.shape_of(int) is None


def test_a_subclass_that_adds_nothing_shares_its_bases_code(torture):
    class Mine(torture.Leaf):
        pass

    assert registry.shape_of(Mine) is registry.SHAPES[torture.Leaf]
    assert registry.ENCODERS[Mine] is registry.ENCODERS[torture.Leaf]
    assert type(protowire.decode(Mine, b"\x08\x01")) is Mine


def test_every_compiled_class_has_every_table_that_is_not_for_quick_json(torture, task):
    for cls in (torture.Scalars, torture.Tree, torture.Maps, task.Task):
        for table in (registry.ENCODERS, registry.DECODERS, registry.LAZY, registry.SHAPES):
            assert cls in table


def test_the_hidden_class_of_lazy_messages_is_encoded_but_not_decoded(task):
    hidden = registry.LAZY[task.Task]
    assert hidden in registry.ENCODERS
    assert hidden not in registry.DECODERS
    assert type(protowire.decode(hidden, b"\x08\x01")) is task.Task


def test_foreign_messages_go_by_their_own_methods(stock):
    for message in (wrappers_pb2.StringValue(value="x"), stock.Leaf(name="x")):
        data = protowire.encode(message)
        assert protowire.decode(type(message), data) == message


def test_every_error_of_a_foreign_runtime_is_a_decode_error():
    with pytest.raises(DecodeError, match="StringValue: malformed"):
        protowire.decode(wrappers_pb2.StringValue, b"\x0a\x05")


def test_merging_is_for_compiled_classes(stock):
    with pytest.raises(TypeError, match="Leaf is not compiled"):
        registry.merge(stock.Leaf(), b"")


def test_merging_takes_what_is_like_bytes(torture):
    message = torture.Leaf(name="a")
    assert registry.merge(message, bytearray(b"\x08\x05")) is message
    assert message == torture.Leaf(number=5, name="a")
    with pytest.raises(TypeError, match="expected bytes, got str"):
        registry.merge(message, "x")


def test_a_sub_message_of_a_kindred_class_is_encoded_by_its_own_code(torture):
    class Mine(torture.Leaf):
        pass

    assert registry.encode_other(Mine(number=1), torture.Leaf, 5) == b"\x08\x01"
    with pytest.raises(TypeError):
        registry.encode_other(torture.Tree(), torture.Leaf, 5)


def test_unknown_fields_are_kept_in_one_list(torture):
    message = torture.Leaf()
    first = registry.keep_unknown(message, None, b"a")
    assert registry.keep_unknown(message, first, b"b") is first
    assert message._unknown_fields == b"ab"


def test_an_error_of_ours_that_has_no_field_is_still_an_encode_error(torture, monkeypatch):
    def fail(_message, _depth):
        raise OverflowError

    monkeypatch.setitem(registry.ENCODERS, torture.Leaf, fail)
    with pytest.raises(protowire.EncodeError, match="can't be encoded: OverflowError") as caught:
        protowire.encode(torture.Leaf())
    assert isinstance(caught.value.__cause__, OverflowError)


def test_compiling_a_well_known_class_leaves_no_other_way(torture):
    cls = betterproto.lib.google.protobuf.Struct
    protowire.compile_messages(cls)
    assert cls not in registry.QUICK_JSON_WRITERS
    assert cls not in registry.QUICK_JSON_READERS
