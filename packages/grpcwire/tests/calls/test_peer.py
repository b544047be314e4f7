"""The other side of a connection, also after the connection is gone."""

import pytest

from grpcwire import Peer

ADDRESS = ("127.0.0.1", 50051)


class Transport:
    """A transport that forgets its address when it closes, as asyncio's do."""

    def __init__(self, **info: object) -> None:
        self.info = info

    def get_extra_info(self, name: str) -> object:
        return self.info.get(name)


class Handshake:
    def __init__(self, certificate: dict[str, object] | None) -> None:
        self.certificate = certificate

    def getpeercert(self) -> dict[str, object] | None:
        return self.certificate


def test_the_address_outlives_the_connection():
    transport = Transport(peername=ADDRESS)
    peer = Peer(transport)
    transport.info.clear()
    assert peer.addr() == ADDRESS


@pytest.mark.parametrize(
    ("info", "certificate"),
    [
        ({}, None),
        ({"ssl_object": Handshake(None)}, None),
        ({"ssl_object": Handshake({})}, None),  # it sent one that nobody verified
        ({"ssl_object": Handshake({"serialNumber": "1"})}, {"serialNumber": "1"}),
    ],
)
def test_a_certificate_is_there_where_the_client_sent_one(info, certificate):
    assert Peer(Transport(peername=ADDRESS, **info)).cert() == certificate
