"""The query side of the contract: GetTask and ListTasksByTag."""

import asyncio
from typing import Final

from typing_extensions import override

from grpcwire import current_call
from protowire import encode, from_encoded
from servicekit import AnsweringTaskService, InvalidRequest, ServedElsewhere
from taskpb import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
)
from taskpb.channel import COMMAND_ADDRESS
from taskpb.rules import parse_task_id
from taskstore import MAX_PAGE_TASKS, TaskReader, list_answer

__all__ = ["QueryService"]

DEFAULT_WAIT_S: Final = 5.0
"""The seconds a read waits for the write of its token if the client set no deadline."""

_ANSWER_S: Final = 0.02
"""The least seconds kept of a deadline, so that UNAVAILABLE arrives before it has passed."""

_ANSWER_SHARE: Final = 0.05
"""The share kept of a long deadline, likewise."""


class QueryService(AnsweringTaskService):
    """Answers reads from `reader`; a write that comes here is told the address of `command`."""

    def __init__(self, reader: TaskReader, command: str = str(COMMAND_ADDRESS)) -> None:
        self._reader = reader
        self._command = command

    @override
    async def get_task(self, get_task_request: GetTaskRequest) -> GetTaskResponse:
        request = get_task_request
        task_id = parse_task_id(request.task_id)
        if task_id is None:
            raise InvalidRequest({"task_id": "is not a positive int32 in decimal"})
        token = request.consistency_token
        task = await self._reader.get(task_id, consistency_token=token, wait_s=_wait_s(token))
        return GetTaskResponse(task=from_encoded(Task, task))

    @override
    async def list_tasks_by_tag(
        self, list_tasks_by_tag_request: ListTasksByTagRequest
    ) -> ListTasksByTagResponse:
        request = list_tasks_by_tag_request
        if request.page_size < 0:
            raise InvalidRequest({"page_size": "is negative"})
        page = await self._reader.list_by_tag(
            request.tag_name,
            page_size=request.page_size,
            page_token=request.page_token,
            consistency_token=request.consistency_token,
            wait_s=_wait_s(request.consistency_token),
        )
        if len(page.tasks) > MAX_PAGE_TASKS:  # as much as 4 MiB: not on the event loop
            tasks = await asyncio.to_thread(list_answer, page.tasks)
        else:
            tasks = list_answer(page.tasks)
        rest = ListTasksByTagResponse(next_page_token=page.next_page_token)
        return from_encoded(ListTasksByTagResponse, tasks + encode(rest))

    @override
    async def create_task(self, create_task_request: CreateTaskRequest) -> CreateTaskResponse:
        raise ServedElsewhere("task.TaskService/CreateTask", "command", self._command)


def _wait_s(consistency_token: str) -> float:
    """The seconds that the current call may wait for a token's write."""
    if not consistency_token:
        return 0.0
    call = current_call()
    if call is None or call.deadline is None:
        return DEFAULT_WAIT_S
    left_s = call.deadline.time_remaining()
    return max(0.0, left_s - max(_ANSWER_S, _ANSWER_SHARE * left_s))
