"""Restarts under load: no client loses a call, on either engine."""

import asyncio
from operator import eq
from uuid import uuid4

import pytest

from taskpb import TaskClient
from tests.processes import ServiceProcess

CLIENTS = 16


@pytest.mark.parametrize("restarts", [1, pytest.param(10, marks=pytest.mark.long)])
@pytest.mark.parametrize("engine", ["grpcwire", "grpclib"])
async def test_restarts_under_load_lose_no_call(database, engine, restarts):
    def start(name, port=0):
        return asyncio.to_thread(
            lambda: ServiceProcess(name, database, "--engine", engine, port=port)
        )

    services = {name: await start(name) for name in ("command", "query")}
    done, stop = [0] * CLIENTS, False

    async def client(number, tasks):
        while not stop:
            text = f"task {uuid4()}"
            created = await tasks.create(text, ["t"])
            assert (await tasks.get(created.id)).text == text
            done[number] += 1

    addresses = {name: service.address for name, service in services.items()}
    async with TaskClient(**addresses) as tasks:
        clients = [asyncio.create_task(client(number, tasks)) for number in range(CLIENTS)]
        for _ in range(restarts):
            for name, service in list(services.items()):
                before = [*done]
                assert await asyncio.to_thread(service.stop) == 0
                services[name] = await start(name, service.port)
                # One that waits to try again may take longer than all the others.
                while any(map(eq, done, before)) and not any(each.done() for each in clients):
                    await asyncio.sleep(0.01)
        stop = True
        await asyncio.gather(*clients)
        texts = [task.text async for task in tasks.list("t")]
    for service in services.values():
        assert await asyncio.to_thread(service.stop) == 0
    assert len(texts) == len(set(texts)) == sum(done)
