"""JSON read the full way: names, nulls, oneofs, lists, maps, well-known messages."""

import pytest

import protowire
from protowire.json import reader


def read(cls, text, **options):
    return protowire.from_json(cls, text, **options)


@pytest.fixture(autouse=True)
def _only_the_full_way(monkeypatch):
    monkeypatch.setattr(reader, "QUICK_JSON_READERS", {})


@pytest.mark.parametrize("name", ["request_id", "requestId"])
def test_a_field_is_named_as_in_json_or_in_the_proto(task, name):
    assert read(task.CreateTaskRequest, f'{{"{name}": "x"}}').request_id == "x"


def test_a_field_comes_once_in_whatever_spelling(task):
    with pytest.raises(protowire.DecodeError, match="is there in two spellings"):
        read(task.CreateTaskRequest, '{"request_id": "x", "requestId": "x"}')
    with pytest.raises(protowire.DecodeError, match="the name 'text' comes twice"):
        read(task.CreateTaskRequest, '{"text": "x", "text": "x"}')


def test_an_unknown_name_is_refused_unless_told(task):
    text = '{"id": 1, "nope": {"deep": [null]}}'
    with pytest.raises(protowire.DecodeError, match="no field is named 'nope'"):
        read(task.Task, text)
    assert read(task.Task, text, ignore_unknown=True) == task.Task(id=1)


@pytest.mark.parametrize("name", ["id", "text", "tags"])
def test_null_is_absent(task, name):
    assert read(task.Task, f'{{"{name}": null}}') == task.Task()


def test_null_is_not_an_element(task, torture):
    with pytest.raises(protowire.DecodeError, match=r"Task\.tags: null can't be an element"):
        read(task.Task, '{"tags": [null]}')
    with pytest.raises(protowire.DecodeError, match="null can't be an element"):
        read(torture.Maps, '{"manyInt32": {"1": null}}')


def test_null_is_a_value_of_a_value(torture):
    message = read(torture.Foreign, '{"value": null}')
    assert protowire.to_json(message) == '{"value":null}'


def test_one_member_of_a_oneof_may_come(torture):
    assert read(torture.Choice, '{"aNumber": 1, "aString": null}').a_number == 1
    with pytest.raises(protowire.DecodeError, match="another field of the oneof 'kind'"):
        read(torture.Choice, '{"aNumber": 1, "aString": ""}')


def test_members_of_two_oneofs_may_come(torture):
    message = read(torture.Choice, '{"aNumber": 1, "left": "x"}')
    assert (message.a_number, message.left) == (1, "x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"tags": "x"}', "expected an array"),
        ('{"tags": {}}', "expected an array"),
        ("[]", "expected an object"),
        ("5", "expected an object"),
        ("null", "expected an object"),
    ],
)
def test_what_holds_others_is_of_its_own_kind(task, text, reason):
    with pytest.raises(protowire.DecodeError, match=reason):
        read(task.Task, text)


def test_a_map_has_each_key_once(torture):
    assert read(torture.Maps, '{"manyInt32": {"1": 2}}').many_int32 == {1: 2}
    with pytest.raises(protowire.DecodeError, match=r"the key '1\.0' comes twice"):
        read(torture.Maps, '{"manyInt32": {"1": 2, "1.0": 3}}')
    with pytest.raises(protowire.DecodeError, match="expected an object"):
        read(torture.Maps, '{"manyInt32": []}')


def test_an_unknown_member_of_an_enum_is_skipped_with_its_key_where_names_are_ignored(torture):
    text = '{"colors": {"a": "RED", "b": "PURPLE"}}'
    message = read(torture.Maps, text, ignore_unknown=True)
    assert message.colors == {"a": torture.Color.RED}
    with pytest.raises(protowire.DecodeError, match="Color has no 'PURPLE'"):
        read(torture.Maps, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON: Expecting value"),
        ("{", "not JSON"),
        ("{} {}", "not JSON: Extra data"),
        ("{},", "not JSON: Extra data"),
        ('{"id": NaN}', "NaN must be a string"),
        ('{"id": -Infinity}', "-Infinity must be a string"),
        ("\ufeff{}", "not JSON"),
    ],
)
def test_text_that_is_not_json_is_refused(task, text, reason):
    with pytest.raises(protowire.DecodeError, match=reason):
        read(task.Task, text)


@pytest.mark.parametrize("text", ["{}", " {} ", "\n{\t}\r\n"])
def test_space_around_is_read(task, text):
    assert read(task.Task, text) == task.Task()


def test_an_error_has_the_offset_of_what_the_parser_met(task):
    with pytest.raises(protowire.DecodeError) as caught:
        read(task.Task, "{}  x")
    assert caught.value.offset == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"mask": "a_b"}', "not a field mask"),
        ('{"mask": "a b"}', "not a field mask"),
        ('{"mask": 5}', "expected a string"),
        ('{"struct": []}', "expected an object"),
        ('{"list": {}}', "expected an array"),
        ('{"any": {}}', "registry"),
    ],
)
def test_a_well_known_message_of_another_form_is_refused(torture, text, reason):
    with pytest.raises(protowire.DecodeError, match=reason):
        read(torture.Foreign, text)


def test_a_field_mask_is_read_in_camel_case(torture):
    message = read(torture.Foreign, '{"mask": "fooBar,baz.quxX"}')
    assert message.mask.paths == ["foo_bar", "baz.qux_x"]


@pytest.mark.parametrize("levels", [2, 5])
def test_lists_of_a_value_count_as_levels(torture, levels):
    text = '{"value": ' + "[" * levels + "]" * levels + "}"
    read(torture.Foreign, text, max_depth=2 * levels + 1)
    with pytest.raises(protowire.DecodeError, match="nested too deeply"):
        read(torture.Foreign, text, max_depth=levels - 1)
