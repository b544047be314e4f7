from types import SimpleNamespace

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from grpcwire import Counters, Limits
from grpcwire.calls.envelope import EnvelopeReader, pack, seal
from grpcwire.calls.request_body import RequestBody
from grpcwire.http.budget import Budget
from grpcwire.protocols.readers import BareReader


class Holder:
    """A connection's transport that notes what was credited."""

    def __init__(self, **limits):
        self.context = SimpleNamespace(limits=Limits(**limits), counters=Counters())
        self.connection = self
        self.budget = Budget(1000, self.context.counters)
        self.buffered_bytes = 0
        self.credited = 0

    def credit(self, _stream, size):
        self.credited += size

    def body(self, reader=EnvelopeReader, *, gzipped=False):
        counters = self.context.counters
        return RequestBody(self, object(), reader(2**20, counters, gzipped=gzipped))

    @property
    def counted(self):
        assert self.buffered_bytes == self.context.counters.buffered_bytes
        return self.buffered_bytes


def test_whole_and_unfinished_messages_count_until_they_are_read():
    holder = Holder()
    body = holder.body()
    body.feed(seal(b"one") + seal(b"three")[:7], 15)
    assert (len(body), holder.counted) == (1, 3 + 7)
    body.feed(seal(b"three")[7:], 3)
    assert (len(body), holder.counted) == (2, 3 + 5)
    assert (body.pop(), holder.counted) == (b"one", 5)
    assert (body.pop(), holder.counted) == (b"three", 0)


def test_empty_messages_pay_for_one_frame_and_not_for_resets():
    holder = Holder()
    holder.budget.charge("resets", 500)
    holder.body().feed(seal(b"") * 100, 500)
    assert holder.budget.tokens == 501


def test_the_window_is_credited_once_nothing_waits_to_be_read():
    holder = Holder()
    body = holder.body()
    body.feed(seal(b"half")[:6], 6)
    assert holder.credited == 6
    body.feed(seal(b"half")[6:] + seal(b"more"), 12)
    assert (body.pop(), holder.credited) == (b"half", 6)
    assert (body.pop(), holder.credited) == (b"more", 18)


def test_a_message_that_the_end_completes_counts_as_it_is_inflated():
    holder = Holder()
    body = holder.body(BareReader, gzipped=True)
    body.feed(pack(bytes(5000)), 40)
    assert holder.counted < 100
    body.end()
    assert holder.counted == 5000
    assert (body.pop(), holder.counted) == (bytes(5000), 0)


def test_many_unread_bodies_share_the_connections_limit():
    holder = Holder(connection_buffer_bytes=100)
    bodies = [holder.body(), holder.body()]
    bodies[0].feed(seal(bytes(60)), 65)
    with pytest.raises(GRPCError) as refused:
        bodies[1].feed(seal(bytes(60)), 65)
    assert refused.value.status is Status.RESOURCE_EXHAUSTED
    assert holder.context.counters.buffer_exhausted == 1
    for body in bodies:
        body.drop()
    assert holder.counted == 0
