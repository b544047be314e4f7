"""JSON from bytes alone: what decoding them and writing the message gives."""

import pytest
from oracle import Inputs

from protowire import DecodeError, encode, from_encoded, registry, to_json


@pytest.fixture
def both(torture):
    """The JSON of a message with this one inside, known by its bytes and decoded, or its error."""

    def outcome(make, data):
        try:
            return to_json(torture.PlainBytes(inner=make(data)))
        except DecodeError as error:
            return type(error)

    def both(data):
        known = outcome(lambda data: from_encoded(torture.PlainBytes, data), data)
        return known, outcome(torture.PlainBytes.FromString, data)

    return both


def test_classes_of_simple_fields_are_transcoded(torture, task):
    assert {torture.PlainBytes, task.Task} <= registry.QUICK_JSON_TRANSCODERS.keys()
    assert not {torture.Plain, torture.Scalars} & registry.QUICK_JSON_TRANSCODERS.keys()


def test_json_from_bytes_equals_json_of_the_message(upb, both):
    inputs = Inputs(20241124)
    for number in range(4000):
        make = inputs.valid if number % 2 else inputs.one
        data = make(upb.torture.PlainBytes)
        known, decoded = both(data)
        assert known == decoded, data.hex()


def test_what_encoders_write_is_transcoded(torture):
    inner = torture.PlainBytes(an_int32=300, many_string=["é", ""], inner=torture.PlainBytes())
    message = torture.PlainBytes(perhaps_int64=0, a_string="x", inner=inner, many=[inner])
    data = encode(message)
    text = registry.QUICK_JSON_TRANSCODERS[torture.PlainBytes](data, 0, len(data), 10)
    assert text == to_json(message)


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\x00",  # a zero that need not be there
        b"\x08\x01\x08\x02",  # twice: the last counts
        b"\x2a\x01x\x08\x01",  # another order
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # minus one
        b"\x2a\x01\xff",  # no UTF-8
        b"\x2a\x05x",  # truncated
        b"\x42\x03\x2a\x05x",  # truncated within
        b"\x08",
        b"\xf8\x07\x01",  # an unknown field
        b"\x3a\x01a\x08\x01\x3a\x01b",  # a list in two parts
    ],
)
def test_what_they_never_write_is_read_as_ever(both, data):
    known, decoded = both(data)
    assert known == decoded
