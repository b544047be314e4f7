"""The one table of exit codes."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from taskpb import (
    DeadlineExceeded,
    InvalidRequest,
    LimitExceeded,
    RequestIdReused,
    ServiceUnavailable,
    TaskNotFound,
    TaskServiceError,
)

__all__ = ["DESCRIPTIONS", "ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """The ways the program ends; DESCRIPTIONS says each in words."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    NOT_FOUND = 3
    UNAVAILABLE = 4
    DEADLINE = 5
    REUSED = 6
    LIMIT = 7
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


DESCRIPTIONS: Final[Mapping[ExitCode, str]] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed for another reason",
    ExitCode.REFUSED: "bad usage, bad input, or an argument that the service refuses",
    ExitCode.NOT_FOUND: "no task has this id",
    ExitCode.UNAVAILABLE: "a service is away, cannot be reached or is not serving",
    ExitCode.DEADLINE: "no answer before the deadline",
    ExitCode.REUSED: "the request id belongs to another task",
    ExitCode.LIMIT: "a limit is reached",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.OUTPUT_CLOSED: "the reader of the output went away, as `head` does",
}

_OF_ERRORS: Final[Mapping[type[TaskServiceError], ExitCode]] = {
    InvalidRequest: ExitCode.REFUSED,
    TaskNotFound: ExitCode.NOT_FOUND,
    ServiceUnavailable: ExitCode.UNAVAILABLE,
    DeadlineExceeded: ExitCode.DEADLINE,
    RequestIdReused: ExitCode.REUSED,
    LimitExceeded: ExitCode.LIMIT,
}


def exit_code_of(error: TaskServiceError) -> ExitCode:
    """Return the exit code of a call that failed."""
    return _OF_ERRORS.get(type(error), ExitCode.FAILED)
