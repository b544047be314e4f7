"""An echo service and its client, on grpclib's handlers and protobuf's StringValue."""

import asyncio

from google.protobuf.wrappers_pb2 import StringValue
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler

from grpcwire import Server, Stream

PATH = "/demo.Echo/Say"


class Echo:
    """A service as protoc's grpclib plugin would generate its base, written by hand."""

    async def say(self, stream: Stream[StringValue, StringValue]) -> None:
        """Send the request back."""
        request = await stream.recv_message()
        assert request is not None
        await stream.send_message(request)

    def __mapping__(self) -> dict[str, Handler]:
        return {PATH: Handler(self.say, Cardinality.UNARY_UNARY, StringValue, StringValue)}


async def main() -> None:
    """Serve on a free port, and ask once."""
    async with Server([Echo()]) as server:
        await server.start("127.0.0.1", 0)
        async with Channel(*server.sockets[0].getsockname()) as channel:
            say = UnaryUnaryMethod(channel, PATH, StringValue, StringValue)
            print((await say(StringValue(value="hello"))).value)


if __name__ == "__main__":
    asyncio.run(main())
