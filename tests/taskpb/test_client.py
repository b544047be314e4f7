# ruff: noqa: S105 - a token is no password
import asyncio
from uuid import UUID

import pytest

from taskpb import InvalidRequest, Task, TaskClient, TaskNotFound
from taskpb.client import MAX_TIMEOUT_S
from taskpb.service import MAX_CALLS_IN_FLIGHT


@pytest.fixture
async def tasks(channel):
    async with TaskClient(command=channel, query=channel) as client:
        yield client


async def test_a_created_task_is_read_back_by_int_or_str(tasks):
    task = await tasks.create("buy milk", tags=["home", "shop"])
    assert task == Task(id=1, text="buy milk", tags=["home", "shop"])
    assert await tasks.get(1) == await tasks.get("1") == task


async def test_tags_may_be_any_iterable(tasks):
    task = await tasks.create("milk", tags=(tag for tag in ("a", "b")))
    assert task.tags == ["a", "b"]


async def test_list_answers_the_tags_tasks_or_all(tasks):
    for tags in (["a"], ["b"], ["a", "b"]):
        await tasks.create("task", tags)
    assert [task.id async for task in tasks.list("a")] == [1, 3]
    assert [task.id async for task in tasks.list()] == [1, 2, 3]
    assert [task.id async for task in tasks.list("unknown")] == []


async def test_list_fetches_page_by_page(tasks, fake):
    for _ in range(7):
        await tasks.create("task")
    fake.requests.clear()
    assert [task.id async for task in tasks.list(page_size=3)] == [1, 2, 3, 4, 5, 6, 7]
    assert [request.page_token for request in fake.requests] == ["", "3", "6"]


async def test_list_left_early_fetches_no_further_page(tasks, fake):
    for _ in range(4):
        await tasks.create("task")
    fake.requests.clear()
    async for _ in tasks.list(page_size=1):
        break
    assert len(fake.requests) == 1


async def test_page_size_0_asks_for_all_in_one_answer(tasks, fake):
    for _ in range(4):
        await tasks.create("task")
    fake.requests.clear()
    assert len([task async for task in tasks.list(page_size=0)]) == 4
    assert [request.page_size for request in fake.requests] == [0]


async def test_every_create_carries_a_request_id_of_its_own(tasks, fake):
    await tasks.create("one")
    await tasks.create("one")
    first, second = (UUID(request.request_id) for request in fake.requests)
    assert first != second


@pytest.mark.parametrize("as_type", [UUID, str])
async def test_a_given_request_id_stores_once(tasks, fake, as_type):
    request_id = as_type("0b1f0b5e-3c6d-4a51-b0a5-6f3f0a1c2d3e")
    first = await tasks.create("milk", request_id=request_id)
    assert await tasks.create("milk", request_id=request_id) == first
    assert len(fake.tasks) == 1


async def test_reads_carry_the_greatest_token_of_the_creates(tasks, fake):
    fake.tokens = ["2", "3", "1"]
    assert tasks.consistency_token == ""
    for _ in range(3):
        await tasks.create("task")
    assert tasks.consistency_token == "3"
    await tasks.get(1)
    [_ async for _ in tasks.list(page_size=2)]
    assert [request.consistency_token for request in fake.requests[3:]] == ["3"] * 3


async def test_a_token_of_another_client_is_carried_too(channel, fake):
    async with TaskClient(command=channel, query=channel, consistency_token="7") as tasks:
        await tasks.create("task")
        await tasks.get(1)
    assert fake.requests[-1].consistency_token == "7"


async def test_a_token_of_a_replaced_database_is_forgotten_and_the_read_repeated(tasks, fake):
    await tasks.create("task")
    fake.replaced = True
    fake.requests.clear()
    assert (await tasks.get(1)).id == 1
    assert [request.consistency_token for request in fake.requests] == ["00000001", ""]
    assert tasks.consistency_token == ""


async def test_a_read_refused_for_another_field_is_not_repeated(tasks, fake, bad_request_error):
    await tasks.create("task")
    fake.requests.clear()
    fake.errors = [bad_request_error(page_token="is forged")]
    with pytest.raises(InvalidRequest) as caught:
        [_ async for _ in tasks.list()]
    assert caught.value.violations == {"page_token": "is forged"}
    assert tasks.consistency_token == "00000001"


async def test_unknown_id_is_task_not_found(tasks):
    with pytest.raises(TaskNotFound, match="no task 5"):
        await tasks.get(5)


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (lambda tasks: tasks.create("\ud800", ["fine", "\udfff"]), ["text", "tags[1]"]),
        (lambda tasks: tasks.create("text", request_id="\ud800"), ["request_id"]),
        (lambda tasks: tasks.get("\ud800"), ["task_id"]),
        (lambda tasks: tasks.list("\ud800"), ["tag_name"]),
        (lambda tasks: tasks.list(page_size=2**31), ["page_size"]),
        (lambda tasks: tasks.list(page_size=-(2**31) - 1), ["page_size"]),
    ],
)
async def test_what_no_message_can_hold_is_an_invalid_request_before_sending(
    tasks, fake, call, fields
):
    with pytest.raises(InvalidRequest) as caught:
        await call(tasks)
    assert list(caught.value.violations) == fields
    assert isinstance(caught.value, ValueError)
    assert fake.requests == []


@pytest.mark.parametrize(
    "call",
    [
        lambda tasks: tasks.create(b"bytes"),
        lambda tasks: tasks.create("text", tags="home"),
        lambda tasks: tasks.create("text", tags=[1]),
        lambda tasks: tasks.create("text", request_id=7),
        lambda tasks: tasks.get(True),
        lambda tasks: tasks.get(1.0),
        lambda tasks: tasks.list(None),
        lambda tasks: tasks.list(page_size="5"),
    ],
)
async def test_a_wrong_type_is_a_type_error_before_sending(tasks, fake, call):
    with pytest.raises(TypeError):
        await call(tasks)
    assert fake.requests == []


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), 100_000_000])
async def test_a_deadline_that_is_no_positive_time_is_refused(tasks, channel, timeout_s):
    with pytest.raises(ValueError, match="timeout_s"):
        TaskClient(query=channel, timeout_s=timeout_s)
    with pytest.raises(ValueError, match="timeout_s"):
        await tasks.get(1, timeout_s=timeout_s)
    with pytest.raises(ValueError, match="timeout_s"):
        tasks.list(timeout_s=timeout_s)


async def test_one_half_is_enough_for_its_calls(channel):
    async with TaskClient(command=channel) as writer:
        task = await writer.create("milk")
        with pytest.raises(RuntimeError, match="without query="):
            await writer.get(task.id)
        with pytest.raises(RuntimeError, match="without query="):
            writer.list()
    async with TaskClient(query=channel) as reader:
        assert await reader.get(task.id) == task
        with pytest.raises(RuntimeError, match="without command="):
            await reader.create("milk")


async def test_the_longest_deadline_is_taken(tasks):
    task = await tasks.create("text", timeout_s=MAX_TIMEOUT_S)
    assert await tasks.get(task.id, timeout_s=MAX_TIMEOUT_S) == task


def test_a_consistency_token_that_is_no_text_is_a_type_error():
    with pytest.raises(TypeError, match="consistency_token"):
        TaskClient(query="localhost:8082", consistency_token=7)


def test_no_half_at_all_is_refused():
    with pytest.raises(ValueError, match="needs command, query or both"):
        TaskClient()


async def test_a_closed_client_says_so_and_closing_twice_is_fine(channel):
    tasks = TaskClient(command=channel, query=channel)
    await tasks.close()
    await tasks.close()
    for call in (lambda: tasks.create("x"), lambda: tasks.get(1), lambda: anext(tasks.list())):
        with pytest.raises(RuntimeError, match="is closed"):
            await call()


async def test_a_given_channel_outlives_the_client(channel):
    async with TaskClient(command=channel) as tasks:
        await tasks.create("one")
    async with TaskClient(command=channel) as tasks:
        assert (await tasks.create("two")).id == 2


def test_a_client_may_be_made_before_any_event_loop_runs():
    async def close(client):
        async with client:
            pass

    asyncio.run(close(TaskClient(command="localhost:8081", query="[::1]:8082")))


async def test_calls_in_flight_are_bounded_and_all_answered(tasks, fake):
    fake.gate.clear()
    creates = [asyncio.ensure_future(tasks.create(f"task {n}")) for n in range(300)]
    await fake.calls_in_flight(MAX_CALLS_IN_FLIGHT)
    fake.gate.set()
    ids = sorted(task.id for task in await asyncio.gather(*creates))
    assert ids == list(range(1, 301))
    assert fake.most_in_flight == MAX_CALLS_IN_FLIGHT


async def test_concurrent_creates_are_sent_in_the_order_of_their_calls(tasks, fake):
    await asyncio.gather(*(tasks.create(f"{n}") for n in range(200)))
    assert [request.text for request in fake.requests] == [f"{n}" for n in range(200)]


async def test_a_cancelled_call_frees_its_place_and_leaves_the_client_fit(tasks, fake):
    fake.gate.clear()
    waiting = [asyncio.ensure_future(tasks.create("x")) for _ in range(2 * MAX_CALLS_IN_FLIGHT)]
    await fake.calls_in_flight(MAX_CALLS_IN_FLIGHT)
    for call in waiting:
        call.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    fake.gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*(tasks.create("y") for _ in range(MAX_CALLS_IN_FLIGHT)))
