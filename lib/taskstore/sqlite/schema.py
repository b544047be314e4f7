"""The tables, and the steps by which a file gets them.

`task` holds each task once. `tagged_task` is the read side, shaped for its
question: a page of a tag is one range scan, its rows carrying the answer.
A large task is not repeated under each of its tags; its rows there hold NULL,
and the reader looks it up by id.

A version is reached from the one before, all steps in one transaction. Readers go
on with the old tables until it commits.
"""

# apsw names the type of buffers by one that Python 3.11 lacks, so its signatures look unknown.
# pyright: reportUnknownMemberType=false

import os
from typing import Final

import apsw

from taskstore.errors import NotTaskDatabase, StoreUnavailable
from taskstore.tokens import KEY_BYTES

__all__ = ["INLINE_BYTES", "SCHEMA_VERSION", "is_ready", "schema_version", "token_key", "upgrade"]

INLINE_BYTES: Final = 1024
"""The bytes of the largest encoded task that stands again in each of its tags' rows.

Larger ones would multiply the file by their tags, up to 64 times.
"""

_APPLICATION_ID: Final = 0x7461736B
"""The word "task" in the file's header."""

_VERSION_1: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE task (id INTEGER PRIMARY KEY, message BLOB NOT NULL) STRICT;
CREATE TABLE tagged_task (
    tag TEXT NOT NULL,
    id INTEGER NOT NULL,
    message BLOB,
    PRIMARY KEY (tag, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE request (
    request_id BLOB PRIMARY KEY,
    task_id INTEGER NOT NULL,
    created_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX request_by_age ON request (created_s);
"""

_UPGRADES: Final = [_VERSION_1]
"""The steps; each leads from the version of its place to the next."""

SCHEMA_VERSION: Final = len(_UPGRADES)
"""The version of the tables that this software reads and writes."""


def is_ready(connection: apsw.Connection) -> bool:
    """True if there are tables to read.

    Raises NotTaskDatabase, and StoreUnavailable where they are of an older version.
    """
    version = schema_version(connection)
    if 0 < version < SCHEMA_VERSION:
        raise StoreUnavailable(
            f"the database has schema version {version}; it is waiting for a command "
            f"service that upgrades it to version {SCHEMA_VERSION}"
        )
    return version == SCHEMA_VERSION


def upgrade(connection: apsw.Connection) -> None:
    """Bring the tables to SCHEMA_VERSION, in one transaction; raises NotTaskDatabase."""
    if schema_version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = schema_version(connection)
        for step in _UPGRADES[version:]:
            connection.execute(step)
        if not version:
            key = os.urandom(KEY_BYTES)
            connection.execute("INSERT INTO meta (key, value) VALUES ('token_key', ?)", (key,))
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def token_key(connection: apsw.Connection) -> bytes:
    """Read the key that seals this database's tokens."""
    key: bytes = connection.execute("SELECT value FROM meta WHERE key = 'token_key'").get
    return key


def schema_version(connection: apsw.Connection) -> int:
    """Read the file's schema version, 0 for an empty file; raises NotTaskDatabase."""
    # The tables and the id come in one commit, which may fall between these two reads:
    # in this order it can't look as if there were tables of somebody else's.
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    application_id = connection.pragma("application_id")
    if application_id != _APPLICATION_ID:
        if application_id or tables:
            raise NotTaskDatabase("the file is a SQLite database of another program")
        return 0
    version = connection.pragma("user_version")
    if version > SCHEMA_VERSION:
        raise NotTaskDatabase(
            f"the database has schema version {version}, newer than version {SCHEMA_VERSION} "
            "that this software knows: upgrade the software"
        )
    return int(version)
