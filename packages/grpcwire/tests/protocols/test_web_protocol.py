"""The parts that the web protocols share: encodings agreed on, heads, envelopes."""

import gzip

import pytest
from wirescript.handlers import RawCodec

from grpcwire.protocols.connect import ConnectStream, ConnectUnary
from grpcwire.protocols.grpc_web import GrpcWeb
from grpcwire.protocols.web_protocol import accepts_gzip


@pytest.mark.parametrize(
    ("accepted", "sent", "compressed"),
    [
        (None, b"gzip", True),
        (None, b"identity", False),
        (b"gzip", b"identity", True),
        (b"br, GZIP;q=0.5", b"identity", True),
        (b"gzip;q=1.0", b"identity", True),
        (b"gzip;q=0", b"gzip", False),
        (b"gzip; q=0.000", b"gzip", False),
        (b"identity", b"gzip", False),
        (b"", b"gzip", False),
        (b"xgzip", b"gzip", False),
    ],
)
def test_gzip_is_used_where_the_client_accepts_it(accepted, sent, compressed):
    assert accepts_gzip(accepted, sent) is compressed


@pytest.mark.parametrize(
    ("kind", "field"),
    [(ConnectStream, b"connect-content-encoding"), (GrpcWeb, b"grpc-encoding")],
)
def test_an_enveloped_response_names_its_encoding_in_its_own_field(kind, field):
    protocol = kind(RawCodec(), "application/x")
    plain = [(b"content-type", b"application/x"), (b"a", b"b")]
    assert protocol.head([(b"a", b"b")], compress=False) == plain
    assert protocol.head([], compress=True) == [plain[0], (field, b"gzip")]


def test_only_enveloped_protocols_carry_streams():
    assert ConnectStream.enveloped
    assert GrpcWeb.enveloped
    assert not ConnectUnary.enveloped


@pytest.mark.parametrize(("size", "packed"), [(511, False), (512, True)])
def test_an_envelope_is_gzipped_only_where_it_is_worth_it(size, packed):
    sealed = GrpcWeb(RawCodec(), "application/x").sealed(bytes(size), compress=True)
    assert (sealed[0] == 1) is packed
    body = sealed[5:]
    assert (gzip.decompress(body) if packed else body) == bytes(size)
