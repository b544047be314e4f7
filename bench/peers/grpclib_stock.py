"""A peer: grpclib's own server with betterproto's own codec, neither of them sped up.

Its messages are generated anew under a package of their own, so nothing that
the project does to its classes can reach them.
"""

# ruff: noqa: D102 - the contract documents its calls

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from grpclib import GRPCError, Status
from grpclib.server import Server
from stock_code.task import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
    TaskServiceBase,
)
from store import Store


class TaskService(TaskServiceBase):
    """The contract over the plain store; reads on the event loop, commits on one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commits = ThreadPoolExecutor(max_workers=1)

    async def create_task(self, request: CreateTaskRequest) -> CreateTaskResponse:
        task_id = await asyncio.get_running_loop().run_in_executor(
            self._commits, self._store.create, request.text, request.tags
        )
        return CreateTaskResponse(task=Task(id=task_id, text=request.text, tags=request.tags))

    async def get_task(self, request: GetTaskRequest) -> GetTaskResponse:
        task = self._store.get(int(request.task_id))
        if task is None:
            raise GRPCError(Status.NOT_FOUND, "no such task")
        return GetTaskResponse(task=Task(**task._asdict()))

    async def list_tasks_by_tag(self, request: ListTasksByTagRequest) -> ListTasksByTagResponse:
        page = self._store.list_by_tag(request.tag_name, request.page_size, request.page_token)
        return ListTasksByTagResponse(
            tasks=[Task(**task._asdict()) for task in page.tasks],
            next_page_token=page.next_page_token,
        )


async def main(port: str, database: str) -> None:
    """Serve until killed."""
    server = Server([TaskService(Store(database))])
    await server.start("127.0.0.1", int(port))
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
