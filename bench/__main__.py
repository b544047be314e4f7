"""`python -m bench`: measure ours beside its peers and print one table."""

import fcntl
import json
import os
import platform
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from bench import rows, scaling
from bench.building import ROOT, build_go, generate
from bench.contenders import PEERS, Contender, beside, ours, peers
from bench.data import Contract, fsync_ms, seed_ours, seed_plain
from bench.processes import load_cores, server_cores
from bench.rows import Bench, Plan
from bench.table import Row, as_json, table

TASKS = 100_000
_ROWS: dict[str, list[Callable[[Bench], Row]]] = {
    "get": [rows.get],
    "list": [rows.page],
    "create": [rows.create],
    "connect": [rows.connect_json, rows.connect_proto],
    "latency": [rows.latency],
    "workers": [scaling.workers],
    "idle": [rows.idle],
    "ready": [rows.ready],
    "huge": [scaling.huge_get, scaling.huge_page],
}


@click.command(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.option("--rounds", type=click.IntRange(1, 100), default=5, help="Turns of each contender.")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=3.0, help="Load of one turn.")
@click.option("--quick", is_flag=True, help="One short round, to see that everything works.")
@click.option("--huge", is_flag=True, help="Also the rows at 5,000,000 tasks.")
@click.option("--only", multiple=True, type=click.Choice(list(_ROWS)), help="Only this row.")
@click.option("--peers", "chosen", default=",".join(PEERS), help="Which peers, by comma.")
@click.option("--engine", help="The services' engine. Default: their own default.")
@click.option(
    "--beside",
    "others",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Python with another version of the services, to measure too; may be repeated.",
)
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write the rounds here.")
def main(  # noqa: D103 - the module's docstring is its help
    *,
    rounds: int,
    seconds: float,
    quick: bool,
    huge: bool,
    only: tuple[str, ...],
    chosen: str,
    engine: str | None,
    others: tuple[Path, ...],
    report: Path | None,
) -> None:
    keys = [key for key in chosen.split(",") if key]
    if unknown := set(keys) - set(PEERS):
        raise click.BadParameter(f"unknown peers: {', '.join(sorted(unknown))}")
    if shutil.which("h2load") is None:
        raise click.ClickException("h2load is not installed (Debian: nghttp2-client)")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.monotonic()
    plan = Plan(1, 0.8, 0.3, 1_000, engine) if quick else Plan(rounds, seconds, 1.0, 10_000, engine)
    bench = _prepare(plan, keys, others)
    names = list(only) or [name for name in _ROWS if name != "huge"]
    if huge and "huge" not in names:
        names.append("huge")
    measured = [measure(bench) for name in names for measure in _ROWS[name]]
    print(_conditions(bench), end="\n\n")
    print(table(measured, {contender.key: contender.title for contender in bench.contenders}))
    print(f"\n{time.monotonic() - started:.0f} s in all")
    if report:
        report.write_text(json.dumps(as_json(measured), indent=2) + "\n")
    if bench.failures:
        sys.exit("\n".join(["", "These failed:", *bench.failures]))


def _prepare(plan: Plan, keys: list[str], others: tuple[Path, ...]) -> Bench:
    """Build the peers, fill the databases, and leave the servers' core free."""
    build = ROOT / "build" / "bench"
    build.mkdir(parents=True, exist_ok=True)
    _be_alone(build)
    _tell("building the peers")
    generated = generate(build)
    if generated["google"].missing:
        raise click.ClickException(generated["google"].missing)
    contract = Contract(generated["google"].folder)
    go = build_go(build) if "go" in keys else (build, "not asked for")
    contenders = [ours(plan.engine)]
    contenders += [beside(python, number) for number, python in enumerate(others, 1)]
    for peer in peers(generated, go):
        if peer.key in keys:
            contenders += _present(peer)
    if go[1] is None:
        for name, answer in zip(("task.bin", "page.bin"), contract.canned(), strict=True):
            go[0].with_name(name).write_bytes(answer)
    _tell(f"storing {TASKS:,} tasks")
    for path in build.glob("*.db*"):
        if not path.name.startswith("ours-"):
            path.unlink()
    seed_ours(build / "ours.db", TASKS, _tell)
    seed_plain(build / "plain.db", TASKS)
    os.sched_setaffinity(0, load_cores())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    bench = Bench(plan, contract, contenders, build)
    bench.on_progress(_tell)
    return bench


def _be_alone(build: Path) -> None:
    """Hold the build folder until the process ends."""
    lock = os.open(build / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise click.ClickException("another run of the measurements is under way") from error


def _present(peer: Contender) -> list[Contender]:
    """The peer, or nothing where its tools are missing: then that is said aloud."""
    if peer.missing:
        _tell(f"SKIPPED {peer.title}: {peer.missing}")
        return []
    return [peer]


def _conditions(bench: Bench) -> str:
    plan = bench.plan
    load = ", ".join(map(str, load_cores()))
    return (
        f"Python {platform.python_version()}, engine: {plan.engine or 'the default'}; "
        f"server on core {server_cores()[0]}, load on {load}; {TASKS:,} tasks in SQLite; "
        f"a sync of a log's page takes {fsync_ms(bench.build):.2f} ms.\n"
        f"{plan.rounds} interleaved rounds of {plan.seconds:g} s: median ± half the range "
        "(ours to the peer)."
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(prog_name="python -m bench")
