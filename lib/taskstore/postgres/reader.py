"""The query side on PostgreSQL: a primary or a replica.

A list is read in parts, so that no part of it holds the event loop or memory
for more than PART_BYTES. The parts are one answer although each sees a later
state: tasks are only ever added, with growing ids in the order of commits.

The server may be away, or its database without tables yet: then reads are
refused, or find no tasks.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Self, TypeVar

import asyncpg
from typing_extensions import override

from taskstore.errors import (
    AnswerTooLarge,
    InvalidToken,
    NotTaskDatabase,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
)
from taskstore.location import PostgresLocation
from taskstore.postgres.database import Database, Session
from taskstore.postgres.gets import GET_SESSIONS, GatheredGets
from taskstore.postgres.replay import Behind, ReplayWatch
from taskstore.postgres.schema import SCHEMA_VERSION, read_meta
from taskstore.record import answer_bytes
from taskstore.store import MAX_ANSWER_BYTES, MAX_PAGE_TASKS, Page, TaskReader
from taskstore.tokens import Tokens, check_consistency_form

__all__ = ["PostgresReader"]

_Answer = TypeVar("_Answer")

LIST_SESSIONS: Final = 6
"""The lists read at a time; each holds up to MAX_ANSWER_BYTES."""

_CONNECTIONS: Final = LIST_SESSIONS + GET_SESSIONS + 2
"""Beside those of lists and gets, one answers `check` and one tells the replay's position."""

PART_BYTES: Final = 512 * 1024
"""The bytes that one statement of a list answers: some milliseconds of the event loop."""

PART_TASKS: Final = MAX_PAGE_TASKS + 1
"""The most tasks that one statement of a list answers."""

POLL_S: Final = 0.05
"""The seconds after which a read that waits for the database's first write looks for it again."""

_PAGE_TOKEN_BYTES: Final = 64
"""The bytes of a page's answer that are left for the token of the next one."""

_PART: Final = """
SELECT id, message FROM (
    SELECT id, message,
           sum(octet_length(message)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
    FROM ({run} ORDER BY id LIMIT $2) AS run
) AS measured WHERE bytes - octet_length(message) < $3
"""
"""A part of a list: its last row is the one that reaches the bytes, so there is always one."""

OF_TAG: Final = _PART.format(
    run="SELECT id, coalesce(message, (SELECT message FROM taskstore.task "
    "WHERE task.id = tagged_task.id)) AS message "
    "FROM taskstore.tagged_task WHERE id > $1 AND tag = $4"
)
OF_ALL: Final = _PART.format(run="SELECT id, message FROM taskstore.task WHERE id > $1")


class _Scan(NamedTuple):
    """A run of encoded tasks; `more` where the budget ended it."""

    tasks: list[bytes]
    last_id: int
    more: bool


class PostgresReader(TaskReader):
    """A TaskReader on a PostgreSQL server, which may be away."""

    def __init__(self, location: PostgresLocation) -> None:
        self._database = Database(location, writes=False, size=_CONNECTIONS)
        self._gets = GatheredGets(self._database)
        self._replay = ReplayWatch(self._look)
        self._lists = asyncio.Semaphore(LIST_SESSIONS)
        self._tokens: Tokens | None = None
        self._refusal: StoreUnavailable | None = None

    @classmethod
    async def open(cls, location: PostgresLocation) -> Self:
        """Open a reader; raises NotTaskDatabase where waiting for the server won't help."""
        reader = cls(location)
        try:
            await reader.check()
        except StoreUnavailable as error:
            if isinstance(error, NotTaskDatabase):
                await reader.close()
                raise
        return reader

    @override
    async def get(self, task_id: int, *, consistency_token: str = "", wait_s: float = 0.0) -> bytes:
        async def read(position: int) -> bytes | None:
            return await self._gets.get(task_id, position) if await self._is_ready() else None

        message = await self._seeing(consistency_token, wait_s, read)
        if message is None:
            raise TaskNotFound(task_id)
        return message

    @override
    async def list_by_tag(
        self,
        tag: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        consistency_token: str = "",
        wait_s: float = 0.0,
    ) -> Page:
        after_id = await self._after_id(tag, page_token) if page_token else 0
        most = min(page_size, MAX_PAGE_TASKS) if page_size else None
        max_bytes = MAX_ANSWER_BYTES - _PAGE_TOKEN_BYTES if page_size else MAX_ANSWER_BYTES

        async def read(position: int) -> _Scan:
            if not await self._is_ready():
                return _Scan([], 0, more=False)
            async with self._lists, self._database.session() as session:
                if await session.see(position) < position:
                    raise Behind
                return await _scan(session, tag.encode(), after_id, most, max_bytes)

        found = await self._seeing(consistency_token, wait_s, read)
        if not found.more or self._tokens is None:
            return Page(found.tasks)
        if not page_size:
            raise AnswerTooLarge(MAX_ANSWER_BYTES)
        return Page(found.tasks, self._tokens.page_token(tag, found.last_id))

    @override
    async def check(self) -> None:
        try:
            async with self._database.session() as session:
                await self._learn(session)
        except asyncpg.PostgresError as error:
            raise StoreUnavailable from error
        if self._refusal is not None:
            raise self._refusal

    @override
    async def close(self) -> None:
        await self._replay.close()
        await self._gets.close()
        await self._database.close()

    # The tables.

    async def _is_ready(self) -> bool:
        """True if there are tables to read; raises where they aren't for this version."""
        if self._tokens is None and self._refusal is None:
            async with self._database.session() as session:
                await self._learn(session)
        if self._refusal is not None:
            raise self._refusal
        return self._tokens is not None

    async def _learn(self, session: Session) -> None:
        try:
            meta = await read_meta(session)
        except NotTaskDatabase as error:
            self._refusal = error
            return
        self._refusal = None
        self._tokens = None if meta is None else Tokens(meta.token_key)
        if meta is not None and meta.version < SCHEMA_VERSION:
            self._refusal = StoreUnavailable(
                f"the database has schema version {meta.version}; it is waiting for a command "
                f"service that upgrades it to version {SCHEMA_VERSION}"
            )

    # Tokens.

    async def _after_id(self, tag: str, page_token: str) -> int:
        if not await self._is_ready() or self._tokens is None:
            raise InvalidToken("page_token", "is not of this database")
        return self._tokens.last_id(tag, page_token)

    async def _seeing(
        self, consistency_token: str, wait_s: float, read: Callable[[int], Awaitable[_Answer]]
    ) -> _Answer:
        """The answer of `read` once its session sees the token's write."""
        if not consistency_token:
            return await read(0)
        give_up_at = asyncio.get_running_loop().time() + wait_s
        position = await self._position(consistency_token, give_up_at)
        while True:
            try:
                return await read(position)
            except Behind:
                await self._replay.wait_for(position, give_up_at)

    async def _position(self, consistency_token: str, give_up_at: float) -> int:
        check_consistency_form(consistency_token)
        while not await self._is_ready() or self._tokens is None:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise WriteNotSeen
            await asyncio.sleep(POLL_S)
        return self._tokens.write(consistency_token).wal_position

    async def _look(self, position: int) -> int:
        async with self._database.session() as session:
            return await session.see(position)


async def _scan(
    session: Session, tag: bytes, after_id: int, most: int | None, max_bytes: int
) -> _Scan:
    """The tasks of `tag` after `after_id` until one passes `most` or `max_bytes`."""
    tasks: list[bytes] = []
    used_bytes = 0
    while True:
        limit = PART_TASKS if most is None else most + 1 - len(tasks)
        if tag:
            rows = await session.fetch(OF_TAG, after_id, limit, PART_BYTES, tag)
        else:
            rows = await session.fetch(OF_ALL, after_id, limit, PART_BYTES)
        part_bytes = 0
        for task_id, message in rows:
            size = answer_bytes(message)
            if len(tasks) == most or used_bytes + size > max_bytes:
                return _Scan(tasks, after_id, more=True)
            tasks.append(message)
            used_bytes += size
            part_bytes += len(message)
            after_id = task_id
        if len(rows) < limit and part_bytes < PART_BYTES:
            return _Scan(tasks, after_id, more=False)
