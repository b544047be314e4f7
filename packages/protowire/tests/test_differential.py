"""Our codec against protobuf's own upb: same verdict, same values, same re-encoding."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Inputs, differ

FIXED_SEED = 20240229
SHORT, LONG = 10_000, 200_000


def _fuzz(pairs, seed: int, cases: int) -> None:
    inputs = Inputs(seed)
    for number in range(cases):
        cls, oracle = pairs[number % len(pairs)]
        data = inputs.one(oracle)
        difference = differ(cls, oracle, data)
        assert not difference, (
            f"seed {seed}, case {number}, {cls.__name__} {data.hex()}: {difference}"
        )


def test_agrees_with_upb_on_inputs_of_a_fixed_seed(pairs):
    _fuzz(pairs, FIXED_SEED, SHORT)


def test_agrees_with_upb_on_inputs_of_a_fresh_seed(pairs):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    _fuzz(pairs, seed, SHORT)


@pytest.mark.long
def test_agrees_with_upb_on_many_inputs_of_a_fixed_seed(pairs):
    _fuzz(pairs, FIXED_SEED + 1, LONG)


@pytest.mark.long
def test_agrees_with_upb_on_many_inputs_of_a_fresh_seed(pairs):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    _fuzz(pairs, seed, LONG)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_agrees_with_upb_on_any_bytes(pairs, data):
    cls, oracle = data.draw(st.sampled_from(pairs))
    encoded = data.draw(st.binary(max_size=40))
    assert not differ(cls, oracle, encoded)
