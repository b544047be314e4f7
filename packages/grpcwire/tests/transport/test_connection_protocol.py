"""The life of a connection, as the base of both its ends keeps it."""

from itertools import pairwise

import pytest
from wirescript import wire
from wirescript.http import Http1Client
from wirescript.http import request as http_request
from wirescript.wire import Client, request

from grpcwire import Limits
from grpcwire.transport.connection_protocol import MOVES, ConnectionProtocol, Life
from grpcwire.transport.http1_protocol import Http1Protocol
from grpcwire.transport.http2_protocol import Http2Protocol


@pytest.fixture
def lives(monkeypatch):
    """The lives of each connection, as they follow one another."""
    recorded: dict[ConnectionProtocol, list[Life]] = {}
    move = ConnectionProtocol._move

    def record(self: ConnectionProtocol, life: Life) -> bool:
        moved = move(self, life)
        if moved:
            recorded.setdefault(self, [Life.OPEN]).append(life)
        return moved

    monkeypatch.setattr(ConnectionProtocol, "_move", record)
    return recorded


@pytest.mark.parametrize("life", Life)
def test_a_life_only_goes_forward_and_may_always_be_lost(life):
    assert all(following > life for following in MOVES[life])
    assert Life.LOST in MOVES[life] or life is Life.LOST


@pytest.mark.parametrize("protocol", [Http1Protocol, Http2Protocol])
@pytest.mark.parametrize("life", Life)
@pytest.mark.parametrize("wanted", Life)
async def test_a_move_that_is_not_in_the_table_does_not_happen(serve, protocol, life, wanted):
    server, _ = await serve()
    connection = protocol(server)
    connection.life, connection.closing = life, life >= Life.CLOSING
    moved = connection._move(wanted)
    assert moved is (wanted in MOVES[life])
    assert connection.life is (wanted if moved else life)
    assert connection.closing is (connection.life >= Life.CLOSING)


async def test_a_drained_http2_connection_lives_through_every_life(serve, lives):
    server, port = await serve(limits=Limits(linger_s=0.1, drain_ping_s=0.05))
    client = await Client.connect(port)
    client.send(request(1))
    await client.status(1)
    await server.drain(5)
    assert [*lives.values()] == [[*Life]]
    await client.close()


async def test_an_http1_connection_drains_in_one_step(serve, lives):
    server, port = await serve(limits=Limits(linger_s=0.1))
    client = await Http1Client.connect(port)
    client.send(http_request("GET", "/nothing"))
    assert (await client.response()).status == 404
    await server.drain(5)
    assert [*lives.values()] == [[Life.OPEN, Life.DRAINING, Life.CLOSING, Life.LOST]]
    await client.close()


@pytest.mark.parametrize("ended_by", ["client", "error"])
async def test_every_move_of_a_broken_connection_is_in_the_table(serve, lives, ended_by):
    server, port = await serve(limits=Limits(linger_s=0.05))
    client = await Client.connect(port)
    if ended_by == "error":
        client.send(wire.frame(wire.PING, 0, 0, b"short"))
        await client.until(wire.GOAWAY)
    await client.close()
    server.close()
    await server.wait_closed()
    [life] = lives.values()
    assert all(following in MOVES[before] for before, following in pairwise(life))
    assert life[-1] is Life.LOST
