"""The query side on SQLite.

A read of one task, and the first LOOP_BYTES of a list, run on the event loop:
they cost less there than a change of thread. The rest of a longer list is
read on a thread. Both parts are one answer although the second sees a later
state: tasks are only ever added, with growing ids.

There may be no file yet, or one without tables: then there are no tasks. A
file that was there and is gone makes the store unavailable.
"""

# apsw names the type of buffers by one that Python 3.11 lacks, so its signatures look unknown.
# pyright: reportUnknownMemberType=false

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple, Self

import apsw
from typing_extensions import override

from taskstore.errors import (
    AnswerTooLarge,
    InvalidToken,
    NotTaskDatabase,
    StoreError,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
)
from taskstore.record import answer_bytes
from taskstore.sqlite.database import Identity, identity, open_for_reading, store_error
from taskstore.sqlite.schema import is_ready, token_key
from taskstore.store import MAX_ANSWER_BYTES, MAX_PAGE_TASKS, Page, TaskReader
from taskstore.tokens import Tokens, check_consistency_form

__all__ = ["SqliteReader"]

LOOP_BYTES: Final = 64 * 1024
"""The bytes that a list may read on the event loop: some 100 tasks of a usual size."""

CHUNK_TASKS: Final = 32
"""The rows taken from the database at once: at most 1 MiB, if each is of the largest."""

LIST_THREADS: Final = 2
"""The long lists read at a time; each holds up to MAX_ANSWER_BYTES."""

WATCH_S: Final = 0.01
"""The seconds after which the path is looked at again for a file that was replaced."""

POLL_S: Final = 0.005
"""The seconds after which a read that waits for a write looks for it again."""

_PAGE_TOKEN_BYTES: Final = 64
"""The bytes of a page's answer that are left for the token of the next one."""

_NO_LIMIT: Final = sys.maxsize

_ONE_LENGTH_BYTE: Final = 128
"""The bytes of the first message that stands in an answer behind more than two bytes."""

_ONE: Final = "SELECT message FROM task WHERE id = ?"
_OF_TAG: Final = """
SELECT id, coalesce(message, (SELECT message FROM task WHERE task.id = tagged_task.id))
FROM tagged_task WHERE tag = ? AND id > ? ORDER BY id
"""
_OF_ALL: Final = "SELECT id, message FROM task WHERE id > ? ORDER BY id"


class _Scan(NamedTuple):
    """A run of encoded tasks; `more` where the budget ended it."""

    tasks: list[bytes]
    used_bytes: int
    last_id: int
    more: bool


class SqliteReader(TaskReader):
    """A TaskReader on one SQLite file, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self._identity: Identity | None = None
        self._tokens: Tokens | None = None
        self._watch_at = 0.0
        self._shared = False  # the reads of this turn of the loop have begun a transaction
        self._threads = ThreadPoolExecutor(LIST_THREADS, thread_name_prefix="list")

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open a reader; raises NotTaskDatabase where waiting for the file won't help."""
        reader = cls(path)
        try:
            await reader.check()
        except StoreUnavailable as error:
            if isinstance(error, NotTaskDatabase):
                await reader.close()
                raise
        return reader

    @override
    async def get(self, task_id: int, *, consistency_token: str = "", wait_s: float = 0.0) -> bytes:
        if consistency_token:
            await self._wait_for(consistency_token, wait_s)
        try:
            connection = self._current_connection()
            message = None if connection is None else connection.execute(_ONE, (task_id,)).get
        except apsw.Error as error:
            raise self._failed(error) from error
        if message is None:
            raise TaskNotFound(task_id)
        return bytes(message)

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
        if consistency_token:
            await self._wait_for(consistency_token, wait_s)
        after_id = self._after_id(tag, page_token) if page_token else 0
        if not page_size:
            found = await self._scan(tag, after_id, _NO_LIMIT, MAX_ANSWER_BYTES)
            if found.more:
                raise AnswerTooLarge(MAX_ANSWER_BYTES)
            return Page(found.tasks)
        most = min(page_size, MAX_PAGE_TASKS)
        found = await self._scan(tag, after_id, most, MAX_ANSWER_BYTES - _PAGE_TOKEN_BYTES)
        if not found.more or self._tokens is None:
            return Page(found.tasks)
        return Page(found.tasks, self._tokens.page_token(tag, found.last_id))

    @override
    async def check(self) -> None:
        self._forget_connection()  # and with it, its memory of the file
        try:
            self._current_connection()
            self._newest_id()
        except apsw.Error as error:
            raise self._failed(error) from error

    @override
    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        self._forget_connection()

    # The connection.

    def _current_connection(self) -> apsw.Connection | None:
        """The connection to the file that the path names now; None before there are tables."""
        if self._shared:
            return self._connection
        if self._connection is None or monotonic() >= self._watch_at:
            self._watch()
        if self._connection is not None:
            self._share(self._connection)
        return self._connection

    def _share(self, connection: apsw.Connection) -> None:
        """Begin a transaction for all reads of this turn: its locks cost more than a read.

        Its end is registered before its beginning, and callbacks run in their order. So
        whatever wakes somebody later (an answer, a request's bytes) finds it ended, and
        no read misses what was committed when it was asked for.
        """
        asyncio.get_running_loop().call_soon(self._end_shared)
        connection.execute("BEGIN")
        self._shared = True

    def _end_shared(self) -> None:
        connection = self._connection
        if self._shared and connection is not None:
            self._shared = False
            try:
                if connection.in_transaction:
                    connection.execute("COMMIT")
            except apsw.Error:
                self._forget_connection()

    def _watch(self) -> None:
        """Open the file that the path names now, where it is not the one that is open."""
        self._watch_at = monotonic() + WATCH_S
        found = identity(self._path, self._connection)
        if found is None:
            if self._identity is not None:
                self._forget_connection()
                raise StoreUnavailable("the database file is gone")
        elif self._connection is None or found != self._identity:
            self._forget_connection()
            self._connect()

    def _connect(self) -> None:
        connection = open_for_reading(self._path)
        try:
            if not is_ready(connection):
                connection.close()
                return
            self._tokens = Tokens(token_key(connection))
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._identity = identity(self._path, connection)

    def _forget_connection(self) -> None:
        self._shared = False
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _failed(self, error: apsw.Error) -> StoreError:
        """Map the driver's error; the next read opens the file anew."""
        if not isinstance(error, apsw.BusyError):
            self._forget_connection()
        return store_error(error)

    # Tokens.

    def _after_id(self, tag: str, page_token: str) -> int:
        self._open_if_there()
        if self._tokens is None:
            raise InvalidToken("page_token", "is not of this database")
        return self._tokens.last_id(tag, page_token)

    async def _wait_for(self, consistency_token: str, wait_s: float) -> None:
        check_consistency_form(consistency_token)
        give_up_at = monotonic() + wait_s
        while not self._has_seen(consistency_token):
            if monotonic() >= give_up_at:
                raise WriteNotSeen
            await asyncio.sleep(POLL_S)

    def _has_seen(self, consistency_token: str) -> bool:
        self._open_if_there()
        if self._tokens is None:
            return False
        return self._newest_id() >= self._tokens.write(consistency_token).task_id

    def _open_if_there(self) -> None:
        try:
            self._current_connection()
        except apsw.Error as error:
            raise self._failed(error) from error

    def _newest_id(self) -> int:
        if self._connection is None:
            return 0
        newest: int = self._connection.execute("SELECT coalesce(max(id), 0) FROM task").get
        return newest

    # Lists.

    async def _scan(self, tag: str, after_id: int, most: int, max_bytes: int) -> _Scan:
        """Up to `most` tasks of at most `max_bytes`: first here, the rest on a thread."""
        try:
            connection = self._current_connection()
            if connection is None:
                return _Scan([], 0, 0, more=False)
            first = _scan(connection, tag, after_id, most, min(LOOP_BYTES, max_bytes))
        except apsw.Error as error:
            raise self._failed(error) from error
        if not first.more or len(first.tasks) == most:
            return first
        after_id = first.last_id or after_id
        left = most - len(first.tasks)
        try:
            rest = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._scan_apart, tag, after_id, left, max_bytes - first.used_bytes
            )
        except apsw.Error as error:
            raise store_error(error) from error
        return _Scan(
            first.tasks + rest.tasks,
            first.used_bytes + rest.used_bytes,
            rest.last_id or after_id,
            rest.more,
        )

    def _scan_apart(self, tag: str, after_id: int, most: int, max_bytes: int) -> _Scan:
        connection = open_for_reading(self._path)
        try:
            return _scan(connection, tag, after_id, most, max_bytes)
        finally:
            connection.close()


def _scan(connection: apsw.Connection, tag: str, after_id: int, most: int, max_bytes: int) -> _Scan:
    """The tasks of `tag` after `after_id` until one passes `most` or `max_bytes`."""
    rows = (
        connection.execute(_OF_TAG, (tag, after_id))
        if tag
        else connection.execute(_OF_ALL, (after_id,))
    )
    tasks: list[bytes] = []
    used_bytes = last_id = 0
    while chunk := list(islice(rows, min(CHUNK_TASKS, most - len(tasks) + 1))):
        ids, messages = zip(*chunk, strict=True)
        count, size = _count_fitting(messages, most - len(tasks), max_bytes - used_bytes)
        tasks += messages[:count]
        used_bytes += size
        last_id = ids[count - 1] if count else last_id
        if count < len(messages):
            rows.close()
            return _Scan(tasks, used_bytes, last_id, more=True)
    return _Scan(tasks, used_bytes, last_id, more=False)


def _count_fitting(messages: Sequence[bytes], most: int, max_bytes: int) -> tuple[int, int]:
    """Count the messages, from the first, that fit both limits, and their bytes."""
    lengths = list(map(len, messages))
    if max(lengths) < _ONE_LENGTH_BYTE and len(lengths) <= most:
        size = sum(lengths) + 2 * len(lengths)
        if size <= max_bytes:
            return len(lengths), size
    used_bytes = 0
    for count, message in enumerate(messages):
        size = answer_bytes(message)
        if count == most or used_bytes + size > max_bytes:
            return count, used_bytes
        used_bytes += size
    return len(messages), used_bytes
