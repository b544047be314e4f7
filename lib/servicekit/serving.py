"""Running a service: listen, say so, serve until told to stop, drain.

SIGTERM or Ctrl-C drains: health says NOT_SERVING, new calls are refused in a
way that is safe to retry, calls in flight finish. A second signal ends at once.
SIGHUP reads the TLS certificate anew.
"""

import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, Literal, NoReturn

import click
import structlog

from servicekit.engines import ENGINES, Engine
from servicekit.health import HealthMonitor
from servicekit.listening import open_listening_sockets, say_ready
from servicekit.logs import configure_logging
from servicekit.settings import Settings
from servicekit.streams import open_missing_streams
from servicekit.tls import UnusableTlsFile, load_certificate, server_tls
from servicekit.workers import supervise_workers
from taskpb import TaskServiceBase
from taskpb.channel import Address
from taskstore import StoreError

__all__ = ["run", "serve"]

DRAIN_S: Final = 10.0
"""The seconds that calls in flight may take to finish once the service is told to stop."""

_YOUNG_OBJECTS: Final = 20_000
"""The objects that may be made and live before the garbage collector looks for circles.

Calls leave hardly any, and 100 at once are 2,000 objects, thrice its usual limit.
"""

_log = structlog.get_logger("servicekit.serving")

_Main = Callable[[Settings], Coroutine[Any, Any, None]]


def run(
    name: str, settings: Settings, main: _Main, *, side: Literal["writer", "reader"]
) -> NoReturn:
    """Run a service's `main`, in as many processes as set, and exit with what came of it.

    `side` is the side of the store that it opens: on SQLite a writer stays alone.
    A service that can't start (for its database, its address, its certificate)
    is one plain line and exit code 1.
    """
    open_missing_streams()
    configure_logging(settings.log_format, settings.log_level)
    if side == "writer" and settings.database.one_writer and settings.workers > 1:
        _log.warning("SQLite takes one writer: serving with one worker", asked=settings.workers)
        settings = replace(settings, workers=1)
    if settings.workers == 1:
        sys.exit(_run(name, settings, main))
    try:
        sys.exit(supervise_workers(name, settings, lambda shared: _run(name, shared, main)))
    except OSError as error:
        sys.exit(_cannot_listen(name, settings, error))


def _run(name: str, settings: Settings, main: _Main) -> int:
    problem = ""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(main(settings))
    except StoreError as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        problem = f"{name}: cannot open {settings.database}: {error}{cause}"
    except UnusableTlsFile as error:
        problem = f"{name}: cannot use {error}"
    except OSError as error:
        problem = _cannot_listen(name, settings, error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    if problem:
        click.echo(problem, err=True)
    return 1 if problem else 0


def _cannot_listen(name: str, settings: Settings, error: OSError) -> str:
    return f"{name}: cannot listen on {Address(settings.host, settings.port)}: {error}"


async def serve(
    name: str, service: TaskServiceBase, settings: Settings, check: Callable[[], Awaitable[None]]
) -> None:
    """Serve until a signal says to stop, then drain. `check` raises while the store is away."""
    stop = _Stop()
    health = HealthMonitor("task.TaskService", check)
    await health.start()
    engine = ENGINES[settings.engine]([service, health.service], settings.cors_origins)
    tls = server_tls(settings.tls, engine.alpn) if settings.tls else None
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, tls, settings)
    shared = settings.workers > 1
    sockets = open_listening_sockets(settings.host, settings.port, share_port=shared)
    await engine.start(sockets, tls)
    _settle_garbage()
    say_ready(name, settings.host, sockets[0].getsockname()[1])
    await stop.first.wait()
    await health.stop()
    await _drain(engine, stop)
    _log.info("stopped", service=name)


def _settle_garbage() -> None:
    """Spare the collector what stays as long as the process, and calls the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


class _Stop:
    """The signals: `first` asks to drain, `second` to end at once."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


def _reload(tls: ssl.SSLContext | None, settings: Settings) -> None:
    if tls is None or settings.tls is None:
        return
    try:
        load_certificate(tls, settings.tls)
    except UnusableTlsFile as error:
        _log.error("certificate not reloaded; serving with the one before", problem=str(error))
    else:
        _log.info("certificate reloaded")


async def _drain(engine: Engine, stop: _Stop) -> None:
    _log.info("draining", grace_s=DRAIN_S)
    drained = asyncio.create_task(engine.drain(DRAIN_S))
    hurried = asyncio.create_task(stop.second.wait())
    await asyncio.wait([drained, hurried], return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not drained.done():
        drained.cancel()
        await engine.stop()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is there."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
