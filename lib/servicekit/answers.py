"""From an error to the status a client gets: one table, one wrapper, both services.

An error that isn't in the table is our own mistake: the engine answers it with
a fixed text and logs the traceback, so nothing of it leaks to a peer.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from grpclib import GRPCError, Status
from grpclib.const import Handler
from grpclib.server import Stream
from typing_extensions import override

import grpcwire
from grpcwire import Call, serving
from protowire import DecodeError
from taskpb import TaskServiceBase
from taskstore import (
    AnswerTooLarge,
    IdsExhausted,
    InvalidToken,
    RequestIdReused,
    StoreFull,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
)

__all__ = ["AnsweringTaskService", "InvalidRequest", "ServedElsewhere", "answer_to"]


class InvalidRequest(Exception):
    """A request breaks the contract, as a handler finds it.

    The service's side of the wire; a client gets a `taskpb.InvalidRequest`.
    """

    def __init__(self, violations: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field} {problem}" for field, problem in violations.items()))
        self.violations = violations
        """The problems by field path (`text`, `tags[3]`, ...)."""


class ServedElsewhere(Exception):
    """The call belongs to the other half of the service."""

    def __init__(self, method: str, service: str, address: str) -> None:
        super().__init__(f"{method} is served by {service}, on {address}")


_RETRY_MS: Final = 100
"""The milliseconds that a replica that fell behind usually needs to catch up."""


class _Answer(NamedTuple):
    status: Status
    details: Callable[[Any], Message] | None = None


def _violations(error: InvalidRequest) -> BadRequest:
    return _bad_request(error.violations)


def _bad_token(error: InvalidToken) -> BadRequest:
    return _bad_request({error.field: error.problem})


def _bad_request(violations: Mapping[str, str]) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=field, description=problem)
            for field, problem in violations.items()
        ]
    )


def _retry_info(_error: WriteNotSeen) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(nanos=_RETRY_MS * 1_000_000))


_ANSWERS: Final[Mapping[type[Exception], _Answer]] = {
    InvalidRequest: _Answer(Status.INVALID_ARGUMENT, _violations),
    DecodeError: _Answer(Status.INVALID_ARGUMENT),
    InvalidToken: _Answer(Status.INVALID_ARGUMENT, _bad_token),
    TaskNotFound: _Answer(Status.NOT_FOUND),
    RequestIdReused: _Answer(Status.ALREADY_EXISTS),
    AnswerTooLarge: _Answer(Status.RESOURCE_EXHAUSTED),
    IdsExhausted: _Answer(Status.RESOURCE_EXHAUSTED),
    StoreFull: _Answer(Status.RESOURCE_EXHAUSTED),
    WriteNotSeen: _Answer(Status.UNAVAILABLE, _retry_info),
    StoreUnavailable: _Answer(Status.UNAVAILABLE),
    ServedElsewhere: _Answer(Status.UNIMPLEMENTED),
}

_KNOWN: Final = tuple(_ANSWERS)


def answer_to(error: Exception) -> GRPCError | None:
    """Return the status, text and details for `error`; None where it has no row."""
    for kind in type(error).__mro__:
        if answer := _ANSWERS.get(kind):
            details = answer.details and [answer.details(error)]
            return GRPCError(answer.status, str(error), details)
    return None


class AnsweringTaskService(TaskServiceBase):
    """The generated base, with errors turned into statuses and the call made current."""

    @override
    def __mapping__(self) -> dict[str, Handler]:
        return {
            path: handler._replace(func=_answering(handler.func))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - grpclib leaves its type open
            for path, handler in super().__mapping__().items()
        }


_HandlerFunction = Callable[[Stream[Any, Any]], Awaitable[None]]


def _answering(handle: _HandlerFunction) -> _HandlerFunction:
    async def answer(stream: Stream[Any, Any]) -> None:
        try:
            if isinstance(stream, grpcwire.Stream):  # has made its call the current one
                await handle(stream)
            else:
                with serving(Call.of(stream)):
                    await handle(stream)
        except _KNOWN as error:
            raise answer_to(error) or error from error

    return answer
