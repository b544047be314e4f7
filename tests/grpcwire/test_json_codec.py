"""JSON for betterproto's messages and for those of protobuf's own runtime."""

import pytest
from google.protobuf.json_format import ParseError
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from grpcwire import JsonCodec
from protowire import compile_messages
from taskpb import GetTaskRequest, GetTaskResponse, Task

compile_messages(GetTaskRequest, GetTaskResponse, Task)
codec = JsonCodec()


def test_betterproto_goes_both_ways():
    answer = GetTaskResponse(task=Task(id=1, text="é", tags=["a"]))
    text = codec.encode(answer, GetTaskResponse)
    assert text == '{"task":{"id":1,"text":"é","tags":["a"]}}'.encode()
    assert codec.decode(text, GetTaskResponse) == answer
    assert codec.decode(b'{"task_id": "7", "taskId2": 1}', GetTaskRequest).task_id == "7"


def test_protobuf_goes_both_ways():
    serving = HealthCheckResponse(status=1)
    assert codec.encode(serving, HealthCheckResponse) == b'{"status": "SERVING"}'
    assert codec.decode(b'{"service": "a", "more": 1}', HealthCheckRequest).service == "a"


@pytest.mark.parametrize("text", [b"", b"{", b"1", b"\xff"])
@pytest.mark.parametrize("kind", [GetTaskRequest, HealthCheckRequest])
def test_what_is_no_message_raises(kind, text):
    with pytest.raises(Exception):  # noqa: B017, PT011 - each runtime has its own
        codec.decode(text, kind)


def test_a_field_of_the_wrong_type_raises():
    with pytest.raises(ValueError, match="task_id"):
        codec.decode(b'{"taskId": 7}', GetTaskRequest)
    with pytest.raises(ParseError):
        codec.decode(b'{"service": 7}', HealthCheckRequest)


def test_a_message_of_another_method_is_our_mistake():
    with pytest.raises(TypeError):
        codec.encode(Task(), GetTaskResponse)
