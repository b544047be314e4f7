"""taskctl against a service in memory behind a real port, and as a process of its own."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from grpclib.health.service import Health
from grpclib.server import Server

from taskctl.program import program
from tests.taskpb.fake_tasks import FakeTasks

TASKCTL = Path(sys.executable).with_name("taskctl")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TASK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def fake():
    return FakeTasks()


@pytest.fixture
async def address(fake):
    """Both halves, and health, on one port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server([fake, Health()])
    await server.start(sock=listening)
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    server.close()
    await server.wait_closed()


@pytest.fixture
def run(address, monkeypatch):
    """`await run("get", "1")`: taskctl in this process, both its addresses set."""
    monkeypatch.setenv("TASK_COMMAND", address)
    monkeypatch.setenv("TASK_QUERY", address)

    async def invoke(*arguments, **options):
        return await asyncio.to_thread(CliRunner().invoke, program, arguments, **options)

    return invoke


@pytest.fixture
def refused():
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def start():
    """`start("get", "1")`: taskctl as a process, ended with the test if it still runs."""
    started = []

    def popen(*arguments, **options):
        process = subprocess.Popen([TASKCTL, *arguments], **options)
        started.append(process)
        return process

    yield popen
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
