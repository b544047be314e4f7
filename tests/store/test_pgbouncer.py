"""A pooler that gives each transaction another connection, by one setting of the URL."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from uuid import uuid4

import pytest

from taskstore import (
    InvalidToken,
    RequestIdReused,
    StoreUnavailable,
    TaskNotFound,
    open_reader,
    open_writer,
    parse_database_url,
)
from taskstore.postgres.database import Database
from taskstore.record import encode_task
from tests.postgres import free_port, temporary_folder

_CONFIGURATION = """
[databases]
alone = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = {folder}/log
pidfile = {folder}/pid
"""


@pytest.fixture
def pgbouncer(require_tool, servers):
    """The port of a pooler before the primary; the database has no tables yet."""
    primary, _ = servers
    primary.sql("DROP SCHEMA IF EXISTS taskstore CASCADE", "alone")
    program = require_tool("pgbouncer")
    with temporary_folder() as folder:
        port = free_port()
        text = _CONFIGURATION.format(server_port=primary.port, port=port, folder=folder)
        text = text.replace("alone = ", f"alone = user={primary.user} ")
        (folder / "ini").write_text(text)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", primary.user, folder], check=True)
        as_user = ["-u", primary.user] if os.getuid() == 0 else []
        pooler = subprocess.Popen(
            [program, "-q", *as_user, folder / "ini"], stderr=subprocess.DEVNULL
        )
        wait_for(port)
        yield port
        pooler.send_signal(signal.SIGINT)
        pooler.wait(10)


def wait_for(port):
    give_up_at = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)


@pytest.fixture
def pooled(pgbouncer):
    return parse_database_url(f"postgresql://127.0.0.1:{pgbouncer}/alone?statement_cache_size=0")


async def test_both_sides_work_through_a_pooler_by_transactions(pooled):
    reader = await open_reader(pooled)
    assert await reader.list_by_tag("") == ([], "")
    writers = [await open_writer(pooled) for _ in range(2)]
    request_id = uuid4()
    created = await asyncio.gather(
        *(w.create(f"{n}", ["t"]) for n in range(100) for w in writers),
        *(w.create("once", [], request_id) for w in writers),
    )
    assert {c.task_id for c in created} == set(range(1, 202))
    last = max(created, key=lambda c: c.consistency_token)
    reads = (
        reader.get(n, consistency_token=last.consistency_token, wait_s=5) for n in range(1, 202)
    )
    assert len(set(await asyncio.gather(*reads))) == 201
    page = await reader.list_by_tag("t", page_size=150)
    rest = await reader.list_by_tag("t", page_size=150, page_token=page.next_page_token)
    assert (len(page.tasks), len(rest.tasks), rest.next_page_token) == (150, 50, "")
    with pytest.raises(RequestIdReused):
        await writers[0].create("other", [], request_id)
    with pytest.raises(TaskNotFound):
        await reader.get(300)
    with pytest.raises(InvalidToken):
        await reader.get(1, consistency_token=last.consistency_token[:-1] + "x")
    for side in (reader, *writers):
        await side.check()
        await side.close()


async def test_reader_through_a_pooler_cannot_write(pooled):
    writer = await open_writer(pooled)
    created = await writer.create("t", [])
    database = Database(pooled, writes=False, size=1)
    with pytest.raises(StoreUnavailable):
        async with database.session() as session:
            await session.execute("DELETE FROM taskstore.task")
    await database.close()
    reader = await open_reader(pooled)
    assert await reader.get(created.task_id) == encode_task(1, "t", [])
    await reader.close()
    await writer.close()


async def test_tokens_ascend_though_the_earlier_writer_learns_its_place_last(pooled, monkeypatch):
    first, second = [await open_writer(pooled) for _ in range(2)]
    reader = await open_reader(pooled)
    stored_later = asyncio.Event()
    learn = first._ledger._position

    async def learn_late():
        await stored_later.wait()
        return await learn()

    monkeypatch.setattr(first._ledger, "_position", learn_late)
    creating = asyncio.create_task(first.create("earlier", []))
    while not (await reader.list_by_tag("")).tasks:
        await asyncio.sleep(0.01)
    later = await second.create("later", [])
    stored_later.set()
    earlier = await creating
    assert (earlier.task_id, later.task_id) == (1, 2)
    assert earlier.consistency_token < later.consistency_token
    for side in (reader, first, second):
        await side.close()


async def test_group_stored_but_without_a_place_is_not_stored_again(pooled, monkeypatch):
    writer = await open_writer(pooled)
    request_id = uuid4()
    with monkeypatch.context() as broken:
        broken.setattr("taskstore.postgres.ledger._POSITION", "SELECT 1 / 0")
        answers = await asyncio.gather(
            writer.create("unnamed", []),
            writer.create("named", [], request_id),
            return_exceptions=True,
        )
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert (await writer.create("named", [], request_id)).task_id == 2
    assert (await writer.create("next", [])).task_id == 3
    await writer.close()
