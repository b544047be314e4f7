"""A live server for raw frames and for grpcio, on asyncio's loop and on uvloop's."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop
from grpclib.utils import graceful_exit  # noqa: F401 - proves that the name is there
from wirescript.handlers import Calls, RawCodec, RawDetailsCodec
from wirescript.wire import Client

from grpcwire import Limits, Server


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Find a program the test needs: missing, it fails in CI and skips elsewhere."""

    def require(name: str) -> str:
        if found := shutil.which(name):
            return found
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        return pytest.skip(f"{name} is not installed: this behaviour goes untested here")

    return require


Serve = Callable[..., Awaitable[tuple[Server, int]]]


@pytest.fixture
async def calls() -> Calls:
    return Calls()


@pytest.fixture
async def serve(calls: Calls) -> AsyncIterator[Serve]:
    """Start servers of `calls`; afterwards every gauge must be back at zero."""
    servers = []

    async def start(*, handlers=None, ssl=None, **options) -> tuple[Server, int]:
        codecs = {"codec": RawCodec(), "status_details_codec": RawDetailsCodec()}
        # Raw clients do not close when the server has, so its patience is short.
        options = codecs | {"limits": Limits(linger_s=0.1)} | options
        server = Server(handlers or [calls], **options)
        await server.start("127.0.0.1", 0, ssl=ssl)
        servers.append(server)
        return server, server.sockets[0].getsockname()[1]

    yield start
    calls.go.set()
    for server in servers:
        server.close()
        async with asyncio.timeout(5):
            await server.wait_closed()
        counters = server.counters
        assert (counters.connections, counters.calls) == (0, 0)
        assert (counters.buffered_bytes, counters.unsent_bytes) == (0, 0)


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[Client]:
    """A raw client of a server with default limits."""
    _, port = await serve()
    client = await Client.connect(port)
    yield client
    await client.close()
