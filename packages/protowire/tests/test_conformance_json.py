"""The JSON cases of protobuf's conformance suite for proto3, as our own.

Valid texts must give what protobuf's json_format reads; what we write from them it must read
as the same. Invalid texts must be refused by both, save those that json_format is known to
let pass against the specification: they are listed beside the test that says so.
"""

import json

import pytest
from google.protobuf import json_format
from oracle import ours, theirs

import protowire

VALID = [
    # Field names.
    ("Scalars", '{"anInt32": 1, "a_string": "x"}'),
    ("Scalars", '{"an\\u0049nt32": 1}'),
    ("Scalars", "{}"),
    ("Scalars", '{\n"anInt32"\n:\n1\n,\n"anInt64"\n:\n2\n}'),
    ("Scalars", '{  "anInt32"  :  1\n  ,\n  "anInt64"  :  2\n}\n'),
    # Integers.
    *(("Scalars", f'{{"anInt32": {v}}}') for v in (2147483647, -2147483648, "1e5", "-1e0")),
    *(("Scalars", f'{{"anInt32": {v}}}') for v in ("100000.000", "2.147483647e9", "-0", "10E-1")),
    *(("Scalars", f'{{"anInt32": "{v}"}}') for v in ("2147483647", "0", "-5")),
    ("Scalars", '{"anInt32": "2\\u003147483647"}'),
    *(("Scalars", f'{{"aUint32": {v}}}') for v in (4294967295, "4.294967295e9", '"7"')),
    *(
        ("Scalars", f'{{"anInt64": {v}}}')
        for v in ('"9223372036854775807"', '"-9223372036854775808"', 9223372036854774784, "1e3")
    ),
    *(("Scalars", f'{{"aUint64": {v}}}') for v in ('"18446744073709551615"', 18446744073709549568)),
    ("Scalars", '{"aSint32": -7, "aSint64": "-7", "aFixed32": 7, "aFixed64": "7"}'),
    ("Scalars", '{"aSfixed32": -7, "aSfixed64": "-7"}'),
    # Floats.
    *(
        ("Scalars", f'{{"aFloat": {v}}}')
        for v in ("1.175494e-38", "-1.175494e-38", "3.402823e+38", "-3.402823e+38", '"1"', "1")
    ),
    *(("Scalars", f'{{"aFloat": "{v}"}}') for v in ("NaN", "Infinity", "-Infinity", "1.5e3")),
    *(
        ("Scalars", f'{{"aDouble": {v}}}')
        for v in ("2.22507e-308", "-2.22507e-308", "1.79769e+308", "-1.79769e+308", '"1"', "1e-400")
    ),
    *(("Scalars", f'{{"aDouble": "{v}"}}') for v in ("NaN", "Infinity", "-Infinity", "1.5")),
    ("Scalars", '{"aDouble": -0.0}'),
    # Bool, string, bytes, enum.
    ("Scalars", '{"aBool": true}'),
    ("Scalars", '{"aBool": false}'),
    ("Scalars", '{"aString": "Hello world!"}'),
    ("Scalars", '{"aString": "谷歌"}'),
    ("Scalars", '{"aString": "\\"\\\\\\/\\b\\f\\n\\r\\t"}'),
    ("Scalars", '{"aString": "\\u8C37\\u6B4C"}'),
    ("Scalars", '{"aString": "\\u8c37\\u6b4c"}'),
    ("Scalars", '{"aString": "\\uD83D\\uDE01"}'),
    ("Scalars", '{"aString": "Hello\\u0000world!"}'),
    *(("Scalars", f'{{"aBytes": "{v}"}}') for v in ("AQI=", "AQI", "-_", "", "+/8=", "-_8")),
    *(("Scalars", f'{{"aColor": {v}}}') for v in ('"RED"', 0, 1, 123, -3, '"MINUS"')),
    # Messages, null.
    ("Tree", '{"leaf": {"number": 1234}}'),
    ("Tree", '{"leaf": {}, "left": {"left": {}}}'),
    ("Tree", '{"leaf": null, "children": null, "named": null, "label": null}'),
    (
        "Scalars",
        json.dumps(dict.fromkeys(("aDouble", "anInt32", "aBool", "aString", "aBytes", "aColor"))),
    ),
    ("Optionals", '{"anInt32": 0, "aString": "", "aLeaf": {}, "aColor": "NONE", "aBool": false}'),
    ("Optionals", '{"anInt32": null, "aLeaf": null}'),
    # Repeated fields.
    ("Packed", '{"manyInt32": [1, 2, 3, 4], "colors": ["NONE", "RED", 2]}'),
    ("Packed", '{"strings": ["Hello", "world"], "byteses": ["AAEC", "AQI="]}'),
    ("Packed", '{"leaves": [{"number": 1234}, {}], "doubles": [1, 2.5, "NaN"]}'),
    ("Packed", '{"manyInt32": [], "strings": []}'),
    # Oneofs.
    ("Choice", '{"aNumber": null, "aString": "test"}'),
    ("Choice", '{"aString": "test", "aNumber": null}'),
    *(
        ("Choice", f'{{"{name}": {zero}}}')
        for name, zero in (
            ("aNumber", 0),
            ("aString", '""'),
            ("aBytes", '""'),
            ("aBool", "false"),
            ("aDouble", "0.0"),
            ("aColor", '"NONE"'),
            ("aLeaf", "{}"),
            ("aSint64", 0),
            ("anEmpty", "{}"),
            ("aWrapped", 0),
            ("aTimestamp", '"1970-01-01T00:00:00Z"'),
        )
    ),
    # Maps.
    *(
        ("Maps", f'{{"{name}": {{"1": 2, "3": 4}}}}')
        for name in ("manyInt32", "manyUint32", "manyInt64", "manyUint64", "manySfixed32")
    ),
    ("Maps", '{"bools": {"true": true, "false": false}}'),
    ("Maps", '{"bools": {"tr\\u0075e": true}, "manyInt32": {"\\u0031": 2}}'),
    ("Maps", '{"leaves": {"hello": {"number": 1234}, "world": {}}}'),
    ("Maps", '{"times": {"1": "2020-01-01T00:00:00Z"}, "spans": {"2": "1.5s"}}'),
    ("Maps", '{"colors": {"a": "RED", "b": 77}, "byteses": {"": ""}}'),
    # Wrappers, times.
    ("Known", '{"aBool": false, "anInt32": 0, "aUint32": 0, "anInt64": 0, "aUint64": "0"}'),
    ("Known", '{"aFloat": 0, "aDouble": 0, "aString": "", "aBytes": ""}'),
    ("Known", '{"aBool": true, "anInt32": 1, "anInt64": "1", "aString": "1", "aBytes": "AQI="}'),
    ("Known", '{"aBool": null, "aString": null, "aDouble": null, "time": null, "span": null}'),
    *(
        ("Known", f'{{"time": "{v}"}}')
        for v in (
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
            "1970-01-01T00:00:00.000Z",
            "1969-12-31T23:59:49.500Z",
            "1993-02-10T00:00:00.000Z",
            "1970-01-01T08:00:01+08:00",
            "1969-12-31T16:00:01-08:00",
            "1969-12-31T16:00:00-08:00",
            "1970-01-01T00:00:00.010000Z",
            "1970-01-01T00:00:00.000010Z",
        )
    ),
    *(
        ("Known", f'{{"span": "{v}"}}')
        for v in ("315576000000s", "-315576000000s", "1.5s", "-1.5s", "-0.5s", "0s", "1.000010s")
    ),
    ("Known", '{"times": ["0001-01-01T00:00:00Z"], "spans": ["1.5s", "-1.5s"]}'),
    # Struct, Value, ListValue, FieldMask, Empty.
    *(
        ("Foreign", f'{{"value": {v}}}')
        for v in ("1", "1.5", "false", "null", '"hello"', '[0, "hello"]', '{"value": 1}')
    ),
    ("Foreign", '{"struct": {"a": null, "b": [1, {"c": true}]}, "list": ["x", [1]]}'),
    ("Foreign", '{"value": ' + "[" * 25 + "1" + "]" * 25 + "}"),
    ("Foreign", '{"value": ' + '{"n": ' * 25 + "1" + "}" * 25 + "}"),
    ("Foreign", '{"mask": "foo,barBaz", "empty": {}}'),
    ("Foreign", '{"mask": ""}'),
]

INVALID = [
    # Syntax.
    *(("Scalars", v) for v in ("", "1", "null", '"x"', "{", '{"anInt32": 1,}', "{anInt32: 1}")),
    ("Scalars", '{"anInt32":1 , }'),
    ("Scalars", '{\n// comment\n"anInt32": 1}'),
    ("Scalars", '{"anInt32": 1 "anInt64": 2}'),
    ("Scalars", '{"aString": "abc\\'),
    ("Scalars", "{'aString': \"x\"}"),
    ("Scalars", "{\"aString\": 'x'}"),
    ("Scalars", '{"anInt32": 1} {}'),
    ("Scalars", '{"unknown": 1}'),
    ("Scalars", '{"anInt32": 1, "anInt32": 2}'),
    # Integers.
    *(
        ("Scalars", f'{{"anInt32": {v}}}')
        for v in (2147483648, -2147483649, 0.5, '"0.5"', "true", "false", '""', '"12abc"')
    ),
    *(
        ("Scalars", f'{{"anInt32": "{v}"}}')
        for v in ("12 34", "12,34", "12谷歌34", "abc", " 1", "1 ", "NaN")
    ),
    *(
        ("Scalars", f'{{"anInt32": {v}}}')
        for v in ("1e10", "[1]", "{}", "NaN", "Infinity", "1.1e0")
    ),
    *(("Scalars", f'{{"aUint32": {v}}}') for v in (4294967296, -1, 0.5)),
    *(
        ("Scalars", f'{{"anInt64": {v}}}')
        for v in ('"9223372036854775808"', '"-9223372036854775809"', '"0.5"', '""')
    ),
    *(
        ("Scalars", f'{{"aUint64": {v}}}')
        for v in ('"18446744073709551616"', "-1", '"1e536870000"')
    ),
    ("Scalars", '{"aUint64": "' + "9" * 5000 + '"}'),
    ("Scalars", '{"aUint64": ' + "9" * 5000 + "}"),
    # Floats.
    *(
        ("Scalars", f'{{"aFloat": {v}}}')
        for v in ("NaN", "Infinity", "-Infinity", "3.502823e+38", "-3.502823e+38", '""')
    ),
    *(("Scalars", f'{{"aFloat": "{v}"}}') for v in ("12abc", "abc", "12 34", "12,34")),
    *(("Scalars", f'{{"aDouble": {v}}}') for v in ("1.89769e+308", "-1.89769e+308", "NaN", '""')),
    # Bool, string, bytes, enum.
    *(("Scalars", f'{{"aBool": {v}}}') for v in (0, 1, '"true"', "True", '""')),
    *(
        ("Scalars", f'{{"aString": {v}}}')
        for v in (12345, "true", "[]", '"\\U8C37"', '"\\uXXXX"', '"\\u8C3"', '"\\uD800"')
    ),
    *(("Scalars", f'{{"aString": {v}}}') for v in ('"\\uDC00"', '"\\uDE01\\uD83D"', '"\\uD800x"')),
    *(("Scalars", f'{{"aBytes": {v}}}') for v in (1, '"A"')),
    *(("Scalars", f'{{"aColor": {v}}}') for v in ("RED", '["RED"]', "[2]", '"PUCE"')),
    # Messages, null.
    *(("Tree", f'{{"leaf": {v}}}') for v in (1, '"x"', "true")),
    ("Packed", '{"manyInt32": [1, null, 2]}'),
    ("Packed", '{"leaves": [{}, null]}'),
    ("Maps", '{"manyInt32": {null: 1}}'),
    ("Maps", '{"manyInt32": {"0": null}}'),
    # Repeated fields.
    *(("Packed", f'{{"manyInt32": {v}}}') for v in (1, "[1, false]", '[1, "name"]', '[{"a": 4}]')),
    *(("Packed", f'{{"manyInt32": {v}}}') for v in ("[1, 2,]", "[1 , ]", "[1\n,\n]")),
    *(("Packed", f'{{"strings": {v}}}') for v in ('"x"', '["1", 2]', '["1", false]', '[{"a": 4}]')),
    *(("Packed", f'{{"leaves": {v}}}') for v in ('{"number": 1}', "[{}, 2]", "[false]", '["2"]')),
    # Maps.
    *(("Maps", f'{{"manyInt32": {v}}}') for v in ("{1: 2}", "[]", '{"x": 1}', '{"1.5": 1}')),
    *(("Maps", f'{{"bools": {v}}}') for v in ("{true: true}", '{"1": true}', '{"True": true}')),
    ("Maps", '{"manyInt32": {"2147483648": 1}}'),
    ("Maps", '{"manyInt32": {"1": 1, "1": 2}}'),
    # Oneofs.
    ("Choice", '{"aNumber": 1, "aString": "test"}'),
    ("Choice", '{"aString": "test", "aNumber": 1}'),
    # Times.
    *(
        ("Known", f'{{"time": "{v}"}}')
        for v in (
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "0001-01-01T00:00:00",
            "0001-01-01 00:00:00Z",
            "0001-01-01T00:00:00z",
            "0001-01-01t00:00:00Z",
            "1970-13-01T00:00:00Z",
            "1970-02-30T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "",
            "x",
        )
    ),
    ("Known", '{"time": 0}'),
    *(
        ("Known", f'{{"span": "{v}"}}')
        for v in ("1", "-315576000001s", "315576000001.000000000s", "s", "", "1.5", "x")
    ),
    ("Known", '{"span": 1}'),
    # Nesting.
    ("Foreign", '{"value": ' + "[" * 200 + "1" + "]" * 200 + "}"),
    ("Foreign", '{"value": ' + '{"n": ' * 200 + "1" + "}" * 200 + "}"),
    ("Foreign", '{"value": ' + "[" * 100_000 + "1" + "]" * 100_000 + "}"),
    ("Tree", '{"left": ' * 150 + "{}" + "}" * 150),
    ("Foreign", '{"struct": []}'),
    ("Foreign", '{"list": {}}'),
    ("Foreign", '{"mask": "foo,bar_bar"}'),
]


@pytest.mark.parametrize(("name", "text"), VALID)
def test_valid_json_is_read_and_written_as_json_format_does(torture, upb, name, text):
    cls, oracle = getattr(torture, name), getattr(upb.torture, name)
    expected = json_format.Parse(text, oracle())
    message = protowire.from_json(cls, text)
    assert ours(message) == theirs(expected)
    written = protowire.to_json(message)
    assert theirs(json_format.Parse(written, oracle())) == theirs(expected)
    assert json.loads(written) == json_format.MessageToDict(expected)
    assert ours(protowire.from_json(cls, written.encode())) == theirs(expected)


@pytest.mark.parametrize(("name", "text"), INVALID)
def test_invalid_json_is_refused_as_json_format_does(torture, upb, name, text):
    with pytest.raises(protowire.DecodeError):
        protowire.from_json(getattr(torture, name), text)
    with pytest.raises((json_format.ParseError, RecursionError)):
        json_format.Parse(text, getattr(upb.torture, name)())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Scalars", "[]"),
        ("Scalars", '{"anInt32": 1, "an_int32": 2}'),
        ("Scalars", '{"aFloat": true}'),
        ("Scalars", '{"aColor": true}'),
        ("Scalars", '{"aColor": 0.5}'),
        ("Tree", '{"leaf": []}'),
        ("Scalars", '{"aBytes": "%%%%"}'),
        ("Scalars", '{"aBytes": "A=Q="}'),
        ("Scalars", '{"anInt32": "+1"}'),
        ("Scalars", '{"anInt32": "0x1"}'),
        ("Scalars", '{"anInt32": "1_0"}'),
        ("Scalars", '{"anInt32": "١٢٣"}'),
        ("Scalars", '{"aDouble": "inf"}'),
        ("Scalars", '{"aDouble": "nan"}'),
        ("Scalars", '{"aDouble": " 1"}'),
        ("Known", '{"time": "1970-01-01T08:00:01+0800"}'),
        ("Known", '{"time": "1970-01-01T08:00:01+00:60"}'),
        ("Known", '{"time": "1970-01-01T08:00:01-24:00"}'),
        ("Known", '{"time": "1970-1-1T8:00:01Z"}'),
        ("Known", '{"span": " 1s"}'),
        ("Known", '{"span": "1_0s"}'),
    ],
)
def test_invalid_json_that_json_format_may_let_pass_is_refused(torture, name, text):
    with pytest.raises(protowire.DecodeError):
        protowire.from_json(getattr(torture, name), text)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ('{"unknown": {"a": [1]}}', {}),
        ('{"aColor": "PUCE", "anInt32": 1}', {3: 1}),
    ],
)
def test_unknown_names_are_passed_over_by_the_flag(torture, text, facts):
    assert ours(protowire.from_json(torture.Scalars, text, ignore_unknown=True)) == facts


def test_unknown_enum_names_are_dropped_from_lists_and_maps_by_the_flag(torture):
    packed = '{"colors": ["RED", "PUCE", "RED"]}'
    message = protowire.from_json(torture.Packed, packed, ignore_unknown=True)
    assert message.colors == [torture.Color.RED, torture.Color.RED]
    maps = '{"colors": {"a": "RED", "b": "PUCE"}}'
    message = protowire.from_json(torture.Maps, maps, ignore_unknown=True)
    assert message.colors == {"a": torture.Color.RED}


def test_exponents_may_be_quoted(torture):
    message = protowire.from_json(torture.Scalars, '{"anInt32": "1e5", "anInt64": "1.0"}')
    assert (message.an_int32, message.an_int64) == (100_000, 1)
