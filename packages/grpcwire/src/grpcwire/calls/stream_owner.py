"""What a stream leads to: the object that the connection's events are handed to.

`call.ServerCall` is the one for calls, `web.call.PlainRequest` the one for requests
that are none.
"""

from abc import ABC, abstractmethod

from grpclib.const import Status


class StreamOwner(ABC):
    """Takes what happens to one stream."""

    __slots__ = ()

    @abstractmethod
    def receive_data(self, data: bytes, charged: int, *, ended: bool) -> None:
        """Take a piece of the request's body."""

    @abstractmethod
    def receive_end(self) -> None:
        """Take the end of the request."""

    @abstractmethod
    def arm(self) -> None:
        """Start the clock of what did not end in its first turn."""

    @abstractmethod
    def reset(self) -> None:
        """End because the stream is gone."""

    @abstractmethod
    def end(self, status: Status, message: str) -> None:
        """End from outside, telling the client why."""

    @abstractmethod
    def unblocked(self) -> None:
        """Go on: what flow control kept back has gone out."""
