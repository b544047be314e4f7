"""Gathered reads, over a database in memory."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from taskstore import StoreUnavailable
from taskstore.postgres.gets import GET_SESSIONS, MAX_GATHERED, GatheredGets
from taskstore.postgres.replay import Behind


class Rows:
    """The sessions of a database that holds `tasks`; a statement waits for the gate."""

    def __init__(self):
        self.tasks = {1: b"one", 2: b"two"}
        self.replayed = 0
        self.statements = []
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def session(self):
        yield self

    async def see(self, _position):
        return self.replayed

    async def fetch(self, _sql, task_ids):
        self.statements.append(task_ids)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [(task_id, self.tasks[task_id]) for task_id in task_ids if task_id in self.tasks]


@pytest.fixture
async def rows():
    return Rows()


@pytest.fixture
async def gets(rows):
    gets = GatheredGets(rows)
    yield gets
    rows.gate.set()
    await gets.close()


async def test_reads_of_one_turn_share_a_statement_and_repeats_are_asked_for_once(rows, gets):
    found = await asyncio.gather(*(gets.get(task_id, 0) for task_id in (1, 2, 1, 9)))
    assert found == [b"one", b"two", b"one", None]
    assert [sorted(ids) for ids in rows.statements] == [[1, 2, 9]]


async def test_a_read_is_answered_by_a_statement_sent_after_it(rows, gets):
    rows.gate.clear()
    first = asyncio.create_task(gets.get(9, 0))
    while len(rows.statements) < 1:
        await asyncio.sleep(0)
    rows.tasks[9] = b"nine"
    later = asyncio.create_task(gets.get(9, 0))
    while len(rows.statements) < GET_SESSIONS:
        await asyncio.sleep(0)
    rows.gate.set()
    assert await later == b"nine"
    await first


async def test_a_statement_is_bounded_and_all_are_answered(rows, gets):
    count = 3 * MAX_GATHERED
    found = await asyncio.gather(*(gets.get(n, 0) for n in range(1, count + 1)))
    assert found == [b"one", b"two"] + [None] * (count - 2)
    assert max(map(len, rows.statements)) == MAX_GATHERED


async def test_who_needs_a_later_write_is_told_that_the_server_is_behind(rows, gets):
    rows.replayed = 10
    near, far = await asyncio.gather(gets.get(1, 10), gets.get(1, 11), return_exceptions=True)
    assert near == b"one"
    assert isinstance(far, Behind)


async def test_a_failure_is_told_to_every_caller_and_the_next_read_goes_on(rows, gets):
    rows.error = StoreUnavailable()
    found = await asyncio.gather(gets.get(1, 0), gets.get(2, 0), return_exceptions=True)
    assert [type(error) for error in found] == [StoreUnavailable] * 2
    rows.error = None
    assert await gets.get(1, 0) == b"one"


async def test_a_read_given_up_before_its_statement_is_left_out(rows, gets):
    rows.gate.clear()
    busy = []
    for _ in range(GET_SESSIONS):
        busy.append(asyncio.create_task(gets.get(1, 0)))
        while len(rows.statements) < len(busy):
            await asyncio.sleep(0)
    gone, stays = (asyncio.create_task(gets.get(task_id, 0)) for task_id in (2, 1))
    await asyncio.sleep(0)
    gone.cancel()
    rows.gate.set()
    assert await stays == b"one"
    await asyncio.gather(*busy)
    assert [2] not in rows.statements
