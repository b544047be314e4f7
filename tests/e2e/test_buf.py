"""buf as the README's reader uses it: the contract's checks, and curl over gRPC."""

import json
import subprocess

import pytest

from tests.conftest import ROOT


@pytest.fixture
def buf(require_tool):
    program = require_tool("buf")

    def run(*arguments):
        return subprocess.run(
            [program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture
def curl(buf):
    def call(service, method, data):
        url = f"http://{service.address}/task.TaskService/{method}"
        options = ["--protocol", "grpc", "--http2-prior-knowledge", "--schema", "proto"]
        done = buf("curl", *options, "--data", data, url)
        return json.loads(done.stdout or done.stderr)

    return call


def test_contract_passes_lint(buf):
    assert buf("lint").stdout == ""


def test_contract_breaks_nothing_of_the_seed(buf):
    done = buf("breaking", "--against", "tests/fixtures/seed")
    assert (done.returncode, done.stdout) == (0, "")


def test_curl_creates_gets_and_lists(command, query, curl):
    created = curl(command, "CreateTask", '{"text":"task","tags":["tag1","tag2"]}')
    task = {"id": 1, "text": "task", "tags": ["tag1", "tag2"]}
    assert created["task"] == task
    assert curl(query, "GetTask", '{"taskId":"1"}') == {"task": task}
    assert curl(query, "ListTasksByTag", '{"tagName":"tag2"}') == {"tasks": [task]}
    assert curl(query, "ListTasksByTag", "") == {"tasks": [task]}


def test_curl_shows_the_status(command, query, curl):
    assert curl(command, "CreateTask", '{"text":" "}')["code"] == "invalid_argument"
    assert curl(query, "GetTask", '{"taskId":"9"}')["code"] == "not_found"
    assert curl(query, "CreateTask", '{"text":"t"}')["code"] == "unimplemented"
