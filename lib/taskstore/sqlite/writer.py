"""The command side on SQLite: group commit over a ledger on its own thread."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar
from uuid import UUID

from typing_extensions import override

from taskstore.group_commit import Draft, GroupCommit
from taskstore.sqlite.ledger import Ledger
from taskstore.store import Created, TaskWriter

__all__ = ["SqliteWriter"]

_Answer = TypeVar("_Answer")


class SqliteWriter(TaskWriter):
    """A TaskWriter on one SQLite file; made by `open`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._creates = GroupCommit(self._commit)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, making or upgrading it; raises StoreUnavailable, NotTaskDatabase."""
        writer = cls(Ledger(path))
        try:
            await writer._on_thread(writer._ledger.open)
        except BaseException:
            writer._thread.shutdown()
            raise
        return writer

    @override
    async def create(
        self, text: str, tags: Sequence[str], request_id: UUID | None = None
    ) -> Created:
        return await self._creates.create(Draft(text, tags, request_id))

    @override
    async def check(self) -> None:
        await self._on_thread(self._ledger.check)

    @override
    async def close(self) -> None:
        await self._creates.close()
        await asyncio.to_thread(self._thread.shutdown)
        self._ledger.close()

    async def _commit(self, drafts: list[Draft]) -> Sequence[Created | Exception]:
        return await self._on_thread(lambda: self._ledger.commit(drafts))

    async def _on_thread(self, work: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
