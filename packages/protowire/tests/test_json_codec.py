"""JSON for betterproto's messages and for those of protobuf's own runtime."""

import pytest
from google.protobuf.json_format import ParseError
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from protowire import JsonCodec

codec = JsonCodec()


def test_betterproto_goes_both_ways(task):
    answer = task.GetTaskResponse(task=task.Task(id=1, text="é", tags=["a"]))
    text = codec.encode(answer, task.GetTaskResponse)
    assert text == '{"task":{"id":1,"text":"é","tags":["a"]}}'.encode()
    assert codec.decode(text, task.GetTaskResponse) == answer
    assert codec.decode(b'{"task_id": "7", "taskId2": 1}', task.GetTaskRequest).task_id == "7"


def test_protobuf_goes_both_ways():
    serving = HealthCheckResponse(status=1)
    assert codec.encode(serving, HealthCheckResponse) == b'{"status": "SERVING"}'
    assert codec.decode(b'{"service": "a", "more": 1}', HealthCheckRequest).service == "a"


@pytest.mark.parametrize("text", [b"", b"{", b"1", b"\xff"])
@pytest.mark.parametrize("runtime", ["betterproto", "protobuf"])
def test_text_that_is_not_a_message_raises(task, runtime, text):
    kind = task.GetTaskRequest if runtime == "betterproto" else HealthCheckRequest
    with pytest.raises(Exception):  # noqa: B017, PT011 - each runtime has its own
        codec.decode(text, kind)


def test_a_field_of_the_wrong_type_raises(task):
    with pytest.raises(ValueError, match="task_id"):
        codec.decode(b'{"taskId": 7}', task.GetTaskRequest)
    with pytest.raises(ParseError):
        codec.decode(b'{"service": 7}', HealthCheckRequest)


def test_a_message_of_another_method_is_our_mistake(task):
    with pytest.raises(TypeError):
        codec.encode(task.Task(), task.GetTaskResponse)
