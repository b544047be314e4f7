"""The two sides of the store, and what they answer.

A service gets one side only: `command` a TaskWriter, `query` a TaskReader. A
task comes out as the bytes of its `task.Task` message, ready to be sent on:
the store keeps answers, and nothing between disk and wire takes them apart.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

__all__ = ["MAX_ANSWER_BYTES", "MAX_PAGE_TASKS", "Created", "Page", "TaskReader", "TaskWriter"]

# What every stock gRPC client accepts as one message.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Bounds what one call of a page can cost.
MAX_PAGE_TASKS = 1000


class Created(NamedTuple):
    """A stored task: its id, and the token of a read that must see it."""

    task_id: int
    consistency_token: str


class Page(NamedTuple):
    """Tasks by ascending id, encoded; the next page's token, empty at the end."""

    tasks: Sequence[bytes]
    next_page_token: str = ""


class TaskWriter(Protocol):
    """The command side."""

    async def create(
        self, text: str, tags: Sequence[str], request_id: UUID | None = None
    ) -> Created:
        """Store a task; return once it is durable.

        A known `request_id` stores nothing and gets the first answer again.
        Raises RequestIdReused, IdsExhausted, StoreFull, StoreUnavailable. Of
        these only StoreUnavailable leaves open whether the task was stored.
        """

    async def check(self) -> None:
        """Raise StoreUnavailable or StoreFull where a create would."""

    async def close(self) -> None:
        """Finish the creates under way, then let go of the database."""


class TaskReader(Protocol):
    """The query side. It cannot write.

    `consistency_token` makes the answer reflect at least that write. The store
    waits up to `wait_s` seconds for it, then raises WriteNotSeen; a token that
    is not this database's raises InvalidToken.
    """

    async def get(self, task_id: int, *, consistency_token: str = "", wait_s: float = 0.0) -> bytes:
        """The encoded task. Raises TaskNotFound, StoreUnavailable."""

    async def list_by_tag(
        self,
        tag: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        consistency_token: str = "",
        wait_s: float = 0.0,
    ) -> Page:
        """The tasks of `tag`, or every task where `tag` is empty.

        `page_size` 0 asks for all of them and raises AnswerTooLarge where they
        pass MAX_ANSWER_BYTES; else a page ends at `page_size` or MAX_PAGE_TASKS
        tasks or at MAX_ANSWER_BYTES. Raises InvalidToken, StoreUnavailable.
        """

    async def check(self) -> None:
        """Raise StoreUnavailable where a read would."""

    async def close(self) -> None:
        """Let go of the database."""
