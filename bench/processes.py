"""The servers under test: started on their core, watched, and surely ended.

A server runs in a session of its own, whose processes are ended as a whole: workers
have process groups of their own. The first core is the servers', the others are the
load's.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Self

__all__ = ["Cores", "Server", "ServerFailed", "free_port", "load_cores", "pinned", "server_cores"]

Cores = tuple[int, ...]

_READY_S = 30.0
_POLL_S = 0.002
# A drain of the services ends by itself before this.
_STOP_S = 12.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")
_LOG_TAIL = 2000


class ServerFailed(Exception):
    """A server did not start, or answered wrongly."""


class Server:
    """One running server; a context manager that ends it."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        environment: Mapping[str, str],
        log: Path,
        is_answering: Callable[[int], bool],
        cores: Cores | None = None,
    ) -> None:
        """`is_answering` asks the server at a port in a protocol that it speaks."""
        self._is_answering = is_answering
        self.port = free_port()
        self._log = log
        started = time.perf_counter()
        with pinned(cores or server_cores()), log.open("wb") as output:
            self._process = subprocess.Popen(
                command(self.port),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_answering()
        except BaseException:
            self.stop()
            raise
        self.ready_s = time.perf_counter() - started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and its children: asked first, then killed."""
        try:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        finally:
            for process in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._process.wait()

    def processes(self) -> list[int]:
        """The ids of the server's processes, children included."""
        session = self._process.pid
        return [process for process in _all_processes() if _session(process) == session]

    def memory_bytes(self) -> int:
        """The bytes that its processes hold in memory."""
        return _PAGE_BYTES * sum(
            int(Path(f"/proc/{process}/statm").read_text().split()[1])
            for process in self.processes()
        )

    def cpu_s(self) -> float:
        """The processor time that its processes have used."""
        ticks = 0
        for process in self.processes():
            fields = _stat_fields(process)
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS_PER_S

    def _wait_until_answering(self) -> None:
        deadline = time.perf_counter() + _READY_S
        while not self._is_answering(self.port):
            if self._process.poll() is not None:
                raise ServerFailed(f"ended with {self._process.returncode}:\n{self._said()}")
            if time.perf_counter() > deadline:
                raise ServerFailed(f"not ready within {_READY_S:.0f} s:\n{self._said()}")
            time.sleep(_POLL_S)

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]


def server_cores() -> Cores:
    """The core of the servers."""
    return _all_cores()[:1]


def load_cores() -> Cores:
    """The cores of the load; the servers' where there is only one."""
    return _all_cores()[1:] or _all_cores()


@contextmanager
def pinned(cores: Cores) -> Iterator[None]:
    """Processes started within run on `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@cache
def _all_cores() -> Cores:
    """The cores that this process had at the start, before it pins itself."""
    return tuple(sorted(os.sched_getaffinity(0)))


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _session(process: int) -> int | None:
    try:
        return int(_stat_fields(process)[3])
    except (OSError, IndexError):
        return None


def _stat_fields(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; the name before may hold spaces."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
