"""Responses on HTTP/1.1: their framing, and the end of the connection where it follows."""

import pytest

from grpcwire.http.response import Response
from grpcwire.http1.head import parse
from grpcwire.http1.response import Http1Response

DATE = b"Thu, 01 Jan 1970 00:00:00 GMT"


class Outlet:
    """A connection's side of a response."""

    def __init__(self, *, keep_alive: bool = True) -> None:
        self.outgoing: list[bytes] = []
        self.date = DATE
        self.full = False
        self.keep_alive = keep_alive
        self.sizes: list[int] = []
        self.ends: list[bool] = []

    def settle(self) -> bool:
        return self.keep_alive

    def sent(self, size: int) -> None:
        self.sizes.append(size)

    def responded(self, *, broken: bool) -> None:
        self.ends.append(broken)


def response(outlet: Outlet, method: bytes = b"GET", version: bytes = b"1.1") -> Http1Response:
    return Http1Response(outlet, parse(b"%b / HTTP/%b\r\nhost: h\r\n\r\n" % (method, version)))


def written(outlet: Outlet) -> tuple[list[bytes], bytes]:
    """The lines of the head, and the body as framed."""
    data = b"".join(outlet.outgoing)
    assert sum(outlet.sizes) == len(data)
    head, _, body = data.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def test_a_whole_response_has_a_length_and_a_date():
    outlet = Outlet()
    response(outlet).whole(Response(200, [(b"a", b"b")], b"hello"))
    lines, body = written(outlet)
    assert lines == [b"HTTP/1.1 200 OK", b"a: b", b"content-length: 5", b"date: " + DATE]
    assert (body, outlet.ends) == (b"hello", [False])


@pytest.mark.parametrize(
    ("status", "phrase"), [(404, b"Not Found"), (499, b"Client Closed Request"), (299, b"")]
)
def test_a_status_has_its_phrase(status, phrase):
    outlet = Outlet()
    response(outlet).whole(Response(status))
    assert written(outlet)[0][0] == b"HTTP/1.1 %d %b" % (status, phrase)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_no_length(status):
    outlet = Outlet()
    response(outlet).whole(Response(status))
    assert not [line for line in written(outlet)[0] if line.startswith(b"content-length")]


def test_the_response_to_head_has_a_length_and_no_body():
    outlet = Outlet()
    response(outlet, b"HEAD").whole(Response(200, [], b"hello"))
    lines, body = written(outlet)
    assert b"content-length: 5" in lines
    assert body == b""


def test_the_last_response_says_that_the_connection_closes():
    outlet = Outlet(keep_alive=False)
    response(outlet).whole(Response(200))
    assert written(outlet)[0][-1] == b"connection: close"


def test_a_stream_goes_out_in_chunks_and_empty_pieces_do_not_end_it():
    outlet = Outlet()
    stream = response(outlet)
    stream.head(200, [])
    for piece in (b"hello", b"", bytes(16)):
        stream.data(piece)
    stream.end()
    lines, body = written(outlet)
    assert b"transfer-encoding: chunked" in lines
    assert body == b"5\r\nhello\r\n10\r\n" + bytes(16) + b"\r\n0\r\n\r\n"
    assert (stream.over, outlet.ends) == (True, [False])


def test_a_stream_to_http_1_0_ends_with_the_connection():
    outlet = Outlet(keep_alive=False)
    stream = response(outlet, version=b"1.0")
    stream.head(200, [])
    stream.data(b"hello")
    stream.end()
    lines, body = written(outlet)
    assert b"transfer-encoding: chunked" not in lines
    assert body == b"hello"


def test_a_response_that_breaks_off_is_told_to_the_connection_once():
    outlet = Outlet()
    stream = response(outlet)
    stream.head(200, [])
    stream.reset()
    stream.reset()
    assert (stream.over, outlet.ends) == (True, [True])


def test_it_is_blocked_while_the_connection_is_full():
    outlet = Outlet()
    stream = response(outlet)
    outlet.full = True
    assert stream.blocked
    stream.reset()
    assert not stream.blocked
