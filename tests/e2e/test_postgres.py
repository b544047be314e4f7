"""Both services on PostgreSQL: command on the primary, query on its replica."""

import asyncio
import json
import os
import subprocess
import sys

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpclib.health.v1 import health_pb2

from taskpb import TaskClient
from tests.processes import ServiceProcess, eventually

SERVING, NOT_SERVING = 1, 2


@pytest.fixture
def servers(servers):
    """The two servers, the database `alone` without tables, replay going on."""
    primary, replica = servers
    primary.sql("DROP SCHEMA IF EXISTS taskstore CASCADE", "alone")
    yield primary, replica
    if not primary.is_running:
        primary.start()
    replica.sql("SELECT pg_wal_replay_resume()")


@pytest.fixture
def command(servers):
    with ServiceProcess("command", servers[0].url("alone")) as service:
        yield service


@pytest.fixture
def query(servers, command):
    with ServiceProcess("query", servers[1].url("alone")) as service:
        yield service


def health_of(service):
    with grpc.insecure_channel(service.address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return check(health_pb2.HealthCheckRequest(), timeout=5).status


async def test_client_sees_its_own_writes_on_a_replica_that_is_behind(servers, command, query):
    async with TaskClient(command=command.address, query=query.address) as client:
        await client.get((await client.create("old", ["t"])).id)
        await asyncio.to_thread(servers[1].sql, "SELECT pg_wal_replay_pause()")
        created = await client.create("new", ["t"])
        get = asyncio.create_task(client.get(created.id))
        async with TaskClient(query=query.address) as other:
            assert [task.text async for task in other.list("t")] == ["old"]
        assert not get.done()
        await asyncio.to_thread(servers[1].sql, "SELECT pg_wal_replay_resume()")
        assert await get == created
        assert [task.text async for task in client.list("t")] == ["old", "new"]


async def test_read_past_its_deadline_is_unavailable_and_says_when_to_retry(
    servers, command, query, foreign
):
    async with TaskClient(command=command.address, query=query.address) as client:
        await client.get((await client.create("old")).id)
        await asyncio.to_thread(servers[1].sql, "SELECT pg_wal_replay_pause()")
        await client.create("new")
        token = client.consistency_token
    with grpc.insecure_channel(query.address) as channel:
        get = channel.unary_unary(
            "/task.TaskService/GetTask",
            request_serializer=foreign.GetTaskRequest.SerializeToString,
            response_deserializer=foreign.GetTaskResponse.FromString,
        )
        with pytest.raises(grpc.RpcError) as caught:
            get(foreign.GetTaskRequest(task_id="1", consistency_token=token), timeout=1)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        trailers = dict(caught.value.trailing_metadata())
        [detail] = Status.FromString(trailers["grpc-status-details-bin"]).details
        assert detail.Is(RetryInfo.DESCRIPTOR)
        assert get(foreign.GetTaskRequest(task_id="1"), timeout=1).task.text == "old"


def test_services_started_before_the_server_wait_for_it(servers):
    primary, _ = servers
    primary.stop("fast")
    url = primary.url("alone")
    with ServiceProcess("command", url) as command, ServiceProcess("query", url) as query:
        assert (health_of(command), health_of(query)) == (NOT_SERVING, NOT_SERVING)
        primary.start()
        eventually(lambda: health_of(command) == health_of(query) == SERVING)
        primary.stop("fast")
        eventually(lambda: health_of(command) == health_of(query) == NOT_SERVING)
        primary.start()
        eventually(lambda: health_of(command) == health_of(query) == SERVING)
        assert command.stop() == 0
        assert query.stop() == 0


def test_several_workers_write_side_by_side(servers, query, foreign):
    with ServiceProcess("command", servers[0].url("alone"), "--workers", "3") as command:
        ids = []
        for _ in range(30):
            with grpc.insecure_channel(command.address) as channel:
                create = channel.unary_unary(
                    "/task.TaskService/CreateTask",
                    request_serializer=foreign.CreateTaskRequest.SerializeToString,
                    response_deserializer=foreign.CreateTaskResponse.FromString,
                )
                ids.append(create(foreign.CreateTaskRequest(text="t"), timeout=5).task.id)
        assert ids == list(range(1, 31))


@pytest.mark.parametrize("name", ["command", "query"])
def test_database_that_refuses_ends_the_service_and_never_shows_the_password(servers, name):
    me = f"//{servers[0].user}@"
    url = servers[0].url("nosuch").replace(me, "//someone:secret@")
    done = run(name, "--port", "0", "--database", url)
    assert done.returncode == 1
    assert "refuses" in done.stderr
    assert "someone" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("name", ["command", "query"])
def test_malformed_url_exits_2_and_never_shows_the_password(name):
    done = run(name, "--database", "postgresql://me:secret@h:port/t")
    assert done.returncode == 2
    assert "--database" in done.stderr
    assert "secret" not in done.stderr


def test_export_and_import_move_tasks_between_the_backends(database, tmp_path, command, query):
    tasks = [{"text": f"task {n} ü", "tags": ["all", f"t{n % 3}"]} for n in range(300)]
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    with ServiceProcess("command", database) as old, ServiceProcess("query", database) as reads:
        taskctl(old, reads, "import", first)
        taskctl(old, reads, "export", out=second)
    taskctl(command, query, "import", second)
    moved = taskctl(command, query, "export").splitlines()
    exported = second.read_text().splitlines()
    assert list(map(json.loads, moved)) == list(map(json.loads, exported))
    assert [json.loads(line)["text"] for line in moved] == [task["text"] for task in tasks]


def run(name, *options):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TASK_")}
    return subprocess.run(
        [sys.executable, "-m", name, *options],
        capture_output=True, text=True, check=False, env=environment, timeout=30,
    )  # fmt: skip


def taskctl(command, query, *arguments, out=None):
    addresses = {"TASK_COMMAND": command.address, "TASK_QUERY": query.address}
    done = subprocess.run(
        [sys.executable, "-m", "taskctl", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=os.environ | addresses, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if out is not None:
        out.write_text(done.stdout)
    return done.stdout
