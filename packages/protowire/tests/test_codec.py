"""The codec inside grpclib: in-memory calls, foreign messages, malformed bodies."""

import grpclib
import pytest
from google.protobuf import wrappers_pb2
from grpclib.client import UnaryUnaryMethod
from grpclib.encoding.base import CodecBase
from grpclib.testing import ChannelFor

import protowire


def test_it_is_a_grpclib_codec_for_proto():
    codec = protowire.Codec()
    assert isinstance(codec, CodecBase)
    assert codec.__content_subtype__ == "proto"


def test_compiled_messages_pass(task):
    codec = protowire.Codec()
    data = codec.encode(task.Task(id=1, text="a"), task.Task)
    assert data == b"\x08\x01\x12\x01a"
    assert codec.decode(data, task.Task) == task.Task(id=1, text="a")


def test_lazy_messages_pass(task):
    message = protowire.from_encoded(task.Task, b"\x08\x01")
    assert protowire.Codec().encode(message, task.Task) == b"\x08\x01"


def test_foreign_messages_pass(stock):
    codec = protowire.Codec()
    google = wrappers_pb2.Int32Value(value=5)
    assert codec.encode(google, wrappers_pb2.Int32Value) == b"\x08\x05"
    assert codec.decode(b"\x08\x05", wrappers_pb2.Int32Value) == google
    assert codec.encode(stock.Leaf(number=5), stock.Leaf) == b"\x08\x05"
    assert codec.decode(b"\x08\x05", stock.Leaf) == stock.Leaf(number=5)


def test_a_message_of_another_type_is_a_type_error(task):
    with pytest.raises(TypeError, match="must be a Task, not a CreateTaskRequest"):
        protowire.Codec().encode(task.CreateTaskRequest(), task.Task)


@pytest.mark.parametrize("data", [b"\x12\x05", b"\x00", b"\x08"])
def test_malformed_bytes_are_one_error_for_every_runtime(task, stock, data):
    del stock  # betterproto's own decoder takes some of these
    for cls in (task.Task, wrappers_pb2.Int32Value):
        with pytest.raises(protowire.DecodeError):
            protowire.Codec().decode(data, cls)


async def test_calls_over_grpclib_use_it(task):
    class Service(task.TaskServiceBase):
        async def create_task(self, create_task_request):
            stored = task.Task(1, create_task_request.text, create_task_request.tags)
            return task.CreateTaskResponse(task=stored)

    codec = protowire.Codec()
    async with ChannelFor([Service()], codec=codec) as channel:
        stub = task.TaskServiceStub(channel)
        response = await stub.create_task(task.CreateTaskRequest(text="a", tags=["b"]))
        assert response.task == task.Task(id=1, text="a", tags=["b"])


async def test_a_malformed_body_never_reaches_the_handler(task):
    called = []

    class Service(task.TaskServiceBase):
        async def create_task(self, create_task_request):
            called.append(create_task_request)
            return task.CreateTaskResponse()

    class Raw(CodecBase):
        __content_subtype__ = "proto"

        def encode(self, message, message_type):
            del message_type
            return message

        def decode(self, data, message_type):
            del message_type
            return data

    async with ChannelFor([Service()], codec=protowire.Codec()) as channel:
        channel._codec = Raw()
        method = UnaryUnaryMethod(channel, "/task.TaskService/CreateTask", bytes, bytes)
        with pytest.raises(grpclib.GRPCError):
            await method(b"\x0a\x05")
    assert called == []
