"""Who is measured: ours and the peers, and how each is started."""

import os
import shutil
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from bench import http1, wire
from bench.building import ROOT, Generated
from bench.processes import Cores, Server
from bench.table import OURS

__all__ = ["CONNECT", "GRPC", "PEERS", "READ", "WRITE", "Contender", "beside", "ours", "peers"]

READ, WRITE = "query", "command"
GRPC, CONNECT = "gRPC", "Connect"
PEERS = ("aio", "threads", "connect", "uvicorn", "grpclib", "go")
_FOLDER = ROOT / "bench" / "peers"

# From the half (READ or WRITE), the database and the port to a command line.
_Command = Callable[[str, Path, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure, in what it speaks; `missing` says why it can't be."""

    key: str
    title: str
    command: _Command
    missing: str | None = None
    python_path: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    speaks: Collection[str] = (GRPC,)
    ours: bool = False  # the same databases, both halves

    def start(self, half: str, database: Path, logs: Path, cores: Cores | None = None) -> Server:
        """Start it on a database; raises ServerFailed."""
        environment = {**self.environment, "BENCH_DATABASE": str(database)}
        if self.python_path is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(self.python_path), str(_FOLDER)])
        return Server(
            lambda port: self.command(half, database, port),
            environment,
            logs / f"{self.key}-{half}.log",
            wire.is_answering if GRPC in self.speaks else http1.is_answering,
            cores,
        )


def ours(engine: str | None, workers: int = 1) -> Contender:
    """The two services; `engine` None leaves the choice to them."""
    options = ["--engine", engine] if engine else []
    if workers > 1:
        options += ["--workers", str(workers)]

    def command(half: str, database: Path, port: int) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(port), "--database", f"sqlite:///{database}"]
        return [sys.executable, "-m", half, *where, *options]

    return Contender(OURS, "ours", command, speaks=(GRPC, CONNECT), ours=True)


def beside(python: Path, number: int) -> Contender:
    """Another version of ours, by the interpreter of its environment."""

    def command(half: str, database: Path, port: int) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(port), "--database", f"sqlite:///{database}"]
        # -P: the services of that environment, not those of the folder we run in.
        return [str(python), "-P", "-m", half, *where]

    title = f"beside {number}"
    return Contender(f"beside-{number}", title, command, speaks=(GRPC, CONNECT), ours=True)


def peers(generated: Mapping[str, Generated], go: tuple[Path, str | None]) -> list[Contender]:
    """The peers in the table's order; `go` is its binary, beside its canned answers."""
    google, connect, stock = (generated[name] for name in ("google", "connect", "stock"))
    binary, go_missing = go
    return [
        _python("aio", "grpc.aio", "grpc_aio", google, "grpc"),
        _python("threads", "grpc threads", "grpc_threads", google, "grpc"),
        Contender(
            "connect",
            "connectrpc/pyvoy",
            _pyvoy,
            connect.missing or _not_installed("connectrpc", "pyvoy"),
            connect.folder,
            speaks=(GRPC, CONNECT),
        ),
        Contender(
            "uvicorn",
            "connectrpc/uvicorn",
            _uvicorn,
            connect.missing or _not_installed("connectrpc", "uvicorn", "uvloop", "httptools"),
            connect.folder,
            speaks=(CONNECT,),
        ),
        _python("grpclib", "grpclib+betterproto", "grpclib_stock", stock, "grpclib"),
        Contender(
            "go",
            "grpc-go (no store)",
            lambda _half, _database, port: [
                str(binary),
                str(port),
                str(binary.with_name("task.bin")),
                str(binary.with_name("page.bin")),
            ],
            go_missing,
        ),
    ]


def _python(key: str, title: str, name: str, code: Generated, package: str) -> Contender:
    script = str(_FOLDER / f"{name}.py")
    return Contender(
        key,
        title,
        lambda _half, database, port: [sys.executable, script, str(port), str(database)],
        code.missing or _not_installed(package),
        code.folder,
    )


def _pyvoy(_half: str, _database: Path, port: int) -> list[str]:
    return [_pyvoy_script() or "pyvoy", "--port", str(port), "connect_asgi:app"]


def _uvicorn(_half: str, _database: Path, port: int) -> list[str]:
    quiet = ["--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "--port", str(port), *quiet, "connect_asgi:app"]


def _pyvoy_script() -> str | None:
    beside = Path(sys.executable).with_name("pyvoy")
    return str(beside) if beside.exists() else shutil.which("pyvoy")


def _not_installed(*packages: str) -> str | None:
    for package in packages:
        if find_spec(package) is None:
            return f"{package} is not installed: pip install -r bench/requirements.txt"
    return None
