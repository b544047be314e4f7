"""Single values of JSON: each kind's spellings, its range, and what is refused."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from protowire.errors import DecodeError
from protowire.json import values
from protowire.shape import RANGES


def read(kind, plain):
    return values.SCALARS[kind](kind, plain)


@pytest.mark.parametrize("kind", sorted(RANGES))
def test_integers_are_read_to_the_ends_of_their_range(kind):
    for end in RANGES[kind]:
        for plain in (end, str(end), Decimal(end), f"{end}.0", f"{end}e0"):
            assert read(kind, plain) == end
    low, high = RANGES[kind]
    for beyond in (low - 1, high + 1):
        for plain in (beyond, str(beyond), Decimal(beyond)):
            with pytest.raises(DecodeError, match=f"out of range for {kind}"):
                read(kind, plain)


@pytest.mark.parametrize("plain", ["1e2", "100.00", Decimal("1E+2"), "1000e-1"])
def test_a_whole_number_may_have_fraction_and_exponent(plain):
    assert read("int32", plain) == 100


@pytest.mark.parametrize("plain", ["0", "-0", "0e999999", Decimal("0e-999999"), "0.000"])
def test_zero_is_zero_with_any_exponent(plain):
    assert read("int64", plain) == 0


@pytest.mark.parametrize(
    "plain",
    [*("", " 1", "1 ", "+1", "01", "1.", ".5", "1e", "0x1", "1_0", "\u0661", "NaN"), None, True],
)
def test_what_is_not_a_number_is_not_an_integer(plain):
    with pytest.raises(DecodeError, match="expected a"):
        read("int32", plain)


@pytest.mark.parametrize("plain", ["0.5", Decimal("1.5"), "1e-1"])
def test_a_fraction_is_not_an_integer(plain):
    with pytest.raises(DecodeError, match="expected an integer"):
        read("int32", plain)


def test_a_number_is_judged_by_its_exponent_before_it_is_expanded():
    with pytest.raises(DecodeError, match="out of range"):
        read("int64", "1e999999999")
    with pytest.raises(DecodeError, match="expected a number"):
        read("int64", "1" * (values.MAX_NUMBER_LENGTH + 1))


@pytest.mark.parametrize(
    ("plain", "value"),
    [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("1.5", 1.5), (2, 2.0)],
)
def test_doubles_are_numbers_or_words(plain, value):
    found = read("double", plain)
    assert isinstance(found, float)
    assert found == value or (math.isnan(found) and math.isnan(value))


def test_minus_zero_is_kept():
    assert math.copysign(1, read("double", Decimal("-0.0"))) == -1


@pytest.mark.parametrize("plain", ["1e309", 10**400, Decimal("-1e309"), "infinity", "nan", True])
def test_what_no_double_holds_is_refused(plain):
    with pytest.raises(DecodeError):
        read("double", plain)


def test_a_float_is_rounded_to_what_a_float_holds():
    assert read("float", Decimal("0.1")) == 0.10000000149011612
    assert read("float", Decimal("3.4028235e38")) == 3.4028234663852886e38
    with pytest.raises(DecodeError, match="out of range for float"):
        read("float", Decimal("3.4028236e38"))


@pytest.mark.parametrize(("plain", "value"), [(True, True), (False, False)])
def test_bools_are_true_and_false(plain, value):
    assert read("bool", plain) is value


@pytest.mark.parametrize("plain", [0, 1, "true", "", None])
def test_nothing_else_is_a_bool(plain):
    with pytest.raises(DecodeError, match="expected true or false"):
        read("bool", plain)


def test_strings_are_valid_unicode():
    assert read("string", "é\U0001f600") == "é\U0001f600"
    with pytest.raises(DecodeError, match="lone surrogate"):
        read("string", "a\ud800")
    with pytest.raises(DecodeError, match="expected a string"):
        read("string", 5)


@pytest.mark.parametrize("text", ["+/8=", "+/8", "-_8=", "-_8", "-/8"])
def test_bytes_are_base64_of_either_alphabet_padded_or_not(text):
    assert read("bytes", text) == b"\xfb\xff"


@pytest.mark.parametrize("text", ["A", "A===", "AA=", "AAA==", "A A=", "AA\n==", "é", "=", "AAAA="])
def test_what_is_not_base64_is_refused(text):
    with pytest.raises(DecodeError, match="not base64"):
        read("bytes", text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("1970-01-01T00:00:00.5Z", (0, 500_000_000)),
        ("1970-01-01T01:00:00.000000001+01:00", (0, 1)),
        ("1969-12-31T23:30:00-00:30", (0, 0)),
        ("0001-01-01T00:00:00Z", (-62135596800, 0)),
        ("9999-12-31T23:59:59.999999999Z", (253402300799, 999_999_999)),
    ],
)
def test_times_are_rfc_3339(text, parts):
    assert values.read_timestamp(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *("1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-01-01t00:00:00z"),
        *("1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "0000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+00:01", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00+24:00"),
        *("1970-01-01T00:00:00.0000000001Z", "", 0, None),
    ],
)
def test_what_is_not_such_a_time_is_refused(text):
    with pytest.raises(DecodeError):
        values.read_timestamp(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0s", (0, 0)),
        ("1.5s", (1, 500_000_000)),
        ("-1.5s", (-1, -500_000_000)),
        ("-0.000000001s", (0, -1)),
        ("315576000000s", (315_576_000_000, 0)),
    ],
)
def test_durations_are_seconds(text, parts):
    assert values.read_duration(text) == parts


@pytest.mark.parametrize(
    "text", ["1", "1m", "s", ".5s", "1.s", "+1s", "1e3s", "315576000000.1s", "315576000001s", 1]
)
def test_what_is_not_such_a_duration_is_refused(text):
    with pytest.raises(DecodeError):
        values.read_duration(text)


def test_times_become_pythons_own():
    assert read("timestamp", "1970-01-01T00:00:01Z") == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert read("duration", "-0.5s") == timedelta(seconds=-0.5)


def test_enums_are_read_by_name_or_number(torture):
    for plain in ("RED", "COLOR_RED", int(torture.Color.RED)):
        member = values.enum_value(torture.Color, plain, ignore_unknown=False)
        assert member is torture.Color.RED


def test_an_unknown_name_of_an_enum_is_refused_or_skipped_and_a_number_kept(torture):
    with pytest.raises(DecodeError, match="Color has no 'PURPLE'"):
        values.enum_value(torture.Color, "PURPLE", ignore_unknown=False)
    skipped = values.enum_value(torture.Color, "PURPLE", ignore_unknown=True)
    assert skipped is values.SKIP
    assert values.enum_value(torture.Color, 77, ignore_unknown=False) == 77


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [("bool", "true", True), ("bool", "false", False), ("string", "", ""), ("int32", "-5", -5)],
)
def test_keys_of_maps_are_strings(kind, name, key):
    found = values.map_key(kind, name)
    assert found == key
    assert type(found) is type(key)


@pytest.mark.parametrize(
    ("kind", "name"), [("bool", "True"), ("bool", "1"), ("int32", ""), ("uint32", "-1")]
)
def test_a_key_of_another_kind_is_refused(kind, name):
    with pytest.raises(DecodeError):
        values.map_key(kind, name)


def test_integers_of_64_bits_are_strings_in_json():
    assert {kind for kind in RANGES if "64" in kind} == values.QUOTED
