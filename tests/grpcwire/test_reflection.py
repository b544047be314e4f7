"""Reflection and idempotency from the descriptor set of the contract."""

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpclib.health.service import Health
from grpclib.reflection.v1 import reflection_pb2 as v1
from grpclib.reflection.v1alpha import reflection_pb2 as v1alpha

from grpcwire import idempotent_methods, with_reflection
from protowire import Codec
from taskpb import TaskServiceBase, descriptor_set


def test_idempotent_methods_are_those_without_side_effects():
    assert idempotent_methods(descriptor_set()) == {
        "/task.TaskService/GetTask",
        "/task.TaskService/ListTasksByTag",
    }


@pytest.fixture
async def ask(serve, request):
    """Ask a server's reflection, in either version."""
    services = with_reflection([TaskServiceBase(), Health()], descriptor_set())
    _, port = await serve(handlers=services, codec=Codec())
    module = request.param
    method = f"/grpc.reflection.{module.DESCRIPTOR.package.rpartition('.')[2]}.ServerReflection"
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(
            f"{method}/ServerReflectionInfo",
            module.ServerReflectionRequest.SerializeToString,
            module.ServerReflectionResponse.FromString,
        )

        async def answer(**question):
            asked = [module.ServerReflectionRequest(**question)]
            return await anext(aiter(call(iter(asked), timeout=5)))

        yield answer


@pytest.mark.parametrize("ask", [v1, v1alpha], ids=["v1", "v1alpha"], indirect=True)
async def test_clients_learn_the_schema(ask):
    listed = await ask(list_services="")
    names = {service.name for service in listed.list_services_response.service}
    assert names >= {"task.TaskService", "grpc.health.v1.Health"}
    symbols = ["task.TaskService", "task.TaskService.GetTask", "task.Task", "task.Task.id"]
    for symbol in (*symbols, "grpc.health.v1.Health", "grpc.health.v1.Health.Watch"):
        found = await ask(file_containing_symbol=symbol)
        [octets] = found.file_descriptor_response.file_descriptor_proto
        file = FileDescriptorProto.FromString(octets)
        assert symbol.startswith(file.package + ".")
    for symbol in ("task.None", "task.TaskService.None", "task.Task.id.none", "task", ""):
        missing = await ask(file_containing_symbol=symbol)
        assert missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize("ask", [v1], indirect=True)
async def test_clients_learn_what_statuses_carry(ask):
    found = await ask(file_containing_symbol="google.rpc.BadRequest")
    [octets] = found.file_descriptor_response.file_descriptor_proto
    for name in FileDescriptorProto.FromString(octets).dependency:
        imported = await ask(file_by_filename=name)
        [octets] = imported.file_descriptor_response.file_descriptor_proto
        assert FileDescriptorProto.FromString(octets).name == name
