"""Request heads in HTTP/1.1 (what is refused stands in the attack suite)."""

import pytest

from grpcwire.http1.head import Http1Error, parse

LINES = [b"POST /a.B/C?d HTTP/1.1", b"Host: there:1", b"Content-Length: 3", b"X-A: 1", b"x-a:  2 "]


def head(*lines):
    return parse(b"\r\n".join(lines) + b"\r\n\r\n")


def test_it_is_what_http2_would_have_said():
    parsed = head(*LINES)
    request = parsed.head
    assert (request.method, request.path, request.authority) == (b"POST", b"/a.B/C?d", b"there:1")
    assert request.content_length == 3
    assert request.fields[2:] == ((b"x-a", b"1"), (b"x-a", b"2"))
    assert (parsed.keep_alive, parsed.http10, parsed.decoder) == (True, False, None)


@pytest.mark.parametrize(
    ("lines", "keeps"),
    [
        ([b"GET / HTTP/1.1", b"host: x"], True),
        ([b"GET / HTTP/1.1", b"host: x", b"connection: Foo, Close"], False),
        ([b"GET / HTTP/1.1", b"host: x", b"connection: close", b"connection: te"], False),
        ([b"GET / HTTP/1.0", b"connection: keep-alive"], False),
    ],
)
def test_it_tells_whether_another_request_may_follow(lines, keeps):
    assert head(*lines).keep_alive is keeps


def test_no_length_is_no_body():
    assert head(b"POST / HTTP/1.1", b"host: x").head.content_length == 0


def test_chunks_have_a_decoder_and_no_length():
    parsed = head(b"POST / HTTP/1.1", b"host: x", b"transfer-encoding: chunked")
    assert (parsed.head.content_length, parsed.decoder is None) == (-1, False)


@pytest.mark.parametrize("target", [b"http://x:1/a?b", b"HTTPS://x/a?b", b"/a?b"])
def test_an_absolute_target_is_its_path(target):
    assert head(b"GET " + target + b" HTTP/1.1", b"host: x").head.path == b"/a?b"


@pytest.mark.parametrize("host", [b"", b"a_b.c:1", b"a:", b"127.0.0.1:80", b"[::1]:8081", b"[::1]"])
def test_hosts_are_names_or_addresses(host):
    assert head(b"GET / HTTP/1.1", b"host: " + host).head.authority == host


@pytest.mark.parametrize(
    "host", [b"a b", b"a/b", b"a@b", b"a:b", b"a:1:2", b"::1", b"[::1", b"\xff"]
)
def test_a_host_that_is_not_one_is_an_error(host):
    with pytest.raises(Http1Error) as caught:
        head(b"GET / HTTP/1.1", b"host: " + host)
    assert caught.value.status == 400


def test_a_target_that_holds_an_address_is_left_alone():
    assert head(b"GET /a?b=http://x/c HTTP/1.1", b"host: x").head.path == b"/a?b=http://x/c"


def test_equal_lengths_count_once():
    assert head(*LINES, b"content-length: 3").head.content_length == 3


def test_an_error_says_its_status():
    with pytest.raises(Http1Error) as caught:
        head(b"GET / HTTP/1.1")
    assert caught.value.status == 400
