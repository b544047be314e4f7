"""The strictness that the README claims: betterproto takes it, protowire refuses it by name."""

import pytest

import protowire

ACCEPTED_BYTES = {
    "a string that ends too early": b"\x12\x05ab",
    "field number 0": b"\x00\x01",
    "a wire type that does not exist": b"\x0f\x01",
    "the end of a group that was not begun": b"\x0c",
}
ACCEPTED_FIELDS = {
    "an integer above its range": {"number": 2**40},
    "an integer below its range": {"number": -(2**31) - 1},
    "a bool for an integer": {"number": True},
}
ACCEPTED_JSON = {
    "an unknown name": '{"nope": 1}',
    "one name twice": '{"number": 1, "number": 2}',
    "a value of another type": '{"number": "x"}',
    "an integer out of range": '{"number": 1099511627776}',
}


@pytest.mark.parametrize("data", ACCEPTED_BYTES.values(), ids=ACCEPTED_BYTES)
def test_bytes_that_betterproto_reads_are_refused(torture, stock, data):
    stock.Tree().parse(data)
    with pytest.raises(protowire.DecodeError):
        protowire.decode(torture.Tree, data)


@pytest.mark.parametrize("fields", ACCEPTED_FIELDS.values(), ids=ACCEPTED_FIELDS)
def test_values_that_betterproto_writes_are_refused(torture, stock, fields):
    bytes(stock.Leaf(**fields))
    with pytest.raises(protowire.EncodeError) as caught:
        protowire.encode(torture.Leaf(**fields))
    assert caught.value.field == "number"


@pytest.mark.parametrize("text", ACCEPTED_JSON.values(), ids=ACCEPTED_JSON)
def test_json_that_betterproto_reads_is_refused(torture, stock, text):
    stock.Leaf().from_json(text)
    with pytest.raises(protowire.DecodeError):
        protowire.from_json(torture.Leaf, text)


def test_a_string_for_a_list_of_strings_is_refused(task):
    with pytest.raises(protowire.EncodeError, match="expected a list"):
        protowire.encode(task.Task(tags="abc"))


def test_a_known_number_of_another_wire_type_is_an_unknown_field(torture):
    message = protowire.decode(torture.Leaf, b"\x0a\x01x")
    assert message.number == 0
    assert protowire.encode(message) == b"\x0a\x01x"
