from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskpb import CreateTaskRequest
from taskpb.rules import (
    MAX_INT32,
    MAX_TAG_BYTES,
    MAX_TAGS,
    MAX_TEXT_BYTES,
    create_violations,
    parse_request_id,
    parse_task_id,
)

ID = "0b1f0b5e-3c6d-4a51-b0a5-6f3f0a1c2d3e"


def violations(text="text", tags=(), request_id=""):
    return create_violations(CreateTaskRequest(text=text, tags=list(tags), request_id=request_id))


@pytest.mark.parametrize(
    "request_fields",
    [
        {},
        {"text": "x" * MAX_TEXT_BYTES},
        {"text": " käse\n"},
        {"tags": ["a"] * MAX_TAGS},
        {"tags": ["x" * MAX_TAG_BYTES, "ä" * (MAX_TAG_BYTES // 2)]},
        {"request_id": ID},
        {"request_id": ID.upper()},
    ],
)
def test_what_the_contract_takes_has_no_violations(request_fields):
    assert violations(**request_fields) == {}


@pytest.mark.parametrize(
    ("request_fields", "expected"),
    [
        ({"text": ""}, {"text": "is empty"}),
        ({"text": " \n\u2003"}, {"text": "is blank"}),
        ({"text": "a\0"}, {"text": "holds a NUL"}),
        ({"text": "\ud800"}, {"text": "is not valid Unicode"}),
        ({"text": "x" * 16385}, {"text": "has 16385 bytes, more than 16384"}),
        ({"text": "ä" * 8193}, {"text": "has 16386 bytes, more than 16384"}),
        ({"tags": ["a", "", "b", "\t"]}, {"tags[1]": "is empty", "tags[3]": "is blank"}),
        ({"tags": ["x" * 257]}, {"tags[0]": "has 257 bytes, more than 256"}),
        ({"tags": ["a"] * 64 + [""]}, {"tags": "has 65 tags, more than 64"}),
        ({"request_id": "7"}, {"request_id": "is not a UUID"}),
        ({"request_id": ID.replace("-", "")}, {"request_id": "is not a UUID"}),
        (
            {"text": "", "tags": [""], "request_id": "x"},
            {"text": "is empty", "tags[0]": "is empty", "request_id": "is not a UUID"},
        ),
    ],
)
def test_each_violation_is_told_by_its_field(request_fields, expected):
    assert violations(**request_fields) == expected


@given(st.integers(1, MAX_INT32))
def test_every_positive_int32_in_decimal_is_a_task_id(number):
    assert parse_task_id(str(number)) == number


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "01", " 1", "1 ", "1.0", "1e3", "0x1", "٣", "²", "2147483648"]
)
def test_other_texts_are_not_task_ids(text):
    assert parse_task_id(text) is None


def test_thousands_of_digits_are_refused_without_being_converted():
    assert parse_task_id("9" * 100_000) is None


@given(st.uuids())
def test_a_request_id_is_known_in_any_case(uuid):
    assert parse_request_id(str(uuid)) == parse_request_id(str(uuid).upper()) == uuid


@pytest.mark.parametrize(
    "form", ["{{{0}}}", "urn:uuid:{0}", " {0}", "{0}\n", "{0}0", "{0:.35}", "{1}"]
)
def test_other_forms_of_a_uuid_are_not_request_ids(form):
    assert parse_request_id(form.format(ID, UUID(ID).hex)) is None
