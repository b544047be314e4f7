"""Whether a server answers correctly, asked by grpcio's client before any measurement."""

from typing import Any

import grpc

from bench.contenders import READ
from bench.data import Contract, tags, text
from bench.processes import ServerFailed

__all__ = ["check"]

_TIMEOUT_S = 10.0
_UNKNOWN_ID = 2_000_000_000


def check(contract: Contract, half: str, port: int) -> None:
    """Ask the server at `port` what the rows will ask it; raises ServerFailed."""
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
