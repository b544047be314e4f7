"""Times between their wire parts and Python's own."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from protowire import wellknown
from protowire.errors import DecodeError


@pytest.mark.parametrize(
    ("parts", "moment"),
    [
        ((0, 0), datetime(1970, 1, 1, tzinfo=UTC)),
        ((-1, 999_999_000), datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ((-62135596800, 0), datetime(1, 1, 1, tzinfo=UTC)),
        ((253402300799, 999_999_000), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_timestamp_comes_back(parts, moment):
    assert wellknown.timestamp_from_parts(parts) == moment
    assert wellknown.timestamp_parts(moment) == parts


@pytest.mark.parametrize(
    ("parts", "span"),
    [
        ((0, 0), timedelta(0)),
        ((1, 500_000_000), timedelta(seconds=1.5)),
        ((-1, -500_000_000), timedelta(seconds=-1.5)),
        ((0, -1000), timedelta(microseconds=-1)),
    ],
)
def test_a_duration_comes_back_with_parts_of_one_sign(parts, span):
    assert wellknown.duration_from_parts(parts) == span
    assert wellknown.duration_parts(span) == parts


def test_any_time_zone_is_written_as_utc():
    noon = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    assert wellknown.timestamp_bytes(noon) == wellknown.timestamp_bytes(noon.astimezone(UTC))


@pytest.mark.parametrize("seconds", [-62135596801, 253402300800, 2**63 - 1, -(2**63)])
def test_what_no_datetime_holds_is_refused(seconds):
    with pytest.raises(DecodeError, match="years 1 to 9999"):
        wellknown.timestamp_from_parts((seconds, 0))


def test_what_no_timedelta_holds_is_refused():
    with pytest.raises(DecodeError, match="longer"):
        wellknown.duration_from_parts((2**63 - 1, 0))


def test_fractions_of_a_microsecond_are_cut_off():
    assert wellknown.duration_from_parts((0, -1999)) == timedelta(microseconds=-1)
    assert wellknown.timestamp_from_parts((0, 1999)).microsecond == 1
