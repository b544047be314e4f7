"""The async client of the task service, for programs that import it."""

import ssl as ssl_module
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID, uuid4

from grpclib.client import Channel
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.metadata import Deadline

from taskpb.errors import InvalidRequest
from taskpb.generated.task import (
    CreateTaskRequest,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
    TaskServiceStub,
)
from taskpb.rules import MAX_INT32
from taskpb.service import Service

__all__ = ["DEFAULT_PAGE_SIZE", "DEFAULT_TIMEOUT_S", "MAX_TIMEOUT_S", "TaskClient"]

DEFAULT_TIMEOUT_S: Final = 10.0
"""The seconds a call may take, retries included, unless another time is set."""

MAX_TIMEOUT_S: Final = 99_999_999
"""The most seconds that gRPC's timeout can say, in eight digits."""

DEFAULT_PAGE_SIZE: Final = 500
"""The tasks fetched at once by `list`, unless another number is asked for."""

_MIN_INT32: Final = -MAX_INT32 - 1

_ReadResponse = TypeVar("_ReadResponse", GetTaskResponse, ListTasksByTagResponse)


class TaskClient:
    """Creates tasks on `command` and reads them from `query`.

        async with TaskClient(command="localhost:8081", query="localhost:8082") as tasks:
            task = await tasks.create("buy milk", tags=["home"])
            assert await tasks.get(task.id) == task
            async for task in tasks.list("home"):
                print(task.id, task.text)

    Every call has a deadline and is tried again within it while its service is
    away; a create carries a request id, so that doubles nothing. Reads see the
    client's own creates. Up to 64 calls at once travel over a channel; further
    ones wait for their turn.

    Args:
        command: The write service: `HOST:PORT`, or a grpclib channel, which stays its
            giver's to close. None for a client that only reads.
        query: The read service, likewise. None for a client that only creates.
        timeout_s: Seconds that each call may take, retries included.
        connect_retry_s: Seconds of trying again while a service was never reached yet;
            None for the whole time of the call.
        ssl: None for plaintext, True for the system's authorities, or a context that
            offers `h2` by ALPN.
        codec: Turns messages into bytes and back; None for the strict one of `protowire`.
        consistency_token: Makes reads see also the creates of the client it is from.

    Raises:
        ValueError: Neither service is given, an address is malformed, or a time is not
            above 0.
        TypeError: The consistency token is not a str.

    Each method raises RuntimeError once the client is closed, or where it was made
    without the service that the call needs, and the errors of `taskpb.errors`:
    ServiceUnavailable, DeadlineExceeded, WrongService, LimitExceeded and, for an answer
    that none of them names, TaskServiceError. Its own docstring names the others.

    """

    def __init__(
        self,
        *,
        command: str | Channel | None = None,
        query: str | Channel | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        connect_retry_s: float | None = None,
        ssl: ssl_module.SSLContext | bool | None = None,
        codec: CodecBase | None = None,
        consistency_token: str = "",
    ) -> None:
        if command is None and query is None:
            raise ValueError("a TaskClient needs command, query or both")
        _check_timeout(timeout_s)
        _check_strings({"consistency_token": consistency_token})
        self._timeout_s = timeout_s
        self._token = consistency_token
        self._closed = False

        def service(name: str, target: str | Channel) -> Service:
            return Service(name, target, ssl=ssl, codec=codec, connect_retry_s=connect_retry_s)

        self._command = None if command is None else service("command", command)
        # One channel for both, as of tests in memory, has one bound too.
        if query is command and not isinstance(query, str):
            self._query = self._command
        else:
            self._query = None if query is None else service("query", query)

    @property
    def consistency_token(self) -> str:
        """The token of the latest create seen, which every read carries; empty before any."""
        return self._token

    async def create(
        self,
        text: str,
        tags: Iterable[str] = (),
        *,
        request_id: UUID | str | None = None,
        timeout_s: float | None = None,
    ) -> Task:
        """Store a task; return it once it is on disk.

        Args:
            text: The task's text, up to 16 KiB of UTF-8.
            tags: Up to 64 tags, each up to 256 bytes of UTF-8.
            request_id: A UUID of your own, to repeat a create across restarts of your
                program: the same id with the same text and tags stores it once.
            timeout_s: Seconds for this call; None for the client's.

        Raises:
            InvalidRequest: The contract refuses the text, the tags or the request id.
            RequestIdReused: The request id was used for another text or other tags.
            LimitExceeded: The database is full, or every id is used up.
            TypeError, ValueError: No request can hold an argument.

        """
        if isinstance(tags, str):
            raise TypeError("tags must be an iterable of str, not one str")
        tags = [*tags]
        request_id = str(request_id) if isinstance(request_id, UUID) else request_id
        fields = {"text": text, **{f"tags[{index}]": tag for index, tag in enumerate(tags)}}
        _check_strings(fields if request_id is None else {**fields, "request_id": request_id})
        request = CreateTaskRequest(text=text, tags=tags, request_id=request_id or str(uuid4()))
        service = self._service("command", self._command)
        response = await service.call(
            TaskServiceStub.create_task, request, self._deadline(timeout_s)
        )
        self._token = max(self._token, response.consistency_token)
        return response.task

    async def get(self, task_id: int | str, *, timeout_s: float | None = None) -> Task:
        """Read one task by its id.

        Args:
            task_id: The id, as an int or in decimal.
            timeout_s: Seconds for this call; None for the client's.

        Raises:
            TaskNotFound: The id was never given out.
            InvalidRequest: The id is not a positive int32.
            TypeError, ValueError: No request can hold an argument.

        """
        if isinstance(task_id, bool) or not isinstance(task_id, int | str):  # pyright: ignore[reportUnnecessaryIsInstance] - not every caller is type-checked
            raise TypeError(f"task_id must be an int or str, not {type(task_id).__name__}")
        request = GetTaskRequest(task_id=str(task_id))
        _check_strings({"task_id": request.task_id})
        response = await self._read(TaskServiceStub.get_task, request, timeout_s)
        return response.task

    def list(
        self, tag: str = "", *, page_size: int = DEFAULT_PAGE_SIZE, timeout_s: float | None = None
    ) -> AsyncIterator[Task]:
        """Iterate over the tasks of `tag`, or over every task, by ascending id.

        Args:
            tag: The tag, matched exactly; empty for every task.
            page_size: Tasks to fetch at once, up to 1000; 0 for all in one answer.
            timeout_s: Seconds for each page; None for the client's.

        Raises:
            InvalidRequest: The page size is negative, or is not an int32.
            LimitExceeded: With `page_size` 0, the tasks don't fit in one answer.
            TypeError, ValueError: No request can hold an argument.

        """
        _check_strings({"tag_name": tag})
        if isinstance(page_size, bool) or not isinstance(page_size, int):  # pyright: ignore[reportUnnecessaryIsInstance] - not every caller is type-checked
            raise TypeError(f"page_size must be an int, not {type(page_size).__name__}")
        if not _MIN_INT32 <= page_size <= MAX_INT32:
            raise _invalid({"page_size": "is not an int32"})
        self._service("query", self._query)
        if timeout_s is not None:
            _check_timeout(timeout_s)
        return self._pages(tag, page_size, timeout_s)

    async def close(self) -> None:
        """Close the connections the client made; calls in flight fail. Idempotent."""
        self._closed = True
        for service in (self._command, self._query):
            if service is not None:
                service.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _pages(
        self, tag: str, page_size: int, timeout_s: float | None
    ) -> AsyncIterator[Task]:
        page_token = ""
        while True:
            request = ListTasksByTagRequest(
                tag_name=tag, page_size=page_size, page_token=page_token
            )
            page = await self._read(TaskServiceStub.list_tasks_by_tag, request, timeout_s)
            for task in page.tasks:
                yield task
            page_token = page.next_page_token
            if not page_token:
                return

    async def _read(
        self,
        method: Callable[..., Awaitable[_ReadResponse]],
        request: GetTaskRequest | ListTasksByTagRequest,
        timeout_s: float | None,
    ) -> _ReadResponse:
        service = self._service("query", self._query)
        deadline = self._deadline(timeout_s)
        token = request.consistency_token = self._token
        try:
            return await service.call(method, request, deadline)
        except InvalidRequest as error:
            if not token or "consistency_token" not in error.violations:
                raise
        # The database was replaced: no write of ours is in it to wait for.
        if self._token == token:
            self._token = ""
        request.consistency_token = ""
        return await service.call(method, request, deadline)

    def _service(self, name: str, service: Service | None) -> Service:
        if self._closed:
            raise RuntimeError("the TaskClient is closed")
        if service is None:
            raise RuntimeError(f"the TaskClient was made without {name}=")
        return service

    def _deadline(self, timeout_s: float | None) -> Deadline:
        if timeout_s is not None:
            _check_timeout(timeout_s)
        return Deadline.from_timeout(self._timeout_s if timeout_s is None else timeout_s)


def _check_timeout(timeout_s: float) -> None:
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise ValueError(f"timeout_s must be above 0 and at most {MAX_TIMEOUT_S}, not {timeout_s}")


def _check_strings(values: Mapping[str, object]) -> None:
    """Refuse values that a string field can't hold; the contract's own rules are the service's."""
    violations: dict[str, str] = {}
    for field, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"{field} must be a str, not {type(value).__name__}")
        try:
            value.encode()
        except UnicodeEncodeError:
            violations[field] = "is not valid Unicode"
    if violations:
        raise _invalid(violations)


def _invalid(violations: Mapping[str, str]) -> InvalidRequest:
    message = "; ".join(f"{field} {description}" for field, description in violations.items())
    return InvalidRequest(Status.INVALID_ARGUMENT, message, violations)
