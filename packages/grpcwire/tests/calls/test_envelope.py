import gzip
import tracemalloc
from itertools import pairwise

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from hypothesis import given
from hypothesis import strategies as st

from grpcwire.calls.envelope import EnvelopeReader, seal
from grpcwire.counters import Counters


def reader(limit: int = 1000, *, gzipped: bool = True) -> EnvelopeReader:
    return EnvelopeReader(limit, Counters(), gzipped=gzipped)


@given(st.lists(st.binary(max_size=900)), st.lists(st.integers(0, 3000)), st.booleans())
def test_messages_come_out_however_they_are_cut(messages, cuts, compress):
    raw = b"".join(seal(each, compress=compress) for each in messages)
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    it, found = reader(), []
    for start, end in pairwise(edges):
        found += it.feed(raw[start:end])
    assert found == messages
    assert it.pending_bytes == 0


def test_small_messages_are_not_compressed():
    assert seal(b"a" * 100, compress=True)[0] == 0
    assert seal(b"a" * 1000, compress=True)[0] == 1


def refused(it: EnvelopeReader, raw: bytes) -> Status:
    with pytest.raises(GRPCError) as caught:
        it.feed(raw)
    return caught.value.status


def test_the_length_alone_is_enough_to_refuse():
    assert reader().feed(seal(bytes(1000))) == [bytes(1000)]
    assert refused(reader(), b"\0" + (1001).to_bytes(4, "big")) is Status.RESOURCE_EXHAUSTED
    assert refused(reader(), b"\0\xff\xff\xff\xff") is Status.RESOURCE_EXHAUSTED


def test_a_bomb_is_inflated_no_further_than_the_limit():
    packed = gzip.compress(bytes(100_000_000), 9)
    raw = b"\1" + len(packed).to_bytes(4, "big") + packed
    tracemalloc.start()
    assert refused(reader(200_000), raw) is Status.RESOURCE_EXHAUSTED
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("flags", [2, 3, 0x80, 0xFF])
def test_unknown_flags_are_internal(flags):
    assert refused(reader(), bytes([flags]) + bytes(4)) is Status.INTERNAL


def test_compression_that_was_not_announced_is_internal():
    assert refused(reader(gzipped=False), b"\1" + bytes(4)) is Status.INTERNAL
