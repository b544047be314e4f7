"""The writer's core: one statement and one transaction a group.

A connection that is lost while a group is stored leaves open whether it was.
A draft with a request id is then sent again, which stores nothing twice and
answers truly; of the rest nobody can tell.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, NamedTuple

import asyncpg

from taskstore.errors import (
    IdsExhausted,
    NotTaskDatabase,
    RequestIdReused,
    StoreError,
    StoreUnavailable,
)
from taskstore.group_commit import Draft
from taskstore.location import PostgresLocation
from taskstore.postgres.database import Database, Session, drop, is_lost
from taskstore.postgres.schema import upgrade
from taskstore.record import encode_task
from taskstore.store import Created
from taskstore.tokens import Tokens

__all__ = ["REQUEST_IDS_KEPT", "Ledger"]

REQUEST_IDS_KEPT: Final = timedelta(days=7)
"""The time for which a request id is known.

The contract promises a day; a week lets an import be taken up again.
"""

_EXPIRED_PER_CREATE: Final = 2
"""The expired request ids that a group removes for each create, beside its own work.

Twice the number it can add, so that removal keeps up and never takes long.
"""

_CONNECTIONS: Final = 2
"""One commits, one answers `check`."""

_CREATE: Final = "CALL taskstore.create_tasks($1, $2, $3, $4, $5, $6, $7, NULL, NULL, NULL)"
_POSITION: Final = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint"


class _Answer(NamedTuple):
    """The procedure's: per draft an id or None, the stored task where it was known."""

    task_ids: Sequence[int | None]
    known: Sequence[bytes | None]
    wal_position: int


class Ledger:
    """Stores groups of drafts, one group at a time."""

    def __init__(self, location: PostgresLocation) -> None:
        self._database = Database(location, writes=True, size=_CONNECTIONS)
        self._tokens: Tokens | None = None
        self._failed = False

    async def open(self) -> Tokens:
        """Connect, make or upgrade the tables; raises StoreError."""
        async with self._database.session() as session:
            return await self._learn(session)

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()

    async def commit(self, drafts: Sequence[Draft]) -> list[Created | Exception]:
        """Store the drafts durably; one answer each, in order.

        Where a draft breaks the transaction, each is tried in one of its own.
        """
        try:
            return await self._commit_together(drafts)
        except _OutcomeUnknown as error:
            return await self._resolve(drafts, error)
        except StoreError as error:
            self._failed = True
            return [error for _ in drafts]
        except Exception as error:  # noqa: BLE001 - the caller of each draft learns of it
            if len(drafts) > 1:
                return [answer for draft in drafts for answer in await self.commit([draft])]
            return [error]

    async def check(self) -> None:
        """Raise where a commit would fail; after a failed one, by writing."""
        try:
            async with self._database.session() as session:
                await self._learn(session)
                if self._failed:
                    await session.execute("UPDATE taskstore.counter SET last_id = last_id")
            self._failed = False
        except asyncpg.PostgresError as error:
            raise StoreUnavailable from error

    async def _learn(self, session: Session) -> Tokens:
        """Make sure of the tables: they may have been made anew, or for newer software."""
        try:
            meta = await upgrade(session)
        except NotTaskDatabase:
            self._tokens = None
            raise
        self._tokens = Tokens(meta.token_key)
        return self._tokens

    async def _commit_together(self, drafts: Sequence[Draft]) -> list[Created | Exception]:
        tokens = self._tokens or await self.open()
        group = _Group(drafts)
        async with self._database.session() as session:
            answer = await self._call(session, group)
        if self._database.pooled:
            answer = answer._replace(wal_position=await self._position())
        return group.answers(answer, tokens)

    async def _call(self, session: Session, group: "_Group") -> _Answer:
        try:
            row = await session.fetchrow(
                _CREATE,
                not self._database.pooled,
                group.request_ids,
                group.sent,
                group.tag_drafts,
                group.tags,
                REQUEST_IDS_KEPT,
                _EXPIRED_PER_CREATE * len(group.sent),
            )
        except Exception as error:
            if not is_lost(error):
                raise
            drop(session)
            raise _OutcomeUnknown from error
        assert row is not None  # noqa: S101 - a procedure with INOUT arguments answers
        return _Answer(*row.values())

    async def _position(self) -> int:
        """The place in the log behind a commit, asked for in a transaction of its own.

        The group is stored by now: whatever fails here must not look as if it weren't.
        """
        try:
            async with self._database.session() as session:
                position: int = await session.fetchval(_POSITION)
        except (StoreError, asyncpg.PostgresError) as error:
            raise _OutcomeUnknown from error
        return position

    async def _resolve(
        self, drafts: Sequence[Draft], error: StoreError
    ) -> list[Created | Exception]:
        """Answer a group that may have been stored, or not."""
        self._failed = True
        again = [draft for draft in drafts if draft.request_id is not None]
        answers: list[Created | Exception] = [error for _ in again]
        if again:
            with suppress(StoreError):
                answers = await self._commit_together(again)
        resolved = iter(answers)
        return [error if draft.request_id is None else next(resolved) for draft in drafts]


class _OutcomeUnknown(StoreUnavailable):
    def __init__(self) -> None:
        super().__init__("the database went away; whether the task was stored is not known")


class _Group:
    """The drafts of one transaction, as the procedure takes them.

    A request id that several of them carry is sent once.
    """

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self.request_ids: list[object] = []
        self.sent: list[bytes] = []
        self.tag_drafts: list[int] = []
        self.tags: list[bytes] = []
        self._members: list[tuple[Draft, bytes, int]] = []
        places: dict[object, int] = {}
        for draft in drafts:
            encoded = encode_task(0, draft.text, draft.tags)
            place = None if draft.request_id is None else places.get(draft.request_id)
            if place is None:
                place = places[draft.request_id] = self._add(draft, encoded)
            self._members.append((draft, encoded, place))

    def answers(self, answer: _Answer, tokens: Tokens) -> list[Created | Exception]:
        """Return the answer to each draft's caller."""
        return [self._answer(*member, answer, tokens) for member in self._members]

    def _add(self, draft: Draft, encoded: bytes) -> int:
        self.request_ids.append(draft.request_id)
        self.sent.append(encoded)
        tags = dict.fromkeys(draft.tags)
        self.tags += [tag.encode() for tag in tags]
        self.tag_drafts += [len(self.sent)] * len(tags)
        return len(self.sent) - 1

    def _answer(
        self, draft: Draft, encoded: bytes, place: int, answer: _Answer, tokens: Tokens
    ) -> Created | StoreError:
        task_id, known = answer.task_ids[place], answer.known[place]
        if task_id is None:
            return IdsExhausted()
        if known is None:
            same = encoded == self.sent[place]
        else:
            same = encode_task(task_id, draft.text, draft.tags) == known
        if not same:
            return RequestIdReused(task_id)
        return Created(task_id, tokens.consistency_token(task_id, answer.wal_position))
