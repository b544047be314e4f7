"""The file: opening it, telling that it is still the one that was opened, errors.

SQLite goes on writing to a file that was deleted or replaced under it, and a
commit there is lost. `identity` tells: it changes when the database, its
write-ahead log or the log's index is no longer the file that the path names.
`stamp` tells that somebody else wrote to the database, whose pages SQLite would
still believe to know.
"""

# apsw names the type of buffers by one that Python 3.11 lacks, so its signatures look unknown.
# pyright: reportUnknownMemberType=false

import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from taskstore.errors import NotTaskDatabase, StoreError, StoreFull, StoreUnavailable
from taskstore.sqlite.schema import schema_version, upgrade

__all__ = [
    "Identity",
    "Stamp",
    "identity",
    "open_for_reading",
    "open_for_writing",
    "stamp",
    "store_error",
]


class Identity(NamedTuple):
    """The files of a database, by their numbers; 0 for one that isn't there."""

    device: int
    """The file system's number."""

    database: int
    """The inode of the database."""

    log: int
    """The inode of its write-ahead log."""

    log_index: int
    """The inode of the log's index."""


Stamp = tuple[int, int]
"""The database file's size in bytes, and the time of its last write in nanoseconds."""

_WRITE_BUSY_MS: Final = 5000
"""The milliseconds a writer waits: a commit of another process, or a checkpoint, ends before."""

_READ_BUSY_MS: Final = 100
"""The milliseconds a reader waits: it is blocked only while a log is recovered after a crash."""


def open_for_writing(path: Path) -> apsw.Connection:
    """Open a connection whose commits are durable, with the tables in place.

    The file is made where it is missing. Raises NotTaskDatabase before it
    changes anything of another program's file.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(os.fspath(path), flags=flags)
    try:
        connection.set_busy_timeout(_WRITE_BUSY_MS)
        schema_version(connection)
        _log_ahead(connection)
        connection.pragma("synchronous", "FULL")
        if sys.platform == "darwin":
            connection.pragma("fullfsync", 1)
        upgrade(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: apsw.Connection) -> None:
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StoreUnavailable("the file system of the database can't hold a write-ahead log")


def open_for_reading(path: Path) -> apsw.Connection:
    """Open a connection that can't write."""
    connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_READ_BUSY_MS)
    return connection


def identity(path: Path, connection: apsw.Connection | None) -> Identity | None:
    """Return the file that `path` names now, and those beside it for `connection`.

    None where there is no file, or an empty one: nothing of a database is left of it.
    """
    try:
        database = path.stat()
    except OSError:
        return None
    if not database.st_size:
        return None
    log = index = 0
    if connection is not None:  # it knows where a symbolic link leads
        log = _inode(connection.filename_wal)
        index = _inode(f"{connection.filename}-shm")
    return Identity(database.st_dev, database.st_ino, log, index)


def stamp(path: Path) -> Stamp | None:
    """Return a value that changes whenever the database file (not its log) is written."""
    try:
        database = path.stat()
    except OSError:
        return None
    return database.st_size, database.st_mtime_ns


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - of every commit; a Path doubles its cost
    except OSError:
        return 0


def store_error(error: Exception) -> StoreError:
    """Return the store's own error for the driver's, chained to it."""
    if isinstance(error, StoreError):
        return error
    mapped: StoreError
    match error:
        case apsw.FullError():
            mapped = StoreFull()
        case apsw.NotADBError():
            mapped = NotTaskDatabase("the file is not a SQLite database")
        case apsw.CantOpenError():
            mapped = NotTaskDatabase("the database file can't be opened")
        case _:
            mapped = StoreUnavailable()
    mapped.__cause__ = error
    return mapped
