"""The answers of grpc.health.v1, and the watch over the store behind them.

The empty name, `task.TaskService` and `readiness` tell if calls can be
answered: the database works and the service isn't draining. `liveness` says
that the process runs; a supervisor that restarts on it must not be fooled by a
database that is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import structlog
from grpclib import GRPCError, Status
from grpclib.health.check import ServiceStatus
from grpclib.health.service import OVERALL, Health
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.server import Stream
from typing_extensions import override

from taskstore import StoreError

__all__ = ["HealthMonitor"]

CHECK_EVERY_S: Final = 1.0
"""The seconds for which a database may be away before health says so."""

SILENCE_S: Final = 2.0
"""The same for a database that hangs: its silence is not a yes."""

LAST_WORD_S: Final = 0.1
"""The seconds that a watcher gets to be told NOT_SERVING before its watch ends."""

_log = structlog.get_logger("servicekit.health")


class _Name:
    """A name that health can be asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __mapping__(self) -> dict[str, Any]:
        return {f"/{self._name}/": None}


class _Health(Health):
    """grpclib's, whose watches end when the service stops instead of holding it up."""

    def __init__(
        self, stopping: asyncio.Event, checks: Mapping[Any, Collection[ServiceStatus]]
    ) -> None:
        super().__init__(checks)
        self._stopping = stopping

    @override
    async def Watch(self, stream: Stream[HealthCheckRequest, HealthCheckResponse]) -> None:
        # Every change is told until the service stops; the last is that it does.
        watching = asyncio.create_task(super().Watch(stream))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                await asyncio.wait([watching], timeout=LAST_WORD_S)
                raise GRPCError(Status.UNAVAILABLE, "the service is stopping")
            await watching
        finally:
            for task in (watching, stopping):
                task.cancel()
            await asyncio.wait([watching, stopping])


class HealthMonitor:
    """Asks `check` once a second and keeps `service`, the health service, up to date."""

    def __init__(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        self._check = check
        self._ready = ServiceStatus()
        self._alive = ServiceStatus()
        self._alive.set(True)
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.service = _Health(
            self._stopping,
            {
                OVERALL: [self._ready],
                _Name(name): [self._ready],
                _Name("readiness"): [self._ready],
                _Name("liveness"): [self._alive],
            },
        )

    async def start(self) -> None:
        """Learn the first status, then go on watching."""
        await self._learn()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Say NOT_SERVING from now on, and end the watches."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._ready.set(False)
        self._stopping.set()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await self._learn()

    async def _learn(self) -> None:
        silence = asyncio.get_running_loop().call_later(
            SILENCE_S, self._set_away, "the database does not answer"
        )
        try:
            await self._check()
        except StoreError as error:
            self._set_away(str(error), cause=str(error.__cause__))
        except Exception:  # noqa: BLE001 - a monitor that ends would go on saying what it last said
            self._set_away("the check failed", exc_info=True)
        else:
            if self._ready.__status__() is False:
                _log.info("database available again")
            self._ready.set(True)
        finally:
            silence.cancel()

    def _set_away(self, problem: str, **more: Any) -> None:
        if self._ready.__status__() is not False:
            _log.error("database unavailable", problem=problem, **more)
        self._ready.set(False)
