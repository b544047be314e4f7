import ast
import inspect
import re
from dataclasses import FrozenInstanceError, fields
from itertools import pairwise
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


def docstrings(cls: type) -> dict[str, str]:
    """The docstring below each field of a dataclass."""
    body = ast.parse(inspect.getsource(cls)).body[0].body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


@pytest.mark.parametrize("cls", [Limits, Counters])
def test_every_field_is_explained_below_it(cls):
    assert list(docstrings(cls)) == [field.name for field in fields(cls)]


@pytest.mark.parametrize("field", [field.name for field in fields(Limits)])
def test_every_limit_has_its_unit_and_says_what_happens_beyond_it(field):
    bound, _, beyond = docstrings(Limits)[field].partition("\nBeyond: ")
    unit = {"bytes": "Bytes", "s": "Seconds"}.get(field.rpartition("_")[2])
    if field not in ("budget_per_s", "frames_per_turn"):  # counts, per something
        assert unit is None or bound.startswith(unit)
    assert bound
    assert beyond


@pytest.mark.parametrize("name", re.findall(r"`(\w+)`", " ".join(docstrings(Limits).values())))
def test_limits_name_each_other_rightly(name):
    assert name in docstrings(Limits)


def test_counters_name_their_limits_rightly():
    for text in docstrings(Counters).values():
        for name in re.findall(r"`(?:Limits\.)?(\w+)`", text):
            assert name in docstrings(Limits), text


def test_counters_begin_at_zero_and_can_be_copied():
    counters = Counters()
    assert set(counters.as_dict().values()) == {0}
    counters.calls += 1
    assert counters.as_dict()["calls"] == 1
