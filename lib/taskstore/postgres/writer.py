"""The command side on PostgreSQL: group commit over a ledger."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from typing_extensions import override

from taskstore.errors import NotTaskDatabase, StoreUnavailable
from taskstore.group_commit import Draft, GroupCommit
from taskstore.location import PostgresLocation
from taskstore.postgres.ledger import Ledger
from taskstore.store import Created, TaskWriter

__all__ = ["PostgresWriter"]


class PostgresWriter(TaskWriter):
    """A TaskWriter on the primary of a PostgreSQL database; made by `open`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._creates = GroupCommit(ledger.commit)

    @classmethod
    async def open(cls, location: PostgresLocation) -> Self:
        """Connect, making or upgrading the tables; a server that is away is waited for.

        Raises NotTaskDatabase where waiting won't help.
        """
        writer = cls(Ledger(location))
        try:
            await writer._ledger.open()
        except StoreUnavailable as error:
            if isinstance(error, NotTaskDatabase):
                await writer._ledger.close()
                raise
        return writer

    @override
    async def create(
        self, text: str, tags: Sequence[str], request_id: UUID | None = None
    ) -> Created:
        return await self._creates.create(Draft(text, tags, request_id))

    @override
    async def check(self) -> None:
        await self._ledger.check()

    @override
    async def close(self) -> None:
        await self._creates.close()
        await self._ledger.close()
