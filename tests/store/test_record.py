from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from taskpb import ListTasksByTagResponse, Task
from taskstore.record import answer_bytes, encode_task, list_answer

_texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(task_id=st.integers(1, 2**31 - 1), text=_texts, tags=st.lists(_texts))
def test_encoded_task_is_the_contracts_task(task_id, text, tags):
    message = encode_task(task_id, text, tags)
    assert message == bytes(Task(id=task_id, text=text, tags=tags))
    assert Task().parse(message) == Task(id=task_id, text=text, tags=tags)


@given(size=st.one_of(st.integers(0, 300), st.integers(16_000, 17_000), st.just(2_100_000)))
def test_answer_bytes_is_what_a_list_answer_grows_by(size):
    task = Task(text="x" * size)
    assert answer_bytes(bytes(task)) == len(bytes(ListTasksByTagResponse(tasks=[task])))


def test_every_field_of_the_contracts_task_is_stored():
    assert [field.name for field in fields(Task)] == ["id", "text", "tags"]


@given(sizes=st.lists(st.one_of(st.integers(0, 300), st.integers(2_000, 2_100), st.just(17_000))))
def test_list_answer_is_the_contracts_list(sizes):
    tasks = [Task(id=1, text="x" * size) for size in sizes]
    encoded = [bytes(task) for task in tasks]
    assert list_answer(encoded) == bytes(ListTasksByTagResponse(tasks=tasks))
    assert sum(map(answer_bytes, encoded)) == len(list_answer(encoded))
