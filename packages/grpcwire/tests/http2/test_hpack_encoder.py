import hpack
from hypothesis import given
from hypothesis import strategies as st

from grpcwire.http2.hpack_decoder import HpackDecoder
from grpcwire.http2.hpack_encoder import encode_fields

fields = st.lists(
    st.tuples(
        st.sampled_from([b":status", b"content-type", b"x-custom", b"grpc-status"]),
        st.sampled_from([b"200", b"404", b"0", b"v" * 300]) | st.binary(max_size=200),
    )
)


@given(fields)
def test_any_decoder_reads_what_it_writes(given_fields):
    block = encode_fields(given_fields)
    decoded = hpack.Decoder(max_header_list_size=2**20).decode(block, raw=True)
    assert [(bytes(name), bytes(value)) for name, value in decoded] == given_fields


@given(fields)
def test_no_dynamic_table_is_used_so_that_blocks_can_be_kept(given_fields):
    decoder = HpackDecoder(2**20)
    decoder.decode(encode_fields(given_fields))
    assert decoder.generation == 0


def test_static_entries_take_one_byte():
    assert encode_fields([(b":status", b"200")]) == b"\x88"
