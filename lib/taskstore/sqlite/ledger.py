"""The writer's synchronous core: one connection, one transaction a group.

It runs on one thread and blocks there. Every commit is preceded by a look at
the file: where it was moved away, replaced or written to by somebody else,
SQLite's memory of it is dropped before anything is acknowledged.
"""

# apsw names the type of buffers by one that Python 3.11 lacks, so its signatures look unknown.
# pyright: reportUnknownMemberType=false

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from taskstore.errors import (
    IdsExhausted,
    NotTaskDatabase,
    RequestIdReused,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from taskstore.group_commit import Draft
from taskstore.record import encode_task
from taskstore.sqlite.database import (
    Identity,
    Stamp,
    identity,
    open_for_writing,
    stamp,
    store_error,
)
from taskstore.sqlite.schema import INLINE_BYTES, schema_version, token_key
from taskstore.store import Created
from taskstore.tokens import Tokens

__all__ = ["Ledger"]

_MAX_ID: Final = 2**31 - 1

REQUEST_IDS_KEPT_S: Final = 7 * 24 * 3600
"""The seconds for which a request id is known.

The contract promises a day; a week lets an import be taken up again.
"""

_EXPIRED_PER_CREATE: Final = 2
"""The expired request ids that a group removes for each create, beside its own work.

Twice the number it can add, so that removal keeps up and never takes long.
"""


class Ledger:
    """Stores groups of drafts; opens the file anew where the connection is lost.

    `now` tells the time in seconds since the epoch.
    """

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._connection: apsw.Connection | None = None
        self._identity: Identity | None = None
        self._stamp: Stamp | None = None
        self._failed = False

    def open(self) -> apsw.Connection:
        """Open the file, make or upgrade its tables; raises StoreError."""
        try:
            self._connection = open_for_writing(self._path)
            self._identity = identity(self._path, self._connection)
            self._stamp = stamp(self._path)
            self._tokens = Tokens(token_key(self._connection))
        except apsw.Error as error:
            self.close()
            raise store_error(error) from error
        return self._connection

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def commit(self, drafts: Sequence[Draft]) -> list[Created | Exception]:
        """Store the drafts and sync; one answer each, in order.

        Where a draft breaks the transaction, each is tried in one of its own.
        """
        answers: list[Created | Exception]
        try:
            answers = self._commit_together(drafts)
        except _BrokenByDraft as broken:
            if len(drafts) > 1:
                return [answer for draft in drafts for answer in self.commit([draft])]
            answers = [broken.error]
        except (apsw.Error, StoreError) as error:
            answers = [store_error(error) for _ in drafts]
        self._failed = any(isinstance(a, StoreFull | StoreUnavailable) for a in answers)
        return answers

    def check(self) -> None:
        """Raise where a commit would fail; after a failed one, by writing."""
        try:
            with self._transaction() as connection:
                schema_version(connection)
                _last_id(connection)
                if self._failed:
                    connection.execute(
                        "INSERT OR REPLACE INTO meta (key, value) VALUES ('checked', randomblob(8))"
                    )
            self._failed = False
        except (apsw.Error, StoreError) as error:
            self._failed = True
            if isinstance(error, NotTaskDatabase):  # newer software has upgraded it meanwhile
                self.close()
            raise store_error(error) from error

    def _current_connection(self) -> apsw.Connection:
        """The connection to the file that the path names now, as it was left."""
        found = identity(self._path, self._connection)
        if found is None and self._identity is not None:
            raise StoreUnavailable("the database file is gone; nothing was stored")
        if self._connection is not None and (
            found != self._identity or stamp(self._path) != self._stamp
        ):
            self._leave(self._connection, found)
        return self._connection or self.open()

    def _leave(self, connection: apsw.Connection, found: Identity | None) -> None:
        """Close a connection that no longer fits its files.

        Where only the log is gone, what it held is saved into the database. Else
        nothing may be tidied up: SQLite deletes a log by its name, which is the
        new database's by now, or in use by others who don't see this one's locks.
        """
        left = self._identity
        if left and found and found[:2] == left[:2] and found.log != left.log:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.close()

    @contextmanager
    def _transaction(self) -> Generator[apsw.Connection]:
        connection = self._current_connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self._abandon(connection)
            raise
        finally:
            self._stamp = stamp(self._path)

    def _commit_together(self, drafts: Sequence[Draft]) -> list[Created | Exception]:
        with self._transaction() as connection:
            group = _Group(connection, self._tokens, _last_id(connection), int(self._now()))
            answers: list[Created | Exception] = []
            try:
                answers += map(group.take, drafts)
                group.write()
            except apsw.Error as error:
                raise _BrokenByDraft(store_error(error)) from error
            except ValueError as error:
                raise _BrokenByDraft(error) from error
            group.forget_expired(_EXPIRED_PER_CREATE * len(drafts))
        return answers

    def _abandon(self, connection: apsw.Connection) -> None:
        """Roll back; a connection that can't even do that is closed, to be opened anew."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self.close()


def _last_id(connection: apsw.Connection) -> int:
    last_id: int = connection.execute("SELECT coalesce(max(id), 0) FROM task").get
    return last_id


class _BrokenByDraft(Exception):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _Group:
    """One open transaction: takes drafts, then writes them table by table."""

    def __init__(
        self, connection: apsw.Connection, tokens: Tokens, last_id: int, now_s: int
    ) -> None:
        self._connection = connection
        self._tokens = tokens
        self._last_id = last_id
        self._now_s = now_s
        self._tasks: list[tuple[int, bytes]] = []
        self._tagged: list[tuple[str, int, bytes | None]] = []
        self._requests: dict[bytes, tuple[int, bytes]] = {}

    def take(self, draft: Draft) -> Created | StoreError:
        """Give a draft its id, or answer with the reason against it."""
        request_id = draft.request_id
        if request_id is not None and (known := self._known(request_id.bytes)):
            return self._answer_again(*known, draft)
        if self._last_id >= _MAX_ID:
            return IdsExhausted()
        task_id = self._last_id + 1
        message = encode_task(task_id, draft.text, draft.tags)
        self._last_id = task_id
        self._tasks.append((task_id, message))
        inline = message if len(message) <= INLINE_BYTES else None
        self._tagged += [(tag, task_id, inline) for tag in dict.fromkeys(draft.tags)]
        if request_id is not None:
            self._requests[request_id.bytes] = (task_id, message)
        return self._created(task_id)

    def write(self) -> None:
        """Insert the drafts that were taken."""
        connection = self._connection
        connection.executemany("INSERT INTO task (id, message) VALUES (?, ?)", self._tasks)
        connection.executemany(
            "INSERT INTO tagged_task (tag, id, message) VALUES (?, ?, ?)", self._tagged
        )
        connection.executemany(
            "INSERT INTO request (request_id, task_id, created_s) VALUES (?, ?, ?)",
            [
                (request_id, task_id, self._now_s)
                for request_id, (task_id, _) in self._requests.items()
            ],
        )

    def forget_expired(self, most: int) -> None:
        """Remove up to `most` request ids that were remembered long enough."""
        self._connection.execute(
            "DELETE FROM request WHERE request_id IN ("
            "SELECT request_id FROM request WHERE created_s < ? ORDER BY created_s LIMIT ?)",
            (self._now_s - REQUEST_IDS_KEPT_S, most),
        )

    def _known(self, request_id: bytes) -> tuple[int, bytes] | None:
        """The task that this request id stands for, of this group or an earlier one."""
        return (
            self._requests.get(request_id)
            or self._connection.execute(
                "SELECT task.id, task.message FROM request JOIN task ON task.id = request.task_id "
                "WHERE request.request_id = ?",
                (request_id,),
            ).fetchone()
        )

    def _answer_again(self, task_id: int, message: bytes, draft: Draft) -> Created | StoreError:
        if encode_task(task_id, draft.text, draft.tags) != message:
            return RequestIdReused(task_id)
        return self._created(task_id)

    def _created(self, task_id: int) -> Created:
        return Created(task_id, self._tokens.consistency_token(task_id))
