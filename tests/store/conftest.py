"""One backend per parameter: every test of the store's contract runs on each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import apsw
import pytest

from taskstore import (
    Location,
    SqliteLocation,
    TaskReader,
    TaskWriter,
    open_reader,
    open_writer,
    parse_database_url,
)
from tests.postgres import Server


class Backend(Protocol):
    """A fresh database, and the few things about it only its backend can do."""

    async def writer(self) -> TaskWriter: ...
    async def reader(self) -> TaskReader: ...
    async def reader_elsewhere(self) -> TaskReader: ...
    def set_last_id(self, task_id: int) -> None: ...
    def age_request_ids(self, seconds: int) -> None: ...
    def lose(self) -> None: ...
    def close(self) -> None: ...


class SqliteBackend:
    def __init__(self, path: Path) -> None:
        self.path = path

    async def writer(self) -> TaskWriter:
        return await open_writer(SqliteLocation(self.path))

    async def reader(self) -> TaskReader:
        return await open_reader(SqliteLocation(self.path))

    async def reader_elsewhere(self) -> TaskReader:
        return await open_reader(SqliteLocation(self.path.with_name("elsewhere.db")))

    def set_last_id(self, task_id: int) -> None:
        with apsw.Connection(str(self.path)) as db:
            db.execute("INSERT INTO task (id, message) VALUES (?, x'0801')", (task_id,))

    def age_request_ids(self, seconds: int) -> None:
        with apsw.Connection(str(self.path)) as db:
            db.execute("UPDATE request SET created_s = created_s - ?", (seconds,))

    def lose(self) -> None:
        for file in self.path.parent.glob(self.path.name + "*"):
            file.unlink()

    def close(self) -> None:
        pass


class PostgresBackend:
    """Writes on the primary, reads on `server`: the primary again, or its replica."""

    def __init__(self, database: str, primary: Server, server: Server) -> None:
        self.database = database
        self.primary = primary
        self.server = server
        self._sql("DROP SCHEMA IF EXISTS taskstore CASCADE")

    @property
    def location(self) -> Location:
        return parse_database_url(self.primary.url(self.database))

    async def writer(self) -> TaskWriter:
        return await open_writer(self.location)

    async def reader(self) -> TaskReader:
        return await open_reader(parse_database_url(self.server.url(self.database)))

    async def reader_elsewhere(self) -> TaskReader:
        return await open_reader(parse_database_url(self.server.url("postgres")))

    def set_last_id(self, task_id: int) -> None:
        self._sql(f"UPDATE taskstore.counter SET last_id = {task_id}")  # noqa: S608 - a test's

    def age_request_ids(self, seconds: int) -> None:
        age = f"created_at - '{seconds} s'::interval"
        self._sql(f"UPDATE taskstore.request SET created_at = {age}")  # noqa: S608 - a test's

    def lose(self) -> None:
        for server in {self.server, self.primary}:
            server.stop()

    def close(self) -> None:
        for server in (self.primary, self.server):
            if not server.is_running:
                server.start()

    def _sql(self, statement: str) -> None:
        self.primary.sql(statement, self.database)


def _sqlite(request: pytest.FixtureRequest) -> Backend:
    return SqliteBackend(request.getfixturevalue("tmp_path") / "tasks.db")


def _primary(request: pytest.FixtureRequest) -> Backend:
    primary, _ = request.getfixturevalue("servers")
    return PostgresBackend("alone", primary, primary)


def _replica(request: pytest.FixtureRequest) -> Backend:
    return PostgresBackend("applied", *request.getfixturevalue("servers"))


@pytest.fixture(params=[_sqlite, _primary, _replica], ids=["sqlite", "postgres", "replica"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    backend = request.param(request)
    yield backend
    backend.close()


@pytest.fixture
async def writer(backend: Backend) -> AsyncIterator[TaskWriter]:
    writer = await backend.writer()
    yield writer
    await writer.close()


@pytest.fixture
async def reader(backend: Backend, writer: TaskWriter) -> AsyncIterator[TaskReader]:
    reader = await backend.reader()
    yield reader
    await reader.close()
