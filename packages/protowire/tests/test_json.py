"""ProtoJSON beyond the conformance cases: options, limits, errors, random messages."""

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta

import betterproto
import betterproto.lib.google.protobuf
import pytest
from google.protobuf import duration_pb2, json_format, timestamp_pb2, wrappers_pb2
from oracle import Inputs, ours, theirs

import protowire
from protowire.json import values as json_values

FIXED_SEED = 11
LIMIT_S = 2  # what is not linear takes minutes


def test_random_messages_are_written_and_read_as_json_format_does(torture, upb):
    inputs = Inputs(FIXED_SEED, micros=True)
    names = ("Scalars", "Optionals", "Packed", "Tree", "Choice", "Maps", "Known", "Leaf")
    for number in range(1500):
        name = names[number % len(names)]
        cls, oracle = getattr(torture, name), getattr(upb.torture, name)
        expected = oracle.FromString(inputs.valid(oracle))
        message = protowire.decode(cls, expected.SerializeToString())
        plain = json_format.MessageToDict(expected)
        assert json.loads(protowire.to_json(message)) == plain
        assert ours(protowire.from_json(cls, json.dumps(plain))) == theirs(expected)


def test_output_is_compact_unless_indented(task):
    message = task.Task(id=1, text="é", tags=["a"])
    assert protowire.to_json(message) == '{"id":1,"text":"é","tags":["a"]}'
    assert protowire.to_json(message, indent=1).startswith('{\n "id": 1,\n')


def test_defaults_are_written_on_demand(task):
    assert protowire.to_json(task.Task()) == "{}"
    written = protowire.to_json(task.Task(), with_defaults=True)
    assert written == '{"id":0,"text":"","tags":[]}'


def test_names_of_the_proto_are_written_on_demand(task):
    message = task.CreateTaskRequest(request_id="x")
    assert protowire.to_json(message) == '{"requestId":"x"}'
    assert protowire.to_json(message, proto_names=True) == '{"request_id":"x"}'


def test_an_empty_sub_message_is_written(task):
    assert protowire.to_json(task.CreateTaskResponse(task=task.Task())) == '{"task":{}}'
    response = task.CreateTaskResponse()
    assert response.task.id == 0
    assert protowire.to_json(response) == "{}"


def test_a_lazy_message_is_written(task):
    lazy = protowire.from_encoded(task.Task, b"\x08\x01")
    assert protowire.to_json(task.CreateTaskResponse(task=lazy)) == '{"task":{"id":1}}'


def test_a_class_that_is_not_compiled_is_a_type_error(stock):
    with pytest.raises(TypeError, match="not compiled"):
        protowire.to_json(stock.Leaf())
    with pytest.raises(TypeError, match="not compiled"):
        protowire.from_json(stock.Leaf, "{}")


def test_a_subclass_without_fields_is_written_and_read(torture):
    class Mine(torture.Leaf):
        pass

    class Other(torture.Leaf):
        pass

    assert protowire.to_json(Mine(number=1)) == '{"number":1}'
    assert protowire.to_json(torture.Tree(leaf=Other(number=1))) == '{"leaf":{"number":1}}'
    assert type(protowire.from_json(Mine, '{"number": 1}')) is Mine


def test_what_cannot_be_encoded_cannot_be_written(task):
    with pytest.raises(protowire.EncodeError) as caught:
        protowire.to_json(task.CreateTaskResponse(task=task.Task(id="1")))
    assert caught.value.field == "task.id"


def test_times_beyond_json_cannot_be_written(torture):
    with pytest.raises(protowire.EncodeError, match="10,000 years"):
        protowire.to_json(torture.Known(span=timedelta(days=3_652_501)))


@pytest.mark.parametrize("path", ["fooBar", "foo_3_bar", "foo__bar"])
def test_a_field_mask_that_would_not_come_back_cannot_be_written(torture, path):
    message = torture.Foreign()
    message.mask.paths.append(path)
    with pytest.raises(protowire.EncodeError, match="no JSON spelling"):
        protowire.to_json(message)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_value_without_a_json_number_cannot_be_written(torture, number):
    message = torture.Foreign()
    message.value.number_value = number
    with pytest.raises(protowire.EncodeError):
        protowire.to_json(message)


def test_any_is_refused_by_name_for_want_of_a_registry(torture):
    message = torture.Foreign()
    message.any.type_url = "x"
    with pytest.raises(protowire.EncodeError, match="registry"):
        protowire.to_json(message)
    with pytest.raises(protowire.DecodeError, match="registry"):
        protowire.from_json(torture.Foreign, '{"any": {}}')


def test_times_are_cut_to_microseconds_since_datetime_holds_no_more(torture, upb):
    text = '{"time": "1970-01-01T00:00:00.000001999Z", "span": "0.000001999s"}'
    json_format.Parse(text, upb.torture.Known())
    message = protowire.from_json(torture.Known, text)
    assert message.time == datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)
    assert message.span == timedelta(microseconds=1)


def test_times_off_their_range_are_refused_by_the_decoder_where_upb_reads_them(torture, upb):
    for seconds in (-62135596801, 253402300800):
        data = upb.torture.Known(time={"seconds": seconds}).SerializeToString()
        with pytest.raises(protowire.DecodeError, match="Timestamp is outside") as caught:
            protowire.decode(torture.Known, data)
        assert caught.value.field == "time"
    data = upb.torture.Known(span={"seconds": 2**62}).SerializeToString()
    with pytest.raises(protowire.DecodeError, match="Duration is longer"):
        protowire.decode(torture.Known, data)


def test_times_with_crooked_nanos_are_straightened_where_upb_keeps_them(torture, upb):
    data = upb.torture.Known(time={"seconds": 5, "nanos": -1000}).SerializeToString()
    message = protowire.decode(torture.Known, data)
    assert message.time == datetime(1970, 1, 1, 0, 0, 4, 999999, tzinfo=UTC)


def test_an_error_names_the_field_by_its_path(task, torture):
    with pytest.raises(protowire.DecodeError) as caught:
        protowire.from_json(task.CreateTaskResponse, '{"task": {"tags": ["a", 1]}}')
    assert str(caught.value) == "CreateTaskResponse.task.tags: expected a string"
    with pytest.raises(protowire.DecodeError) as caught:
        protowire.from_json(torture.Leaf, '{"number": ?}')
    assert caught.value.offset == 11


def test_the_size_of_the_text_is_limited(task):
    text = json.dumps({"text": "é" * 100}, ensure_ascii=False)
    size = len(text.encode())
    for form in (text, text.encode(), bytearray(text.encode())):
        assert protowire.from_json(task.Task, form, max_bytes=size)
        with pytest.raises(protowire.DecodeError, match="larger than"):
            protowire.from_json(task.Task, form, max_bytes=size - 1)


def test_invalid_utf8_is_refused(task):
    with pytest.raises(protowire.DecodeError, match="invalid UTF-8"):
        protowire.from_json(task.Task, b'{"text": "\xff"}')


def test_nesting_is_limited(torture):
    def tree(levels: int) -> str:
        return '{"left":' * levels + "{}" + "}" * levels

    protowire.from_json(torture.Tree, tree(100))
    with pytest.raises(protowire.DecodeError, match="nested"):
        protowire.from_json(torture.Tree, tree(101))
    with pytest.raises(protowire.DecodeError, match="nested"):
        protowire.from_json(torture.Tree, tree(3), max_depth=2)


HOSTILE = [
    '{"unknown": ' + "[" * 200_000,
    '{"aDouble": ' + "1" * 200_000 + "}",
    '{"aDouble": 1e' + "9" * 200_000 + "}",
    '{"anInt64": 1e999999999}',
    '{"anInt64": "1e999999999"}',
    '{"anInt64": 1e-999999999}',
    '{"aDouble": "' + "1" * 200_000 + '"}',
    '{"aBytes": "' + "=" * 200_000 + '"}',
    '{"aString": "' + '\\"' * 100_000,
    "{" + '"a":1,' * 40_000 + '"a":1}',
    '{"anInt32":0.' + "0" * 200_000 + "1}",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_work_is_bounded_for_hostile_text(torture, number):
    start = time.process_time()
    with pytest.raises(protowire.DecodeError):
        protowire.from_json(torture.Scalars, HOSTILE[number])
    assert time.process_time() - start < LIMIT_S


def test_enum_names_are_read_with_the_prefix_that_betterproto_strips(torture):
    for name in ("RED", "COLOR_RED"):
        message = protowire.from_json(torture.Scalars, f'{{"aColor": "{name}"}}')
        assert message.a_color == torture.Color.RED


ALONE = [
    *(("Timestamp", t) for t in ("2020-01-01T00:00:00Z", "1969-12-31T23:59:59.000000001Z")),
    *(("Duration", t) for t in ("0s", "1.000000001s", "-0.500s", "-315576000000s")),
    *((f"{kind}Value", 5) for kind in ("Int32", "UInt32", "Double", "Float")),
    *((f"{kind}Value", "5") for kind in ("Int64", "UInt64", "String")),
    *(("BoolValue", False), ("BytesValue", "AP8="), ("DoubleValue", "NaN"), ("StringValue", "")),
]
"""Messages that a method may take or give by themselves, with their JSON."""


@pytest.mark.parametrize(("name", "plain"), ALONE)
def test_a_well_known_message_by_itself_is_no_object(name, plain):
    cls = getattr(betterproto.lib.google.protobuf, name)
    protowire.compile_messages(cls)
    message = protowire.from_json(cls, json.dumps(plain))
    modules = {"Timestamp": timestamp_pb2, "Duration": duration_pb2}
    oracle = getattr(modules.get(name, wrappers_pb2), name)()
    json_format.Parse(json.dumps(plain), oracle)
    assert protowire.encode(message) == oracle.SerializeToString()
    assert json.loads(protowire.to_json(message)) == plain
    for other in ("{}", "null", "[]"):
        with pytest.raises(protowire.DecodeError):
            protowire.from_json(cls, other)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        *(("Timestamp", p) for p in ((253402300800, 0), (-62135596801, 0), (0, -1), (0, 10**9))),
        *(("Duration", p) for p in ((315576000001, 0), (1, -1), (-1, 1), (0, 10**9))),
    ],
)
def test_a_time_by_itself_that_is_out_of_range_cannot_be_written(name, parts):
    cls = getattr(betterproto.lib.google.protobuf, name)
    protowire.compile_messages(cls)
    with pytest.raises(protowire.EncodeError):
        protowire.to_json(cls(*parts))


class Level(betterproto.Enum):
    """As betterproto's compiler names LEVEL_LOW, LEVEL_2, XLEVEL_TOP, class."""

    LOW = 0
    _2 = 2
    TOP = 3
    class_ = 4


@dataclasses.dataclass(eq=False, repr=False)
class Spelled(betterproto.Message):
    """As betterproto's compiler names fieldName1, FIELD_NAME2, x3y, __field__name4_, htmlURL."""

    field_name1: int = betterproto.int32_field(1)
    field_name2: int = betterproto.int32_field(2)
    x3_y: int = betterproto.int32_field(3)
    field_name4: int = betterproto.int32_field(4)
    html_url: int = betterproto.int32_field(5)
    key: int = betterproto.int32_field(7)
    level: Level = betterproto.enum_field(6)  # noqa: RUF009 - so is it generated


@pytest.fixture(scope="module")
def spelled():
    protowire.compile_messages(Spelled)
    return Spelled


@pytest.mark.parametrize(
    "name", ["LEVEL_2", "_2", "XLEVEL_TOP", "LEVEL_TOP", "TOP", "class", "LEVEL_class"]
)
def test_enum_names_are_read_as_the_proto_or_as_betterproto_spells_them(spelled, name):
    message = protowire.from_json(spelled, f'{{"level": "{name}"}}')
    assert message.level.name.strip("_") == name.split("_")[-1]


def test_an_enum_member_named_like_a_keyword_is_written_as_the_proto_has_it(spelled):
    assert protowire.to_json(spelled(level=Level.class_)) == '{"level":"class"}'


def test_a_null_value_may_be_written_out(torture):
    cls = betterproto.lib.google.protobuf.NullValue
    assert json_values.enum_value(cls, "NULL_VALUE", ignore_unknown=False) == 0


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("fieldName1", 1), ("FIELDNAME2", 2), ("x3y", 3), ("x3_y", 3)),
        *(("__field__name4_", 4), ("FieldName4", 4), ("htmlURL", 5), ("htmlUrl", 5)),
    ],
)
def test_field_names_are_read_in_the_protos_casing_which_betterproto_forgets(spelled, name, number):
    assert ours(protowire.from_json(spelled, f'{{"{name}": 7}}')) == {number: 7}
    with pytest.raises(protowire.DecodeError, match="two spellings"):
        protowire.from_json(spelled, f'{{"{name}": 7, "{name}_": 7}}')


@pytest.mark.parametrize(
    "name", ["html-url", "html url", "html_url ", "htmlUrlé", "html", "", "\u212aey"]
)
def test_what_no_proto_could_spell_so_is_no_field(spelled, name):
    with pytest.raises(protowire.DecodeError, match="no field"):
        protowire.from_json(spelled, json.dumps({name: 7}))
