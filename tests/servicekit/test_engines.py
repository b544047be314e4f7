import asyncio
import socket

import pytest
from grpclib import GRPCError, Status
from grpclib.events import RecvRequest, listen
from grpclib.testing import ChannelFor

from servicekit import AnsweringTaskService, engines
from servicekit.engines import ENGINES, CallsInFlight
from taskpb import GetTaskRequest, GetTaskResponse, Task, TaskClient, TaskServiceStub


class Slow(AnsweringTaskService):
    def __init__(self):
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    async def get_task(self, get_task_request):
        self.entered.set()
        await self.go_on.wait()
        return GetTaskResponse(task=Task(id=1))


async def test_drain_lets_calls_in_flight_finish_and_refuses_new_ones():
    slow, calls = Slow(), CallsInFlight()
    for_channel = ChannelFor([slow])
    async with for_channel as channel:
        listen(for_channel._server, RecvRequest, calls.admit)
        stub = TaskServiceStub(channel)
        first = asyncio.create_task(stub.get_task(GetTaskRequest("1")))
        await slow.entered.wait()
        drained = asyncio.create_task(calls.drain(grace_s=5))
        await asyncio.sleep(0)
        with pytest.raises(GRPCError) as caught:
            await stub.get_task(GetTaskRequest("1"))
        assert caught.value.status is Status.UNAVAILABLE
        assert not drained.done()
        slow.go_on.set()
        assert (await first).task.id == 1
        assert await drained == 0


async def test_drain_ends_at_its_limit_and_tells_who_is_left():
    slow, calls = Slow(), CallsInFlight()
    for_channel = ChannelFor([slow])
    async with for_channel as channel:
        listen(for_channel._server, RecvRequest, calls.admit)
        call = asyncio.create_task(TaskServiceStub(channel).get_task(GetTaskRequest("1")))
        await slow.entered.wait()
        assert await calls.drain(grace_s=0.01) == 1
        slow.go_on.set()
        await call


class Stubborn(Slow):
    async def get_task(self, get_task_request):
        try:
            return await super().get_task(get_task_request)
        except asyncio.CancelledError:
            await self.go_on.wait()
            raise


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
async def test_a_handler_that_ignores_its_end_holds_up_no_service(engine, monkeypatch):
    monkeypatch.setattr(engines, "_CLOSE_S", 0.1)
    stubborn = Stubborn()
    running = engine([stubborn], ())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        await running.start([listening.dup()], None)
    async with TaskClient(query=f"127.0.0.1:{port}", timeout_s=30) as tasks:
        call = asyncio.create_task(tasks.get(1))
        await stubborn.entered.wait()
        async with asyncio.timeout(5):
            await running.drain(0.05)
            await running.stop()
        call.cancel()
        stubborn.go_on.set()
        await asyncio.gather(call, return_exceptions=True)
