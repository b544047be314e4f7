"""Whatever goes in through CreateTask comes out of GetTask and of every tag's list."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskpb.rules import MAX_TAG_BYTES, MAX_TEXT_BYTES
from tests.contract.conftest import in_memory


def strings(max_bytes):
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    allowed = st.text(characters, min_size=1, max_size=max_bytes // 4)
    return allowed.filter(lambda text: not text.isspace())


tasks = st.tuples(
    strings(MAX_TEXT_BYTES), st.lists(st.one_of(strings(MAX_TAG_BYTES), st.sampled_from("abc")))
)


@pytest.fixture
async def memory(database, foreign):
    async with in_memory(database, foreign) as halves:
        yield halves


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=st.lists(tasks, min_size=1, max_size=5))
async def test_what_goes_in_comes_out(memory, drafts):
    created = await asyncio.gather(*(memory.create(text, *tags) for text, tags in drafts))
    for (text, tags), answer in zip(drafts, created, strict=True):
        assert (answer.task.text, answer.task.tags) == (text, tags)
        got = await memory.query("GetTask", task_id=str(answer.task.id))
        assert got.task == answer.task
        for tag in tags:
            listed = await memory.query("ListTasksByTag", tag_name=tag)
            assert listed.tasks.count(answer.task) == 1
