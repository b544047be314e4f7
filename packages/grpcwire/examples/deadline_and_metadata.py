"""A handler that reads its caller's deadline and metadata, and answers with metadata."""

import asyncio

from google.protobuf.wrappers_pb2 import StringValue
from grpclib import GRPCError, Status
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler

from grpcwire import Server, Stream, current_call

PATH = "/demo.Slow/Work"
ANSWER_S = 0.05
"""Seconds kept of the caller's time, so that the refusal reaches it in time."""


class Slow:
    """Needs a second for its work, and gives up early for a caller that cannot wait."""

    async def work(self, stream: Stream[StringValue, StringValue]) -> None:
        """Answer after a second, or refuse before the deadline."""
        await stream.recv_message()
        call = current_call()  # also where a signature has no stream, as betterproto's
        assert call is not None
        call.trailing_metadata["served-by"] = "demo"
        left_s = None if call.deadline is None else call.deadline.time_remaining() - ANSWER_S
        try:
            async with asyncio.timeout(left_s):
                await asyncio.sleep(1)
        except TimeoutError:
            raise GRPCError(Status.UNAVAILABLE, "no answer within your deadline") from None
        await stream.send_message(StringValue(value=f"for {call.metadata['caller']}"))

    def __mapping__(self) -> dict[str, Handler]:
        return {PATH: Handler(self.work, Cardinality.UNARY_UNARY, StringValue, StringValue)}


async def main() -> None:
    """Ask twice: with enough time, and with too little."""
    async with Server([Slow()]) as server:
        await server.start("127.0.0.1", 0)
        async with Channel(*server.sockets[0].getsockname()) as channel:
            work = UnaryUnaryMethod(channel, PATH, StringValue, StringValue)
            async with work.open(timeout=5, metadata={"caller": "alice"}) as stream:
                await stream.send_message(StringValue(), end=True)
                answer = await stream.recv_message()
                await stream.recv_trailing_metadata()
                assert answer is not None
                assert stream.trailing_metadata is not None
                print(answer.value, "by", stream.trailing_metadata["served-by"])
            try:
                await work(StringValue(), timeout=0.3)
            except GRPCError as error:
                print(f"{error.status.name}: {error.message}")


if __name__ == "__main__":
    asyncio.run(main())
