"""Reads of single tasks, gathered: those that are asked for at once share a statement.

Each read is answered by a statement that was sent after it was asked for, and
that by a session that has replayed as far as the read must see.
"""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from taskstore.postgres.database import Database
from taskstore.postgres.replay import Behind

__all__ = ["GET_SESSIONS", "GatheredGets"]

GET_SESSIONS: Final = 2
"""The statements at once: while the answer of one is read, the next is on its way."""

MAX_GATHERED: Final = 128
"""The most reads of a statement: bounds its answer, some 4 MiB of the largest tasks."""

_SOME: Final = "SELECT id, message FROM taskstore.task WHERE id = ANY($1::integer[])"


class _Read(NamedTuple):
    task_id: int
    position: int
    message: asyncio.Future[bytes | None]


class GatheredGets:
    """Reads tasks by id from `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Read] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, task_id: int, position: int) -> bytes | None:
        """Read the encoded task; None for an id that no task has.

        Raises Behind where the server has not replayed `position` yet, and StoreUnavailable.
        """
        message: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Read(task_id, position, message))
        if len(self._running) < GET_SESSIONS:
            task = asyncio.create_task(self._read_waiting())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await message

    async def close(self) -> None:
        """Finish the reads under way."""
        if self._running:
            await asyncio.wait(self._running)

    async def _read_waiting(self) -> None:
        while reads := self._next_reads():
            try:
                await self._answer(reads)
            except Exception as error:  # noqa: BLE001 - every caller learns of it
                for read in reads:
                    if not read.message.done():
                        read.message.set_exception(error)

    def _next_reads(self) -> list[_Read]:
        reads: list[_Read] = []
        while self._waiting and len(reads) < MAX_GATHERED:
            read = self._waiting.popleft()
            if not read.message.done():
                reads.append(read)
        return reads

    async def _answer(self, reads: list[_Read]) -> None:
        furthest = max(read.position for read in reads)
        async with self._database.session() as session:
            seen = await session.see(furthest)
            rows = await session.fetch(_SOME, list({read.task_id for read in reads}))
        messages: dict[int, bytes] = dict(map(tuple, rows))
        for read in reads:
            if read.message.done():
                continue
            if read.position > seen:
                read.message.set_exception(Behind())
            else:
                read.message.set_result(messages.get(read.task_id))
