"""grpcurl without a schema: it learns by reflection what it calls."""

import json
import subprocess

import pytest

pytestmark = pytest.mark.long


@pytest.fixture
def grpcurl(require_tool):
    """Run it in plaintext: arguments before the address, then after it."""
    program = require_tool("grpcurl")

    def run(service, *symbol, options=()):
        return subprocess.run(
            [program, "-plaintext", *options, service.address, *symbol],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def call(grpcurl):
    """The answer to a call, or its status with the details."""

    def ask(service, method, request):
        options = ["-format-error", "-d", json.dumps(request)]
        done = grpcurl(service, f"task.TaskService/{method}", options=options)
        return json.loads(done.stdout or done.stderr)

    return ask


def test_both_services_list_and_describe_themselves(command, query, grpcurl):
    for service in (command, query):
        listed = grpcurl(service, "list").stdout.split()
        assert {"task.TaskService", "grpc.health.v1.Health"} <= set(listed)
        methods = grpcurl(service, "list", "task.TaskService").stdout.split()
        assert methods == [
            f"task.TaskService.{name}" for name in ("CreateTask", "GetTask", "ListTasksByTag")
        ]
        described = grpcurl(service, "describe", "task.Task").stdout
        assert "repeated string tags = 3;" in described
        assert grpcurl(service, "describe", "task.Nothing").returncode != 0


def test_a_task_is_created_read_and_listed(command, query, call):
    created = call(command, "CreateTask", {"text": "täsk ☃", "tags": ["a", "b"]})
    task = {"id": 1, "text": "täsk ☃", "tags": ["a", "b"]}
    assert created["task"] == task
    request = {"task_id": "1", "consistencyToken": created["consistencyToken"]}
    assert call(query, "GetTask", request) == {"task": task}
    assert call(query, "ListTasksByTag", {"tagName": "b"}) == {"tasks": [task]}


def test_a_refusal_shows_its_code_and_every_field(command, query, call):
    refused = call(command, "CreateTask", {"text": " ", "tags": ["a", ""]})
    assert refused["code"] == 3
    [detail] = refused["details"]
    assert [each["field"] for each in detail["field_violations"]] == ["text", "tags[1]"]
    assert call(query, "GetTask", {"taskId": "9"})["code"] == 5
    assert call(query, "CreateTask", {"text": "t"})["code"] == 12


def test_health_is_asked_like_any_service(command, grpcurl):
    done = grpcurl(command, "grpc.health.v1.Health/Check")
    assert json.loads(done.stdout) == {"status": "SERVING"}
