"""The tables, and the steps by which a database gets them.

Everything stands in a schema of its own. `task` holds each task once.
`tagged_task` is the read side, shaped for its question: a page of a tag is one
scan of its index, whose entries carry the answer. A large task is not repeated
under each of its tags; its rows there hold NULL, and the reader looks it up by
id. Tags are bytes, so they match exactly whatever the database's encoding and
collation. `counter` has one row, whose lock is the writers' turn: ids have no
holes, and ascend in the order of commits.

A version is reached from the one before in one short transaction. It waits for
its locks only briefly, then lets go and tries again: behind a lock that is
waited for, every read would queue.
"""

import asyncio
import os
from contextlib import suppress
from typing import Final, NamedTuple

import asyncpg

from taskstore.errors import NotTaskDatabase, StoreUnavailable
from taskstore.postgres.database import Session
from taskstore.tokens import KEY_BYTES

__all__ = ["SCHEMA_VERSION", "Meta", "read_meta", "upgrade"]

_ADVISORY_LOCK: Final = 0x7461736B
"""The word "task": whoever holds it upgrades, the others wait."""

LOCK_TIMEOUT_MS: Final = 100
"""The most milliseconds for which reads that queue behind an upgrade's lock are held up."""

LOCK_TRIES: Final = 100
_PAUSE_S: Final = 0.2

UPGRADE_S: Final = 24 * 3600.0
"""The seconds of one step on the largest of tables, an index over every row."""

_VERSION_1: Final = """
CREATE SCHEMA IF NOT EXISTS taskstore;
CREATE TABLE taskstore.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    token_key bytea NOT NULL
);
CREATE TABLE taskstore.counter (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    last_id integer NOT NULL
) WITH (fillfactor = 10);
INSERT INTO taskstore.counter (last_id) VALUES (0);
CREATE TABLE taskstore.task (id integer PRIMARY KEY, message bytea NOT NULL);
CREATE TABLE taskstore.tagged_task (tag bytea NOT NULL, id integer NOT NULL, message bytea);
CREATE UNIQUE INDEX tagged_task_page ON taskstore.tagged_task (tag, id) INCLUDE (message);
CREATE TABLE taskstore.request (
    request_id uuid PRIMARY KEY,
    task_id integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX request_by_age ON taskstore.request (created_at);

-- The first field of an encoded task: its number and type, then the id as a varint.
CREATE FUNCTION taskstore.task_head(id bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '\\x08'::bytea || CASE
        WHEN id < 1 << 7 THEN substring(int8send(id) FROM 8)
        WHEN id < 1 << 14 THEN substring(int8send(
            ((id & 127 | 128) << 8) | (id >> 7)) FROM 7)
        WHEN id < 1 << 21 THEN substring(int8send(
            ((id & 127 | 128) << 16) | (((id >> 7) & 127 | 128) << 8) | (id >> 14)) FROM 6)
        WHEN id < 1 << 28 THEN substring(int8send(
            ((id & 127 | 128) << 24) | (((id >> 7) & 127 | 128) << 16)
            | (((id >> 14) & 127 | 128) << 8) | (id >> 21)) FROM 5)
        ELSE substring(int8send(
            ((id & 127 | 128) << 32) | (((id >> 7) & 127 | 128) << 24)
            | (((id >> 14) & 127 | 128) << 16) | (((id >> 21) & 127 | 128) << 8)
            | (id >> 28)) FROM 4)
    END
$$;

-- Stores a group of drafts in one round trip: each an encoded task without its
-- id, some with a request id, the tags of all in tags with their draft's number
-- in tag_drafts. Answers for each the task's id (NULL: none is left) and, where
-- its request id was known, the task as it was stored. own_transaction commits
-- here; wal_position is only then behind that commit, which a caller that
-- commits for itself has to ask for.
CREATE PROCEDURE taskstore.create_tasks(
    own_transaction boolean, request_ids uuid[], drafts bytea[], tag_drafts integer[],
    tags bytea[], kept interval, most_expired integer,
    INOUT task_ids integer[], INOUT known bytea[], INOUT wal_position bigint
) LANGUAGE plpgsql AS $$
DECLARE
    previous bigint;
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        SET LOCAL synchronous_commit TO on;
    END IF;
    SELECT last_id INTO STRICT previous FROM taskstore.counter FOR UPDATE;

    SELECT array_agg(task.id ORDER BY n), array_agg(task.message ORDER BY n)
    INTO task_ids, known
    FROM unnest(request_ids) WITH ORDINALITY AS draft (request_id, n)
    LEFT JOIN taskstore.request ON request.request_id = draft.request_id
    LEFT JOIN taskstore.task ON task.id = request.task_id;

    SELECT array_agg(coalesce(seen, CASE WHEN fresh < 1::bigint << 31 THEN fresh END) ORDER BY n)
    INTO task_ids
    FROM (
        SELECT n, seen, previous + count(*) FILTER (WHERE seen IS NULL) OVER (ORDER BY n) AS fresh
        FROM unnest(task_ids) WITH ORDINALITY AS draft (seen, n)
    ) AS numbered;

    -- A larger task would multiply the database by its tags, up to 64 times, and
    -- an index entry ends at 2,700 bytes.
    WITH stored AS (
        INSERT INTO taskstore.task (id, message)
        SELECT id, taskstore.task_head(id) || draft
        FROM unnest(task_ids, drafts, known) AS fresh (id, draft, message)
        WHERE id IS NOT NULL AND message IS NULL
        RETURNING id, message
    )
    INSERT INTO taskstore.tagged_task (tag, id, message)
    SELECT tagged.tag, stored.id,
           CASE WHEN octet_length(stored.message) <= 1024 THEN stored.message END
    FROM unnest(tags, tag_drafts) AS tagged (tag, n)
    JOIN unnest(task_ids) WITH ORDINALITY AS draft (id, n) ON draft.n = tagged.n
    JOIN stored ON stored.id = draft.id;

    INSERT INTO taskstore.request (request_id, task_id)
    SELECT request_id, id
    FROM unnest(request_ids, task_ids, known) AS fresh (request_id, id, message)
    WHERE request_id IS NOT NULL AND id IS NOT NULL AND message IS NULL;

    DELETE FROM taskstore.request WHERE request_id IN (
        SELECT old.request_id FROM taskstore.request AS old
        WHERE old.created_at < now() - kept ORDER BY old.created_at LIMIT most_expired);

    UPDATE taskstore.counter SET last_id = greatest(
        previous, (SELECT max(id) FROM unnest(task_ids) AS given (id)));
    IF own_transaction THEN
        COMMIT;
    END IF;
    wal_position := pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
END
$$;
"""

_HAS_TABLES: Final = """
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'taskstore' AND tablename = 'meta')
"""
"""Read from the table of tables: a session's memory of names may be out of date."""

_UPGRADES: Final = [_VERSION_1]
"""The steps; each leads from the version of its place to the next."""

SCHEMA_VERSION: Final = len(_UPGRADES)
"""The version of the tables that this software reads and writes."""


class Meta(NamedTuple):
    """The database's word on itself."""

    version: int
    """The version of its schema."""

    token_key: bytes
    """The key that seals its tokens."""


async def read_meta(session: Session) -> Meta | None:
    """Read the database's word on itself; None where it has no tables yet.

    Raises NotTaskDatabase where its schema is newer than this software.
    """
    if not await session.fetchval(_HAS_TABLES):
        return None
    row = None
    with suppress(asyncpg.UndefinedColumnError):
        row = await session.fetchrow("SELECT version, token_key FROM taskstore.meta")
    if row is None:
        raise NotTaskDatabase("the database has a schema taskstore that is not this software's")
    if row["version"] > SCHEMA_VERSION:
        raise NotTaskDatabase(
            f"the database has schema version {row['version']}, newer than version "
            f"{SCHEMA_VERSION} that this software knows: upgrade the software"
        )
    return Meta(row["version"], row["token_key"])


async def upgrade(session: Session) -> Meta:
    """Bring the tables to SCHEMA_VERSION; raises StoreUnavailable, NotTaskDatabase.

    Of several that try at once one does it. Where reads keep a lock for too
    long, it gives up and may be called again.
    """
    for _ in range(LOCK_TRIES):
        try:
            while (meta := await read_meta(session)) is None or meta.version < SCHEMA_VERSION:
                await _upgrade_once(session)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(_PAUSE_S)
        else:
            return meta
    raise StoreUnavailable("the tables are in use and can't be upgraded now")


async def _upgrade_once(session: Session) -> None:
    async with session.transaction():
        await session.execute("SELECT pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
        meta = await read_meta(session)
        version = meta.version if meta else 0
        if version >= SCHEMA_VERSION:
            return
        await session.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        await session.execute("SET LOCAL statement_timeout = 0")
        await session.execute(_UPGRADES[version], timeout=UPGRADE_S)
        if meta is None:
            await session.execute(
                "INSERT INTO taskstore.meta (version, token_key) VALUES ($1, $2)",
                version + 1,
                os.urandom(KEY_BYTES),
            )
        else:
            await session.execute("UPDATE taskstore.meta SET version = $1", version + 1)
