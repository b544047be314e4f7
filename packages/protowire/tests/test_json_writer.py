"""JSON written the full way: options, numbers, keys, times, well-known messages."""

import json
import math
from datetime import UTC, datetime, timedelta

import betterproto.lib.google.protobuf as well_known
import pytest

import protowire
from protowire.json import writer


@pytest.fixture(autouse=True)
def _only_the_full_way(monkeypatch):
    monkeypatch.setattr(writer, "QUICK_JSON_WRITERS", {})


def plain(message, **options):
    return json.loads(protowire.to_json(message, **options))


def test_numbers_of_64_bits_are_strings_and_others_are_not(torture):
    message = torture.Scalars(an_int32=1, an_int64=2, a_uint32=3, a_uint64=4)
    assert plain(message) == {"anInt32": 1, "anInt64": "2", "aUint32": 3, "aUint64": "4"}


@pytest.mark.parametrize(
    ("number", "text"),
    [(math.nan, '"NaN"'), (math.inf, '"Infinity"'), (-math.inf, '"-Infinity"'), (-0.0, "-0.0")],
)
def test_doubles_that_json_has_no_number_for_are_words(torture, number, text):
    assert protowire.to_json(torture.Scalars(a_double=number)) == f'{{"aDouble":{text}}}'


@pytest.mark.parametrize("number", [0.1, 1e-45, 3.4028233e38, 16777216.0, 1.17549435e-38])
def test_a_float_has_the_shortest_text_that_comes_back(torture, number):
    message = protowire.decode(torture.Scalars, protowire.encode(torture.Scalars(a_float=number)))
    text = protowire.to_json(message)
    assert len(text) <= len('{"aFloat":}') + 14
    assert protowire.from_json(torture.Scalars, text) == message


def test_keys_are_strings_whatever_their_kind(torture):
    assert plain(torture.Maps(many_int32={-1: 2})) == {"manyInt32": {"-1": 2}}
    assert plain(torture.Maps(strings={"k": "v"})) == {"strings": {"k": "v"}}


def test_an_enum_is_its_name_or_its_number(torture):
    assert plain(torture.Scalars(a_color=torture.Color.RED)) == {"aColor": "RED"}
    assert plain(torture.Scalars(a_color=77)) == {"aColor": 77}


def test_bytes_are_padded_base64(torture):
    assert plain(torture.Scalars(a_bytes=b"\xfb\xff")) == {"aBytes": "+/8="}


@pytest.mark.parametrize(
    ("micros", "fraction"), [(0, ""), (500_000, ".500"), (1, ".000001"), (1000, ".001")]
)
def test_times_have_none_or_three_or_six_digits(torture, micros, fraction):
    moment = datetime(2020, 1, 2, 3, 4, 5, micros, tzinfo=UTC)
    assert plain(torture.Known(time=moment)) == {"time": f"2020-01-02T03:04:05{fraction}Z"}
    span = timedelta(seconds=-1, microseconds=-micros)
    assert plain(torture.Known(span=span)) == {"span": f"-1{fraction}s"}


def test_the_year_has_four_digits(torture):
    message = torture.Known(time=datetime(1, 1, 1, tzinfo=UTC))
    assert plain(message) == {"time": "0001-01-01T00:00:00Z"}


def test_defaults_leave_out_what_has_presence(torture):
    written = plain(torture.Known(), with_defaults=True)
    assert written.get("time") is None
    assert plain(torture.Tree(), with_defaults=True) == {"label": "", "children": [], "named": {}}


def test_names_may_be_the_protos_all_the_way_down(task):
    message = task.CreateTaskResponse(task=task.Task(id=1))
    assert plain(message, proto_names=True) == {"task": {"id": 1}}


def test_indented_text_is_the_same_json(torture):
    message = torture.Tree(label="é", left=torture.Tree(children=[torture.Tree()]))
    indented = protowire.to_json(message, indent=2)
    assert json.loads(indented) == plain(message)
    assert "é" in indented


def test_a_struct_is_an_object_of_plain_values(torture):
    protowire.compile_messages(well_known)
    text = '{"a":null,"b":[true,"x",1.5],"c":{}}'
    assert protowire.to_json(protowire.from_json(well_known.Struct, text)) == text


def test_a_value_without_a_value_cannot_be_written(torture):
    protowire.compile_messages(well_known)
    with pytest.raises(protowire.EncodeError, match="without a value"):
        protowire.to_json(well_known.Value())


def test_a_field_mask_is_one_string(torture):
    protowire.compile_messages(well_known)
    mask = well_known.FieldMask(paths=["foo_bar", "baz.qux"])
    assert protowire.to_json(mask) == '"fooBar,baz.qux"'


def test_an_error_names_the_field_by_its_path(torture):
    message = torture.Tree(children=[torture.Tree(leaf=torture.Leaf(number="x"))])
    with pytest.raises(protowire.EncodeError) as caught:
        protowire.to_json(message)
    assert str(caught.value) == "Tree.children[0].leaf.number: expected int, got str"
