"""The core of HTTP/1.1 by wire scripts: bytes in, events and bytes out."""

import pytest
from wirescript.http import chunked, request

from grpcwire.counters import Counters
from grpcwire.http.budget import BudgetExhausted
from grpcwire.http.response import Response
from grpcwire.http1.connection import BodyReceived, Http1Connection, RequestBegun
from grpcwire.http1.head import Http1Error
from grpcwire.limits import Limits

HEAD = request("POST", "/", {"content-length": "5"}, b"")
CHUNKS = request("POST", "/", {"transfer-encoding": "chunked"}, b"")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: now\r\n\r\nok"


class Script:
    def __init__(self, **limits):
        self.counters = Counters()
        self.connection = Http1Connection(Limits(**limits), self.counters)
        self.connection.date = b"now"

    def events(self, *pieces):
        """Return the events of these bytes, over as many turns as it takes."""
        self.connection.begin_turn(b"".join(pieces))
        found = []
        while True:
            found += self.connection.events()
            if not self.connection.backlogged:
                return found
            self.connection.begin_turn()

    def bodies(self, *pieces):
        return b"".join(
            e.data if isinstance(e, BodyReceived) else e.body for e in self.events(*pieces)
        )

    def respond(self, answer=None):
        self.connection.response.whole(answer or Response(200, [], b"ok"))
        return self.connection.take()


@pytest.fixture
def script():
    return Script()


def test_a_request_is_a_head_and_its_body_where_all_of_it_came_along(script):
    [begun] = script.events(HEAD, b"hello")
    assert isinstance(begun, RequestBegun)
    assert (begun.head.head.method, begun.body, begun.ended) == (b"POST", b"hello", True)


def test_else_a_head_then_its_body(script):
    begun, body = script.events(HEAD, b"hell")
    assert (begun.body, begun.ended) == (b"", False)
    assert (body.data, body.ended) == (b"hell", False)
    assert body.response is begun.response
    [body] = script.events(b"o")
    assert (body.data, body.ended) == (b"o", True)


def test_it_may_come_byte_by_byte(script):
    raw = HEAD + b"hello"
    events = [event for each in raw for event in script.events(bytes([each]))]
    assert isinstance(events[0], RequestBegun)
    assert b"".join(event.data for event in events[1:]) == b"hello"
    assert [event.ended for event in events[1:]] == [False] * 4 + [True]


def test_chunks_may_come_byte_by_byte(script):
    raw = CHUNKS + chunked(b"hel", b"lo")
    assert b"".join(script.bodies(bytes([each])) for each in raw) == b"hello"
    assert not script.connection.receiving


@pytest.mark.parametrize("trailers", [b"", b"x: y\r\n", b"x: y\r\nz: " + b"z" * 99 + b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("frames_per_turn", [2, 256])
def test_chunks_end_alike_however_they_come(trailers, size, frames_per_turn):
    script = Script(frames_per_turn=frames_per_turn)
    raw = CHUNKS + chunked(b"hel", b"lo" * 20)[:-2] + trailers + b"\r\n" + HEAD + b"again"
    said = [script.bodies(raw[at : at + size]) for at in range(0, len(raw), size)]
    assert b"".join(said) == b"hel" + b"lo" * 20
    script.respond()
    assert script.bodies() == b"again"


def test_the_next_request_waits_for_the_response(script):
    assert len(script.events((HEAD + b"hello") * 2)) == 1
    assert not script.connection.wants_more
    assert script.respond() == OK
    assert len(script.events()) == 1
    assert script.connection.wants_more


def test_the_next_request_waits_for_the_peer_to_take_what_was_sent(script):
    script.events(HEAD, b"hello")
    script.connection.paused = True
    script.respond()
    assert script.events(HEAD, b"again") == []
    assert (script.connection.wants_more, script.connection.in_head) == (False, False)
    script.connection.paused = False
    assert script.bodies() == b"again"


def test_what_follows_chunks_is_the_next_request(script):
    script.events(CHUNKS, chunked(b"hello"), HEAD, b"again")
    script.respond()
    assert script.bodies() == b"again"


def test_repeated_heads_equal_parsed_ones(script):
    [first] = script.events(HEAD, b"hello")
    script.respond()
    [second] = script.events(HEAD, b"again")
    assert second.head is first.head
    other = Script().events(HEAD)[0].head
    assert (other.head.fields, other.keep_alive) == (first.head.head.fields, first.head.keep_alive)


def test_remembered_heads_are_bounded():
    script = Script(cached_header_blocks=4, cached_header_block_bytes=60)
    for number in range(20):
        script.events(request("GET", f"/{number}"), request("GET", "/" + "x" * 100))
        script.respond()
        script.events()
        script.respond()
    assert len(script.connection._heads) <= 4


def test_an_early_response_to_a_request_under_way_is_the_last(script):
    script.events(HEAD, b"he")
    assert b"connection: close" in script.respond()
    assert script.connection.over
    assert script.events(b"llo", HEAD) == []


def test_a_draining_connection_says_so(script):
    script.events(HEAD, b"hello")
    script.connection.draining = True
    assert b"connection: close" in script.respond()
    assert script.connection.over


def test_a_stream_goes_out_in_chunks(script):
    script.events(CHUNKS, chunked())
    response = script.connection.response
    response.head(200, [(b"a", b"b")])
    response.data(b"hello")
    response.data(b"")
    response.end()
    head, _, body = script.connection.take().partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[1:3] == [b"a: b", b"transfer-encoding: chunked"]
    assert body == b"5\r\nhello\r\n0\r\n\r\n"
    assert response.over


def test_no_content_has_no_length(script):
    script.events(HEAD, b"hello")
    assert script.respond(Response(204)) == b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n"


def test_output_that_nobody_takes_blocks(script):
    script.events(CHUNKS, chunked())
    response = script.connection.response
    response.head(200, [])
    response.data(bytes(300_000))
    assert response.blocked
    script.connection.take()
    assert not response.blocked
    script.connection.paused = True
    assert response.blocked


def test_a_body_that_nobody_reads_stops_the_peer(script):
    limits = Limits()
    body = bytes(limits.stream_window_bytes + 1)
    begun, received = script.events(request("POST", "/", {"content-length": "99999"}, b""), body)
    assert not script.connection.wants_more
    script.connection.credit(begun.response, len(received.data))
    assert script.connection.wants_more


def test_continue_is_said_where_the_body_is_awaited(script):
    head = request("POST", "/", {"content-length": "5", "expect": "100-continue"}, b"")
    script.events(head)
    assert script.connection.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    script.events()
    assert script.connection.take() == b""


def test_continue_is_not_said_where_the_body_has_come(script):
    head = request("POST", "/", {"content-length": "5", "expect": "100-continue"}, b"")
    assert script.bodies(head, b"hello") == b"hello"
    assert script.connection.take() == b""


def test_a_head_at_the_limit_passes_and_one_beyond_does_not():
    raw = request("GET", "/", {"x": "y"})
    assert Script(header_list_bytes=len(raw) - 4).events(raw)
    script = Script(header_list_bytes=len(raw) - 5)
    with pytest.raises(Http1Error) as caught:
        script.events(raw)
    assert (caught.value.status, script.counters.header_list_too_large) == (431, 1)


def test_tiny_pieces_of_a_body_cost_the_peer(script):
    tiny = b"1\r\nx\r\n" * 2000
    with pytest.raises(BudgetExhausted):
        script.events(CHUNKS, tiny)


def test_a_turn_is_bounded():
    script = Script(frames_per_turn=10)
    script.connection.begin_turn(CHUNKS + chunked(*[bytes(100)] * 50))
    for _ in script.connection.events():
        pass
    assert script.connection.backlogged
    assert len(script.bodies()) > 0
    assert not script.connection.receiving
