# ruff: noqa: S301 - these pickles are ours
import copy
import pickle

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from taskpb import TaskClient, TaskServiceError, errors

CLASSES = {
    "INVALID_ARGUMENT": errors.InvalidRequest,
    "NOT_FOUND": errors.TaskNotFound,
    "ALREADY_EXISTS": errors.RequestIdReused,
    "UNAVAILABLE": errors.ServiceUnavailable,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
    "RESOURCE_EXHAUSTED": errors.LimitExceeded,
    "UNIMPLEMENTED": errors.WrongService,
}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
async def test_each_status_is_its_class_over_the_wire(channel, fake, status):
    fake.errors = [GRPCError(status, "why")] * 1000
    async with TaskClient(command=channel, query=channel, timeout_s=1) as tasks:
        with pytest.raises(TaskServiceError) as caught:
            await tasks.get(1)
    assert type(caught.value) is CLASSES.get(status.name, TaskServiceError)
    assert caught.value.status is status
    assert str(caught.value) == caught.value.message == "why"


async def test_violations_are_decoded_from_the_status_details(channel, fake, bad_request_error):
    fake.errors = [bad_request_error(text="is blank", tags="are too many")]
    async with TaskClient(command=channel) as tasks:
        with pytest.raises(errors.InvalidRequest) as caught:
            await tasks.create(" ")
    assert caught.value.violations == {"text": "is blank", "tags": "are too many"}


def test_a_status_without_message_or_details_is_named_by_its_status():
    error = errors.error_from_status(GRPCError(Status.INVALID_ARGUMENT))
    assert str(error) == "INVALID_ARGUMENT"
    assert error.violations == {}


@pytest.mark.parametrize("error_class", [*CLASSES.values(), TaskServiceError])
def test_errors_can_be_copied_and_pickled(error_class):
    error = error_class(Status.UNKNOWN, "why")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is error_class
        assert (twin.status, twin.message) == (Status.UNKNOWN, "why")


def test_violations_survive_pickling():
    error = errors.InvalidRequest(Status.INVALID_ARGUMENT, "why", {"text": "is blank"})
    assert pickle.loads(pickle.dumps(error)).violations == {"text": "is blank"}
