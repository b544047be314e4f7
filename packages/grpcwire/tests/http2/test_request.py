import hpack
import pytest
from wirescript import wire

from grpcwire.http2.errors import ErrorCode, Http2StreamError
from grpcwire.http2.hpack_decoder import HpackDecoder
from grpcwire.http2.request import RequestHeads, checked_head
from grpcwire.limits import Limits

GOOD = [(name.encode(), value.encode()) for name, value in wire.POST]


def with_field(name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    return [*GOOD, (name, value)]


def without(name: bytes) -> list[tuple[bytes, bytes]]:
    return [field for field in GOOD if field[0] != name]


def test_a_good_head_is_taken_apart():
    head = checked_head(with_field(b"content-length", b"7"))
    assert (head.method, head.scheme, head.path) == (b"POST", b"http", b"/test.Test/Say")
    assert head.authority == b"localhost"
    assert head.content_length == 7
    assert (b"te", b"trailers") in head.fields


@pytest.mark.parametrize(
    "fields",
    [
        # 8.2.1: names and values
        with_field(b"X-Upper", b"v"),
        with_field(b"", b"v"),
        with_field(b"a b", b"v"),
        with_field(b"a\0", b"v"),
        with_field("ü".encode(), b"v"),
        with_field(b"a:b", b"v"),
        with_field(b"a", b"x\0y"),
        with_field(b"a", b"x\r\ny"),
        with_field(b"a", b"x\n"),
        with_field(b"a", b" x"),
        with_field(b"a", b"x\t"),
        # 8.2.2: what belongs to a connection
        with_field(b"connection", b"close"),
        with_field(b"keep-alive", b"1"),
        with_field(b"proxy-connection", b"close"),
        with_field(b"transfer-encoding", b"chunked"),
        with_field(b"upgrade", b"h2c"),
        [*without(b"te"), (b"te", b"gzip")],
        # 8.3: pseudo-headers
        without(b":method"),
        without(b":scheme"),
        without(b":path"),
        [*without(b":path"), (b":path", b"/late")],
        [(b":path", b""), *without(b":path")],
        [(b":path", b"/twice"), *GOOD],
        [(b":status", b"200"), *GOOD],
        [(b":unknown", b"x"), *GOOD],
        [(b":path", b"/a\rb"), *without(b":path")],
        # 8.1.1: content-length
        with_field(b"content-length", b"-1"),
        with_field(b"content-length", b"1e3"),
        with_field(b"content-length", b""),
        [*with_field(b"content-length", b"1"), (b"content-length", b"2")],
    ],
)
def test_a_malformed_head_is_a_stream_error(fields):
    with pytest.raises(Http2StreamError) as caught:
        checked_head(fields)
    assert caught.value.code == ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize("value", [b"", b"plain", "ünïcode".encode(), b"\xff\xfe", b"a  b"])
def test_values_may_hold_any_other_byte(value):
    assert (b"a", value) in checked_head(with_field(b"a", value)).fields


def heads(limits: Limits | None = None) -> RequestHeads:
    limits = limits or Limits()
    return RequestHeads(HpackDecoder(limits.header_list_bytes), limits)


def test_remembered_heads_equal_decoded_ones():
    encoder, remembering = hpack.Encoder(), heads()
    plain = HpackDecoder(16384)
    values = ["a", "a", "b", "a", "c", "c", "a", "a"]
    seen = []
    for value in values:
        block = encoder.encode([*wire.POST, ("x-value", value)])
        head = remembering.head(block)
        expected = checked_head(plain.decode(block))
        for name in ("method", "scheme", "path", "authority", "fields", "content_length"):
            assert getattr(head, name) == getattr(expected, name)
        seen.append(head)
    assert seen[-1] is seen[-2], "the same block again is the same head"


def test_an_insertion_forgets_all_heads():
    remembering = heads()
    block = wire.block(wire.POST)
    first = remembering.head(block)
    assert remembering.head(block) is first
    remembering.fields(b"\x40\x01a\x01b")
    assert remembering.head(block) is not first


def test_what_a_block_means_follows_the_table():
    remembering = heads()
    base = wire.block(wire.POST)
    remembering.head(base + b"\x40\x01a\x01b")
    assert (b"a", b"b") in remembering.head(base + b"\xbe").fields
    remembering.head(base + b"\x40\x01a\x01c")
    assert (b"a", b"c") in remembering.head(base + b"\xbe").fields


def test_no_more_heads_are_remembered_than_the_limit():
    remembering = heads(Limits(cached_header_blocks=2))
    blocks = [wire.block([*wire.POST, ("a", str(number))]) for number in range(3)]
    first = remembering.head(blocks[0])
    for block in blocks:
        remembering.head(block)
    assert remembering.head(blocks[0]) is not first


def test_long_blocks_are_not_remembered():
    remembering = heads(Limits(cached_header_block_bytes=100))
    block = wire.block([*wire.POST, ("a", "x" * 200)])
    assert remembering.head(block) is not remembering.head(block)
