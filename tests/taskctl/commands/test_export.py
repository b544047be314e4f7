import json

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from taskpb import Task


@pytest.fixture
def lines(fake):
    for task_id in range(1, 2502):
        tags = ["odd"] if task_id % 2 else []
        fake.tasks[task_id] = Task(id=task_id, text=f"käse {task_id}", tags=tags)
    return [
        json.dumps({"id": task.id, "text": task.text, "tags": task.tags}, ensure_ascii=False)
        for task in fake.tasks.values()
    ]


async def test_every_task_is_a_line_in_order_of_ids(run, fake, lines):
    result = await run("export")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes.decode().splitlines() == lines
    assert len(fake.requests) == 3


async def test_a_tag_exports_its_tasks(run, lines):
    assert (await run("export", "odd")).stdout_bytes.decode().splitlines() == lines[::2]


async def test_what_is_exported_can_be_imported(run, fake, lines):
    exported = (await run("export", "odd")).stdout_bytes
    await run("import", "-", input=exported)
    assert [task.text for task in fake.tasks.values()][2501:] == [
        json.loads(line)["text"] for line in lines[::2]
    ]


async def test_a_file_is_written_whole(run, lines, tmp_path):
    path = tmp_path / "out.jsonl"
    result = await run("export", "-o", str(path))
    assert (result.stdout, result.stderr) == ("", "exported 2501 tasks\n")
    assert path.read_text().splitlines() == lines


@pytest.mark.usefixtures("lines")
async def test_a_failure_leaves_the_file_as_it_was(run, fake, tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("before")
    fake.calls_until_error = 1
    fake.errors = [GRPCError(Status.INTERNAL, "broke")]
    result = await run("export", "-o", str(path))
    assert (result.exit_code, result.stderr) == (1, "taskctl: broke\n")
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


async def test_a_folder_that_is_not_there_is_one_plain_line(run, tmp_path):
    result = await run("export", "-o", str(tmp_path / "no" / "out"))
    assert result.exit_code == 1
    assert result.stderr.startswith("taskctl: ")
    assert result.stderr.endswith("No such file or directory\n")
