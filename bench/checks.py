"""Checks that a server answers correctly, made before any measurement.

In gRPC by grpcio's client, in Connect by plain HTTP/1.1.
"""

import json
from http import HTTPStatus
from typing import Any

import grpc
from google.protobuf import json_format

from bench import http1
from bench.contenders import CONNECT, READ
from bench.data import Contract, tags, text
from bench.processes import ServerFailed

__all__ = ["check"]

_TIMEOUT_S = 10.0
_UNKNOWN_ID = 2_000_000_000


def check(contract: Contract, half: str, port: int, protocol: str) -> None:
    """Ask the server at `port` what the rows will ask it; raises ServerFailed."""
    if protocol == CONNECT:
        _check_connect(contract, port)
        return
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            if half == READ:
                _check_reads(contract, channel)
            else:
                _check_create(contract, channel)
    except grpc.RpcError as error:
        raise ServerFailed(f"answered {error}") from error


def _check_reads(contract: Contract, channel: grpc.Channel) -> None:
    messages = contract.messages
    right_task, right_page = contract.canned()
    load = contract.get_load()
    _expect(_call(channel, load.method, load.body), right_task)
    load = contract.page_load()
    page = messages.ListTasksByTagResponse.FromString(_call(channel, load.method, load.body))
    page.next_page_token = ""
    _expect(page.SerializeToString(), right_page)
    try:
        _call(channel, "GetTask", contract.get_body(_UNKNOWN_ID))
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise
    else:
        raise ServerFailed("a task that was never stored was found")


def _check_connect(contract: Contract, port: int) -> None:
    right_task, _ = contract.canned()
    load = contract.get_load()
    status, answer = http1.post(port, load.method, "application/proto", load.body)
    if status != HTTPStatus.OK:
        raise ServerFailed(f"answered {status}: {answer[:200]!r}")
    _expect(answer, right_task)
    load = contract.get_json_load()
    status, answer = http1.post(port, load.method, load.content_type, load.body)
    task = json_format.Parse(answer, contract.messages.GetTaskResponse())
    _expect(task.SerializeToString(), right_task)
    unknown = json.dumps({"taskId": str(_UNKNOWN_ID)}).encode()
    status, answer = http1.post(port, load.method, load.content_type, unknown)
    if (status, json.loads(answer).get("code")) != (HTTPStatus.NOT_FOUND, "not_found"):
        raise ServerFailed(f"answered {status} for a task that was never stored: {answer!r}")


def _check_create(contract: Contract, channel: grpc.Channel) -> None:
    load = contract.create_load()
    answer = _call(channel, load.method, load.body)
    task = contract.messages.CreateTaskResponse.FromString(answer).task
    if task.id < 1 or task.text != text(1) or list(task.tags) != tags(1):
        raise ServerFailed(f"CreateTask answered {task}")


def _call(channel: grpc.Channel, method: str, body: bytes) -> Any:
    call: Any = channel.unary_unary(f"/task.TaskService/{method}")
    return call(body, timeout=_TIMEOUT_S)


def _expect(answer: bytes, right: bytes) -> None:
    if answer != right:
        raise ServerFailed(f"answered {answer[:200]!r} instead of {right[:200]!r}")
