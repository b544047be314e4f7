"""A client of the service in memory."""

import pytest
from grpclib.testing import ChannelFor

from tests.taskpb.fake_tasks import FakeTasks, bad_request


@pytest.fixture
def bad_request_error():
    return bad_request


@pytest.fixture
async def fake():
    return FakeTasks()


@pytest.fixture
async def channel(fake):
    async with ChannelFor([fake]) as channel:
        yield channel
