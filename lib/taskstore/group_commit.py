"""Group commit: concurrent creates share one transaction and one fsync.

Creates that arrive while a commit is under way wait and form the next group.
One group is committed at a time, in order of arrival; each create is answered
after its group's commit. A create whose caller has gone before its group was
formed is dropped; later, it is stored and its answer goes nowhere.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from taskstore.errors import StoreUnavailable
from taskstore.store import Created

__all__ = ["Draft", "GroupCommit"]

MAX_GROUP: Final = 512
"""The most creates of a group, whose commit delays those behind it by some 10 ms at this size."""

MAX_WAITING: Final = 4096
"""The most creates that wait on a slow disk: bounds their memory, and their delay."""


class Draft(NamedTuple):
    """A task to store."""

    text: str
    """The task's text."""

    tags: Sequence[str]
    """The task's tags, in order."""

    request_id: UUID | None
    """The id by which a repeated create is known; None for one that is not to be known."""


_Waiting = tuple[Draft, asyncio.Future[Created]]
_Commit = Callable[[list[Draft]], Awaitable[Sequence[Created | Exception]]]


class GroupCommit:
    """Gathers creates into groups for `commit`, which answers each in order.

    It belongs to the running event loop.
    """

    def __init__(
        self, commit: _Commit, *, max_group: int = MAX_GROUP, max_waiting: int = MAX_WAITING
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._commit = commit
        self._max_group = max_group
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._closed = False

    async def create(self, draft: Draft) -> Created:
        """Store `draft` with the next group; raises the error that `commit` answers for it."""
        if self._closed:
            raise StoreUnavailable
        if len(self._waiting) >= self._max_waiting:
            raise StoreUnavailable("too many creates are waiting for the disk; retry")
        answer: asyncio.Future[Created] = self._loop.create_future()
        self._waiting.append((draft, answer))
        if self._committing is None:
            self._committing = self._loop.create_task(self._commit_waiting())
        return await answer

    async def close(self) -> None:
        """Refuse new creates and finish those that wait."""
        self._closed = True
        if self._committing is not None:
            await self._committing

    async def _commit_waiting(self) -> None:
        try:
            while group := self._next_group():
                await self._commit_group(group)
        finally:
            self._committing = None

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        while self._waiting and len(group) < self._max_group:
            draft, answer = self._waiting.popleft()
            if not answer.done():
                group.append((draft, answer))
        return group

    async def _commit_group(self, group: list[_Waiting]) -> None:
        answers: Sequence[Created | Exception]
        try:
            answers = await self._commit([draft for draft, _ in group])
        except Exception as error:  # noqa: BLE001 - every caller learns of it
            answers = [error] * len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
