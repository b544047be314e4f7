import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

import grpcwire
from grpcwire import Counters, Limits

SOURCE = Path(grpcwire.__file__).parent / "limits.py"


def test_limits_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Limits().message_bytes = 1


@pytest.mark.parametrize("field", [field.name for field in fields(Limits)])
def test_no_limit_is_negative(field):
    with pytest.raises(ValueError, match=field):
        Limits(**{field: -1})


def test_a_window_fits_in_31_bits():
    with pytest.raises(ValueError, match="window"):
        Limits(stream_window_bytes=2**31)


def test_every_limit_is_read_somewhere():
    code = "".join(
        path.read_text() for path in SOURCE.parent.rglob("*.py") if path.name != "limits.py"
    )
    for field in fields(Limits):
        assert re.search(rf"limits\.{field.name}\b", code), field.name


def test_every_limit_has_its_reason_above_it():
    lines = SOURCE.read_text().splitlines()
    for field in fields(Limits):
        index = next(i for i, line in enumerate(lines) if line.strip().startswith(field.name + ":"))
        above = lines[index - 1].strip()
        assert above.startswith("#") or re.match(r"\w+: ", above), field.name


def test_counters_begin_at_zero_and_can_be_copied():
    counters = Counters()
    assert set(counters.as_dict().values()) == {0}
    counters.calls += 1
    assert counters.as_dict()["calls"] == 1
