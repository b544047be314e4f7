"""One of the two services as its callers see it: a channel that bounds, retries and types.

Every call is safe to repeat: reads have no effect, and a create carries its
request id. So each sign that the service is away (UNAVAILABLE, a refused,
reset or lost connection, GOAWAY) has the call tried again, with exponential backoff and
full jitter, as long as the call's deadline leaves room. Nothing else is. When
time is up, a service that was away until then is reported as such, whether the
deadline fell into a pause or into an attempt.
"""

import asyncio
import logging
import random
import ssl as ssl_module
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import betterproto
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.metadata import Deadline
from h2.exceptions import H2Error

from taskpb.channel import connection_failure, make_channel, parse_address
from taskpb.errors import (
    DeadlineExceeded,
    ServiceUnavailable,
    TaskServiceError,
    error_from_status,
)
from taskpb.generated.task import TaskServiceStub

__all__ = ["MAX_CALLS_IN_FLIGHT", "Service"]

MAX_CALLS_IN_FLIGHT: Final = 64
"""The most calls at once on a channel; many servers break, or break off, beyond 100 streams."""

_FIRST_BACKOFF_S: Final = 0.05
"""The most seconds of the first pause; each further one may be twice as long."""

_MAX_BACKOFF_S: Final = 2.0
"""The most seconds of any pause."""

_Response = TypeVar("_Response", bound=betterproto.Message)
_Method = Callable[..., Awaitable[_Response]]

_log = logging.getLogger("taskpb")


class Service:
    """The service `name` at `target`: `HOST:PORT`, or a channel, which stays its giver's."""

    def __init__(
        self,
        name: str,
        target: str | Channel,
        *,
        ssl: ssl_module.SSLContext | bool | None = None,
        codec: CodecBase | None = None,
        connect_retry_s: float | None = None,
    ) -> None:
        self._address = parse_address(target) if isinstance(target, str) else None
        self._channel = None if isinstance(target, str) else target
        self._label = f"{name} at {self._address}" if self._address else name
        self._ssl = ssl
        self._codec = codec
        self._connect_retry_s = connect_retry_s
        self._in_flight = asyncio.Semaphore(MAX_CALLS_IN_FLIGHT)
        self._reached = False
        self._closed = False

    async def call(
        self, method: _Method[_Response], request: betterproto.Message, deadline: Deadline
    ) -> _Response:
        """Call `method` of the stub, again where that is of use, up to the deadline."""
        timeout_s = deadline.time_remaining()
        error: ServiceUnavailable | None = None
        attempts = 0
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        return await self._attempt(method, request, deadline)
                    except ServiceUnavailable as unavailable:
                        error = unavailable
                    delay_s = _backoff_s(attempts)
                    attempts += 1
                    left_s = deadline.time_remaining()
                    if delay_s >= self._patience_s(error, timeout_s, left_s):
                        raise error
                    _log.info("%s; trying again in %.2f s", error, delay_s)
                    await asyncio.sleep(delay_s)
        except TimeoutError as late:
            if error is not None:  # the deadline cut a retry short: this is the last word we had
                raise error from error.__cause__
            if isinstance(late, DeadlineExceeded) and late.message:
                raise
            raise DeadlineExceeded(
                Status.DEADLINE_EXCEEDED, f"no answer from {self._label} within {timeout_s:.3g} s"
            ) from late

    def close(self) -> None:
        """Close the channel if it is ours; calls in flight fail, later ones are refused."""
        self._closed = True
        if self._address is not None and self._channel is not None:
            self._channel.close()
            self._channel = None

    def _patience_s(self, error: ServiceUnavailable, timeout_s: float, left_s: float) -> float:
        """The seconds from now for which trying again makes sense."""
        if isinstance(error.__cause__, ssl_module.SSLError):
            return 0.0
        if self._reached or self._connect_retry_s is None:
            return left_s
        return self._connect_retry_s - (timeout_s - left_s)

    async def _attempt(
        self, method: _Method[_Response], request: betterproto.Message, deadline: Deadline
    ) -> _Response:
        async with self._in_flight:
            channel = self._open_channel()
            stub = TaskServiceStub(channel)
            try:
                response = await _isolated(method(stub, request, deadline=deadline))
            except GRPCError as error:
                self._reached = True
                raise error_from_status(error) from error
            except (StreamTerminatedError, H2Error) as error:
                raise ServiceUnavailable(
                    Status.UNAVAILABLE, f"lost the connection to {self._label}: {error}"
                ) from error
            except OSError as error:
                # Without an errno it is the deadline's, not the network's.
                if isinstance(error, TimeoutError) and error.errno is None:
                    raise
                raise ServiceUnavailable(
                    Status.UNAVAILABLE, f"cannot reach {self._label}: {connection_failure(error)}"
                ) from error
            except Exception as error:
                raise TaskServiceError(
                    Status.INTERNAL, f"cannot understand the answer of {self._label}: {error!r}"
                ) from error
            finally:
                if self._closed and self._address is not None:
                    channel.close()  # it was connecting when we closed it, and went on
            self._reached = True
            return response

    def _open_channel(self) -> Channel:
        if self._closed:
            raise RuntimeError("the TaskClient is closed")
        if self._channel is None:
            assert self._address is not None  # noqa: S101 - one of the two is always there
            self._channel = make_channel(self._address, ssl=self._ssl, codec=self._codec)
        return self._channel


async def _isolated(call: Awaitable[_Response]) -> _Response:
    """Await a grpclib call in a task of its own.

    grpclib ends a call that failed by cancelling the task it runs in, and never
    takes that back: the caller's own timeouts and task groups would miscount.
    It also lets its error replace a cancellation that came at the same time.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task
    cancelled_before = task.cancelling()
    try:
        return await asyncio.ensure_future(call)
    except Exception as error:
        if task.cancelling() > cancelled_before:
            raise asyncio.CancelledError from error
        raise


def _backoff_s(attempts: int) -> float:
    ceiling_s = min(_MAX_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(attempts, 16))
    return random.uniform(0, ceiling_s)  # noqa: S311 - jitter needs no secrecy
