"""`python -m bench.postgres`: ours and a grpc.aio service with asyncpg, on one PostgreSQL.

The server is the distribution's, as it comes but for a free port: every commit
is synced. Both services find their own database there, with the same tasks.
"""

import asyncio
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click

from bench import h2load
from bench.building import ROOT, generate
from bench.contenders import READ, WRITE, Contender
from bench.data import TAGS, Contract
from bench.h2load import Load
from bench.processes import Server, load_cores
from bench.rows import Bench, Plan
from bench.table import OURS, Bar, Row, table
from taskstore import TaskReader, open_reader, open_writer, parse_database_url
from tests.postgres import Server as Postgres
from tests.postgres import find_programs, temporary_folder

TASKS = 100_000
# What a table fits in every cache, and what it no longer does.
FEW, MANY = 10_000, 5_000_000
_PEER = "asyncpg"
_CALLS = 2000
_PAGE_TASKS = 100
_SHARED_BUFFERS = "1GB"

# The tasks of `bench.data`, encoded where they are stored.
_FILL = """
CREATE OR REPLACE FUNCTION pg_temp.field(tag bytea, value bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT tag || set_byte('\\x00'::bytea, 0, octet_length(value)) || value
$$;
CREATE TEMP TABLE filled AS
SELECT n AS id, convert_to('tag-' || n % {tags}, 'UTF8') AS one,
       convert_to('owner-' || n % 997, 'UTF8') AS two,
       convert_to('Task ' || n || ': water the plants before the weekend', 'UTF8') AS text
FROM generate_series(1, {count}) AS n;
INSERT INTO taskstore.task (id, message)
SELECT id, taskstore.task_head(id) || pg_temp.field('\\x12', text)
           || pg_temp.field('\\x1a', one) || pg_temp.field('\\x1a', two) FROM filled;
INSERT INTO taskstore.tagged_task (tag, id, message)
SELECT tag, id, message FROM filled JOIN taskstore.task USING (id),
LATERAL (VALUES (one), (two)) AS tagged (tag) ORDER BY id;
UPDATE taskstore.counter SET last_id = {count};
"""
_FILL_PLAIN = """
CREATE TABLE task (id serial PRIMARY KEY, text text NOT NULL);
CREATE TABLE task_tag (
    task_id integer NOT NULL REFERENCES task (id),
    position integer NOT NULL,
    tag text NOT NULL,
    PRIMARY KEY (task_id, position)
);
INSERT INTO task (text)
SELECT 'Task ' || n || ': water the plants before the weekend'
FROM generate_series(1, {count}) AS n;
INSERT INTO task_tag (task_id, position, tag)
SELECT n, position, tag FROM generate_series(1, {count}) AS n,
LATERAL (VALUES (1, 'tag-' || n % {tags}), (2, 'owner-' || n % 997)) AS given (position, tag);
CREATE INDEX task_tag_by_tag ON task_tag (tag, task_id);
"""


class PostgresBench(Bench):
    """Rows whose contenders each have a database on one server."""

    def _database_for(self, contender: Contender, half: str) -> Path:
        """Named by the contender's own command; writes go there too."""
        return Path(f"{contender.key}-{half}")


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(1, 100), default=5, help="Turns of each contender.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=3.0, help="Load of one turn.")
@click.option("--huge", is_flag=True, help="Latencies and an upgrade at 5,000,000 tasks instead.")
@click.option("--engine", help="The services' engine. Default: their own default.")
def main(*, rounds: int, seconds: float, huge: bool, engine: str | None) -> None:  # noqa: D103
    with temporary_folder() as folder:
        server = Postgres(find_programs(_require), folder / "server")
        server.init()
        server.start()
        try:
            server.sql(f"ALTER SYSTEM SET shared_buffers = '{_SHARED_BUFFERS}'")
            server.sql("ALTER SYSTEM SET max_wal_size = '4GB'")
            server.sql("ALTER SYSTEM SET autovacuum = on")
            server.stop("fast")
            server.start()
            if huge:
                asyncio.run(_at_scale(server))
            else:
                _beside_the_peer(server, Plan(rounds, seconds, 1.0, 0, engine))
        finally:
            server.stop()


def _require(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise click.ClickException(f"{name} is not installed (Debian: postgresql)")


def _beside_the_peer(server: Postgres, plan: Plan) -> None:
    build = ROOT / "build" / "bench-postgres"
    build.mkdir(parents=True, exist_ok=True)
    google = generate(build)["google"]
    if google.missing:
        raise click.ClickException(google.missing)
    asyncio.run(_fill(server, "ours", TASKS))
    server.sql("CREATE DATABASE plain")
    server.sql(_FILL_PLAIN.format(count=TASKS, tags=TAGS), "plain")
    server.sql("VACUUM ANALYZE", "plain")
    os.sched_setaffinity(0, load_cores())
    contenders = [_ours(server, plan.engine), _peer(server, google.folder)]
    bench = PostgresBench(plan, Contract(google.folder), contenders, build)
    contract = bench.contract
    measured = [
        _row(bench, "GetTask", READ, contract.get_load(), 1.5),
        _row(bench, "ListTasksByTag of 100", READ, contract.page_load(), 1.5),
        _row(bench, "CreateTask, durable", WRITE, contract.create_load(), 5),
    ]
    print(table(measured, {contender.key: contender.title for contender in contenders}))
    if bench.failures:
        sys.exit("\n".join(["", "These failed:", *bench.failures]))


def _ours(server: Postgres, engine: str | None) -> Contender:
    options = ["--engine", engine] if engine else []

    def command(half: str, _: Path, port: int) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(port), "--database", server.url("ours")]
        return [sys.executable, "-m", half, *where, *options]

    return Contender(OURS, "ours", command)


def _peer(server: Postgres, generated: Path) -> Contender:
    script = str(ROOT / "bench" / "peers" / "grpc_aio_asyncpg.py")

    def command(_half: str, _: Path, port: int) -> list[str]:
        return [sys.executable, script, str(port), server.url("plain")]

    return Contender(_PEER, "grpc.aio + asyncpg", command, python_path=generated)


def _row(bench: Bench, title: str, half: str, load: Load, bar: float) -> Row:
    row = Row(title, title, "calls/s", more_is_better=True, bars=[Bar(bar, _PEER)])
    plan = bench.plan

    def turn(server: Server) -> float:
        return h2load.run(server.port, load, plan.seconds, plan.warm_up_s).calls_per_s

    return bench.take_turns(row, half, turn)


async def _fill(server: Postgres, name: str, count: int) -> None:
    """Make a database with `count` tasks."""
    server.sql(f"CREATE DATABASE {name}")
    await (await open_writer(parse_database_url(server.url(name)))).close()
    server.sql(_FILL.format(count=count, tags=TAGS), name, timeout_s=3600)
    server.sql("VACUUM ANALYZE", name, timeout_s=3600)


async def _at_scale(server: Postgres) -> None:
    """Latencies at few and at many tasks, and an upgrade that rewrites nothing and reads on."""
    readers: dict[int, TaskReader] = {}
    for count in (FEW, MANY):
        started = time.perf_counter()
        await _fill(server, f"tasks_{count}", count)
        _tell(f"{count:,} tasks stored in {time.perf_counter() - started:.0f} s")
        readers[count] = await open_reader(parse_database_url(server.url(f"tasks_{count}")))
    for title, read in (("GetTask", _get), ("page of 100", _page)):
        took: dict[int, list[float]] = {count: [] for count in readers}
        for _ in range(_CALLS):
            for count, reader in readers.items():
                took[count].append(await read(reader, count))
        few, many = (median(took[count][_CALLS // 10 :]) * 1e6 for count in (FEW, MANY))
        print(f"{title}: {few:.0f} us at {FEW:,}, {many:.0f} us at {MANY:,}: {many / few:.2f}")
    await _index_while_reading(server, readers[MANY])
    for reader in readers.values():
        await reader.close()


async def _get(reader: TaskReader, count: int) -> float:
    task_id = random.randint(1, count)  # noqa: S311 - a load
    started = time.perf_counter()
    await reader.get(task_id)
    return time.perf_counter() - started


async def _page(reader: TaskReader, _count: int) -> float:
    tag = f"tag-{random.randint(0, TAGS - 1)}"  # noqa: S311 - a load
    started = time.perf_counter()
    await reader.list_by_tag(tag, page_size=_PAGE_TASKS)
    return time.perf_counter() - started


async def _index_while_reading(server: Postgres, reader: TaskReader) -> None:
    """The effect of the dearest kind of upgrade, one more index, to reads meanwhile."""
    statement = "CREATE INDEX one_more ON taskstore.tagged_task (id)"
    upgrade = asyncio.create_task(
        asyncio.to_thread(server.sql, statement, f"tasks_{MANY}", timeout_s=3600)
    )
    started = time.perf_counter()
    slowest = 0.0
    reads = 0
    while not upgrade.done():
        slowest = max(slowest, await _get(reader, MANY), await _page(reader, MANY))
        reads += 2
    took = time.perf_counter() - started
    print(f"an upgrade with an index: {took:.1f} s; {reads} reads in it, slowest {slowest:.3f} s")


_tell: Callable[[str], None] = click.echo

if __name__ == "__main__":
    main(prog_name="python -m bench.postgres")
