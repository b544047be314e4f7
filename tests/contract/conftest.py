"""The contract as a client sees it: in memory, and from grpcio over real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus
from grpclib import GRPCError
from grpclib.encoding.proto import ProtoStatusDetailsCodec
from grpclib.testing import ChannelFor

import taskpb
from command.service import CommandService
from protowire import Codec
from query.service import QueryService
from taskpb import TaskServiceStub
from taskstore import SqliteLocation, open_reader, open_writer
from tests.processes import ServiceProcess

METHODS = {
    "CreateTask": (taskpb.CreateTaskRequest, taskpb.CreateTaskResponse),
    "GetTask": (taskpb.GetTaskRequest, taskpb.GetTaskResponse),
    "ListTasksByTag": (taskpb.ListTasksByTagRequest, taskpb.ListTasksByTagResponse),
}
TIMEOUT_S = 10.0
DETAILS = ProtoStatusDetailsCodec()


@dataclass
class Refused(Exception):
    """What a client is told instead of an answer."""

    status: str
    message: str
    violations: Mapping[str, str] = field(default_factory=dict)


class Half:
    """One service: `await half("GetTask", task_id="1")` answers or raises Refused."""

    def __init__(self, call: Callable[[str, Any, float], Awaitable[Any]]) -> None:
        self._call = call

    async def __call__(self, method: str, /, timeout: float = TIMEOUT_S, **fields: Any) -> Any:
        return await self._call(method, METHODS[method][0](**fields), timeout)


@dataclass
class Halves:
    command: Half
    query: Half
    database: Path

    async def create(self, text: str, *tags: str) -> taskpb.CreateTaskResponse:
        return await self.command("CreateTask", text=text, tags=list(tags))


@asynccontextmanager
async def in_memory(database: Path, _: ModuleType) -> AsyncIterator[Halves]:
    location = SqliteLocation(database)
    async with AsyncExitStack() as stack:
        writer = await open_writer(location)
        stack.push_async_callback(writer.close)
        reader = await open_reader(location)
        stack.push_async_callback(reader.close)
        services = (CommandService(writer), QueryService(reader))
        channels = [
            await stack.enter_async_context(
                ChannelFor([s], codec=Codec(), status_details_codec=DETAILS)
            )
            for s in services
        ]
        yield Halves(*(Half(_betterproto_caller(channel)) for channel in channels), database)


def _betterproto_caller(channel: Any) -> Callable[[str, Any, float], Awaitable[Any]]:
    stub = TaskServiceStub(channel)
    names = {
        "CreateTask": stub.create_task,
        "GetTask": stub.get_task,
        "ListTasksByTag": stub.list_tasks_by_tag,
    }

    async def call(method: str, request: Any, timeout: float) -> Any:
        try:
            return await names[method](request, timeout=timeout)
        except GRPCError as error:
            details = error.details or []
            raise Refused(error.status.name, error.message or "", _violations(details)) from error

    return call


@asynccontextmanager
async def from_grpcio(
    database: Path, foreign: ModuleType, engine: str = "grpcwire"
) -> AsyncIterator[Halves]:
    with (
        ServiceProcess("command", database, "--engine", engine) as command,
        ServiceProcess("query", database, "--engine", engine) as query,
    ):
        async with (
            grpc.aio.insecure_channel(command.address) as writes,
            grpc.aio.insecure_channel(query.address) as reads,
        ):
            halves = [Half(_grpcio_caller(channel, foreign)) for channel in (writes, reads)]
            yield Halves(*halves, database)


def _grpcio_caller(
    channel: grpc.aio.Channel, foreign: ModuleType
) -> Callable[[str, Any, float], Awaitable[Any]]:
    async def call(method: str, request: Any, timeout: float) -> Any:
        request_class = getattr(foreign, f"{method}Request")
        response_class = getattr(foreign, f"{method}Response")
        rpc = channel.unary_unary(
            f"/task.TaskService/{method}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=response_class.FromString,
        )
        try:
            answer = await rpc(request_class.FromString(bytes(request)), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            details = []
            for key, value in error.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    details = _unpacked(RpcStatus.FromString(value))
            raise Refused(error.code().name, error.details(), _violations(details)) from error
        return METHODS[method][1]().parse(answer.SerializeToString())

    return call


def _unpacked(status: RpcStatus) -> list[Any]:
    details = []
    for packed in status.details:
        detail = {"BadRequest": BadRequest, "RetryInfo": RetryInfo}[packed.TypeName()[11:]]()
        assert packed.Unpack(detail)
        details.append(detail)
    return details


def _violations(details: list[Any]) -> dict[str, str]:
    return {
        violation.field: violation.description
        for detail in details
        if isinstance(detail, BadRequest)
        for violation in detail.field_violations
    }


def from_grpcio_to_grpclib(database: Path, foreign: ModuleType) -> Any:
    return from_grpcio(database, foreign, "grpclib")


@pytest.fixture(params=[in_memory, from_grpcio, from_grpcio_to_grpclib])
async def halves(
    request: pytest.FixtureRequest, database: Path, foreign: ModuleType
) -> AsyncIterator[Halves]:
    async with request.param(database, foreign) as halves:
        yield halves
