"""Two child processes that live and die together, and with us.

Each child has a session of its own, so a terminal's signals reach only us, and
each signal reaches a child once: as our SIGTERM. Should we be killed, Linux
sends the children SIGTERM in our place.
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import click

from taskctl.exit_code import ExitCode

__all__ = ["STOP_S", "Child", "run_services"]

STOP_S: Final = 15.0
"""The seconds that children may take to stop; a service drains its calls for up to 10."""

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_CLEAN_ENDS: Final = (0, -signal.SIGTERM)
"""The statuses of a child that was stopped; SIGTERM itself ends one that was still starting."""

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that a process gets when its parent dies."""


class Child(NamedTuple):
    """A service to run, as a process of its own."""

    name: str
    """Its name in messages."""

    arguments: Sequence[str]
    """The program and its arguments."""

    environment: Mapping[str, str]
    """Its environment, whole."""


class _Running(NamedTuple):
    name: str
    process: asyncio.subprocess.Process
    ended: asyncio.Task[int]


async def run_services(children: Sequence[Child]) -> ExitCode:
    """Run the children until a signal stops us or one of them ends; then stop all."""
    stop = asyncio.Event()
    running: list[_Running] = []

    def on_signal() -> None:
        if stop.is_set():
            _terminate(running)  # a second SIGTERM tells a service to hurry
        stop.set()

    loop = asyncio.get_running_loop()
    for number in _stop_signals():
        loop.add_signal_handler(number, on_signal)
    try:
        for child in children:
            running.append(await _start(child))  # noqa: PERF401 - a failure must find the others
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait(
            [stopped, *(each.ended for each in running)], return_when=asyncio.FIRST_COMPLETED
        )
        stopped.cancel()
    finally:
        early = [] if stop.is_set() else [each for each in running if each.ended.done()]
        stop.set()
        _terminate(running)
        await _wait_or_kill(running)
    return _exit_code(running, early)


def _stop_signals() -> tuple[signal.Signals, ...]:
    """Also the terminal's end, unless `nohup` had it ignored to let us outlive that."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return _STOP_SIGNALS
    return (*_STOP_SIGNALS, signal.SIGHUP)


async def _start(child: Child) -> _Running:
    process = await asyncio.create_subprocess_exec(
        *child.arguments,
        env=child.environment,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_ending_with_parent(),
    )
    return _Running(child.name, process, asyncio.create_task(process.wait()))


def _ending_with_parent() -> Callable[[], None] | None:
    """The act of a child before it becomes its program, on Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    return bind


def _terminate(running: Sequence[_Running]) -> None:
    for each in running:
        _signal(each, signal.SIGTERM)


def _signal(each: _Running, number: signal.Signals) -> None:
    """Not by the process's own method, which takes the exit code of one that just ended."""
    if not each.ended.done():
        with suppress(ProcessLookupError):
            os.kill(each.process.pid, number)


async def _wait_or_kill(running: Sequence[_Running]) -> None:
    if not running:
        return
    _, late = await asyncio.wait([each.ended for each in running], timeout=STOP_S)
    for each in running:
        if each.ended in late:
            _say(f"{each.name} did not stop within {STOP_S:g} s and is killed")
            _signal(each, signal.SIGKILL)
            await each.ended


def _exit_code(running: Sequence[_Running], early: Sequence[_Running]) -> ExitCode:
    reasons: set[int] = set()
    for each in running:
        status = each.ended.result()
        if each in early:
            _say(f"{each.name} ended by itself ({_describe(status)}), so the other was stopped")
        elif status not in _CLEAN_ENDS:
            _say(f"{each.name} ended badly ({_describe(status)})")
        else:
            continue
        reasons.add(status)
    if not reasons:
        return ExitCode.DONE
    return ExitCode.REFUSED if reasons == {ExitCode.REFUSED} else ExitCode.FAILED


def _describe(status: int) -> str:
    return f"exit code {status}" if status >= 0 else signal.Signals(-status).name


def _say(message: str) -> None:
    click.echo(f"taskctl: {message}", err=True)
