"""The task service's contract in Python: messages, stub, base and the async client."""

from protowire import compile_messages
from taskpb.client import TaskClient
from taskpb.descriptors import descriptor_set
from taskpb.errors import (
    DeadlineExceeded,
    InvalidRequest,
    LimitExceeded,
    RequestIdReused,
    ServiceUnavailable,
    TaskNotFound,
    TaskServiceError,
    WrongService,
)
from taskpb.generated import task as _generated
from taskpb.generated.task import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    ListTasksByTagRequest,
    ListTasksByTagResponse,
    Task,
    TaskServiceBase,
    TaskServiceStub,
)

__all__ = [
    "CreateTaskRequest",
    "CreateTaskResponse",
    "DeadlineExceeded",
    "GetTaskRequest",
    "GetTaskResponse",
    "InvalidRequest",
    "LimitExceeded",
    "ListTasksByTagRequest",
    "ListTasksByTagResponse",
    "RequestIdReused",
    "ServiceUnavailable",
    "Task",
    "TaskClient",
    "TaskNotFound",
    "TaskServiceBase",
    "TaskServiceError",
    "TaskServiceStub",
    "WrongService",
    "descriptor_set",
]

# Once for the process, before any message is made: strict codecs for the contract's classes.
compile_messages(_generated)
