"""The promises of every backend as TaskWriter and TaskReader."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskpb import Task
from taskstore import (
    MAX_ANSWER_BYTES,
    MAX_PAGE_TASKS,
    AnswerTooLarge,
    IdsExhausted,
    InvalidToken,
    RequestIdReused,
    StoreUnavailable,
    TaskNotFound,
    WriteNotSeen,
)
from taskstore.record import answer_bytes

DAY_S = 24 * 3600


def tasks_of(page):
    return [Task().parse(task) for task in page.tasks]


def ids_of(page):
    return [task.id for task in tasks_of(page)]


def is_answer_again(again, first):
    """The same task, with a token of a state that holds it."""
    return again.task_id == first.task_id and again.consistency_token >= first.consistency_token


async def test_created_task_is_read_as_given(writer, reader):
    created = await writer.create("buy milk", ["home", "shop", "home"])
    task = Task().parse(await reader.get(created.task_id))
    assert task == Task(id=1, text="buy milk", tags=["home", "shop", "home"])


async def test_ids_count_from_one_across_concurrent_creates(writer):
    created = await asyncio.gather(*(writer.create(f"{n}", []) for n in range(300)))
    assert [c.task_id for c in created] == list(range(1, 301))


async def test_ids_go_on_after_a_restart(backend):
    for expected in (1, 2, 3):
        writer = await backend.writer()
        created = await writer.create("again", [])
        await writer.close()
        assert created.task_id == expected


async def test_unknown_id_is_not_found(reader):
    with pytest.raises(TaskNotFound) as caught:
        await reader.get(7)
    assert caught.value.task_id == 7


async def test_ids_end_at_the_largest_int32(backend, writer, reader):
    backend.set_last_id(2**31 - 2)
    request_id = uuid4()
    last = await writer.create("last", ["t"], request_id)
    assert last.task_id == 2**31 - 1
    with pytest.raises(IdsExhausted):
        await writer.create("one more", ["t"])
    assert is_answer_again(await writer.create("last", ["t"], request_id), last)
    assert ids_of(await reader.list_by_tag("t")) == [2**31 - 1]


# Request ids.


async def test_same_request_id_stores_once_and_answers_alike(writer, reader):
    request_id = uuid4()
    first = await writer.create("once", ["t"], request_id)
    await writer.create("between", ["t"])
    again = await writer.create("once", ["t"], request_id)
    assert is_answer_again(again, first)
    page = await reader.list_by_tag("", consistency_token=again.consistency_token)
    assert ids_of(page) == [1, 2]


async def test_same_request_id_within_one_group_stores_once(writer, reader):
    request_id = uuid4()
    created = await asyncio.gather(*(writer.create("once", ["t"], request_id) for _ in range(50)))
    assert set(created) == {created[0]}
    assert ids_of(await reader.list_by_tag("t")) == [1]


@pytest.mark.parametrize(
    ("text", "tags"), [("other", ["a", "b"]), ("text", ["b", "a"]), ("text", []), ("texta", ["b"])]
)
async def test_request_id_with_another_task_is_refused(writer, reader, text, tags):
    request_id = uuid4()
    await writer.create("text", ["a", "b"], request_id)
    with pytest.raises(RequestIdReused) as caught:
        await writer.create(text, tags, request_id)
    assert caught.value.task_id == 1
    assert ids_of(await reader.list_by_tag("")) == [1]


async def test_refused_create_leaves_its_group_alone(writer, reader):
    request_id = uuid4()
    await writer.create("first", [], request_id)
    answers = await asyncio.gather(
        writer.create("good", []),
        writer.create("bad", [], request_id),
        writer.create("good too", []),
        return_exceptions=True,
    )
    assert isinstance(answers[1], RequestIdReused)
    assert [answers[0].task_id, answers[2].task_id] == [2, 3]
    assert ids_of(await reader.list_by_tag("")) == [1, 2, 3]


async def test_draft_that_breaks_the_group_fails_alone(writer):
    answers = await asyncio.gather(
        *(writer.create(text, ["t"]) for text in ("good", "\ud800", "good too")),
        return_exceptions=True,
    )
    assert isinstance(answers[1], ValueError)
    assert [answers[0].task_id, answers[2].task_id] == [1, 2]


async def test_request_ids_are_remembered_for_a_day_and_across_restarts(backend):
    request_id = uuid4()
    writer = await backend.writer()
    first = await writer.create("once", [], request_id)
    await writer.close()
    backend.age_request_ids(DAY_S)
    writer = await backend.writer()
    await asyncio.gather(*(writer.create("other", []) for _ in range(10)))
    again = await writer.create("once", [], request_id)
    await writer.close()
    assert is_answer_again(again, first)


async def test_expired_request_ids_are_forgotten(backend, writer):
    request_id = uuid4()
    await writer.create("once", [], request_id)
    backend.age_request_ids(30 * DAY_S)
    await writer.create("other", [])
    assert (await writer.create("once", [], request_id)).task_id == 3


# Lists.


async def test_list_is_by_ascending_id_and_each_task_once(writer, reader):
    for tags in (["a", "b"], ["b", "b"], ["a"], ["b", "a", "b"]):
        await writer.create("t", tags)
    assert ids_of(await reader.list_by_tag("b")) == [1, 2, 4]
    assert ids_of(await reader.list_by_tag("a")) == [1, 3, 4]
    assert ids_of(await reader.list_by_tag("")) == [1, 2, 3, 4]


@pytest.mark.parametrize("unknown", ["none", "A", "a ", "aa", "ä", "a\0", "%", "*"])
async def test_list_by_unknown_tag_is_empty(writer, reader, unknown):
    await writer.create("t", ["a"])
    assert await reader.list_by_tag(unknown) == ([], "")


async def test_pages_join_to_the_whole_list(writer, reader):
    await asyncio.gather(*(writer.create(f"{n}", ["t"] if n % 3 else []) for n in range(200)))
    for tag in ("t", ""):
        whole = (await reader.list_by_tag(tag)).tasks
        pages, token = [], ""
        while True:
            page = await reader.list_by_tag(tag, page_size=7, page_token=token)
            pages.append(page.tasks)
            token = page.next_page_token
            if not token:
                break
        assert [task for page in pages for task in page] == whole
        assert all(len(page) == 7 for page in pages[:-1])


async def test_last_page_that_is_full_has_no_next(writer, reader):
    await asyncio.gather(*(writer.create(f"{n}", ["t"]) for n in range(10)))
    assert (await reader.list_by_tag("t", page_size=10)).next_page_token == ""
    assert (await reader.list_by_tag("t", page_size=9)).next_page_token != ""


async def test_page_holds_at_most_the_named_limit(writer, reader):
    creates = (writer.create(f"{n}", ["t"]) for n in range(MAX_PAGE_TASKS + 5))
    await asyncio.gather(*creates)
    page = await reader.list_by_tag("t", page_size=2**31 - 1)
    assert len(page.tasks) == MAX_PAGE_TASKS
    rest = await reader.list_by_tag("t", page_size=2**31 - 1, page_token=page.next_page_token)
    assert (len(rest.tasks), rest.next_page_token) == (5, "")


async def test_page_token_is_bound_to_its_tag(writer, reader):
    await asyncio.gather(*(writer.create(f"{n}", ["a", "b"]) for n in range(5)))
    token = (await reader.list_by_tag("a", page_size=2)).next_page_token
    for foreign in ("b", "", "c"):
        with pytest.raises(InvalidToken) as caught:
            await reader.list_by_tag(foreign, page_size=2, page_token=token)
        assert caught.value.field == "page_token"


async def test_page_token_outlives_a_restart_and_a_new_page_size(backend, writer, reader):
    await asyncio.gather(*(writer.create(f"{n}", ["a"]) for n in range(5)))
    token = (await reader.list_by_tag("a", page_size=2)).next_page_token
    later = await backend.reader()
    page = await later.list_by_tag("a", page_size=100, page_token=token)
    await later.close()
    assert ids_of(page) == [3, 4, 5]
    assert ids_of(await reader.list_by_tag("a", page_token=token)) == [3, 4, 5]


async def test_every_altered_page_token_is_refused(writer, reader):
    await asyncio.gather(*(writer.create(f"{n}", ["a"]) for n in range(5)))
    token = (await reader.list_by_tag("a", page_size=2)).next_page_token
    altered = [token[:i] + ("A" if c != "A" else "B") + token[i + 1 :] for i, c in enumerate(token)]
    for forged in [*altered, token + "A", token[:-1], token + "=", "é", "%", "a" * 5000]:
        with pytest.raises(InvalidToken):
            await reader.list_by_tag("a", page_size=2, page_token=forged)


async def test_list_fills_an_answer_to_the_last_byte_and_no_further(writer, reader):
    big = "x" * 16_000
    size = answer_bytes(bytes(Task(id=100, text=big, tags=["t"])))
    count = MAX_ANSWER_BYTES // size - 1
    await asyncio.gather(*(writer.create(big, ["t"]) for _ in range(count)))
    used = sum(map(answer_bytes, (await reader.list_by_tag("t")).tasks))
    overhead = answer_bytes(bytes(Task(id=count + 1, text="y" * 4000, tags=["t"]))) - 4000
    left = MAX_ANSWER_BYTES - used - overhead
    first, second = left // 2, left - left // 2 - overhead
    await writer.create("y" * first, ["t"])
    await writer.create("y" * second, ["t"])
    whole = await reader.list_by_tag("t")
    assert sum(map(answer_bytes, whole.tasks)) == MAX_ANSWER_BYTES
    await writer.create("z", ["t"])
    with pytest.raises(AnswerTooLarge):
        await reader.list_by_tag("t")
    page = await reader.list_by_tag("t", page_size=1000)
    assert page.next_page_token
    assert sum(map(answer_bytes, page.tasks)) <= MAX_ANSWER_BYTES
    rest = await reader.list_by_tag("t", page_size=1000, page_token=page.next_page_token)
    assert [*page.tasks, *rest.tasks][:-1] == whole.tasks


async def test_long_list_leaves_the_event_loop_free(writer, reader):
    await asyncio.gather(*(writer.create("x" * 15_000, ["t"]) for _ in range(200)))
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    page = await reader.list_by_tag("t")
    ticking.cancel()
    assert len(page.tasks) == 200
    assert ticks > 0


async def test_large_tasks_are_listed_whole_under_every_tag(writer, reader):
    tags = [f"tag{n}" for n in range(64)]
    await writer.create("x" * 16_384, tags)
    for tag in ("tag0", "tag63", ""):
        [task] = tasks_of(await reader.list_by_tag(tag))
        assert task == Task(id=1, text="x" * 16_384, tags=tags)


_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
_drafts = st.lists(st.tuples(_words, st.lists(_words, max_size=4)), max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=_drafts)
async def test_whatever_goes_in_comes_out_of_get_and_of_every_tag(writer, reader, drafts):
    created = await asyncio.gather(*(writer.create(text, tags) for text, tags in drafts))
    for (text, tags), (task_id, token) in zip(drafts, created, strict=True):
        expected = bytes(Task(id=task_id, text=text, tags=tags))
        assert await reader.get(task_id, consistency_token=token) == expected
        for tag in tags:
            assert (await reader.list_by_tag(tag)).tasks.count(expected) == 1


# Consistency tokens.


async def test_token_makes_a_read_see_its_write(writer, reader):
    for n in range(1, 20):
        created = await writer.create(f"{n}", ["t"])
        page = await reader.list_by_tag("t", consistency_token=created.consistency_token)
        assert ids_of(page)[-1] == n


async def test_later_writes_have_greater_tokens(writer):
    tokens = [(await writer.create(f"{n}", [])).consistency_token for n in range(20)]
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("token", ["x", "c1", "c2" + "0" * 40, "C1" + "0" * 40, " ", "é" * 42])
async def test_malformed_consistency_token_is_refused(reader, token):
    for read in (
        reader.get(1, consistency_token=token),
        reader.list_by_tag("", consistency_token=token),
    ):
        with pytest.raises(InvalidToken) as caught:
            await read
        assert caught.value.field == "consistency_token"


async def test_forged_consistency_token_is_refused(writer, reader):
    token = (await writer.create("t", [])).consistency_token
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    with pytest.raises(InvalidToken):
        await reader.get(1, consistency_token=forged)


async def test_token_of_a_write_that_does_not_arrive_ends_the_wait(backend, writer):
    token = (await writer.create("t", [])).consistency_token
    reader = await backend.reader_elsewhere()
    with pytest.raises(WriteNotSeen):
        await reader.get(1, consistency_token=token, wait_s=0.05)
    await reader.close()


# Starting, stopping, losing the database.


async def test_reader_before_any_writer_sees_nothing_then_everything(backend):
    reader = await backend.reader()
    await reader.check()
    assert await reader.list_by_tag("") == ([], "")
    with pytest.raises(TaskNotFound):
        await reader.get(1)
    with pytest.raises(InvalidToken):
        await reader.list_by_tag("", page_size=1, page_token="AQAAAGXiJoH9yu7NeJoSPh4")
    writer = await backend.writer()
    created = await writer.create("t", ["a"])
    waited = await reader.get(1, consistency_token=created.consistency_token, wait_s=1)
    assert Task().parse(waited).text == "t"
    await writer.close()
    await reader.close()


async def test_close_finishes_the_creates_under_way(backend):
    writer = await backend.writer()
    creates = [asyncio.create_task(writer.create(f"{n}", [])) for n in range(1000)]
    await asyncio.sleep(0)
    await writer.close()
    assert [c.task_id for c in await asyncio.gather(*creates)] == list(range(1, 1001))
    with pytest.raises(StoreUnavailable):
        await writer.create("late", [])


async def test_cancelled_create_harms_no_other(writer, reader):
    creates = [asyncio.create_task(writer.create(f"{n}", ["t"])) for n in range(100)]
    await asyncio.sleep(0)
    for create in creates[::2]:
        create.cancel()
    kept = await asyncio.gather(*creates[1::2])
    stored = {task.id: task.text for task in tasks_of(await reader.list_by_tag("t"))}
    assert [stored[c.task_id] for c in kept] == [f"{n}" for n in range(1, 100, 2)]


async def test_lost_database_makes_both_sides_unavailable(backend, writer, reader):
    await writer.create("t", [])
    await reader.get(1)
    backend.lose()
    with pytest.raises(StoreUnavailable):
        await writer.create("t", [])
    for check in (writer.check, reader.check):
        with pytest.raises(StoreUnavailable):
            await check()
    with pytest.raises(StoreUnavailable):
        await reader.get(1)
    with pytest.raises(StoreUnavailable):
        await reader.list_by_tag("")


async def test_checks_pass_on_a_working_database(writer, reader):
    await writer.check()
    await reader.check()
