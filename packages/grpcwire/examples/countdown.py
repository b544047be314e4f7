"""A stream of responses that ends when its client has seen enough."""

import asyncio

from google.protobuf.wrappers_pb2 import Int32Value
from grpclib.client import Channel, UnaryStreamMethod
from grpclib.const import Cardinality, Handler

from grpcwire import Server, Stream

PATH = "/demo.Clock/Countdown"


class Clock:
    """Counts down from the request, as long as somebody listens."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    async def countdown(self, stream: Stream[Int32Value, Int32Value]) -> None:
        """Send each number; a client that cancels ends the handler by CancelledError."""
        request = await stream.recv_message()
        assert request is not None
        try:
            for number in range(request.value, -1, -1):
                await stream.send_message(Int32Value(value=number))  # waits for a slow client
        finally:
            self.stopped.set()

    def __mapping__(self) -> dict[str, Handler]:
        kind = Cardinality.UNARY_STREAM
        return {PATH: Handler(self.countdown, kind, Int32Value, Int32Value)}


async def main() -> None:
    """Ask for a million numbers, and take three."""
    clock = Clock()
    async with Server([clock]) as server:
        await server.start("127.0.0.1", 0)
        async with Channel(*server.sockets[0].getsockname()) as channel:
            countdown = UnaryStreamMethod(channel, PATH, Int32Value, Int32Value)
            async with countdown.open() as stream:
                await stream.send_message(Int32Value(value=1_000_000), end=True)
                for _ in range(3):
                    answer = await stream.recv_message()
                    assert answer is not None
                    print(answer.value)
                await stream.cancel()
            await asyncio.wait_for(clock.stopped.wait(), 5)
            print("the handler has ended")


if __name__ == "__main__":
    asyncio.run(main())
