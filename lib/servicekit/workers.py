"""Several processes on one port, watched over by their parent.

The parent binds the port and never listens on it, so that port 0 means one
port for all and nobody else gets it in between. Each worker is a fork that
binds the same port (SO_REUSEPORT) and serves; the kernel spreads connections
over them. A worker that dies is forked again, after a pause that doubles while
it keeps dying. Told to stop, the parent drains all of them together.

The parent runs no event loop and no thread: both would not survive a fork.
"""

import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from servicekit.listening import open_listening_sockets, say_ready
from servicekit.settings import Settings

__all__ = ["end_with_parent", "supervise_workers"]

FIRST_PAUSE_S: Final = 0.1
"""The seconds between a worker's death and its successor, doubled with each further death."""

LAST_PAUSE_S: Final = 5.0
"""The most seconds of that pause."""

STABLE_S: Final = 10.0
"""The seconds after which a worker did not die of what it was born with."""

STOP_S: Final = 15.0
"""The seconds that workers may take to stop; a service drains its calls for up to 10."""

_WATCHED: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM}

_STOPPED_EARLY: Final = 128 + signal.SIGTERM
"""The exit code of a worker that was told to stop before it had begun to listen for it."""

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that a process gets when its parent dies."""

_log = structlog.get_logger("servicekit.workers")


@dataclass(slots=True)
class _Worker:
    pid: int

    ready: int
    """The pipe on which it says that it is ready."""

    started_at: float
    """The time of its start, by the monotonic clock, in seconds."""

    pause_s: float
    """The seconds before its successor's start, should it die soon."""


def supervise_workers(name: str, settings: Settings, work: Callable[[Settings], int]) -> int:
    """Run `work` in `settings.workers` processes until told to stop; return the exit code.

    Says that the service is ready once every worker is. Raises OSError where the
    port can't be bound. A worker that fails before it was ever ready ends them all.
    """
    reserved = open_listening_sockets(settings.host, settings.port, share_port=True)
    shared = replace(settings, port=reserved[0].getsockname()[1])
    try:
        return _Supervisor(name, shared, work, reserved).run()
    finally:
        for each in reserved:
            each.close()


class _Supervisor:
    def __init__(
        self,
        name: str,
        settings: Settings,
        work: Callable[[Settings], int],
        reserved: list[socket.socket],
    ) -> None:
        self._name = name
        self._settings = settings
        self._work = work
        self._reserved = reserved
        self._workers: dict[int, _Worker] = {}
        self._due: list[tuple[float, float]] = []

    def run(self) -> int:
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        try:
            for _ in range(self._settings.workers):
                self._fork(FIRST_PAUSE_S)
            if not all(_said_ready(worker) for worker in self._workers.values()):
                self._stop()
                return 1
            say_ready(self._name, self._settings.host, self._settings.port)
            return self._watch()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)

    def _watch(self) -> int:
        while True:
            number = signal.sigwait(_WATCHED)
            self._note_the_dead()
            if number in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            if number == signal.SIGHUP:
                self._signal_all(signal.SIGHUP)
            self._fork_the_due()

    def _note_the_dead(self) -> None:
        for worker, code in self._reap():
            lived_s = time.monotonic() - worker.started_at
            pause_s = FIRST_PAUSE_S if lived_s > STABLE_S else worker.pause_s
            _log.error("worker died", pid=worker.pid, exit_code=code, restart_in_s=pause_s)
            self._due.append((time.monotonic() + pause_s, min(2 * pause_s, LAST_PAUSE_S)))

    def _fork_the_due(self) -> None:
        now = time.monotonic()
        for due in [due for due in self._due if due[0] <= now]:
            self._due.remove(due)
            self._fork(due[1])
        if self._due:
            first = min(at for at, _ in self._due)
            signal.setitimer(signal.ITIMER_REAL, max(first - now, 0.001))

    def _stop(self) -> int:
        """Tell every worker to drain, wait for all, and answer the worst exit code."""
        self._signal_all(signal.SIGTERM)
        give_up_at = time.monotonic() + STOP_S
        signal.setitimer(signal.ITIMER_REAL, STOP_S)
        codes = [0]
        while self._workers:
            codes += [code for _, code in self._reap() if code != _STOPPED_EARLY]
            if not self._workers:
                break
            number = signal.sigwait(_WATCHED)
            if number in (signal.SIGTERM, signal.SIGINT):
                self._signal_all(number)
            if time.monotonic() >= give_up_at:
                self._signal_all(signal.SIGKILL)
        return max(codes)

    def _reap(self) -> list[tuple[_Worker, int]]:
        dead: list[tuple[_Worker, int]] = []
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                dead.append((self._workers.pop(pid), code if code >= 0 else 128 - code))
                os.close(worker.ready)
        return dead

    def _signal_all(self, number: int) -> None:
        for pid in self._workers:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _fork(self, pause_s: float) -> None:
        """Start a worker, whose standard output is a pipe to us: it says ready there."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(reading)
            self._become_worker(writing)
        os.close(writing)
        self._workers[pid] = _Worker(pid, reading, time.monotonic(), pause_s)

    def _become_worker(self, ready: int) -> None:
        code = 1
        try:
            os.dup2(ready, sys.stdout.fileno())
            os.close(ready)
            for each in self._reserved:
                each.close()
            os.setpgrp()
            end_with_parent()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            code = self._work(self._settings)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(code)


def end_with_parent() -> None:
    """Have the kernel tell this process to stop when its parent dies (Linux alone can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _said_ready(worker: _Worker) -> bool:
    """Wait for a worker's ready line; False where it ended without one."""
    return bool(os.read(worker.ready, 1))
