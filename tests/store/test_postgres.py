"""The particulars of the PostgreSQL backend: servers, and what may happen to them."""

import asyncio
import secrets
import socket
import subprocess
from uuid import uuid4

import asyncpg
import pytest

from taskpb import Task
from taskstore import (
    NotTaskDatabase,
    RequestIdReused,
    StoreFull,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
    parse_database_url,
)
from taskstore.postgres import PostgresReader, PostgresWriter, schema
from taskstore.postgres.database import Database
from taskstore.postgres.gets import GatheredGets
from taskstore.postgres.reader import OF_TAG
from taskstore.record import encode_task
from tests.postgres import Server, primary_and_replica, temporary_folder
from tests.store.proxies import Proxy

SEEN_S = 10.0


@pytest.fixture
def primary(servers):
    """With a database `alone` that has no tables yet."""
    primary, _ = servers
    primary.sql("DROP SCHEMA IF EXISTS taskstore CASCADE", "alone")
    yield primary
    if not primary.is_running:
        primary.start()


@pytest.fixture
def replica(servers, primary):
    _, replica = servers
    yield replica
    replica.sql("SELECT pg_wal_replay_resume()")


@pytest.fixture
def location(primary):
    return parse_database_url(primary.url("alone"))


@pytest.fixture
async def writer(location):
    writer = await PostgresWriter.open(location)
    yield writer
    await writer.close()


@pytest.fixture
async def reader(replica, writer):
    reader = await PostgresReader.open(parse_database_url(replica.url("alone")))
    yield reader
    await reader.close()


async def seen_by(reader, created):
    """Wait until `reader` has the task, and so everything before it."""
    await reader.get(created.task_id, consistency_token=created.consistency_token, wait_s=SEEN_S)


async def eventually(attempt, within_s=SEEN_S):
    """The first answer of `attempt` that isn't StoreUnavailable."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await attempt()
            except StoreUnavailable:
                await asyncio.sleep(0.05)


# Reads that see your writes.


async def test_read_with_token_waits_for_the_replica_others_do_not(replica, writer, reader):
    await seen_by(reader, await writer.create("old", ["t"]))
    replica.sql("SELECT pg_wal_replay_pause()")
    created = await writer.create("new", ["t"])
    token = created.consistency_token
    get = asyncio.create_task(reader.get(2, consistency_token=token, wait_s=SEEN_S))
    page = asyncio.create_task(reader.list_by_tag("t", consistency_token=token, wait_s=SEEN_S))
    with pytest.raises(TaskNotFound):
        await reader.get(2)
    assert len((await reader.list_by_tag("t")).tasks) == 1
    with pytest.raises(WriteNotSeen):
        await reader.get(1, consistency_token=token, wait_s=0.1)
    with pytest.raises(WriteNotSeen):
        await reader.list_by_tag("t", consistency_token=token)
    assert not get.done()
    assert not page.done()
    await asyncio.to_thread(replica.sql, "SELECT pg_wal_replay_resume()")
    assert await get == encode_task(2, "new", ["t"])
    assert len((await page).tasks) == 2


async def test_repeated_create_has_a_token_that_waits_for_the_first(replica, writer, reader):
    await seen_by(reader, await writer.create("old", []))
    replica.sql("SELECT pg_wal_replay_pause()")
    request_id = uuid4()
    await writer.create("new", [], request_id)
    again = await writer.create("new", [], request_id)
    with pytest.raises(WriteNotSeen):
        await reader.get(2, consistency_token=again.consistency_token, wait_s=0.05)
    await asyncio.to_thread(replica.sql, "SELECT pg_wal_replay_resume()")
    await seen_by(reader, again)


async def test_cancelled_wait_leaves_nothing_behind(replica, writer, reader):
    await seen_by(reader, await writer.create("old", []))
    replica.sql("SELECT pg_wal_replay_pause()")
    created = await writer.create("new", [])
    waits = [asyncio.create_task(seen_by(reader, created)) for _ in range(50)]
    await asyncio.sleep(0.02)
    for wait in waits:
        wait.cancel()
    await asyncio.wait(waits)
    await asyncio.to_thread(replica.sql, "SELECT pg_wal_replay_resume()")
    await seen_by(reader, created)


async def test_tokens_go_on_ascending_and_primary_needs_no_wait(location, writer):
    reader = await PostgresReader.open(location)
    last = ""
    for n in range(20):
        created = await writer.create(f"{n}", [])
        assert created.consistency_token > last
        last = created.consistency_token
        await reader.get(created.task_id, consistency_token=last, wait_s=0.0)
    await reader.close()


# Writing.


async def test_several_writers_give_ids_without_holes_in_order_of_commits(location):
    writers = await asyncio.gather(*(PostgresWriter.open(location) for _ in range(3)))
    request_id = uuid4()
    created = await asyncio.gather(
        *(w.create(f"{n}", ["t"]) for n in range(100) for w in writers),
        *(w.create("same", [], request_id) for w in writers),
    )
    assert {c.task_id for c in created} == set(range(1, 302))
    by_id = sorted(set(created[:-3]))
    tokens = [c.consistency_token for c in by_id]
    assert tokens == sorted(tokens)
    await asyncio.gather(*(w.close() for w in writers))


async def test_task_head_of_the_procedure_is_the_encoding_of_the_id(primary, writer):
    ids = [n for power in range(31) for n in (2**power - 1, 2**power, 2**power + 1) if n > 0]
    ids.append(2**31 - 1)
    head = "encode(taskstore.task_head(id), 'hex')"
    heads = primary.sql(f"SELECT {head} FROM unnest(ARRAY{ids}) AS id", "alone")  # noqa: S608 - a test's
    assert [bytes.fromhex(head) for head in heads.split()] == [
        encode_task(task_id, "", []) for task_id in ids
    ]


async def test_expired_request_ids_go_in_small_steps(primary, writer):
    await asyncio.gather(*(writer.create(f"{n}", [], uuid4()) for n in range(10)))
    primary.sql("UPDATE taskstore.request SET created_at = now() - '8 d'::interval", "alone")
    for left in (8, 6, 4):
        await writer.create("next", [])
        assert primary.sql("SELECT count(*) FROM taskstore.request", "alone") == str(left)


async def test_acknowledged_survives_a_crash_though_the_database_says_otherwise(primary, location):
    primary.sql("ALTER DATABASE alone SET synchronous_commit = off")
    try:
        writer = await PostgresWriter.open(location)
        kept = [await writer.create(f"{n}", []) for n in range(20)]
        primary.kill()
        primary.start()
        assert primary.sql("SELECT count(*) FROM taskstore.task", "alone") == str(len(kept))
        await writer.close()
    finally:
        primary.sql("ALTER DATABASE alone RESET synchronous_commit")


@pytest.fixture
def small_server(postgres_programs):
    """A server with a tablespace `small` on a real file system of 2 MiB."""
    with temporary_folder() as folder:
        server = Server(postgres_programs, folder / "server")
        server.init(sync=False)
        server.start()
        place = folder / "small"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            server.stop()
            pytest.skip("mounting a small file system needs root")
        subprocess.run(["chown", server.user, str(place)], check=True)
        server.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        yield server
        server.stop()
        subprocess.run(["umount", "-l", str(place)], check=True)


async def test_full_disk_refuses_without_loss_and_recovers(small_server):
    location = parse_database_url(small_server.url())
    writer = await PostgresWriter.open(location)
    small_server.sql("ALTER TABLE taskstore.task SET TABLESPACE small")
    kept = 0
    refused = False
    while not refused and kept < 300:
        try:
            await writer.create(secrets.token_hex(8000), ["t"], uuid4())
        except StoreFull:
            refused = True
        else:
            kept += 1
    assert refused
    small_server.sql("ALTER TABLE taskstore.task SET TABLESPACE pg_default")
    await writer.check()
    assert (await writer.create("after", ["t"])).task_id == kept + 1
    reader = await PostgresReader.open(location)
    assert len((await reader.list_by_tag("t")).tasks) == kept + 1
    await reader.close()
    await writer.close()


# Losing the connection in the middle of a commit.


@pytest.fixture
async def proxy(primary, writer):
    """Between a second writer and the primary."""
    async with Proxy(primary.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied(primary, proxy):
    url = primary.url("alone").replace(f":{primary.port}/", f":{proxy.port}/")
    writer = await PostgresWriter.open(parse_database_url(url + "?sslmode=disable"))
    yield writer
    await writer.close()


async def test_answer_that_is_lost_after_the_commit_is_found_by_its_request_id(
    primary, proxy, proxied
):
    await proxied.create("first", [])
    proxy.lose_next_answer()
    named, unnamed = await asyncio.gather(
        proxied.create("named", ["t"], uuid4()),
        proxied.create("unnamed", ["t"]),
        return_exceptions=True,
    )
    assert named.task_id == 2
    assert isinstance(unnamed, StoreUnavailable)
    assert "not known" in str(unnamed)
    assert primary.sql("SELECT count(*) FROM taskstore.task", "alone") == "3"


async def test_request_that_is_lost_before_the_commit_is_stored_by_its_request_id(
    primary, proxy, proxied
):
    first = uuid4()
    await proxied.create("first", [], first)
    proxy.lose_next_request()
    named, reused, unnamed = await asyncio.gather(
        proxied.create("named", [], uuid4()),
        proxied.create("other", [], first),
        proxied.create("unnamed", []),
        return_exceptions=True,
    )
    assert named.task_id == 2
    assert isinstance(reused, RequestIdReused)
    assert isinstance(unnamed, StoreUnavailable)
    assert primary.sql("SELECT count(*) FROM taskstore.task", "alone") == "2"


async def test_backend_ended_by_an_administrator_is_replaced(primary, location, writer):
    await writer.create("before", [])
    lock = await asyncpg.connect(location.dsn, host="127.0.0.1", port=primary.port)
    async with lock.transaction():
        await lock.execute("SELECT FROM taskstore.counter FOR UPDATE")
        named = asyncio.create_task(writer.create("named", [], uuid4()))
        ended = False
        while not ended:
            ended = await lock.fetchval(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = 'alone'"
            )
    assert (await named).task_id == 2
    await lock.close()


# Servers that come and go.


async def test_both_sides_start_before_the_server_and_take_it_up(primary, location):
    primary.stop("fast")
    writer = await PostgresWriter.open(location)
    reader = await PostgresReader.open(location)
    for attempt in (writer.check, reader.check, lambda: writer.create("t", [])):
        with pytest.raises(StoreUnavailable):
            await attempt()
    with pytest.raises(StoreUnavailable):
        await reader.list_by_tag("")
    primary.start()
    await eventually(writer.check)
    await eventually(reader.check)
    created = await writer.create("t", [])
    await seen_by(reader, created)
    await writer.close()
    await reader.close()


async def test_restart_of_the_primary_is_survived(primary, location, writer):
    reader = await PostgresReader.open(location)
    await seen_by(reader, await writer.create("before", []))
    primary.stop("fast")
    with pytest.raises(StoreUnavailable):
        await writer.create("during", [], uuid4())
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    primary.start()
    created = await eventually(lambda: writer.create("after", []))
    assert created.task_id == 2
    await seen_by(reader, created)
    await reader.close()


async def test_failover_to_the_promoted_replica(postgres_programs):
    with primary_and_replica(postgres_programs, standbys="replica", commit="on") as pair:
        primary, replica = pair
        url = f"postgresql://{primary.user}@127.0.0.1:{primary.port},127.0.0.1:{replica.port}/"
        writer = await PostgresWriter.open(parse_database_url(url + "postgres"))
        reader = await PostgresReader.open(
            parse_database_url(url + "postgres?target_session_attrs=prefer-standby")
        )
        before = await writer.create("before", ["t"])
        await seen_by(reader, before)
        primary.kill()
        replica.promote()
        after = await eventually(lambda: writer.create("after", ["t"]))
        assert after.consistency_token > before.consistency_token
        page = await eventually(
            lambda: reader.list_by_tag("t", consistency_token=after.consistency_token, wait_s=1)
        )
        assert [Task().parse(task).text for task in page.tasks] == ["before", "after"]
        await eventually(writer.check)
        await writer.close()
        await reader.close()


async def test_server_that_hangs_is_passed_over(primary, writer):
    await writer.create("t", [])
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        hosts = f"127.0.0.1:{deaf.getsockname()[1]},127.0.0.1:{primary.port}"
        url = f"postgresql://{primary.user}@{hosts}/alone?connect_timeout=1"
        reader = await PostgresReader.open(parse_database_url(url))
        assert await reader.get(1)
        await reader.close()


async def test_connections_that_went_silent_together_cost_one_wait(
    primary, proxy, writer, monkeypatch
):
    monkeypatch.setattr("taskstore.postgres.database.STATEMENT_S", 0.5)
    await writer.create("t", ["t"])
    url = primary.url("alone").replace(f":{primary.port}/", f":{proxy.port}/")
    reader = await PostgresReader.open(parse_database_url(url + "?sslmode=disable"))
    await asyncio.gather(*(reader.list_by_tag("t") for _ in range(6)))
    proxy.silence()
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    pages = await asyncio.gather(*(reader.list_by_tag("t") for _ in range(6)))
    assert [len(page.tasks) for page in pages] == [1] * 6
    await reader.close()


async def test_replica_alone_takes_no_writes(replica, writer, reader):
    await seen_by(reader, await writer.create("t", []))
    elsewhere = await PostgresWriter.open(parse_database_url(replica.url("alone")))
    with pytest.raises(StoreUnavailable):
        await elsewhere.create("t", [])
    with pytest.raises(StoreUnavailable):
        await elsewhere.check()
    await elsewhere.close()


async def test_primary_that_turns_read_only_is_left_until_it_writes_again(primary, writer):
    await writer.create("before", [])
    try:
        primary.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        primary.sql("SELECT pg_reload_conf()")
        async with asyncio.timeout(SEEN_S):
            while primary.sql("SHOW default_transaction_read_only") == "off":
                await asyncio.sleep(0.01)
        for attempt in (lambda: writer.create("during", []), writer.check):
            with pytest.raises(StoreUnavailable):
                await attempt()
    finally:
        primary.sql("ALTER SYSTEM RESET default_transaction_read_only")
        primary.sql("SELECT pg_reload_conf()")
    await eventually(writer.check)
    await eventually(lambda: writer.create("after", []))


async def test_too_few_connections_make_the_store_unavailable(primary, writer):
    primary.sql("DROP ROLE IF EXISTS narrow; CREATE ROLE narrow LOGIN CONNECTION LIMIT 0")
    url = primary.url("alone").replace(f"//{primary.user}@", "//narrow@")
    reader = await PostgresReader.open(parse_database_url(url))
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    await reader.close()


@pytest.mark.parametrize("side", [PostgresWriter, PostgresReader])
async def test_what_waiting_does_not_help_is_refused_at_once(primary, side):
    primary.sql("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right'")
    me = f"//{primary.user}@"
    for url in (
        primary.url("nosuch"),
        primary.url("alone").replace(me, "//nobody@"),
        primary.url("alone").replace(me, "//guarded:wrong@"),
    ):
        with pytest.raises(NotTaskDatabase, match="refuses"):
            await side.open(parse_database_url(url))


# Reading.


async def test_reader_cannot_write(location, writer):
    database = Database(location, writes=False, size=1)
    with pytest.raises(StoreUnavailable) as caught:
        async with database.session() as session:
            await session.execute("DELETE FROM taskstore.task")
    assert isinstance(caught.value.__cause__, asyncpg.ReadOnlySQLTransactionError)
    await database.close()


async def test_gets_of_a_moment_share_statements(location, writer):
    await asyncio.gather(*(writer.create(f"{n}", []) for n in range(300)))
    statements = 0

    class Counting(Database):
        def session(self):
            nonlocal statements
            statements += 1
            return super().session()

    database = Counting(location, writes=False, size=2)
    gets = GatheredGets(database)
    answers = await asyncio.gather(*(gets.get(n, 0) for n in range(302)))
    assert answers[0] is None
    assert answers[1:301] == [encode_task(n, f"{n - 1}", []) for n in range(1, 301)]
    assert answers[301] is None
    assert statements <= 4
    await gets.close()
    await database.close()


@pytest.mark.parametrize("count", [0, 2000])
async def test_page_of_a_tag_is_one_scan_of_its_index(primary, location, writer, count):
    await asyncio.gather(*(writer.create(f"{n}", [f"t{n % 50}"]) for n in range(count)))
    if count:
        primary.sql("VACUUM ANALYZE taskstore.tagged_task", "alone")
    database = Database(location, writes=False, size=1)
    async with database.session() as session:
        await session.execute(f"PREPARE page AS {OF_TAG}")
        rows = await session.fetch("EXPLAIN EXECUTE page(100, 10, 1000, 't7')")
    await database.close()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Only Scan using tagged_task_page" in plan
    assert "Sort" not in plan


async def test_list_that_is_given_up_ends_its_statement(primary, location, writer):
    await writer.create("t", ["t"])
    reader = await PostgresReader.open(location)
    await reader.get(1)
    lock = await asyncpg.connect(location.dsn, host="127.0.0.1", port=primary.port)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with lock.transaction():
        await lock.execute("LOCK TABLE taskstore.tagged_task")
        read = asyncio.create_task(reader.list_by_tag("t"))
        while not await lock.fetchval(waiting):
            await asyncio.sleep(0.01)
        read.cancel()
        async with asyncio.timeout(SEEN_S):
            while await lock.fetchval(waiting):
                await asyncio.sleep(0.01)
    await lock.close()
    assert len((await reader.list_by_tag("t")).tasks) == 1
    await reader.close()


# The schema.


async def test_newer_schema_is_refused_by_both_sides(primary, location, writer):
    running = await PostgresReader.open(location)
    primary.sql("UPDATE taskstore.meta SET version = version + 1", "alone")
    for attempt in (PostgresWriter.open(location), PostgresReader.open(location)):
        with pytest.raises(NotTaskDatabase, match="upgrade the software"):
            await attempt
    for check in (running.check, writer.check):
        with pytest.raises(NotTaskDatabase, match="upgrade the software"):
            await check()
    with pytest.raises(NotTaskDatabase):
        await running.get(1)
    await running.close()


@pytest.mark.parametrize("columns", ["version int, token_key bytea", "recipe text"])
@pytest.mark.parametrize("side", [PostgresWriter, PostgresReader])
async def test_foreign_schema_of_our_name_is_refused(primary, location, side, columns):
    primary.sql(f"CREATE SCHEMA taskstore CREATE TABLE meta ({columns})", "alone")
    with pytest.raises(NotTaskDatabase, match="not this software's"):
        await side.open(location)


async def test_upgrade_is_done_once_and_the_reader_waits_for_it(location, writer, monkeypatch):
    await writer.create("t", ["t"])
    step = "ALTER TABLE taskstore.task ADD COLUMN note text"
    monkeypatch.setattr(schema, "_UPGRADES", [*schema._UPGRADES, step])
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    monkeypatch.setattr("taskstore.postgres.reader.SCHEMA_VERSION", 2)
    reader = await PostgresReader.open(location)
    with pytest.raises(StoreUnavailable, match="waiting for a command service"):
        await reader.get(1)
    with pytest.raises(StoreUnavailable):
        await reader.check()
    writers = await asyncio.gather(*(PostgresWriter.open(location) for _ in range(3)))
    await reader.check()
    assert await reader.get(1)
    assert (await writers[0].create("t", [])).task_id == 2
    await asyncio.gather(reader.close(), *(w.close() for w in writers))


async def test_upgrade_that_waits_for_a_lock_does_not_lock_reads_out(
    primary, location, writer, monkeypatch
):
    await writer.create("t", ["t"])
    reader = await PostgresReader.open(location)
    step = "ALTER TABLE taskstore.task ADD COLUMN note text"
    monkeypatch.setattr(schema, "_UPGRADES", [*schema._UPGRADES, step])
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 2)
    long_read = await asyncpg.connect(location.dsn, host="127.0.0.1", port=primary.port)
    async with long_read.transaction():
        await long_read.fetch("SELECT * FROM taskstore.task")
        upgrading = asyncio.create_task(PostgresWriter.open(location))
        slowest = 0.0
        for _ in range(60):
            started = asyncio.get_running_loop().time()
            await reader.get(1)
            slowest = max(slowest, asyncio.get_running_loop().time() - started)
            await asyncio.sleep(0.01)
        assert not upgrading.done()
    await (await upgrading).close()
    await long_read.close()
    assert await reader.get(1)
    await reader.close()
    assert slowest < 0.1 + schema.LOCK_TIMEOUT_MS / 1000 * 2
