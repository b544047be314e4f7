import pytest
from grpclib.metadata import decode_grpc_message
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from grpcwire.calls.metadata import (
    decode_metadata,
    decode_timeout,
    encode_message,
    encode_metadata,
)


def test_what_belongs_to_the_protocol_is_no_metadata():
    fields = [(b"te", b"trailers"), (b"content-type", b"x"), (b"grpc-timeout", b"1S")]
    assert decode_metadata([*fields, (b"user-agent", b"x"), (b"a", b"b")]) == [("a", "b")]


@pytest.mark.parametrize(
    ("value", "decoded"),
    [(b"AAE=", [b"\0\1"]), (b"AAE", [b"\0\1"]), (b"AAE,AP8=", [b"\0\1", b"\0\xff"]), (b"", [b""])],
)
def test_binary_values_come_padded_or_not_and_joined(value, decoded):
    assert decode_metadata([(b"k-bin", value)]) == [("k-bin", each) for each in decoded]


@pytest.mark.parametrize("value", [b"A", b"!!!!", b"AAE=AAE=", b"\xff\xff\xff\xff"])
def test_binary_values_that_are_no_base64_are_refused(value):
    with pytest.raises(ValueError, match="base64"):
        decode_metadata([(b"k-bin", value)])


@given(st.binary(), st.text("abcxyz -~!%", max_size=20))
def test_what_is_encoded_is_decoded(raw, text):
    fields = encode_metadata([("a-bin", raw), ("b", text)])
    assert decode_metadata(fields) == [("a-bin", raw), ("b", text.strip())]


def test_several_values_of_a_key_stay():
    assert encode_metadata(MultiDict([("a", "1"), ("a", "2")])) == [(b"a", b"1"), (b"a", b"2")]
    assert encode_metadata({"a": "1"}) == [(b"a", b"1")]


@pytest.mark.parametrize("key", ["A", "", "a b", "a:", "ü", "grpc-status", "te", "content-type"])
def test_keys_that_no_header_can_have_are_refused(key):
    with pytest.raises(ValueError, match="key"):
        encode_metadata({key: "x"})


@pytest.mark.parametrize("value", ["a\n", "\0", "ü", "\x7f"])
def test_values_that_no_header_can_hold_are_refused(value):
    with pytest.raises(ValueError, match="value"):
        encode_metadata({"a": value})


def test_bytes_and_text_are_not_confused():
    with pytest.raises(TypeError):
        encode_metadata({"a-bin": "text"})
    with pytest.raises(TypeError):
        encode_metadata({"a": b"bytes"})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"1H", 3600),
        (b"2M", 120),
        (b"3S", 3),
        (b"4m", 0.004),
        (b"5u", 5e-6),
        (b"6n", 6e-9),
        (b"99999999S", 99999999),
        (b"0S", 0),
    ],
)
def test_timeouts_have_a_unit(value, seconds):
    assert decode_timeout(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", [b"", b"1", b"S", b"1s", b"-1S", b"1.5S", b"123456789S", b"1S ", b"\xd9\xa1S"]
)
def test_other_timeouts_are_refused(value):
    with pytest.raises(ValueError, match="timeout"):
        decode_timeout(value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_messages_of_errors_are_percent_encoded(text):
    encoded = encode_message(text)
    assert all(0x20 <= byte < 0x7F for byte in encoded)
    assert decode_grpc_message(encoded.decode("ascii")) == text


def test_a_lone_surrogate_breaks_no_status():
    assert encode_message("\ud800") == b"?"
