"""Waiting until a server has replayed a write: one poller for all that wait.

The server is asked only while somebody waits. It may be another one than a
waiting read gets next (a URL can name several), so whoever was woken looks for
itself on the session it reads by.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from taskstore.errors import WriteNotSeen

__all__ = ["Behind", "ReplayWatch"]

POLL_S: Final = 0.005
"""The seconds between two looks: a replica nearby is some milliseconds behind."""


class Behind(Exception):
    """The session's server has not replayed the write yet."""


class _Waiter(NamedTuple):
    position: int
    arrived: asyncio.Future[None]


class ReplayWatch:
    """Wakes those that wait for a position.

    `look` answers the position of the replay, at least where that is short of its argument.
    """

    def __init__(self, look: Callable[[int], Awaitable[int]]) -> None:
        self._look = look
        self._waiters: list[_Waiter] = []
        self._polling: asyncio.Task[None] | None = None

    async def wait_for(self, position: int, give_up_at: float) -> None:
        """Return once `position` is replayed; raises WriteNotSeen at `give_up_at`."""
        loop = asyncio.get_running_loop()
        if loop.time() >= give_up_at:
            raise WriteNotSeen
        waiter = _Waiter(position, loop.create_future())
        self._waiters.append(waiter)
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout_at(give_up_at):
                await waiter.arrived
        except TimeoutError:
            raise WriteNotSeen from None

    async def close(self) -> None:
        """Stop asking."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])

    async def _poll(self) -> None:
        try:
            while self._waiters:
                await asyncio.sleep(POLL_S)
                furthest = max(waiter.position for waiter in self._waiters)
                self._settle_until(await self._look(furthest))
        except Exception as error:  # noqa: BLE001 - every waiter learns of it
            self._settle(lambda _: True, error)
        finally:
            self._polling = None

    def _settle_until(self, position: int) -> None:
        self._settle(lambda waiter: waiter.position <= position)

    def _settle(self, is_due: Callable[[_Waiter], bool], error: Exception | None = None) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if waiter.arrived.done():
                continue
            if not is_due(waiter):
                self._waiters.append(waiter)
            elif error is not None:
                waiter.arrived.set_exception(error)
            else:
                waiter.arrived.set_result(None)
