"""The head that both versions of HTTP make, and the response that both send."""

from http import HTTPStatus

from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response, text_response

PSEUDO = {b":method": b"POST", b":scheme": b"http", b":path": b"/x"}


def test_a_head_names_its_pseudo_headers():
    head = RequestHead(PSEUDO | {b":authority": b"h:1"}, ((b"a", b"b"),), 3)
    assert (head.method, head.scheme, head.path) == (b"POST", b"http", b"/x")
    assert (head.authority, head.fields, head.content_length) == (b"h:1", ((b"a", b"b"),), 3)


def test_a_head_begins_without_a_route_and_may_lack_an_authority():
    head = RequestHead(PSEUDO, (), -1)
    assert (head.authority, head.route) == (None, None)


def test_a_text_response_is_a_line_of_plain_text():
    response = text_response(HTTPStatus.NOT_FOUND, "Not é", (b"allow", b"POST"))
    fields = [(b"content-type", b"text/plain; charset=utf-8"), (b"allow", b"POST")]
    assert response == Response(404, fields, "Not é\n".encode())


def test_responses_share_no_fields():
    first, second = Response(200), Response(200)
    first.fields.append((b"a", b"b"))
    assert second.fields == []
