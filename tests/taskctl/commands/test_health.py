import asyncio
import json
import socket

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.health.v1.health_grpc import HealthBase
from grpclib.health.v1.health_pb2 import HealthCheckResponse
from grpclib.server import Server


class FixedHealth(HealthBase):
    def __init__(self, answer):
        self.answer = answer

    async def Check(self, stream):  # noqa: N802 - grpclib's name
        await stream.recv_message()
        if isinstance(self.answer, GRPCError):
            raise self.answer
        await stream.send_message(HealthCheckResponse(status=self.answer))

    async def Watch(self, stream):  # noqa: N802 - grpclib's name
        raise NotImplementedError


@pytest.fixture
async def serve_health():
    servers = []

    async def serve(service):
        listening = socket.create_server(("127.0.0.1", 0))
        servers.append(Server([service]))
        await servers[-1].start(sock=listening)
        return f"127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_both_serving_is_exit_code_0(run, address):
    result = await run("health")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["Service", "Address", "Status"],
        ["command", address, "SERVING"],
        ["query", address, "SERVING"],
    ]


async def test_json_is_an_object_by_service(run, address):
    result = await run("health", "--json")
    fine = {"address": address, "status": "SERVING"}
    assert json.loads(result.stdout) == {"command": fine, "query": fine}


async def test_one_that_cannot_be_reached_is_exit_code_4_and_the_other_is_asked(run, refused):
    result = await run("health", "--json", "--query", refused)
    found = json.loads(result.stdout)
    assert result.exit_code == 4
    assert found["command"]["status"] == "SERVING"
    assert found["query"] == {
        "address": refused,
        "status": "UNREACHABLE",
        "detail": "connection refused",
    }


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (HealthCheckResponse.NOT_SERVING, "NOT_SERVING"),
        (GRPCError(Status.UNIMPLEMENTED), "UNKNOWN: UNIMPLEMENTED"),
        (GRPCError(Status.INTERNAL, "o\x1bh"), r"UNKNOWN: INTERNAL o\x1bh"),
    ],
)
async def test_any_other_answer_is_exit_code_4(run, serve_health, answer, shown):
    address = await serve_health(FixedHealth(answer))
    result = await run("health", "--command", address)
    assert result.exit_code == 4
    assert f"command  {address}  {shown}\n" in result.stdout


async def test_no_answer_in_time_is_exit_code_4(run, refused):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    host, port = refused.split(":")
    server = await asyncio.start_server(silent, host, int(port))
    result = await run("health", "--command", refused, "--timeout", "0.2")
    assert result.exit_code == 4
    assert "UNREACHABLE: no answer within 0.2 s" in result.stdout
    server.close()
    await server.wait_closed()
