"""The rows: what is measured, round by round.

Every row starts its servers, checks them, and then lets them take turns, so
that whatever else the machine does meets all of them alike. A contender that
fails is named and leaves the row; the others go on.
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile

from bench import h2load
from bench.checks import check
from bench.contenders import CONNECT, GRPC, READ, WRITE, Contender
from bench.data import Contract
from bench.h2load import Load, LoadFailed
from bench.processes import Server, ServerFailed
from bench.table import Bar, Row
from bench.wire import CallFailed, Connection

__all__ = [
    "Bench",
    "Plan",
    "connect_json",
    "connect_proto",
    "create",
    "get",
    "idle",
    "latency",
    "page",
    "ready",
]

_FAILURES = (ServerFailed, LoadFailed, CallFailed, OSError)
# Descriptors that a server needs beside its connections.
_SPARE_DESCRIPTORS = 500
_OPEN_FOR_S = 120.0
# Of HTTP/1.1, one call each: as many as the other rows have streams.
_CONNECTIONS = 100
_SETTLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """The length and the number of rounds."""

    rounds: int
    seconds: float
    warm_up_s: float
    idle_connections: int
    engine: str | None = None


class Bench:
    """The state that the rows share; `failures` collects who failed where."""

    def __init__(
        self, plan: Plan, contract: Contract, contenders: Sequence[Contender], build: Path
    ) -> None:
        self.plan = plan
        self.contract = contract
        self.contenders = contenders
        self.build = build
        self.failures: list[str] = []
        self._say: Callable[[str], None] = print

    def on_progress(self, say: Callable[[str], None]) -> None:
        """Tell `say` what goes on."""
        self._say = say

    def database(self, contender: Contender) -> Path:
        """The seeded database of a contender."""
        return self.build / ("ours.db" if contender.ours else "plain.db")

    def say(self, row: Row, text: str) -> None:
        """Tell what goes on in a row."""
        self._say(f"{row.title}: {text}")

    @contextmanager
    def failing(self, row: Row, contender: Contender) -> Iterator[None]:
        """Name a contender that fails within, and drop it from the row."""
        try:
            yield
        except _FAILURES as error:
            row.rounds.pop(contender.key, None)
            row.notes.append(f"{contender.title} FAILED: {error}")
            self.failures.append(f"{row.title}: {contender.title}: {error}")
            self.say(row, f"{contender.title} FAILED: {error}")

    def failed(self, row: Row, contender: Contender) -> bool:
        """True if a contender has failed in this row."""
        return any(note.startswith(f"{contender.title} FAILED") for note in row.notes)

    def speaking(self, protocol: str) -> list[Contender]:
        """Who can be asked in a protocol."""
        return [each for each in self.contenders if protocol in each.speaks]

    def take_turns(
        self, row: Row, half: str, turn: Callable[[Server], float], protocol: str = GRPC
    ) -> Row:
        """Measure each contender in each round by `turn`, all servers being up."""
        contenders = self.speaking(protocol)
        with ExitStack() as stack:
            servers: dict[str, Server] = {}
            for contender in contenders:
                with self.failing(row, contender):
                    database = self._database_for(contender, half)
                    server = contender.start(half, database, self.build)
                    servers[contender.key] = stack.enter_context(server)
                    check(self.contract, half, server.port, protocol)
            for number in range(1, self.plan.rounds + 1):
                for contender in contenders:
                    if self.failed(row, contender):
                        continue
                    with self.failing(row, contender):
                        value = turn(servers[contender.key])
                        row.add(contender.key, value)
                        self.say(row, f"round {number}, {contender.title}: {value:,.1f} {row.unit}")
        return row

    def _database_for(self, contender: Contender, half: str) -> Path:
        """Writes go to a copy of the contender's own."""
        database = self.database(contender)
        if half == READ:
            return database
        own = self.build / f"create-{contender.key}.db"
        for suffix in ("-wal", "-shm"):
            own.with_name(own.name + suffix).unlink(missing_ok=True)
        copyfile(database, own)
        return own


def get(bench: Bench) -> Row:
    """One task by its id."""
    bars = [Bar(12, "aio"), Bar(8, "threads"), Bar(0.6, "go")]
    row = Row("get", "GetTask", "calls/s", more_is_better=True, bars=bars)
    return _throughput(bench, row, READ, bench.contract.get_load())


def page(bench: Bench) -> Row:
    """A page of 100 tasks of a tag."""
    row = Row("list", "ListTasksByTag of 100", "calls/s", more_is_better=True, bars=[Bar(8, "aio")])
    return _throughput(bench, row, READ, bench.contract.page_load())


def create(bench: Bench) -> Row:
    """A create that is on disk before it is answered."""
    row = Row(
        "create", "CreateTask, durable", "calls/s", more_is_better=True, bars=[Bar(10, "aio")]
    )
    row.notes.append("grpc-go stores nothing and syncs nothing here")
    return _throughput(bench, row, WRITE, bench.contract.create_load())


def connect_json(bench: Bench) -> Row:
    """GetTask as Connect has it in JSON, over HTTP/1.1."""
    return _connect(bench, "json", bench.contract.get_json_load())


def connect_proto(bench: Bench) -> Row:
    """GetTask as Connect has it in protobuf, over HTTP/1.1."""
    load = replace(bench.contract.get_load(), content_type="application/proto")
    return _connect(bench, "proto", load)


def latency(bench: Bench) -> Row:
    """One connection, one call at a time."""
    row = Row(
        "latency", "GetTask, one at a time", "us", more_is_better=False, bars=[Bar(0.5, "aio")]
    )
    load = replace(bench.contract.get_load(), connections=1, streams=1)
    log = bench.build / "latency.log"

    def turn(server: Server) -> float:
        h2load.run(server.port, load, bench.plan.seconds, bench.plan.warm_up_s, log=log)
        return h2load.median_latency_ms(log.read_text()) * 1000

    return bench.take_turns(row, READ, turn)


def idle(bench: Bench) -> Row:
    """The memory of a connection that has made a call and waits."""
    count = min(
        bench.plan.idle_connections,
        resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS,
    )
    row = Row("idle", f"{count:,} idle connections", "KiB each", more_is_better=False)
    row.bars = [Bar(25)]
    for contender in bench.speaking(GRPC):
        with (
            bench.failing(row, contender),
            contender.start(READ, bench.database(contender), bench.build) as server,
        ):
            row.add(contender.key, _idle_kib(bench, server, count))
            bench.say(row, f"{contender.title}: {row.middle(contender.key):.1f} KiB each")
    return row


def ready(bench: Bench) -> Row:
    """From the start of the process to the first answer; ours: the slower of the two services."""
    row = Row("ready", "start to first answer", "s", more_is_better=False, bars=[Bar(0.5)])
    for _ in range(bench.plan.rounds):
        for contender in bench.speaking(GRPC):
            halves = (READ, WRITE) if contender.ours else (READ,)
            if bench.failed(row, contender):
                continue
            with bench.failing(row, contender):
                times = []
                for half in halves:
                    with contender.start(half, bench.database(contender), bench.build) as server:
                        times.append(server.ready_s)
                row.add(contender.key, max(times))
    bench.say(row, "done")
    return row


def _connect(bench: Bench, codec: str, load: Load) -> Row:
    title = f"GetTask, Connect {codec} over HTTP/1.1"
    bars = [Bar(3, "connect"), Bar(3, "uvicorn")]
    row = Row("connect", title, "calls/s", more_is_better=True, bars=bars)
    return _throughput(bench, row, READ, replace(load, connections=_CONNECTIONS), CONNECT)


def _throughput(bench: Bench, row: Row, half: str, load: Load, protocol: str = GRPC) -> Row:
    plan = bench.plan

    def turn(server: Server) -> float:
        return h2load.run(server.port, load, plan.seconds, plan.warm_up_s).calls_per_s

    return bench.take_turns(row, half, turn, protocol)


def _idle_kib(bench: Bench, server: Server, count: int) -> float:
    body = bench.contract.get_load().body
    with ExitStack() as stack:
        first = stack.enter_context(Connection(server.port))
        for _ in range(20):
            first.calls("GetTask", [body] * 10)
        before = server.memory_bytes()
        deadline = time.perf_counter() + _OPEN_FOR_S
        for opened in range(count):
            if time.perf_counter() > deadline:
                raise CallFailed(f"{opened} connections took {_OPEN_FOR_S:.0f} s")
            stack.enter_context(Connection(server.port)).calls("GetTask", [body])
        time.sleep(_SETTLE_S)
        first.calls("GetTask", [body])
        return (server.memory_bytes() - before) / count / 1024
