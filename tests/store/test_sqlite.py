"""The particulars of the SQLite backend: the file and what may happen to it."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import apsw
import pytest

from taskpb import Task
from taskstore import NotTaskDatabase, StoreFull, StoreUnavailable
from taskstore.sqlite import SqliteReader, SqliteWriter, schema
from taskstore.sqlite.database import open_for_reading


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tasks.db"


@pytest.fixture
async def writer(path):
    writer = await SqliteWriter.open(path)
    yield writer
    await writer.close()


def set_version(path: Path, version: int) -> None:
    with apsw.Connection(str(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")


async def test_newer_schema_is_refused_by_both_sides(path, writer):
    await writer.create("t", [])
    running = await SqliteReader.open(path)
    set_version(path, schema.SCHEMA_VERSION + 1)
    for attempt in (
        lambda: SqliteWriter.open(path),
        lambda: SqliteReader.open(path),
        writer.check,
        lambda: writer.create("t", []),
        running.check,
        lambda: running.get(1),
    ):
        with pytest.raises(NotTaskDatabase, match="upgrade the software"):
            await attempt()
    await running.close()


async def test_upgrade_is_done_once_and_the_reader_waits_for_it(path, writer, monkeypatch):
    await writer.create("t", ["t"])
    running = SqliteReader(path)
    assert await running.get(1)
    step = "ALTER TABLE task ADD COLUMN note TEXT"
    monkeypatch.setattr(schema, "_UPGRADES", [*schema._UPGRADES, step])
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    reader = await SqliteReader.open(path)
    for attempt in (lambda: reader.get(1), lambda: reader.list_by_tag("t"), reader.check):
        with pytest.raises(StoreUnavailable, match="waiting for a command service"):
            await attempt()
    writers = await asyncio.gather(*(SqliteWriter.open(path) for _ in range(3)))
    await reader.check()
    assert await reader.get(1) == await running.get(1)
    assert (await writers[0].create("t", ["t"])).task_id == 2
    for side in (reader, running, *writers):
        await side.close()


async def test_foreign_database_is_refused_and_left_as_it_was(path):
    with apsw.Connection(str(path)) as db:
        db.execute("CREATE TABLE recipe (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotTaskDatabase, match="another program"):
        await SqliteWriter.open(path)
    assert path.read_bytes() == before


async def test_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"dear diary" * 1000)
    for side in (SqliteWriter, SqliteReader):
        with pytest.raises(NotTaskDatabase, match="not a SQLite database"):
            await side.open(path)
    assert path.read_bytes() == b"dear diary" * 1000


async def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(StoreUnavailable):
        await SqliteWriter.open(tmp_path / "none" / "tasks.db")


async def test_commits_are_synced_and_logged_ahead(path, writer):
    with apsw.Connection(str(path)) as db:
        assert db.pragma("journal_mode") == "wal"
    ledger_connection = writer._ledger._connection
    assert ledger_connection.pragma("synchronous") == 2


async def test_reader_connection_cannot_write(path, writer):
    connection = open_for_reading(path)
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM task")
    connection.close()


async def test_reads_of_one_turn_of_the_loop_share_a_transaction_that_ends_with_it(path, writer):
    await writer.create("t", [])
    reader = await SqliteReader.open(path)
    await reader.get(1)
    await asyncio.sleep(0)
    statements = []
    reader._connection.exec_trace = lambda _, sql, __: statements.append(sql.split()[0]) or True
    await asyncio.gather(*[reader.get(1) for _ in range(5)])
    await asyncio.sleep(0)
    assert statements == ["BEGIN", *["SELECT"] * 5, "COMMIT"]
    await reader.close()


async def test_no_read_misses_what_was_committed_before_it_was_asked_for(path, writer):
    """However many other reads keep transactions open all the time."""
    await writer.create("t", [])
    reader = await SqliteReader.open(path)

    async def read_on():
        while True:
            await reader.get(1)
            await asyncio.sleep(0)

    reading = [asyncio.create_task(read_on()) for _ in range(20)]
    for _ in range(200):
        created = await writer.create("t", ["t"])
        assert await reader.get(created.task_id)
        assert len((await reader.list_by_tag("t")).tasks) == created.task_id - 1
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await reader.close()


async def test_full_database_refuses_without_loss_and_recovers(path, writer):
    """A limit on the file's pages stands for a full disk: SQLite answers both alike."""
    await writer.create("kept", [])
    connection = writer._ledger._connection
    connection.pragma("max_page_count", connection.pragma("page_count") + 4)
    answers = await asyncio.gather(
        *(writer.create("x" * 16_000, []) for _ in range(20)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, StoreFull)]
    assert refused
    assert len(refused) + sum(not isinstance(answer, Exception) for answer in answers) == 20
    with pytest.raises(StoreFull):
        await writer.create("x" * 16_000, [])
    connection.pragma("max_page_count", 1 << 30)
    await writer.check()
    assert (await writer.create("y", [])).task_id == 22 - len(refused)


async def test_full_disk_acknowledges_nothing_it_loses(small_disk):
    path = small_disk / "tasks.db"
    writer = await SqliteWriter.open(path)
    kept = []
    for n in range(200):
        try:
            kept.append(await writer.create(f"{n} " + "x" * 15_000, ["t"]))
        except (StoreFull, StoreUnavailable):
            break
    else:
        pytest.fail("1 MiB held 3 MB")
    creates = (writer.create("x" * 15_000, ["t"]) for _ in range(50))
    answers = await asyncio.gather(*creates, return_exceptions=True)
    assert isinstance(answers[-1], StoreFull | StoreUnavailable)
    await writer.close()
    reader = SqliteReader(path)
    page = await reader.list_by_tag("")
    await reader.close()
    texts = [Task().parse(task).text for task in page.tasks]
    assert texts[: len(kept)] == [f"{n} " + "x" * 15_000 for n in range(len(kept))]


async def test_replaced_file_is_taken_up_by_both_sides(tmp_path, path, writer):
    reader = SqliteReader(path)
    await writer.create("old", [])
    await reader.get(1)
    other = await SqliteWriter.open(tmp_path / "other.db")
    for n in range(3):
        await other.create(f"new {n}", [])
    await other.close()
    (tmp_path / "other.db").replace(path)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    assert (await writer.create("newest", [])).task_id == 4
    await reader.check()
    assert Task().parse(await reader.get(4)).text == "newest"
    assert Task().parse(await reader.get(1)).text == "new 0"
    await reader.close()


@pytest.fixture(params=["file", "symbolic link"])
def logged(path, request):
    """The file that stands beside the log: `path`, or the one it leads to."""
    if request.param == "file":
        return path
    (path.parent / "elsewhere").mkdir()
    real = path.parent / "elsewhere/real.db"
    path.symlink_to(real)
    return real


@pytest.mark.parametrize("deleted", [["-wal"], ["-shm"], ["-wal", "-shm"]])
async def test_deleted_log_or_index_loses_nothing(path, logged, writer, deleted):
    reader = SqliteReader(path)
    for n in range(5):
        await writer.create(f"{n}", ["t"])
    await reader.get(5)
    for suffix in deleted:
        Path(f"{logged}{suffix}").unlink()
    assert (await writer.create("after", ["t"])).task_id == 6
    newcomer = SqliteReader(path)
    for side in (reader, newcomer):
        await side.check()
        assert len((await side.list_by_tag("t")).tasks) == 6
        await side.close()
    await writer.close()
    later = await SqliteWriter.open(path)
    assert (await later.create("later", ["t"])).task_id == 7
    await later.close()


_CREATE_ONE = """
import asyncio, pathlib, sys
from taskstore.sqlite import SqliteWriter

async def main():
    writer = await SqliteWriter.open(pathlib.Path(sys.argv[1]))
    print((await writer.create("theirs", [])).task_id)
    await writer.close()

asyncio.run(main())
"""


async def test_deleted_index_never_parts_two_writing_processes(path, writer):
    """One index is shared within a process, so it takes two to tell."""
    await writer.create("ours", [])
    Path(f"{path}-shm").unlink()
    arguments = [sys.executable, "-c", _CREATE_ONE, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    theirs = await asyncio.to_thread(
        subprocess.run, arguments, env=environment, capture_output=True, text=True, check=True
    )
    assert theirs.stdout == "2\n"
    assert (await writer.create("ours", [])).task_id == 3


@pytest.mark.parametrize("left_bytes", [0, 3 * 4096])
async def test_truncated_file_acknowledges_nothing(path, writer, left_bytes):
    await asyncio.gather(*(writer.create(f"{n}", ["t"]) for n in range(2000)))
    writer._ledger._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    reader = SqliteReader(path)
    await reader.get(1)
    os.truncate(path, left_bytes)
    for attempt in (lambda: writer.create("t", []), writer.check, reader.check):
        with pytest.raises(StoreUnavailable):
            await attempt()
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    await reader.close()


async def test_overwritten_file_acknowledges_nothing(path, writer):
    await writer.create("t", [])
    writer._ledger._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    with path.open("r+b") as file:
        file.write(b"dear diary" * (path.stat().st_size // 10))
    for attempt in (lambda: writer.create("t", []), writer.check):
        with pytest.raises(StoreUnavailable):
            await attempt()


async def test_file_moved_away_and_back_is_used_again(tmp_path, path, writer):
    await writer.create("one", [])
    moved = tmp_path / "moved.db"
    path.rename(moved)
    with pytest.raises(StoreUnavailable, match="gone"):
        await writer.create("two", [])
    moved.rename(path)
    assert (await writer.create("three", [])).task_id == 2


async def test_two_writers_on_one_file_take_turns(path, writer):
    second = await SqliteWriter.open(path)
    request_id = uuid4()
    created = await asyncio.gather(
        *(w.create(f"{n}", []) for n in range(50) for w in (writer, second)),
        *(w.create("same", [], request_id) for w in (writer, second)),
    )
    await second.close()
    assert {c.task_id for c in created} == set(range(1, 102))


async def test_copy_taken_while_running_opens(tmp_path, path, writer):
    for n in range(20):
        await writer.create(f"{n}", [])
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", tmp_path / f"copy.db{suffix}")
    copy = await SqliteWriter.open(tmp_path / "copy.db")
    assert (await copy.create("t", [])).task_id == 21
    await copy.close()


async def test_reader_that_looks_while_the_tables_are_made_never_takes_them_for_foreign(tmp_path):
    for n in range(30):
        path = tmp_path / f"{n}.db"
        reader = SqliteReader(path)
        opening = asyncio.create_task(SqliteWriter.open(path))
        while not opening.done():
            await reader.check()
            await asyncio.sleep(0)
        await (await opening).close()
        await reader.check()
        await reader.close()


async def test_reader_waits_for_a_file_that_is_locked_when_it_starts(path, writer):
    await writer.create("t", [])
    holder = apsw.Connection(str(path))
    holder.pragma("locking_mode", "EXCLUSIVE")
    await writer.close()
    holder.execute("BEGIN EXCLUSIVE")
    reader = await SqliteReader.open(path)
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    holder.close()
    assert await reader.get(1)
    await reader.close()
