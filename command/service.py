"""The command side of the contract: CreateTask."""

from typing_extensions import override

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
from taskpb.channel import QUERY_ADDRESS
from taskpb.rules import create_violations, parse_request_id
from taskstore import TaskWriter

__all__ = ["CommandService"]


class CommandService(AnsweringTaskService):
    """Answers writes from `writer`; a read that comes here is told the address of `query`."""

    def __init__(self, writer: TaskWriter, query: str = str(QUERY_ADDRESS)) -> None:
        self._writer = writer
        self._query = query

    @override
    async def create_task(self, create_task_request: CreateTaskRequest) -> CreateTaskResponse:
        request = create_task_request
        if violations := create_violations(request):
            raise InvalidRequest(violations)
        request_id = parse_request_id(request.request_id) if request.request_id else None
        created = await self._writer.create(request.text, request.tags, request_id)
        return CreateTaskResponse(
            task=Task(id=created.task_id, text=request.text, tags=request.tags),
            consistency_token=created.consistency_token,
        )

    @override
    async def get_task(self, get_task_request: GetTaskRequest) -> GetTaskResponse:
        raise ServedElsewhere("task.TaskService/GetTask", "query", self._query)

    @override
    async def list_tasks_by_tag(
        self,
        list_tasks_by_tag_request: ListTasksByTagRequest,
    ) -> ListTasksByTagResponse:
        raise ServedElsewhere("task.TaskService/ListTasksByTag", "query", self._query)
