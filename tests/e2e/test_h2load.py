"""h2load, which keeps every stream of many connections busy: all of it is answered."""

import pytest

from bench import h2load
from taskpb import (
    CreateTaskRequest,
    CreateTaskResponse,
    GetTaskRequest,
    GetTaskResponse,
    Task,
    TaskClient,
)

pytestmark = pytest.mark.long


async def test_every_task_that_h2load_was_told_of_is_there(command, query, require_tool):
    require_tool("h2load")
    create = h2load.Load(
        "CreateTask",
        bytes(CreateTaskRequest(text="milk", tags=["shop"])),
        len(bytes(CreateTaskResponse(task=Task(id=1, text="milk", tags=["shop"])))),
        connections=20,
        streams=100,
    )
    created = h2load.run(command.port, create, seconds=1, warm_up_s=0)
    async with TaskClient(query=query.address) as tasks:
        ids = [task.id async for task in tasks.list("shop", page_size=1000)]
        one = GetTaskResponse(task=await tasks.get(1))
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) >= created.calls > 0
    get = h2load.Load("GetTask", bytes(GetTaskRequest(task_id="1")), len(bytes(one)))
    assert h2load.run(query.port, get, seconds=1, warm_up_s=0).calls > 0
