"""Tasks at rest: a TaskWriter and a TaskReader on a database.

`open_writer` and `open_reader` take the location that `parse_database_url` reads.
Errors are this package's own (`errors`), free of gRPC and of the driver.
"""

from taskstore.errors import (
    AnswerTooLarge,
    IdsExhausted,
    InvalidToken,
    NotTaskDatabase,
    RequestIdReused,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
)
from taskstore.location import Location, PostgresLocation, SqliteLocation, parse_database_url
from taskstore.record import list_answer
from taskstore.sqlite import SqliteReader, SqliteWriter
from taskstore.store import MAX_ANSWER_BYTES, MAX_PAGE_TASKS, Created, Page, TaskReader, TaskWriter

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_PAGE_TASKS",
    "AnswerTooLarge",
    "Created",
    "IdsExhausted",
    "InvalidToken",
    "Location",
    "NotTaskDatabase",
    "Page",
    "PostgresLocation",
    "RequestIdReused",
    "SqliteLocation",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "TaskNotFound",
    "TaskReader",
    "TaskWriter",
    "WriteNotSeen",
    "list_answer",
    "open_reader",
    "open_writer",
    "parse_database_url",
]


async def open_writer(location: Location) -> TaskWriter:
    """Open the command side of a database, made where it is missing; raises StoreError.

    A database server that is away is waited for: until it is back, `check` raises.
    """
    if isinstance(location, PostgresLocation):
        from taskstore.postgres import PostgresWriter  # noqa: PLC0415 - a driver of many modules

        return await PostgresWriter.open(location)
    return await SqliteWriter.open(location.path)


async def open_reader(location: Location) -> TaskReader:
    """Open the query side of a database, which may not be there yet."""
    if isinstance(location, PostgresLocation):
        from taskstore.postgres import PostgresReader  # noqa: PLC0415 - as above

        return await PostgresReader.open(location)
    return await SqliteReader.open(location.path)
