"""Every row of the contract's table (docs/design.md, "The contract"), as clients see it."""

import asyncio
import sqlite3
import time
from uuid import uuid4

import pytest

from taskpb import Task
from taskpb.rules import MAX_TAG_BYTES, MAX_TAGS, MAX_TEXT_BYTES
from tests.contract.conftest import Refused


def ids(answer):
    return [task.id for task in answer.tasks]


async def refusal(call):
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


# CreateTask.


async def test_create_answers_the_stored_task(halves):
    answer = await halves.create("buy milk", "home", "shop", "home")
    assert answer.task == Task(id=1, text="buy milk", tags=["home", "shop", "home"])
    assert (await halves.create("next")).task == Task(id=2, text="next")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("x" * MAX_TEXT_BYTES, []),
        ("é" * (MAX_TEXT_BYTES // 2), []),
        ("t", [f"{n}" for n in range(MAX_TAGS)]),
        ("t", ["x" * MAX_TAG_BYTES]),
        ("  t  ", [" a ", "A", "\u00e9", "e\u0301", "👩\u200d🚀"]),
        ("\x01\x7f\u2028\U0010ffff", ["\t."]),
    ],
)
async def test_create_keeps_what_is_allowed_to_the_letter(halves, text, tags):
    created = await halves.create(text, *tags)
    assert (created.task.text, created.task.tags) == (text, tags)
    assert (await halves.query("GetTask", task_id="1")).task == created.task
    for tag in tags:
        assert (await halves.query("ListTasksByTag", tag_name=tag)).tasks == [created.task]


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        ({"text": ""}, {"text"}),
        ({"text": " \t\n\u00a0\u3000"}, {"text"}),
        ({"text": "x" * (MAX_TEXT_BYTES + 1)}, {"text"}),
        ({"text": "é" * (MAX_TEXT_BYTES // 2) + "x"}, {"text"}),
        ({"text": "a\0b"}, {"text"}),
        ({"text": "t", "tags": ["a"] * (MAX_TAGS + 1)}, {"tags"}),
        ({"text": "t", "tags": ["a", "", "b", " "]}, {"tags[1]", "tags[3]"}),
        ({"text": "t", "tags": ["x" * (MAX_TAG_BYTES + 1)]}, {"tags[0]"}),
        ({"text": "t", "tags": ["ok", "a\0"]}, {"tags[1]"}),
        ({"text": "t", "request_id": "1"}, {"request_id"}),
        ({"text": "t", "request_id": "{" + str(uuid4()) + "}"}, {"request_id"}),
        (
            {"text": "", "tags": ["", "\0"], "request_id": "x"},
            {"text", "tags[0]", "tags[1]", "request_id"},
        ),
    ],
)
async def test_create_refuses_and_names_every_offending_field(halves, fields, violations):
    refused = await refusal(halves.command("CreateTask", **fields))
    assert refused.status == "INVALID_ARGUMENT"
    assert set(refused.violations) == violations
    assert all(refused.violations.values())
    assert ids(await halves.query("ListTasksByTag")) == []


async def test_create_with_a_known_request_id_answers_the_first_again(halves):
    request_id = str(uuid4())
    fields = {"text": "once", "tags": ["a"]}
    first = await halves.command("CreateTask", **fields, request_id=request_id)
    await halves.create("between")
    assert await halves.command("CreateTask", **fields, request_id=request_id.upper()) == first
    assert ids(await halves.query("ListTasksByTag")) == [1, 2]


async def test_create_with_a_known_request_id_and_another_task_already_exists(halves):
    request_id = str(uuid4())
    await halves.command("CreateTask", text="once", tags=["a"], request_id=request_id)
    for fields in ({"text": "other", "tags": ["a"]}, {"text": "once", "tags": []}):
        call = halves.command("CreateTask", **fields, request_id=request_id)
        assert (await refusal(call)).status == "ALREADY_EXISTS"
    assert ids(await halves.query("ListTasksByTag")) == [1]


async def test_create_without_request_id_stores_each_time(halves):
    await halves.create("same", "a")
    await halves.create("same", "a")
    assert ids(await halves.query("ListTasksByTag", tag_name="a")) == [1, 2]


async def test_create_after_the_last_id_is_exhausted(halves):
    with sqlite3.connect(halves.database) as db:
        db.execute("INSERT INTO task (id, message) VALUES (2147483647, x'08ffffffff07')")
    db.close()
    refused = await refusal(halves.create("one more"))
    assert refused.status == "RESOURCE_EXHAUSTED"
    last = await halves.query("GetTask", task_id="2147483647")
    assert last.task.id == 2147483647


# GetTask.


async def test_get_of_an_unknown_id_is_not_found(halves):
    await halves.create("t")
    for task_id in ("2", "2147483647"):
        assert (await refusal(halves.query("GetTask", task_id=task_id))).status == "NOT_FOUND"


@pytest.mark.parametrize(
    "task_id",
    ["", "0", "-1", "+1", "1.0", "1e0", "0x1", "01", " 1", "1 ", "1_0", "one", "²", "\uff11",
     "2147483648", "9" * 5000, "1\0", "--1"],
)  # fmt: skip
async def test_get_of_no_positive_int32_is_invalid(halves, task_id):
    await halves.create("t")
    refused = await refusal(halves.query("GetTask", task_id=task_id))
    assert (refused.status, set(refused.violations)) == ("INVALID_ARGUMENT", {"task_id"})


# ListTasksByTag.


async def test_list_matches_tags_exactly_by_ascending_id(halves):
    for tags in (["a", "b"], ["b", "b"], ["A"], ["ab"]):
        await halves.create("t", *tags)
    assert ids(await halves.query("ListTasksByTag", tag_name="b")) == [1, 2]
    assert ids(await halves.query("ListTasksByTag", tag_name="a")) == [1]


async def test_list_by_unknown_tag_is_empty(halves):
    await halves.create("t", "a")
    for tag_name in ("none", "a\0", " a", "x" * 10_000):
        assert ids(await halves.query("ListTasksByTag", tag_name=tag_name)) == []


async def test_list_by_empty_tag_is_every_task(halves):
    await halves.create("with", "a")
    await halves.create("without")
    answer = await halves.query("ListTasksByTag", tag_name="")
    assert [task.text for task in answer.tasks] == ["with", "without"]


async def test_list_pages_until_no_token_is_left(halves):
    for n in range(7):
        await halves.create(f"{n}", "t")
    seen, token = [], ""
    for expected in (3, 3, 1):
        answer = await halves.query("ListTasksByTag", tag_name="t", page_size=3, page_token=token)
        assert len(answer.tasks) == expected
        seen += ids(answer)
        token = answer.next_page_token
    assert (seen, token) == ([1, 2, 3, 4, 5, 6, 7], "")


async def test_list_with_a_negative_page_size_is_invalid(halves):
    refused = await refusal(halves.query("ListTasksByTag", page_size=-1))
    assert (refused.status, set(refused.violations)) == ("INVALID_ARGUMENT", {"page_size"})


async def test_list_with_a_forged_or_foreign_page_token_is_invalid(halves):
    for n in range(3):
        await halves.create(f"{n}", "a", "b")
    answer = await halves.query("ListTasksByTag", tag_name="a", page_size=1)
    token = answer.next_page_token
    forged = ("A" if token[8] != "A" else "B").join((token[:8], token[9:]))
    for tag_name, page_token in (("b", token), ("", token), ("a", forged), ("a", "1")):
        fields = {"tag_name": tag_name, "page_size": 1, "page_token": page_token}
        refused = await refusal(halves.query("ListTasksByTag", **fields))
        assert (refused.status, set(refused.violations)) == ("INVALID_ARGUMENT", {"page_token"})


async def test_list_that_passes_four_mebibytes_says_to_page(halves):
    text = "x" * MAX_TEXT_BYTES
    await asyncio.gather(*(halves.create(text, "t") for _ in range(255)))
    assert len((await halves.query("ListTasksByTag", tag_name="t")).tasks) == 255
    await asyncio.gather(*(halves.create(text, "t") for _ in range(2)))
    refused = await refusal(halves.query("ListTasksByTag", tag_name="t"))
    assert refused.status == "RESOURCE_EXHAUSTED"
    assert "page_size" in refused.message
    page = await halves.query("ListTasksByTag", tag_name="t", page_size=1000)
    assert len(page.tasks) == 255
    rest = await halves.query(
        "ListTasksByTag", tag_name="t", page_size=1000, page_token=page.next_page_token
    )
    assert ids(page) + ids(rest) == list(range(1, 258))


# Consistency tokens.


async def test_read_with_a_token_sees_its_write(halves):
    for n in range(1, 6):
        created = await halves.create("t", "a")
        token = created.consistency_token
        got = await halves.query("GetTask", task_id=f"{n}", consistency_token=token)
        assert got.task == created.task
        listed = await halves.query("ListTasksByTag", tag_name="a", consistency_token=token)
        assert ids(listed)[-1] == n


async def test_malformed_consistency_token_is_invalid(halves):
    await halves.create("t")
    for call in (
        halves.query("GetTask", task_id="1", consistency_token="junk"),
        halves.query("ListTasksByTag", consistency_token="junk"),
    ):
        refused = await refusal(call)
        assert refused.status == "INVALID_ARGUMENT"
        assert set(refused.violations) == {"consistency_token"}


async def test_read_of_a_write_that_does_not_arrive_is_unavailable_by_the_deadline(halves):
    token = (await halves.create("t")).consistency_token
    with sqlite3.connect(halves.database) as db:
        db.execute("DELETE FROM task")
    db.close()
    started = time.monotonic()
    # Of these seconds a twentieth is kept for the answer: enough on a busy machine too.
    call = halves.query("GetTask", task_id="1", consistency_token=token, timeout=2)
    assert (await refusal(call)).status == "UNAVAILABLE"
    assert time.monotonic() - started > 1.2


# The other half, and a database that is away.


async def test_each_half_names_who_serves_the_others_calls(halves):
    asked = [
        (halves.command("GetTask", task_id="1"), "query", "8082"),
        (halves.command("ListTasksByTag"), "query", "8082"),
        (halves.query("CreateTask", text="t"), "command", "8081"),
    ]
    for call, service, port in asked:
        refused = await refusal(call)
        assert refused.status == "UNIMPLEMENTED"
        assert service in refused.message
        assert port in refused.message


async def test_lost_database_is_unavailable_on_both_halves(halves):
    await halves.create("t", "a")
    await halves.query("GetTask", task_id="1")
    for file in halves.database.parent.glob("tasks.db*"):
        file.unlink()
    await asyncio.sleep(0.02)
    for call in (
        halves.create("t"),
        halves.query("GetTask", task_id="1"),
        halves.query("ListTasksByTag"),
    ):
        assert (await refusal(call)).status == "UNAVAILABLE"
