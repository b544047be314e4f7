"""JSON read by generated code: the same message, and the same refusals, as the full way gives."""

import json
import random

import pytest
from oracle import Inputs

from protowire import DecodeError, encode, from_json, registry, to_json
from protowire.json import reader as json_reader
from protowire.wire import MAX_DEPTH

ODD = [
    *[None, True, 0, -1, 1.5, 1e3, 2**31, -(2**63) - 1, 2**64, 1e400],
    *["", "x", "é", "\ud800", "7", "-7", "07", " 7", "1e2", "NaN", "Infinity", "eA==", "1.5s"],
    *["1970-01-01T00:00:00Z", [], {}, [None], [1, "x"], ["\ud800"], [[]], [{}], {"x": 1}],
]


@pytest.fixture
def both(monkeypatch):
    """The results of reading a text, by generated code and the full way."""

    def outcome(cls, text, **options):
        try:
            message = from_json(cls, text, **options)
        except DecodeError as error:
            return f"DecodeError: {error}"
        return encode(message), to_json(message), message

    def both(cls, text, **options):
        quick = outcome(cls, text, **options)
        with monkeypatch.context() as context:
            context.setattr(json_reader, "QUICK_JSON_READERS", {})
            return quick, outcome(cls, text, **options)

    return both


def quick(cls, text):
    """The result of the generated code alone."""
    return json_reader._quick_message(cls, text, 1 << 22, MAX_DEPTH)


def test_classes_of_simple_fields_have_generated_code_and_others_have_not(torture, task):
    quick_classes = registry.QUICK_JSON_READERS.keys()
    assert {torture.PlainBytes, torture.PlainWrappers, task.CreateTaskRequest} <= quick_classes
    assert not {torture.Plain, torture.Maps} & quick_classes


def test_what_the_writers_write_is_read_by_generated_code(upb, torture):
    inputs = Inputs(20261124)
    for _ in range(500):
        data = inputs.valid(upb.torture.PlainBytes)
        message = torture.PlainBytes.FromString(data)
        found = quick(torture.PlainBytes, to_json(message))
        assert found is not None, data.hex()
        assert encode(found) == encode(from_json(torture.PlainBytes, to_json(message, indent=1)))


def test_quick_reading_equals_the_full_way(upb, torture, both):
    """Whatever one of its values is replaced by, its names are spelt, or the text is cut to."""
    inputs = Inputs(5)
    chance = random.Random(5)
    for number in range(3000):
        message = torture.PlainBytes.FromString(inputs.valid(upb.torture.PlainBytes))
        text = json.dumps(altered(json.loads(to_json(message)), chance))
        if number % 5 == 0:
            text = text[: chance.randrange(len(text) + 1)]
        text = chance.choice(["", "", " "]) + text + chance.choice(["", "", "\n", "{}"])
        lenient = number % 2 == 0
        known, full = both(torture.PlainBytes, text, ignore_unknown=lenient)
        assert known == full, text
        known, full = both(torture.PlainBytes, text.encode(), ignore_unknown=lenient)
        assert known == full, text


def altered(plain, chance):
    """An object with one thing in it that may be wrong."""
    name = chance.choice(["anInt32", "perhapsInt64", "aString", "manyString", "inner", "many"])
    match chance.randrange(4):
        case 0:
            plain[name] = chance.choice(ODD)
        case 1:
            plain[chance.choice(["an_int32", "a_string", "unknown", ""])] = chance.choice(ODD)
        case 2 if isinstance(plain.get("inner"), dict):
            altered(plain["inner"], chance)
        case _:
            pass
    return plain


@pytest.mark.parametrize("value", ODD)
def test_odd_wrapped_values_are_judged_as_ever(torture, both, value):
    for name in ("anInt64", "aUint32", "aBool", "aString"):
        known, full = both(torture.PlainWrappers, json.dumps({name: value}))
        assert known == full


@pytest.mark.parametrize(
    "text",
    [
        '{"aString": "x", "aString": "y"}',
        '{"aString": "x", "a_string": "y"}',
        '{"inner": {"anInt32": 1, "anInt32": 2}}',
        '{"unknown": {"x": 1, "x": 2}}',
        '{"inner": [["anInt32", 1]]}',
        '{"many": {"anInt32": 1}}',
        '[["anInt32", 1]]',
        '{"aString": NaN}',
        '{"anInt32": ' + "1" * 5000 + "}",
        '{"aString": "\\ud83d\\ude00"}',
        '{"aString": "\\ud83d"}',
        '{"anInt32": 1e999999999999999999999}',
        '{"many": ' + "[" * 100_000,
        "{" * 100_000,
        "null",
        "",
        b'{"aString": "\xff"}',
        bytearray(b'{"aString": "x"}'),
    ],
)
def test_unusual_texts_are_judged_as_ever(torture, both, text):
    for lenient in (False, True):
        known, full = both(torture.PlainBytes, text, ignore_unknown=lenient)
        assert known == full


def test_nesting_is_limited_alike(torture, both):
    deep = '{"inner":' * 8 + "{}" + "}" * 8
    for depth in (7, 8, 9):
        known, full = both(torture.PlainBytes, deep, max_depth=depth)
        assert known == full
        assert isinstance(known, str) == (depth < 8)


def test_size_is_limited_alike(torture, both):
    text = '{"aString":"' + "é" * 10 + '"}'
    for limit in (10, 33, 34, 35, 1000):
        assert len(set(map(str, both(torture.PlainBytes, text, max_bytes=limit)))) == 1
