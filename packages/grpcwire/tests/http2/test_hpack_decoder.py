import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpcwire.http2.errors import CompressionError, ErrorCode
from grpcwire.http2.hpack_decoder import HpackDecoder

REQUEST = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]


def decoder(limit: int = 16384) -> HpackDecoder:
    return HpackDecoder(limit)


def test_appendix_c3_requests_without_huffman_coding():
    it = decoder()
    authority = (b":authority", b"www.example.com")
    first = bytes.fromhex("828684410f7777772e6578616d706c652e636f6d")
    assert it.decode(first) == [*REQUEST, authority]
    second = bytes.fromhex("828684be58086e6f2d6361636865")
    assert it.decode(second) == [*REQUEST, authority, (b"cache-control", b"no-cache")]
    third = bytes.fromhex("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")
    assert it.decode(third) == [
        (b":method", b"GET"),
        (b":scheme", b"https"),
        (b":path", b"/index.html"),
        authority,
        (b"custom-key", b"custom-value"),
    ]


def test_appendix_c4_requests_with_huffman_coding():
    it = decoder()
    authority = (b":authority", b"www.example.com")
    assert it.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")) == [*REQUEST, authority]
    assert it.decode(bytes.fromhex("828684be5886a8eb10649cbf"))[-1] == (
        b"cache-control",
        b"no-cache",
    )


def test_appendix_c5_evicts_what_no_longer_fits():
    it = HpackDecoder(16384, table_size=256)
    first = bytes.fromhex(
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a3231"
        "20474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d"
    )
    assert it.decode(first)[0] == (b":status", b"302")
    assert it.decode(bytes.fromhex("4803333037c1c0bf"))[0] == (b":status", b"307")
    with pytest.raises(CompressionError):
        it.decode(b"\xc2")  # five entries were there, the oldest has left


names = st.binary(min_size=1, max_size=20)
lists = st.lists(st.tuples(names, st.binary(max_size=60)), max_size=12)


@given(st.lists(lists, max_size=6), st.booleans())
def test_what_hpacks_encoder_writes_is_read_back(blocks, huffman):
    encoder, it = hpack.Encoder(), decoder()
    for fields in blocks:
        block = encoder.encode(fields, huffman=huffman)
        before = it.generation
        assert it.decode(block) == fields
        if it.generation == before:
            assert it.decode(block) == fields


@given(st.binary(max_size=200))
def test_arbitrary_bytes_decode_as_with_hpack_or_fail_the_same(block):
    reference = hpack.Decoder(max_header_list_size=2**20)
    try:
        expected = [(bytes(n), bytes(v)) for n, v in reference.decode(block, raw=True)]
    except (hpack.HPACKError, IndexError):
        expected = None
    try:
        found = decoder(2**20).decode(block)
    except CompressionError:
        found = None
    one_refuses = (found is None) != (expected is None)
    assert found == expected or (one_refuses and _stricter(block))


def _stricter(block: bytes) -> bool:
    """True where one of the two may refuse what the other takes: integers of many bytes."""
    return any(byte & 0x80 for byte in block)


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",  # index 0 (RFC 7541, section 6.1)
        b"\xff\x80\x01",  # an index beyond both tables (2.3.3)
        b"\xbe",
        b"\x40\x05ab",  # a string longer than its block
        b"\x40",
        b"\x7f",
        b"\x00\x81\xff\x00",  # Huffman padding longer than 7 bits (5.2)
        b"\x00\x81\x00\x00",  # Huffman padding that is not EOS's prefix
        b"\x00\x84\xff\xff\xff\xff\x00",  # EOS itself
        b"\x3f\xe2\x1f",  # a table size beyond the setting (6.3)
        b"\x82\x20",  # a table size update not at the beginning (4.2)
        b"\xff" + b"\xff" * 9 + b"\x01",  # an integer without end (5.1)
        b"\xff" + b"\x80" * 100 + b"\x00",
    ],
)
def test_what_cannot_be_decoded_is_a_compression_error(block):
    with pytest.raises(CompressionError) as caught:
        decoder().decode(block)
    assert caught.value.code == ErrorCode.COMPRESSION_ERROR


def test_table_size_updates_empty_the_table():
    it = decoder()
    it.decode(b"\x40\x01a\x01b")
    assert it.decode(b"\xbe") == [(b"a", b"b")]
    assert it.decode(b"\x20\x3f\xe1\x1f\x82") == [(b":method", b"GET")]
    with pytest.raises(CompressionError):
        it.decode(b"\xbe")


def test_a_list_beyond_the_limit_is_dropped_but_still_changes_the_table():
    it = decoder(limit=100)
    assert it.decode(b"\x40\x01a\x01b" + b"\x00\x01x\x7f\x00" + b"y" * 127) is None
    assert it.decode(b"\xbe") == [(b"a", b"b")]


def test_a_bomb_of_references_is_not_kept():
    it = decoder(limit=16384)
    value = b"v" * 3900
    it.decode(b"\x40\x01a\x7f" + bytes([0xBD, 0x1D]) + value)
    assert it.decode(b"\xbe" * 16000) is None


def test_generation_stands_still_without_insertions():
    it = decoder()
    before = it.generation
    it.decode(b"\x82\x86\x00\x01a\x01b\x10\x01a\x01b")
    assert it.generation == before
    it.decode(b"\x40\x01a\x01b")
    assert it.generation != before


def test_an_entry_larger_than_the_table_empties_it():
    it = HpackDecoder(16384, table_size=64)
    it.decode(b"\x40\x01a\x01b")
    it.decode(b"\x40\x01a\x40" + b"c" * 64)
    with pytest.raises(CompressionError):
        it.decode(b"\xbe")
