import asyncio

import pytest
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpclib.testing import ChannelFor

from servicekit import health
from taskstore import StoreUnavailable

SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING


class Database:
    """Answers a check with `error`, or not while it `hangs`."""

    def __init__(self):
        self.error = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def check(self):
        await self.answers.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
async def database():
    return Database()


@pytest.fixture
async def monitor(database, monkeypatch):
    monkeypatch.setattr(health, "CHECK_EVERY_S", 0.01)
    monkeypatch.setattr(health, "SILENCE_S", 0.05)
    monitor = health.HealthMonitor("task.TaskService", database.check)
    await monitor.start()
    yield monitor
    await monitor.stop()


async def becomes(monitor, status):
    async with ChannelFor([monitor.service]) as channel, asyncio.timeout(5):
        stub = HealthStub(channel)
        while (await stub.Check(HealthCheckRequest(service="readiness"))).status != status:
            await asyncio.sleep(0.01)
        alive = await stub.Check(HealthCheckRequest(service="liveness"))
        assert alive.status == SERVING


@pytest.mark.parametrize("error", [StoreUnavailable(), RuntimeError("a fault of ours")])
async def test_failed_check_is_not_serving_until_one_passes(database, monitor, error):
    await becomes(monitor, SERVING)
    database.error = error
    await becomes(monitor, NOT_SERVING)
    database.error = None
    await becomes(monitor, SERVING)


async def test_database_that_hangs_is_not_serving(database, monitor):
    await becomes(monitor, SERVING)
    database.answers.clear()
    await becomes(monitor, NOT_SERVING)
    database.answers.set()
    await becomes(monitor, SERVING)
