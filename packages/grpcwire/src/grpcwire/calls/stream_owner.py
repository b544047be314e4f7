"""The owner of a stream: the object that takes the events of one request.

The transports of `grpcwire.transport` call it. `calls.call.ServerCall` owns the
streams of calls, `protocols.web_call.PlainRequest` those of plain HTTP requests.
"""

from abc import ABC, abstractmethod

from grpclib.const import Status

__all__ = ["StreamOwner"]


class StreamOwner(ABC):
    """The receiver of one stream's events."""

    __slots__ = ()

    @abstractmethod
    def receive_data(self, data: bytes, window_bytes: int, *, ended: bool) -> None:
        """Take a piece of the request's body, which took `window_bytes` of its window.

        `ended` is True for the last piece; `receive_end` does not follow it.
        """

    @abstractmethod
    def receive_end(self) -> None:
        """Take the end of a request whose last piece did not bring it."""

    @abstractmethod
    def arm(self) -> None:
        """Start the deadline's timer: the request did not end in its first turn."""

    @abstractmethod
    def reset(self) -> None:
        """End because the stream is gone: nobody is there to be told."""

    @abstractmethod
    def end(self, status: Status, message: str) -> None:
        """End from outside of the handler, telling the client the reason."""

    @abstractmethod
    def unblocked(self) -> None:
        """Continue: the data that flow control kept back has gone out."""
