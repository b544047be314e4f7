"""A service's life in this process: real sockets and signals, a store in memory."""

import asyncio
import gc
import os
import signal
from pathlib import Path

import pytest
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from structlog.testing import capture_logs

from servicekit import AnsweringTaskService, Settings, serving
from servicekit.settings import TlsFiles
from servicekit.tls import UnusableTlsFile
from taskpb import GetTaskRequest, GetTaskResponse, Task, TaskServiceStub
from taskpb.channel import Address, make_channel
from taskstore import PostgresLocation, SqliteLocation, StoreUnavailable


def settings(**changes):
    defaults = {
        "host": "127.0.0.1",
        "port": 0,
        "database": SqliteLocation(Path("tasks.db")),
        "workers": 1,
        "engine": "grpcwire",
        "log_format": None,
        "log_level": "info",
        "tls": None,
        "command": "localhost:1",
        "query": "localhost:2",
        "cors_origins": (),
    }
    return Settings(**defaults | changes)


class Slow(AnsweringTaskService):
    """Answers a GetTask once it may."""

    def __init__(self):
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    async def get_task(self, get_task_request):
        self.entered.set()
        await self.go_on.wait()
        return GetTaskResponse(task=Task(id=1))


async def fine():
    """A store that is there."""


@pytest.fixture
def ready(monkeypatch):
    """The port that a service says it is ready on."""
    told = asyncio.Queue()
    monkeypatch.setattr(serving, "say_ready", lambda _name, _host, port: told.put_nowait(port))
    return told


@pytest.fixture
def collector():
    """The garbage collector as it was, after a service has settled it."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.fixture(params=serving.ENGINES)
async def service(request, ready, collector):
    """A running service, its handlers and a channel to it."""
    slow = Slow()
    running = asyncio.create_task(
        serving.serve("query", slow, settings(engine=request.param), fine)
    )
    channel = make_channel(Address("127.0.0.1", await ready.get()))
    yield running, slow, channel
    slow.go_on.set()
    channel.close()
    if not running.done():
        os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await running


async def test_ready_it_is_healthy_and_told_to_stop_it_lets_calls_finish(service):
    running, slow, channel = service
    health = await HealthStub(channel).Check(HealthCheckRequest(service="readiness"))
    assert health.status == HealthCheckResponse.SERVING
    call = asyncio.create_task(TaskServiceStub(channel).get_task(GetTaskRequest("1")))
    await slow.entered.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0)
    assert not running.done()
    slow.go_on.set()
    assert (await call).task.id == 1
    channel.close()
    async with asyncio.timeout(5):
        await running


async def test_a_second_signal_ends_the_service_with_a_call_in_flight(service):
    running, slow, channel = service
    call = asyncio.create_task(TaskServiceStub(channel).get_task(GetTaskRequest("1")))
    await slow.entered.wait()
    with capture_logs() as logs:
        os.kill(os.getpid(), signal.SIGTERM)
        while not any(line["event"] == "draining" for line in logs):
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(5):
            await running
    assert not slow.go_on.is_set()
    call.cancel()
    await asyncio.wait([call])


async def test_a_hangup_without_tls_changes_nothing(service):
    running, _, channel = service
    os.kill(os.getpid(), signal.SIGHUP)
    health = await HealthStub(channel).Check(HealthCheckRequest())
    assert health.status == HealthCheckResponse.SERVING
    assert not running.done()


async def test_an_unusable_certificate_keeps_a_service_from_listening(ready, tmp_path):
    files = TlsFiles(tmp_path / "chain.pem", tmp_path / "key.pem", None)
    with pytest.raises(UnusableTlsFile):
        await serving.serve("query", Slow(), settings(tls=files), fine)
    assert ready.empty()


@pytest.fixture
def run(monkeypatch):
    """`run(main)`: the exit code of a service with this main; logging stays the tests'."""
    monkeypatch.setattr(serving, "configure_logging", lambda _format, _level: None)

    def run(main, side="reader", **changes):
        with pytest.raises(SystemExit) as exited:
            serving.run("query", settings(**changes), main, side=side)
        return exited.value.code

    return run


def raising(error):
    async def main(_settings):
        raise error

    return main


def unavailable_for_a_reason():
    error = StoreUnavailable("the database is away")
    error.__cause__ = OSError("it said so")
    return error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StoreUnavailable("away"), "query: cannot open sqlite:///tasks.db: away"),
        (
            unavailable_for_a_reason(),
            "query: cannot open sqlite:///tasks.db: the database is away (it said so)",
        ),
        (UnusableTlsFile("--tls-cert x: bad"), "query: cannot use --tls-cert x: bad"),
        (OSError("in use"), "query: cannot listen on 127.0.0.1:0: in use"),
    ],
)
def test_a_service_that_cannot_start_is_one_line_and_exit_code_1(run, error, line, capfd):
    assert run(raising(error)) == 1
    assert capfd.readouterr().err == f"{line}\n"


def test_ctrl_c_before_a_service_listens_for_it_is_exit_code_130(run):
    assert run(raising(KeyboardInterrupt())) == 130


def test_a_service_that_ends_by_itself_is_exit_code_0(run):
    async def main(_settings):
        pass

    assert run(main) == 0


def test_another_error_is_not_hidden(run):
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()))


@pytest.mark.parametrize(
    ("side", "database", "processes"),
    [
        ("writer", SqliteLocation(Path("t.db")), 1),
        ("reader", SqliteLocation(Path("t.db")), 4),
        ("writer", PostgresLocation("postgresql://h/t"), 4),
    ],
)
def test_a_writer_on_sqlite_stays_alone_and_says_so(run, monkeypatch, side, database, processes):
    alone, supervised = [], []

    async def main(settings):
        alone.append(settings.workers)

    def supervise(_name, settings, _work):
        supervised.append(settings.workers)
        return 0

    monkeypatch.setattr(serving, "supervise_workers", supervise)
    with capture_logs() as logs:
        assert run(main, side, database=database, workers=4) == 0
    assert alone + supervised == [processes]
    assert bool(alone) == (processes == 1) == bool(logs)


def test_a_port_that_workers_cannot_share_is_one_line(run, monkeypatch):
    def refuse(*_):
        raise OSError("in use")

    monkeypatch.setattr(serving, "supervise_workers", refuse)
    assert (
        run(raising(AssertionError()), workers=2) == "query: cannot listen on 127.0.0.1:0: in use"
    )
