"""Statuses as Connect's JSON: every code, details, and details that cannot be read."""

import json

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import status_pb2
from grpclib.const import Status

from grpcwire.protocols.connect_errors import (
    CODES,
    end_of_stream,
    error_object,
    http_status,
    json_text,
)

FAILURES = [status for status in Status if status is not Status.OK]


def packed(*details: tuple[str, bytes]) -> bytes:
    """A google.rpc.Status by protobuf's own runtime."""
    status = status_pb2.Status(code=5, message="not read here")
    status.details.extend(Any(type_url=url, value=value) for url, value in details)
    return status.SerializeToString()


def test_every_failure_has_a_code_of_its_own():
    assert CODES.keys() == set(FAILURES)
    assert len({code for code, _ in CODES.values()}) == len(FAILURES)


@pytest.mark.parametrize("status", FAILURES)
def test_a_failure_is_no_success_of_http(status):
    assert 400 <= http_status(status) < 600
    assert error_object(status, None, None) == {"code": CODES[status][0]}


def test_ok_is_200():
    assert http_status(Status.OK) == 200


def test_an_error_has_its_message_and_its_details():
    details = packed(("type.googleapis.com/a.B", b"\0\xff"), ("c.D", b""))
    assert error_object(Status.NOT_FOUND, "no such é", details) == {
        "code": "not_found",
        "message": "no such é",
        "details": [{"type": "a.B", "value": "AP8"}, {"type": "c.D", "value": ""}],
    }


@pytest.mark.parametrize(
    "details",
    [
        b"",
        b"\x08\x05",  # a code alone
        b"\x1a\x05ab",  # ends early
        b"\xff",  # a tag that ends early
        b"\x1d\0\0\0\0",  # a wire type that Status has not
        b"\x1a\x03\x0a\x01\xff",  # a type that is not text
    ],
)
def test_details_that_cannot_be_read_are_left_out(details):
    assert error_object(Status.ABORTED, "m", details) == {"code": "aborted", "message": "m"}


def test_lengths_of_several_bytes_are_read():
    details = packed(("a.B", bytes(300)))
    (found,) = error_object(Status.ABORTED, None, details)["details"]
    assert len(found["value"]) == 400


def test_a_stream_that_ends_well_says_nothing():
    assert end_of_stream(Status.OK, None, None, ()) == b"{}"


def test_the_end_of_a_stream_gathers_repeated_metadata():
    text = end_of_stream(Status.ABORTED, "m", None, [("a", "1"), ("b-bin", b"\0"), ("a", "2")])
    assert json.loads(text) == {
        "error": {"code": "aborted", "message": "m"},
        "metadata": {"a": ["1", "2"], "b-bin": ["AA"]},
    }


def test_text_that_unicode_cannot_hold_becomes_a_question_mark():
    assert json_text({"a": "\ud800é"}) == '{"a":"?é"}'.encode()
