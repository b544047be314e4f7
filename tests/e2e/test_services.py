"""The services as an operator meets them: starting, health, signals, errors."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import grpc
import pytest
from grpclib.health.v1 import health_pb2

from servicekit.serving import DRAIN_S
from tests.processes import START_S, STOP_S, ServiceProcess, eventually

SERVING, NOT_SERVING = 1, 2
HEALTH_NAMES = ("", "task.TaskService", "liveness", "readiness")


def health_of(service, name=""):
    with grpc.insecure_channel(service.address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return check(health_pb2.HealthCheckRequest(service=name), timeout=5).status


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def foreign_call(foreign):
    def call(service, method, **fields):
        with grpc.insecure_channel(service.address) as channel:
            rpc = channel.unary_unary(
                f"/task.TaskService/{method}",
                request_serializer=getattr(foreign, f"{method}Request").SerializeToString,
                response_deserializer=getattr(foreign, f"{method}Response").FromString,
            )
            return rpc(getattr(foreign, f"{method}Request")(**fields), timeout=5)

    return call


def test_task_created_on_one_service_is_read_from_the_other(command, query, foreign_call):
    created = foreign_call(command, "CreateTask", text="buy milk", tags=["home", "shop"])
    assert created.task.id == 1
    assert foreign_call(query, "GetTask", task_id="1").task == created.task
    assert list(foreign_call(query, "ListTasksByTag", tag_name="home").tasks) == [created.task]


def test_query_started_first_lists_nothing_then_sees_what_comes(database, foreign_call):
    with ServiceProcess("query", database) as query:
        assert list(foreign_call(query, "ListTasksByTag").tasks) == []
        assert health_of(query) == SERVING
        with ServiceProcess("command", database) as command:
            token = foreign_call(command, "CreateTask", text="t").consistency_token
            got = foreign_call(query, "GetTask", task_id="1", consistency_token=token)
            assert got.task.text == "t"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["command", "query"])
def test_signal_ends_a_service_with_exit_0(database, name, number):
    with ServiceProcess(name, database) as service:
        assert health_of(service) == SERVING
        assert service.stop(number) == 0


def test_tasks_are_still_there_after_a_restart(database, foreign_call):
    for expected in (1, 2):
        with ServiceProcess("command", database) as command:
            assert foreign_call(command, "CreateTask", text="t").task.id == expected
            assert command.stop() == 0


def test_health_knows_its_names_and_no_other(command, query):
    for service in (command, query):
        for name in HEALTH_NAMES:
            assert health_of(service, name) == SERVING
        with pytest.raises(grpc.RpcError) as caught:
            health_of(service, "other")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_health_follows_the_database_but_liveness_does_not(database, command, query, foreign_call):
    foreign_call(command, "CreateTask", text="t")
    assert foreign_call(query, "GetTask", task_id="1").task.id == 1
    away = database.with_name("away")
    away.mkdir()
    files = list(database.parent.glob("tasks.db*"))
    for file in files:
        file.rename(away / file.name)
    for service in (command, query):
        eventually(lambda service=service: health_of(service, "readiness") == NOT_SERVING)
        assert health_of(service) == health_of(service, "task.TaskService") == NOT_SERVING
        assert health_of(service, "liveness") == SERVING
    for file in files:
        (away / file.name).rename(file)
    for service in (command, query):
        eventually(lambda service=service: health_of(service) == SERVING)
    assert foreign_call(command, "CreateTask", text="t").task.id == 2


def run_service(name, *options, **environment):
    return subprocess.run(
        [sys.executable, "-m", name, *options],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=os.environ | environment,
    )


def test_bad_option_exits_2_before_anything_is_opened(tmp_path):
    for name in ("command", "query"):
        done = run_service(name, "--port", "x", "--database", f"sqlite:///{tmp_path / 't.db'}")
        assert done.returncode == 2
        assert "--port" in done.stderr
        assert list(tmp_path.iterdir()) == []


def test_taken_port_is_one_plain_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        url = f"sqlite:///{tmp_path / 't.db'}"
        done = run_service("command", "--host", "127.0.0.1", "--port", port, "--database", url)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "in use" in done.stderr


def test_unusable_database_is_one_plain_line(tmp_path):
    (tmp_path / "diary").write_text("no database at all " * 500)
    for name, place in (("command", "none/t.db"), ("command", "diary"), ("query", "diary")):
        url = f"sqlite:///{tmp_path / place}"
        done = run_service(name, "--port", "0", "--database", url)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert url in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", ""])
def test_a_service_that_nobody_listens_to_serves(database, workers, streams):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    command = f"exec '{sys.executable}' -m query --host 127.0.0.1 --port {port}"
    command += f" --workers {workers} --database 'sqlite:///{database}' {streams}"
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", command], stdout=pipe, stderr=pipe) as service:
        service.stdout.close()
        eventually(lambda: is_listening(port), within_s=START_S)
        service.terminate()
        assert service.wait(STOP_S) == 0


def test_logs_are_json_lines_when_not_on_a_terminal(database):
    with ServiceProcess("command", database) as command:
        command.stop()
        lines = [json.loads(line) for line in command.log.splitlines()]
    assert [line["event"] for line in lines] == ["draining", "stopped"]
    assert all({"level", "timestamp", "logger"} <= line.keys() for line in lines)


def test_idle_clients_do_not_hold_up_the_end(database):
    with ServiceProcess("command", database) as command:
        address = ("localhost", command.port)
        with socket.create_connection(address), socket.create_connection(address) as talking:
            talking.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            assert talking.recv(1)
            assert command.stop() == 0


def test_full_disk_is_told_survived_and_recovered_from(small_disk, foreign_call):
    balloon = small_disk / "balloon"
    with ServiceProcess("command", small_disk / "tasks.db") as command:
        foreign_call(command, "CreateTask", text="first")
        with suppress(OSError), balloon.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        refused = []
        while len(refused) < 3:
            try:
                foreign_call(command, "CreateTask", text="x" * 16_000)
            except grpc.RpcError as error:
                refused.append(error.code())
        told = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
        assert set(refused) <= told
        eventually(lambda: health_of(command) == NOT_SERVING)
        balloon.unlink()
        eventually(lambda: health_of(command) == SERVING)
        assert foreign_call(command, "CreateTask", text="after").task.text == "after"
        assert command.stop() == 0


@pytest.mark.parametrize("engine", ["grpcwire", "grpclib"])
def test_health_watch_is_told_and_does_not_hold_up_the_end(database, engine):
    with ServiceProcess("command", database, "--engine", engine) as command:
        with grpc.insecure_channel(command.address) as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            statuses = watch(health_pb2.HealthCheckRequest(), timeout=10)
            assert next(statuses).status == SERVING
            started = time.monotonic()
            command.process.terminate()
            assert next(statuses).status == NOT_SERVING
            with pytest.raises(grpc.RpcError):
                next(statuses)
        assert command.process.wait(15) == 0
        assert time.monotonic() - started < DRAIN_S
