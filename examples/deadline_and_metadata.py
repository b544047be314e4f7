"""A handler that reads its caller's metadata and deadline, which its signature leaves out.

It serves one call of the task contract on a free port, and asks itself. Run it:

    .venv/bin/python examples/deadline_and_metadata.py
"""

import asyncio

from grpclib import GRPCError, Status
from grpclib.client import Channel

from grpcwire import Server, current_call
from protowire import Codec
from taskpb import GetTaskRequest, GetTaskResponse, Task, TaskServiceBase, TaskServiceStub

ANSWER_S = 0.05
"""Kept of the caller's time, so that the refusal reaches it before its patience ends."""


class SlowTasks(TaskServiceBase):
    """Needs a second for its task; gives up in time for who cannot wait that long."""

    async def get_task(self, get_task_request: GetTaskRequest) -> GetTaskResponse:
        """Answer one task, as the caller named in the metadata asked for it."""
        call = current_call()
        if call is None:
            raise RuntimeError("only a server calls this")
        caller = str(call.metadata.get("caller", "somebody"))
        call.trailing_metadata["served-to"] = caller
        left_s = None if call.deadline is None else call.deadline.time_remaining() - ANSWER_S
        try:
            async with asyncio.timeout(left_s):
                await asyncio.sleep(1)
        except TimeoutError:
            raise GRPCError(Status.UNAVAILABLE, "no answer within your deadline") from None
        return GetTaskResponse(task=Task(id=int(get_task_request.task_id), text=f"for {caller}"))


async def main() -> None:
    """Serve, and call twice: with enough time, and with too little."""
    server = Server([SlowTasks()], codec=Codec())
    await server.start("127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    channel = Channel(host, port, codec=Codec())
    tasks = TaskServiceStub(channel, metadata={"caller": "alice"})
    try:
        print((await tasks.get_task(GetTaskRequest(task_id="7"), timeout=5)).task)
        await tasks.get_task(GetTaskRequest(task_id="7"), timeout=0.3)
    except GRPCError as error:
        print(f"{error.status.name}: {error.message}")
    finally:
        channel.close()
        await server.drain(grace_s=1)


if __name__ == "__main__":
    asyncio.run(main())
