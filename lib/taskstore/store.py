"""The two sides of the store, and their answers.

A service gets one side only: `command` a TaskWriter, `query` a TaskReader. A
task comes out as the bytes of its `task.Task` message, ready to be sent on:
the store keeps answers, and nothing between disk and wire takes them apart.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol
from uuid import UUID

__all__ = ["MAX_ANSWER_BYTES", "MAX_PAGE_TASKS", "Created", "Page", "TaskReader", "TaskWriter"]

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""The most bytes of an answer: every stock gRPC client accepts as much in one message."""

MAX_PAGE_TASKS: Final = 1000
"""The most tasks of a page: bounds the cost of one call."""


class Created(NamedTuple):
    """A stored task."""

    task_id: int
    """Its id."""

    consistency_token: str
    """The token for a read that must see it."""


class Page(NamedTuple):
    """A part of a list of tasks, or all of it."""

    tasks: Sequence[bytes]
    """The encoded tasks by ascending id."""

    next_page_token: str = ""
    """The token for the next page; empty at the end."""


class TaskWriter(Protocol):
    """The command side."""

    @abstractmethod
    async def create(
        self, text: str, tags: Sequence[str], request_id: UUID | None = None
    ) -> Created:
        """Store a task; return once it is durable.

        A known `request_id` stores nothing and gets the first answer again.
        Raises RequestIdReused, IdsExhausted, StoreFull, StoreUnavailable. Of
        these only StoreUnavailable leaves open whether the task was stored.
        """

    @abstractmethod
    async def check(self) -> None:
        """Raise StoreUnavailable or StoreFull where a create would."""

    @abstractmethod
    async def close(self) -> None:
        """Finish the creates under way, then let go of the database."""


class TaskReader(Protocol):
    """The query side. It cannot write.

    `consistency_token` makes the answer reflect at least that write. The store
    waits up to `wait_s` seconds for it, then raises WriteNotSeen; a token that
    is not this database's raises InvalidToken.
    """

    @abstractmethod
    async def get(self, task_id: int, *, consistency_token: str = "", wait_s: float = 0.0) -> bytes:
        """Read one task, encoded. Raises TaskNotFound, StoreUnavailable."""

    @abstractmethod
    async def list_by_tag(
        self,
        tag: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        consistency_token: str = "",
        wait_s: float = 0.0,
    ) -> Page:
        """Read the tasks of `tag`, or every task where `tag` is empty.

        `page_size` 0 asks for all of them and raises AnswerTooLarge where they
        pass MAX_ANSWER_BYTES; else a page ends at `page_size` or MAX_PAGE_TASKS
        tasks or at MAX_ANSWER_BYTES. Raises InvalidToken, StoreUnavailable.
        """

    @abstractmethod
    async def check(self) -> None:
        """Raise StoreUnavailable where a read would."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the database."""
