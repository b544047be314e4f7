"""A peer: connectrpc as an ASGI application, served by pyvoy (Envoy with Python in it) or uvicorn.

The path of the database is in BENCH_DATABASE: they import `app` from here.
"""

# ruff: noqa: ARG002, D102 - the generated base sets the signatures

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from connect_code.task_connect import TaskService, TaskServiceASGIApplication
from connect_code.task_pb import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
)
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.request import RequestContext
from store import Store


class PlainTaskService(TaskService):
    """The contract over the plain store; reads on the event loop, commits on one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._commits = ThreadPoolExecutor(max_workers=1)

    async def create_task(
        self, request: CreateTaskRequest, ctx: RequestContext
    ) -> CreateTaskResponse:
        task_id = await asyncio.get_running_loop().run_in_executor(
            self._commits, self._store.create, request.text, list(request.tags)
        )
        return CreateTaskResponse(task=Task(id=task_id, text=request.text, tags=request.tags))

    async def get_task(self, request: GetTaskRequest, ctx: RequestContext) -> GetTaskResponse:
        task = self._store.get(int(request.task_id))
        if task is None:
            raise ConnectError(Code.NOT_FOUND, "no such task")
        return GetTaskResponse(task=Task(**task._asdict()))

    async def list_tasks_by_tag(
        self,
        request: ListTasksByTagRequest,
        ctx: RequestContext,
    ) -> ListTasksByTagResponse:
        page = self._store.list_by_tag(request.tag_name, request.page_size, request.page_token)
        return ListTasksByTagResponse(
            tasks=[Task(**task._asdict()) for task in page.tasks],
            next_page_token=page.next_page_token,
        )


app = TaskServiceASGIApplication(PlainTaskService(Store(os.environ["BENCH_DATABASE"])))
