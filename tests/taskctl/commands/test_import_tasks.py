import asyncio
import json
import signal
import subprocess

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from taskpb.service import MAX_CALLS_IN_FLIGHT


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tasks.jsonl"
    lines = [json.dumps({"text": f"task {n}", "tags": ["all", f"t{n % 3}"]}) for n in range(1000)]
    path.write_text("\n".join(lines))
    return str(path)


async def test_every_line_is_stored_in_order_with_many_calls_in_flight(run, fake, file):
    importing = asyncio.ensure_future(run("import", file))
    await fake.calls_in_flight(1)
    fake.gate.clear()
    await fake.calls_in_flight(MAX_CALLS_IN_FLIGHT)
    fake.gate.set()
    result = await importing
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "imported 1000 tasks\n"
    assert [task.text for task in fake.tasks.values()] == [f"task {n}" for n in range(1000)]
    assert fake.tasks[5].tags == ["all", "t1"]
    assert fake.most_in_flight == MAX_CALLS_IN_FLIGHT


async def test_standard_input_is_a_file_too(run, fake):
    result = await run("import", "-", input='{"text": "a"}\n')
    assert (result.exit_code, result.stderr) == (0, "imported 1 task\n")
    assert len(fake.tasks) == 1


async def test_an_input_that_is_imported_again_is_stored_once(run, fake, file):
    for _ in range(2):
        assert (await run("import", file)).stderr == "imported 1000 tasks\n"
    assert len(fake.tasks) == 1000


async def test_again_stores_it_once_more_for_each_label(run, fake):
    for label in ("", "second", "second", "third", "\udcff", "\udcff"):
        await run("import", "-", "--again", label, input='{"text": "a"}\n')
    assert len(fake.tasks) == 4


async def test_one_bad_line_keeps_everything_from_being_sent(run, fake):
    lines = '{"text": "fine"}\n{"text": "x", "tags": [" ", "ok", ""]}\n\nnope\n'
    result = await run("import", "-", input=lines)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "stdin:2: tags[0]: is blank",
        "stdin:2: tags[2]: is empty",
        "stdin:4: is not valid JSON at character 1: Expecting value",
        "nothing was imported",
    ]
    assert fake.requests == []


async def test_of_many_problems_twenty_are_shown(run):
    result = await run("import", "-", input="nope\n" * 123)
    lines = result.stderr.splitlines()
    assert len(lines) == 22
    assert lines[20:] == ["and 103 more", "nothing was imported"]


async def test_a_failure_tells_how_far_it_came_and_how_to_go_on(run, fake, file):
    fake.lost_answers = 10_000_000
    result = await run("import", file, "--timeout", "1")
    assert result.exit_code == 4
    assert result.stderr.splitlines() == [
        "stopped: 0 of 1000 imported; run the same command again to go on",
        "taskctl: stored, but you will not know",
    ]
    fake.lost_answers = 0
    assert (await run("import", file)).exit_code == 0
    assert len(fake.tasks) == 1000


async def test_a_limit_reached_is_exit_code_7(run, fake, file):
    fake.errors = [GRPCError(Status.RESOURCE_EXHAUSTED, "disk full")]
    assert (await run("import", file)).exit_code == 7


async def test_lost_answers_in_between_double_nothing(run, fake, file):
    importing = asyncio.ensure_future(run("import", file))
    await fake.calls_in_flight(1)
    fake.gate.clear()
    await fake.calls_in_flight(MAX_CALLS_IN_FLIGHT)
    fake.lost_answers = 300
    fake.gate.set()
    assert (await importing).exit_code == 0
    assert len(fake.tasks) == 1000


async def test_ctrl_c_tells_how_far_it_came_and_a_repetition_goes_on(
    run, fake, address, start, file
):
    process = start("import", file, "--command", address, stderr=subprocess.PIPE)
    await fake.calls_in_flight(1)
    fake.gate.clear()
    await fake.calls_in_flight(MAX_CALLS_IN_FLIGHT)
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate)
    fake.gate.set()
    assert process.returncode == 130
    assert b"of 1000 imported; run the same command again to go on\n" in errors
    assert errors.startswith(b"interrupted: ")
    assert errors.count(b"\n") == 1
    assert 0 < len(fake.tasks) < 1000
    assert (await run("import", file)).exit_code == 0
    texts = sorted(int(task.text.split()[1]) for task in fake.tasks.values())
    assert texts == list(range(1000))


async def test_help_tells_for_how_long_a_repetition_is_known(run):
    assert "24 hours" in (await run("import", "--help")).stdout
