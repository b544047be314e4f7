"""Messages out of bodies that are no envelopes."""

import base64

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from wirescript.http import envelope

from grpcwire.calls.envelope import EnvelopeReader
from grpcwire.counters import Counters
from grpcwire.protocols.readers import BareReader, TextReader


def bare(limit=10):
    return BareReader(limit, Counters(), gzipped=False)


def text(limit=10):
    return TextReader(EnvelopeReader(limit, Counters(), gzipped=False))


def test_a_bare_message_is_the_whole_body():
    reader = bare()
    assert [reader.feed(b"hel"), reader.feed(b"lo"), reader.pending_bytes] == [[], [], 5]
    assert (reader.end(), reader.pending_bytes) == ([b"hello"], 0)
    assert bare().end() == [b""]


def test_a_bare_message_beyond_the_limit_is_refused_as_it_comes():
    reader = bare()
    reader.feed(bytes(10))
    with pytest.raises(GRPCError) as caught:
        reader.feed(b"x")
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("size", range(1, 20))
def test_text_comes_in_pieces_of_any_size(size):
    raw = b"".join(base64.b64encode(envelope(each)) for each in (b"one", b"", b"three"))
    reader = text()
    found = []
    for start in range(0, len(raw), size):
        found += reader.feed(raw[start : start + size])
    assert found + reader.end() == [b"one", b"", b"three"]


def test_text_that_ends_early_is_refused():
    for raw in (base64.b64encode(envelope(b"one"))[:-4], b"AA"):
        reader = text()
        reader.feed(raw)
        assert reader.pending_bytes > 0
        with pytest.raises(GRPCError):
            reader.end()
