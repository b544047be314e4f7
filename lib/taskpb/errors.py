"""The client's errors: one class for each answer a caller may want to tell apart.

`ERROR_CLASSES` is the one table from gRPC status to class; any other status is a
plain TaskServiceError.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.rpc.error_details_pb2 import BadRequest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

__all__ = [
    "ERROR_CLASSES",
    "DeadlineExceeded",
    "InvalidRequest",
    "LimitExceeded",
    "RequestIdReused",
    "ServiceUnavailable",
    "TaskNotFound",
    "TaskServiceError",
    "WrongService",
    "error_from_status",
]


class TaskServiceError(Exception):
    """A call that failed: the base of every error the client raises for an answer."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        """The gRPC status: the service's, or the one that fits where none was received."""
        self.message = message
        """A sentence for people."""

    def __str__(self) -> str:
        return self.message or self.status.name


class InvalidRequest(TaskServiceError, ValueError):
    """The contract refuses the request: INVALID_ARGUMENT, or found before sending.

    The client's side of the wire; a handler raises `servicekit.InvalidRequest`.
    """

    def __init__(
        self, status: Status, message: str, violations: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, message)
        self.violations = dict(violations or {})
        """The problems by field path (`text`, `tags[3]`, ...)."""
        self.args = (status, message, self.violations)


class TaskNotFound(TaskServiceError):
    """No task has this id: NOT_FOUND.

    The client's side of the wire; the store raises `taskstore.TaskNotFound`.
    """


class RequestIdReused(TaskServiceError):
    """The request id was used for another text or other tags: ALREADY_EXISTS.

    The client's side of the wire; the store raises `taskstore.RequestIdReused`.
    """


class ServiceUnavailable(TaskServiceError):
    """The service can't be reached or can't answer now: UNAVAILABLE, retries included."""


class DeadlineExceeded(TaskServiceError, TimeoutError):
    """No answer within the call's time: DEADLINE_EXCEEDED. A create may still have happened."""


class LimitExceeded(TaskServiceError):
    """A limit is reached: RESOURCE_EXHAUSTED."""


class WrongService(TaskServiceError):
    """The service at this address doesn't answer this call: UNIMPLEMENTED."""


ERROR_CLASSES: Final[Mapping[Status, type[TaskServiceError]]] = {
    Status.INVALID_ARGUMENT: InvalidRequest,
    Status.NOT_FOUND: TaskNotFound,
    Status.ALREADY_EXISTS: RequestIdReused,
    Status.UNAVAILABLE: ServiceUnavailable,
    Status.DEADLINE_EXCEEDED: DeadlineExceeded,
    Status.RESOURCE_EXHAUSTED: LimitExceeded,
    Status.UNIMPLEMENTED: WrongService,
}


def error_from_status(error: GRPCError) -> TaskServiceError:
    """Return the typed error of the status that a service answered with."""
    error_class = ERROR_CLASSES.get(error.status, TaskServiceError)
    message = error.message or ""
    if error_class is InvalidRequest:
        return InvalidRequest(error.status, message, _violations(error.details))
    return error_class(error.status, message)


def _violations(details: Sequence[Any] | None) -> dict[str, str]:
    return {
        violation.field: violation.description
        for detail in details or ()
        if isinstance(detail, BadRequest)
        for violation in detail.field_violations
    }
