import json

import pytest

from taskpb import Task


@pytest.fixture
def stored(fake):
    for task_id in range(1, 1204):
        fake.tasks[task_id] = Task(id=task_id, text=f"task {task_id}", tags=[f"t{task_id % 2}"])


@pytest.mark.usefixtures("stored")
async def test_json_is_one_array_of_all_pages(run):
    tasks = json.loads((await run("list", "--json")).stdout)
    assert [task["id"] for task in tasks] == list(range(1, 1204))


@pytest.mark.parametrize(("arguments", "output"), [(["--json"], "[]\n"), ([], "")])
async def test_no_tasks_are_an_empty_array_or_no_table(run, arguments, output):
    result = await run("list", "unknown", *arguments)
    assert (result.exit_code, result.stdout) == (0, output)


@pytest.mark.usefixtures("stored")
async def test_a_tag_lists_its_tasks_only(run):
    tasks = json.loads((await run("list", "t1", "--json")).stdout)
    assert [task["id"] for task in tasks] == list(range(1, 1204, 2))


@pytest.mark.usefixtures("stored")
async def test_the_table_of_many_pages_has_one_header_and_every_task(run):
    header, *rows = (await run("list")).stdout.splitlines()
    assert header.split() == ["Id", "Text", "Tags"]
    assert [int(row.split()[0]) for row in rows] == list(range(1, 1204))
