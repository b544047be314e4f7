import asyncio
import gc
import random
import socket
import ssl
import time
from contextlib import asynccontextmanager

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from taskpb import DeadlineExceeded, ServiceUnavailable, TaskClient, TaskServiceError
from taskpb import service as service_module


@pytest.fixture
async def tasks(channel):
    async with TaskClient(command=channel, query=channel) as client:
        yield client


@pytest.fixture
def refused_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


async def test_unavailable_is_tried_again_and_doubles_nothing(tasks, fake):
    fake.lost_answers = 3
    assert (await tasks.create("milk")).id == 1
    assert len(fake.requests) == 4
    assert len({request.request_id for request in fake.requests}) == 1
    assert len(fake.tasks) == 1


async def test_reads_are_tried_again(tasks, fake):
    await tasks.create("milk")
    fake.errors = [GRPCError(Status.UNAVAILABLE), GRPCError(Status.UNAVAILABLE)]
    assert (await tasks.get(1)).text == "milk"


@pytest.mark.parametrize(
    "status", [status for status in Status if status not in (Status.OK, Status.UNAVAILABLE)]
)
async def test_no_other_status_is_tried_again(tasks, fake, status):
    fake.errors = [GRPCError(status, "once")]
    with pytest.raises(TaskServiceError, match="once"):
        await tasks.create("milk")
    assert len(fake.seconds_left) == 1


async def test_each_attempt_sends_the_time_that_is_left(tasks, fake):
    fake.lost_answers = 4
    await tasks.create("milk", timeout_s=5)
    assert fake.seconds_left[0] <= 5
    assert fake.seconds_left == sorted(fake.seconds_left, reverse=True)
    assert fake.seconds_left[-1] < fake.seconds_left[0]


async def test_the_default_deadline_is_ten_seconds(tasks, fake):
    await tasks.create("milk")
    assert 9 < fake.seconds_left[0] <= 10


async def test_no_answer_in_time_is_deadline_exceeded_and_a_timeout_error(tasks, fake):
    fake.gate.clear()
    with pytest.raises(DeadlineExceeded, match="no answer from command within 0") as caught:
        await tasks.create("milk", timeout_s=0.05)
    assert isinstance(caught.value, TimeoutError)


async def test_waiting_for_a_place_counts_against_the_deadline(tasks, fake):
    fake.gate.clear()
    blockers = [
        asyncio.ensure_future(tasks.create("x")) for _ in range(service_module.MAX_CALLS_IN_FLIGHT)
    ]
    with pytest.raises(DeadlineExceeded):
        await tasks.get(1, timeout_s=0.05)
    fake.gate.set()
    await asyncio.gather(*blockers)


async def test_a_service_that_stays_unavailable_is_reported_as_such(tasks, fake):
    fake.lost_answers = 10_000
    with pytest.raises(ServiceUnavailable, match="stored, but you will not know"):
        await tasks.create("milk", timeout_s=1)
    assert len(fake.tasks) == 1


async def test_no_pause_is_begun_that_would_outlast_the_deadline(tasks, fake, monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 3600)
    fake.lost_answers = 1
    with pytest.raises(ServiceUnavailable, match="stored, but you will not know"):
        await tasks.create("milk", timeout_s=60)
    assert len(fake.requests) == 1


async def test_unavailable_is_the_last_word_where_the_deadline_cuts_a_retry_short(
    tasks, fake, monkeypatch
):
    def pause_s(_low, _high):
        fake.gate.clear()
        return 0.0

    monkeypatch.setattr(random, "uniform", pause_s)
    fake.lost_answers = 1
    with pytest.raises(ServiceUnavailable, match="stored, but you will not know") as caught:
        await tasks.create("milk", timeout_s=0.3)
    assert isinstance(caught.value.__cause__, GRPCError)
    assert len(fake.seconds_left) == 2


async def test_a_callers_own_timeout_survives_the_clients_retries(tasks, fake):
    fake.gate.clear()

    async def create_twice():
        async with asyncio.timeout(0.2):
            with pytest.raises(DeadlineExceeded):
                await tasks.create("x", timeout_s=0.02)
            await tasks.create("x")

    with pytest.raises(TimeoutError) as caught:
        await create_twice()
    assert not isinstance(caught.value, DeadlineExceeded)
    assert asyncio.current_task().cancelling() == 0


async def test_cancelling_a_call_is_never_swallowed(tasks, fake):
    fake.gate.clear()
    for delay_s in (0.045, 0.05, 0.055):
        call = asyncio.ensure_future(tasks.create("x", timeout_s=0.05))
        await asyncio.sleep(delay_s)
        if call.cancel():
            with pytest.raises(asyncio.CancelledError):
                await call
        else:
            assert isinstance(call.exception(), DeadlineExceeded)


async def test_an_answer_that_is_no_message_is_a_typed_error(channel):
    async def nonsense(_stub, _request, **_options):
        raise ValueError("not what was asked for")

    async with TaskClient(command=channel, query=channel) as tasks:
        with pytest.raises(TaskServiceError, match="cannot understand the answer of") as caught:
            await tasks._query.call(nonsense, None, service_module.Deadline.from_timeout(1))
    assert caught.value.status is Status.INTERNAL


async def test_a_refused_connection_names_the_service_and_its_address(refused_port):
    address = f"127.0.0.1:{refused_port}"
    async with TaskClient(command=address, connect_retry_s=0.1) as tasks:
        with pytest.raises(ServiceUnavailable) as caught:
            await tasks.create("milk")
    assert caught.value.message == f"cannot reach command at {address}: connection refused"


async def test_a_service_never_reached_is_given_up_after_connect_retry_s(refused_port):
    started = time.monotonic()
    async with TaskClient(query=f"localhost:{refused_port}", connect_retry_s=0.1) as tasks:
        with pytest.raises(ServiceUnavailable, match="connection refused"):
            await tasks.get(1)
    assert time.monotonic() - started < 2


@asynccontextmanager
async def serving(fake, port):
    """Leave it last: a server's end waits for its clients to hang up."""
    server = Server([fake])
    await server.start("127.0.0.1", port)
    yield
    server.close()
    await server.wait_closed()


async def test_a_service_that_starts_late_is_waited_for(fake, refused_port):
    tasks = TaskClient(command=f"127.0.0.1:{refused_port}")
    create = asyncio.ensure_future(tasks.create("milk"))
    await asyncio.sleep(0.1)
    async with serving(fake, refused_port), tasks:
        assert (await create).id == 1


async def test_calls_in_flight_survive_a_lost_connection_and_double_nothing(fake, refused_port):
    """The connection is cut under 50 creates; connect_retry_s is for the first connection only."""
    writers = []

    async def forward(reader, writer):
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", refused_port)
        writers.extend([writer, upstream])
        await asyncio.gather(_pump(reader, upstream), _pump(upstream_reader, writer))

    proxy = await asyncio.start_server(forward, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    tasks = TaskClient(command=f"127.0.0.1:{port}", connect_retry_s=0)
    async with serving(fake, refused_port), proxy, tasks:
        await tasks.create("first")
        fake.gate.clear()
        creates = [asyncio.ensure_future(tasks.create(f"{n}")) for n in range(50)]
        await fake.calls_in_flight(50)
        for writer in writers[:2]:
            writer.transport.abort()
        fake.gate.set()
        created = await asyncio.gather(*creates)
        await tasks.close()
        for writer in writers:
            writer.transport.abort()
    assert {task.text for task in created} == {f"{n}" for n in range(50)}
    assert len(fake.tasks) == 51


async def test_closing_the_client_ends_calls_in_flight(fake, refused_port):
    fake.gate.clear()
    async with serving(fake, refused_port):
        tasks = TaskClient(command=f"127.0.0.1:{refused_port}")
        create = asyncio.ensure_future(tasks.create("milk"))
        await fake.calls_in_flight(1)
        await tasks.close()
        with pytest.raises(RuntimeError, match="is closed"):
            await create
        fake.gate.set()


async def test_closing_the_client_while_it_connects_leaves_no_connection(fake, refused_port):
    async with serving(fake, refused_port):
        for turns in range(20):
            tasks = TaskClient(command=f"127.0.0.1:{refused_port}", timeout_s=2)
            create = asyncio.ensure_future(tasks.create("milk"))
            for _ in range(turns):
                await asyncio.sleep(0)
            await tasks.close()
            await asyncio.wait([create])
            del tasks, create
            gc.collect()  # a connection left open is a ResourceWarning, which fails the test


async def test_a_failed_tls_handshake_is_not_repeated(fake, refused_port):
    started = time.monotonic()
    tasks = TaskClient(query=f"127.0.0.1:{refused_port}", ssl=ssl.create_default_context())
    async with serving(fake, refused_port), tasks:
        with pytest.raises(ServiceUnavailable, match="cannot reach query at"):
            await tasks.get(1)
    assert time.monotonic() - started < 5


async def test_an_unknown_host_is_said_in_plain_words():
    async with TaskClient(query="no-such-host.invalid:1", connect_retry_s=0) as tasks:
        with pytest.raises(ServiceUnavailable, match="cannot reach query at no-such-host"):
            await tasks.get(1)


def test_backoff_grows_with_full_jitter_up_to_its_cap(monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda low, high: (low, high))
    spans = [service_module._backoff_s(attempts) for attempts in range(100)]
    assert [low for low, _ in spans] == [0] * 100
    assert [high for _, high in spans[:3]] == [0.05, 0.1, 0.2]
    assert max(high for _, high in spans) == spans[-1][1] == 2.0


async def _pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()
