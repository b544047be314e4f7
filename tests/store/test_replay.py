"""Waiting for a replica, over a replay in memory."""

import asyncio

import pytest

from taskstore import StoreUnavailable, WriteNotSeen
from taskstore.postgres import replay
from taskstore.postgres.replay import ReplayWatch


class Replay:
    """A server that has replayed up to `position`; tells each position it was asked for."""

    def __init__(self):
        self.position = 0
        self.asked = []
        self.error = None
        self.looked = asyncio.Event()

    async def look(self, position):
        self.asked.append(position)
        self.looked.set()
        if self.error is not None:
            raise self.error
        return self.position

    async def next_look(self):
        self.looked.clear()
        async with asyncio.timeout(5):
            await self.looked.wait()


@pytest.fixture
async def server():
    return Replay()


@pytest.fixture
async def watch(server, monkeypatch):
    monkeypatch.setattr(replay, "POLL_S", 0.0)
    watch = ReplayWatch(server.look)
    yield watch
    await watch.close()


def soon(seconds=5.0):
    return asyncio.get_running_loop().time() + seconds


async def test_who_waits_is_woken_once_the_write_is_replayed(server, watch):
    waiting = asyncio.create_task(watch.wait_for(10, soon()))
    await server.next_look()
    assert not waiting.done()
    server.position = 10
    await waiting


async def test_one_look_serves_all_who_wait_and_asks_for_the_furthest(server, watch):
    waiting = [asyncio.create_task(watch.wait_for(place, soon())) for place in (5, 30, 10)]
    server.position = 10
    await asyncio.gather(waiting[0], waiting[2])
    assert server.asked[0] == 30
    assert not waiting[1].done()
    server.position = 30
    await waiting[1]


async def test_nobody_is_asked_while_nobody_waits(server, watch):
    server.position = 1
    await watch.wait_for(1, soon())
    asked = len(server.asked)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(server.asked) == asked


async def test_at_its_time_a_waiter_gives_up(watch):
    with pytest.raises(WriteNotSeen):
        await watch.wait_for(1, soon(0))
    with pytest.raises(WriteNotSeen):
        await watch.wait_for(1, soon(0.01))


async def test_a_failed_look_is_told_to_all_and_the_next_waiter_looks_again(server, watch):
    server.error = StoreUnavailable()
    waiting = [asyncio.create_task(watch.wait_for(place, soon())) for place in (1, 2)]
    for waiter in waiting:
        with pytest.raises(StoreUnavailable):
            await waiter
    server.error, server.position = None, 3
    await watch.wait_for(3, soon())


async def test_closing_stops_the_looks(server, watch):
    waiting = asyncio.create_task(watch.wait_for(1, soon()))
    await server.next_look()
    await watch.close()
    asked = len(server.asked)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert len(server.asked) == asked
