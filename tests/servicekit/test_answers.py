import logging

import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from grpclib import GRPCError, Status
from grpclib.testing import ChannelFor

import taskstore
from grpcwire import current_call
from servicekit import AnsweringTaskService, InvalidRequest, ServedElsewhere, answer_to
from taskpb import GetTaskRequest, GetTaskResponse, TaskServiceStub
from taskstore import errors

ROWS = [
    (InvalidRequest({"text": "is empty"}), Status.INVALID_ARGUMENT, {"text": "is empty"}),
    (errors.InvalidToken("page_token", "x"), Status.INVALID_ARGUMENT, {"page_token": "x"}),
    (errors.TaskNotFound(7), Status.NOT_FOUND, {}),
    (errors.RequestIdReused(7), Status.ALREADY_EXISTS, {}),
    (errors.AnswerTooLarge(1), Status.RESOURCE_EXHAUSTED, {}),
    (errors.IdsExhausted(), Status.RESOURCE_EXHAUSTED, {}),
    (errors.StoreFull(), Status.RESOURCE_EXHAUSTED, {}),
    (errors.WriteNotSeen(), Status.UNAVAILABLE, {}),
    (errors.StoreUnavailable(), Status.UNAVAILABLE, {}),
    (errors.NotTaskDatabase("schema"), Status.UNAVAILABLE, {}),
    (ServedElsewhere("GetTask", "query", "x:1"), Status.UNIMPLEMENTED, {}),
]


class Failing(AnsweringTaskService):
    def __init__(self, error):
        self.error = error

    async def get_task(self, get_task_request):
        raise self.error


async def status_of(error):
    async with ChannelFor([Failing(error)]) as channel:
        with pytest.raises(GRPCError) as caught:
            await TaskServiceStub(channel).get_task(GetTaskRequest(task_id="1"))
    return caught.value


@pytest.mark.parametrize(("error", "status", "violations"), ROWS)
async def test_each_error_has_its_status_text_and_details(error, status, violations):
    answer = await status_of(error)
    assert (answer.status, answer.message) == (status, str(error))
    found = {
        violation.field: violation.description
        for detail in answer.details or []
        if isinstance(detail, BadRequest)
        for violation in detail.field_violations
    }
    assert found == violations


async def test_a_write_not_seen_yet_says_when_to_ask_again():
    answer = await status_of(errors.WriteNotSeen())
    [detail] = answer.details
    assert isinstance(detail, RetryInfo)
    assert 0 < detail.retry_delay.ToMilliseconds() <= 1000


def test_every_error_of_the_store_has_a_row():
    rows = {type(error) for error, _, _ in ROWS}
    for name in errors.__all__:
        kind = getattr(errors, name)
        if kind is not taskstore.StoreError:
            assert kind in rows, f"{name} is missing in ROWS"


async def test_any_other_error_tells_the_client_nothing_and_the_log_everything(caplog):
    with caplog.at_level(logging.ERROR):
        answer = await status_of(RuntimeError("secret"))
    assert answer.status is Status.UNKNOWN
    assert "secret" not in answer.message
    assert "secret" in caplog.text
    assert answer_to(RuntimeError("secret")) is None


async def test_handlers_know_the_call_they_serve():
    class Asking(AnsweringTaskService):
        async def get_task(self, get_task_request):
            call = current_call()
            assert 0 < call.deadline.time_remaining() <= 5
            assert call.metadata["x-who"] == "me"
            return GetTaskResponse()

    assert current_call() is None
    async with ChannelFor([Asking()]) as channel:
        stub = TaskServiceStub(channel, metadata={"x-who": "me"})
        await stub.get_task(GetTaskRequest(task_id="1"), timeout=5)
    assert current_call() is None
