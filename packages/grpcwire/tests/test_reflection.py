"""Reflection and idempotency from a descriptor set."""

import grpc
import pytest
from google.protobuf.descriptor_pb2 import (
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodOptions,
)
from grpclib.const import Cardinality, Handler
from grpclib.encoding.proto import ProtoCodec
from grpclib.health.service import Health
from grpclib.reflection.v1 import reflection_pb2 as v1
from grpclib.reflection.v1alpha import reflection_pb2 as v1alpha

from grpcwire import idempotent_methods, with_reflection


def descriptor_set() -> bytes:
    """A service of two methods, as `protoc --descriptor_set_out` writes it."""
    file = FileDescriptorProto(name="notes.proto", package="notes", syntax="proto3")
    message = file.message_type.add(name="Note")
    message.field.add(
        name="id",
        number=1,
        type=FieldDescriptorProto.TYPE_INT32,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    service = file.service.add(name="NoteService")
    for name in ("Get", "Put"):
        service.method.add(name=name, input_type=".notes.Note", output_type=".notes.Note")
    service.method[0].options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS
    return FileDescriptorSet(file=[file]).SerializeToString()


class Notes:
    def __mapping__(self) -> dict[str, Handler]:
        return {
            f"/notes.NoteService/{name}": Handler(None, Cardinality.UNARY_UNARY, None, None)
            for name in ("Get", "Put")
        }


def test_idempotent_methods_are_those_without_side_effects():
    assert idempotent_methods(descriptor_set()) == {"/notes.NoteService/Get"}


@pytest.fixture
async def ask(serve, request):
    """Ask a server's reflection, in either version."""
    services = with_reflection([Notes(), Health()], descriptor_set())
    _, port = await serve(handlers=services, codec=ProtoCodec())
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
    assert names >= {"notes.NoteService", "grpc.health.v1.Health"}
    symbols = ["notes.NoteService", "notes.NoteService.Get", "notes.Note", "notes.Note.id"]
    for symbol in (*symbols, "grpc.health.v1.Health", "grpc.health.v1.Health.Watch"):
        found = await ask(file_containing_symbol=symbol)
        [file_bytes] = found.file_descriptor_response.file_descriptor_proto
        file = FileDescriptorProto.FromString(file_bytes)
        assert symbol.startswith(file.package + ".")
    for symbol in ("notes.None", "notes.NoteService.None", "notes.Note.id.none", "notes", ""):
        missing = await ask(file_containing_symbol=symbol)
        assert missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize("ask", [v1], indirect=True)
async def test_clients_learn_what_statuses_carry(ask):
    found = await ask(file_containing_symbol="google.rpc.BadRequest")
    [file_bytes] = found.file_descriptor_response.file_descriptor_proto
    for name in FileDescriptorProto.FromString(file_bytes).dependency:
        imported = await ask(file_by_filename=name)
        [file_bytes] = imported.file_descriptor_response.file_descriptor_proto
        assert FileDescriptorProto.FromString(file_bytes).name == name
