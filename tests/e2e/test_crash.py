"""kill -9 of the command service while clients create: nothing acknowledged is lost."""

import asyncio
import random
from uuid import uuid4

import grpc
import pytest

from taskpb import Task
from taskstore import SqliteLocation, open_reader
from tests.processes import ServiceProcess

CLIENTS = 64


class Creators:
    """Clients that create until the service dies, remembering what they were told."""

    def __init__(self, foreign):
        self._foreign = foreign
        self.acknowledged = {}
        self.unanswered = {}

    async def create(self, channel, request_id, text):
        rpc = channel.unary_unary(
            "/task.TaskService/CreateTask",
            request_serializer=self._foreign.CreateTaskRequest.SerializeToString,
            response_deserializer=self._foreign.CreateTaskResponse.FromString,
        )
        request = self._foreign.CreateTaskRequest(text=text, tags=["t"], request_id=request_id)
        self.unanswered[request_id] = text
        answer = await rpc(request, timeout=10)
        del self.unanswered[request_id]
        self.acknowledged[answer.task.id] = text

    async def create_until_killed(self, service, after_s):
        """64 clients at once; kill -9 in the middle."""

        async def client(channel):
            while True:
                request_id = str(uuid4())
                await self.create(channel, request_id, f"task {request_id}")

        async with grpc.aio.insecure_channel(service.address) as channel:
            clients = [asyncio.create_task(client(channel)) for _ in range(CLIENTS)]
            await asyncio.sleep(after_s)
            service.kill()
            ended = await asyncio.gather(*clients, return_exceptions=True)
        assert all(isinstance(error, grpc.aio.AioRpcError) for error in ended)

    async def repeat_unanswered(self, service):
        async with grpc.aio.insecure_channel(service.address) as channel:
            repeats = [self.create(channel, *item) for item in list(self.unanswered.items())]
            await asyncio.gather(*repeats)


async def crash_rounds(database, foreign, rounds, seed):
    choose = random.Random(seed)
    creators = Creators(foreign)
    for _ in range(rounds):
        with ServiceProcess("command", database) as service:
            await creators.repeat_unanswered(service)
            await creators.create_until_killed(service, choose.uniform(0.05, 0.4))
    with ServiceProcess("command", database) as service:
        await creators.repeat_unanswered(service)
    reader = await open_reader(SqliteLocation(database))
    stored = await all_tasks(reader)
    await reader.close()
    assert {task.id: task.text for task in stored} == creators.acknowledged
    assert len({task.text for task in stored}) == len(stored)
    assert len(stored) > rounds


async def all_tasks(reader):
    tasks, token = [], ""
    while True:
        page = await reader.list_by_tag("t", page_size=1000, page_token=token)
        tasks += [Task().parse(task) for task in page.tasks]
        token = page.next_page_token
        if not token:
            return tasks


async def test_nothing_acknowledged_is_lost_or_doubled_by_kill_9(database, foreign):
    await crash_rounds(database, foreign, rounds=3, seed=1)


@pytest.mark.long
async def test_nothing_acknowledged_is_lost_or_doubled_by_200_kills(database, foreign):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    await crash_rounds(database, foreign, rounds=200, seed=seed)
