"""The contract as a client sees it: in memory, and from grpcio over real sockets.

The sockets are those of either engine in this process; the long checks ask the services
as processes too.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
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
from servicekit.engines import ENGINES
from taskpb import TaskServiceBase, TaskServiceStub
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
    """The refusal that a client gets instead of an answer."""

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
async def _services(database: Path) -> AsyncIterator[tuple[CommandService, QueryService]]:
    """Both services in this process, on one database."""
    location = SqliteLocation(database)
    async with AsyncExitStack() as stack:
        writer = await open_writer(location)
        stack.push_async_callback(writer.close)
        reader = await open_reader(location)
        stack.push_async_callback(reader.close)
        yield CommandService(writer), QueryService(reader)


@asynccontextmanager
async def in_memory(database: Path, _: ModuleType) -> AsyncIterator[Halves]:
    async with _services(database) as services, AsyncExitStack() as stack:
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
async def from_grpcio(database: Path, foreign: ModuleType, *, engine: str) -> AsyncIterator[Halves]:
    async with _services(database) as services, AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(_listening(s, engine)) for s in services]
        async with _asking(addresses, database, foreign) as halves:
            yield halves


class _Port(socket.socket):
    """A free port, which can hang up on those who called."""

    def __init__(self) -> None:
        # Of any other protocol asyncio leaves small packets delayed.
        super().__init__(proto=socket.IPPROTO_TCP)
        self.bind(("127.0.0.1", 0))
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        self._accepted.append(connection)
        return connection, address

    @property
    def connected(self) -> list[socket.socket]:
        return [each for each in self._accepted if each.fileno() >= 0]

    async def hang_up(self) -> None:
        """End every connection, and see the server close it."""
        for connection in self.connected:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        while self.connected:
            await asyncio.sleep(0)


@asynccontextmanager
async def _listening(service: TaskServiceBase, engine: str) -> AsyncIterator[str]:
    """The address of a service that an engine serves."""
    server = ENGINES[engine]([service], ())
    port = _Port()
    await server.start([port], None)
    yield f"127.0.0.1:{port.getsockname()[1]}"
    # grpclib's server leaves its clients' connections open.
    await port.hang_up()
    await server.stop()


@asynccontextmanager
async def from_grpcio_to_processes(
    database: Path, foreign: ModuleType, *, engine: str
) -> AsyncIterator[Halves]:
    with (
        ServiceProcess("command", database, "--engine", engine) as command,
        ServiceProcess("query", database, "--engine", engine) as query,
    ):
        async with _asking([command.address, query.address], database, foreign) as halves:
            yield halves


@asynccontextmanager
async def _asking(
    addresses: list[str], database: Path, foreign: ModuleType
) -> AsyncIterator[Halves]:
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(each)) for each in addresses
        ]
        yield Halves(*(Half(_grpcio_caller(channel, foreign)) for channel in channels), database)


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


WAYS = {
    "in memory": in_memory,
    "grpcwire": partial(from_grpcio, engine="grpcwire"),
    "grpclib": partial(from_grpcio, engine="grpclib"),
}
PROCESSES = {
    f"{engine} in processes": partial(from_grpcio_to_processes, engine=engine)
    for engine in ("grpcwire", "grpclib")
}


@pytest.fixture(
    params=[
        *(pytest.param(way, id=name) for name, way in WAYS.items()),
        *(pytest.param(way, id=name, marks=pytest.mark.long) for name, way in PROCESSES.items()),
    ]
)
async def halves(
    request: pytest.FixtureRequest, database: Path, foreign: ModuleType
) -> AsyncIterator[Halves]:
    async with request.param(database, foreign) as halves:
        yield halves
