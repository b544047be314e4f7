"""A task service in memory that fails when told to, and tells what it was sent."""

import asyncio
from collections.abc import Callable

from google.rpc.error_details_pb2 import BadRequest
from grpclib.const import Handler, Status
from grpclib.exceptions import GRPCError

from taskpb import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
    TaskServiceBase,
)


class FakeTasks(TaskServiceBase):
    """Both halves over one dict. `faults` holds what the next calls do instead."""

    def __init__(self):
        self.tasks: dict[int, Task] = {}
        self.by_request_id: dict[str, Task] = {}
        self.requests: list = []
        self.seconds_left: list[float] = []
        self.errors: list[Exception] = []
        self.calls_until_error = 0
        self.lost_answers = 0
        self.tokens: list[str] = []
        self.replaced = False
        self.in_flight = self.most_in_flight = 0
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def create_task(self, request: CreateTaskRequest) -> CreateTaskResponse:
        task = self.by_request_id.get(request.request_id)
        if task is None:
            task = Task(id=len(self.tasks) + 1, text=request.text, tags=request.tags)
            self.tasks[task.id] = self.by_request_id[request.request_id] = task
        if self.lost_answers:
            self.lost_answers -= 1
            raise GRPCError(Status.UNAVAILABLE, "stored, but you will not know")
        token = self.tokens.pop(0) if self.tokens else f"{task.id:08}"
        return CreateTaskResponse(task=task, consistency_token=token)

    async def get_task(self, request: GetTaskRequest) -> GetTaskResponse:
        self._check_token(request.consistency_token)
        if int(request.task_id) not in self.tasks:
            raise GRPCError(Status.NOT_FOUND, f"no task {request.task_id}")
        return GetTaskResponse(task=self.tasks[int(request.task_id)])

    async def list_tasks_by_tag(self, request: ListTasksByTagRequest) -> ListTasksByTagResponse:
        self._check_token(request.consistency_token)
        start = int(request.page_token or 0)
        found = [
            task
            for task in self.tasks.values()
            if task.id > start and (not request.tag_name or request.tag_name in task.tags)
        ]
        page = found[: request.page_size or None]
        more = len(page) < len(found)
        return ListTasksByTagResponse(
            tasks=page, next_page_token=str(page[-1].id) if more and page else ""
        )

    async def calls_in_flight(self, count: int) -> None:
        async with asyncio.timeout(5):
            while self.in_flight < count:
                self.arrived.clear()
                await self.arrived.wait()

    def _check_token(self, token: str) -> None:
        if token and self.replaced:
            raise bad_request(consistency_token="is not of this database")

    def __mapping__(self):
        return {
            path: Handler(self._watched(handler.func), *handler[1:])
            for path, handler in super().__mapping__().items()
        }

    def _watched(self, func: Callable) -> Callable:
        async def watched(stream) -> None:
            self.in_flight += 1
            self.arrived.set()
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                self.seconds_left.append(stream.deadline.time_remaining())
                received = stream.recv_message

                async def recv_message():
                    self.requests.append(await received())
                    return self.requests[-1]

                stream.recv_message = recv_message
                await self.gate.wait()
                if self.errors and not self.calls_until_error:
                    raise self.errors.pop(0)
                self.calls_until_error = max(0, self.calls_until_error - 1)
                await func(stream)
            finally:
                self.in_flight -= 1

        return watched


def bad_request(**violations: str) -> GRPCError:
    detail = BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=field, description=description)
            for field, description in violations.items()
        ]
    )
    return GRPCError(Status.INVALID_ARGUMENT, "refused", [detail])
