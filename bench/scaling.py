"""The rows about ours alone: more workers, and many more tasks."""

import random
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import h2load
from bench.contenders import READ, ours
from bench.data import TAGS, seed_ours
from bench.processes import Cores, Server, load_cores, server_cores
from bench.rows import Bench
from bench.table import OURS, Bar, Row
from bench.wire import Connection

__all__ = ["FEW_TASKS", "MANY_TASKS", "huge_get", "huge_page", "workers"]

FEW_TASKS = 10_000
MANY_TASKS = 5_000_000
_WORKERS = 2
# Different requests, so that no page of the database is always the same one.
_DIFFERENT_BODIES = 20_000
_BATCH = 10
# Two for the workers, two for the load.
_ENOUGH_CORES = 4


class _Rates(NamedTuple):
    """Calls a second, by the clock and by the processor time that the server got."""

    by_clock: float
    by_cpu: float


def workers(bench: Bench) -> Row:
    """GetTask by two workers on two cores, to one worker on one."""
    row = Row("workers", "GetTask, --workers 2 to 1", "x", more_is_better=True, bars=[Bar(1.7)])
    one, two = ours(bench.plan.engine), ours(bench.plan.engine, workers=_WORKERS)
    both, others, by_cpu = _cores_of_two()
    with bench.failing(row, one), ExitStack() as stack:
        database = bench.database(one)
        single = stack.enter_context(one.start(READ, database, bench.build))
        double = stack.enter_context(two.start(READ, database, bench.build, both))
        if len(double.processes()) < _WORKERS:
            row.notes.append(f"skipped: --workers {_WORKERS} runs in one process")
            return row
        clock_ratios = []
        for number in range(1, bench.plan.rounds + 1):
            alone = _rates(bench, single, load_cores())
            together = _rates(bench, double, others)
            clock_ratios.append(together.by_clock / alone.by_clock)
            cpu_ratio = _WORKERS * together.by_cpu / alone.by_cpu
            row.add(OURS, cpu_ratio if by_cpu else clock_ratios[-1])
            bench.say(
                row,
                f"round {number}: {alone.by_clock:,.0f} and {together.by_clock:,.0f} calls/s by "
                f"the clock, {cpu_ratio:.2f}x by processor time",
            )
        if by_cpu:
            row.notes.append(
                "the load needs one of the two cores, so calls are compared per second of "
                "processor time that the workers got, times their number; "
                f"by the clock, load and all: {median(clock_ratios):.2f}x"
            )
    return row


def huge_get(bench: Bench) -> Row:
    """GetTask of any task among 5 million, to any among 10,000."""
    row = Row("huge", _huge_title("GetTask"), "x", more_is_better=False, bars=[Bar(1.3)])
    contract = bench.contract

    def bodies(count: int) -> list[bytes]:
        chosen = random.Random(count)  # noqa: S311 - any ids will do
        return [contract.get_body(chosen.randint(1, count)) for _ in range(_DIFFERENT_BODIES)]

    return _compare(bench, row, "GetTask", bodies(FEW_TASKS), bodies(MANY_TASKS))


def huge_page(bench: Bench) -> Row:
    """A page of ListTasksByTag among 5 million tasks, to one among 10,000."""
    row = Row("huge", _huge_title("page of 100"), "x", more_is_better=False, bars=[Bar(1.3)])
    bodies = [bench.contract.page_body(tag) for tag in range(TAGS)]
    return _compare(bench, row, "ListTasksByTag", bodies, bodies)


def _huge_title(call: str) -> str:
    return f"cost of a {call}, {MANY_TASKS:,} tasks to {FEW_TASKS:,}"


def _compare(
    bench: Bench, row: Row, method: str, few_bodies: list[bytes], many_bodies: list[bytes]
) -> Row:
    contender = ours(bench.plan.engine)
    few, many = _database(bench, row, FEW_TASKS), _database(bench, row, MANY_TASKS)
    with bench.failing(row, contender), ExitStack() as stack:
        small = stack.enter_context(contender.start(READ, few, bench.build))
        large = stack.enter_context(contender.start(READ, many, bench.build))
        for number in range(1, bench.plan.rounds + 1):
            base = _cost_us(small, method, few_bodies, bench.plan.seconds)
            cost = _cost_us(large, method, many_bodies, bench.plan.seconds)
            row.add(OURS, cost / base)
            bench.say(row, f"round {number}: {base:.0f} and {cost:.0f} us of processor time")
    return row


def _database(bench: Bench, row: Row, count: int) -> Path:
    path = bench.build / f"ours-{count}.db"
    if not path.exists():
        bench.say(row, f"storing {count:,} tasks")
        seed_ours(path, count, lambda text: bench.say(row, text))
    return path


def _cost_us(server: Server, method: str, bodies: list[bytes], seconds: float) -> float:
    """The server's processor time a call: unlike the clock, it leaves the client out."""
    calls = 0
    with Connection(server.port) as connection:
        connection.calls(method, bodies[:_BATCH])
        before, deadline = server.cpu_s(), time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            first = calls % len(bodies)
            connection.calls(method, bodies[first : first + _BATCH])
            calls += _BATCH
        return (server.cpu_s() - before) / calls * 1_000_000


def _rates(bench: Bench, server: Server, cores: Cores) -> _Rates:
    load = bench.contract.get_load()
    h2load.run(server.port, load, bench.plan.warm_up_s, 0, cores=cores)
    before = server.cpu_s()
    result = h2load.run(server.port, load, bench.plan.seconds, 0, cores=cores)
    return _Rates(result.calls_per_s, result.calls / (server.cpu_s() - before))


def _cores_of_two() -> tuple[Cores, Cores, bool]:
    """The cores of two workers, those of the load, and whether they have to share."""
    cores = tuple(sorted({*server_cores(), *load_cores()}))
    if len(cores) >= _ENOUGH_CORES:
        return cores[:_WORKERS], cores[_WORKERS:], False
    return cores[:_WORKERS], load_cores(), True
