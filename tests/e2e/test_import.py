"""Import and export through the command line, interrupted anywhere and repeated."""

import json
import os
import random
import signal
import subprocess
import sys

import apsw
import pytest

from taskpb.service import MAX_CALLS_IN_FLIGHT
from tests.processes import ServiceProcess, eventually


class Taskctl:
    """The command line against the running services, started again as they are."""

    def __init__(self, database):
        self.database = database
        self.command = ServiceProcess("command", database)
        self.query = ServiceProcess("query", database)

    def restart_command(self):
        self.command = ServiceProcess("command", self.database, port=self.command.port)

    def start(self, *arguments):
        addresses = {"TASK_COMMAND": self.command.address, "TASK_QUERY": self.query.address}
        return subprocess.Popen(
            [sys.executable, "-m", "taskctl", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | addresses,
        )

    def run(self, *arguments):
        program = self.start(*arguments)
        out, err = program.communicate(timeout=600)
        assert program.returncode == 0, err
        return out

    def stored(self):
        with apsw.Connection(str(self.database)) as db:
            return db.execute("SELECT count(*) FROM task").get

    def exported(self):
        return [json.loads(line) for line in self.run("export").splitlines()]


@pytest.fixture
def taskctl(database):
    taskctl = Taskctl(database)
    yield taskctl
    with taskctl.command, taskctl.query:
        pass


@pytest.fixture
def lines(tmp_path):
    """Write a file of so many tasks, some alike; answer its path and the tasks."""

    def write(count):
        tasks = [
            {"text": f"task {n % (count // 2)} ü\u2028", "tags": ["all", f"t{n % 7}"][: n % 3]}
            for n in range(count)
        ]
        path = tmp_path / "tasks.jsonl"
        path.write_text("".join(json.dumps(task) + "\n" for task in tasks))
        return path, tasks

    return write


def without_ids(tasks):
    return [{"text": task["text"], "tags": task["tags"]} for task in tasks]


def comes_back(taskctl, lines, count):
    path, tasks = lines(count)
    taskctl.run("import", str(path))
    exported = taskctl.exported()
    assert [task["id"] for task in exported] == list(range(1, count + 1))
    assert without_ids(exported) == tasks
    taskctl.run("import", str(path))
    assert len(taskctl.exported()) == count


def interrupted_comes_back(taskctl, lines, count, interruptions, interrupt):
    path, tasks = lines(count)
    choose = random.Random(count)
    for left in range(interruptions, 0, -1):
        before = taskctl.stored()
        program = taskctl.start("import", str(path))
        # Anywhere in its share, so that the last interruption still finds much to do.
        enough = before + choose.randint(1, (count - before) // (left + 1))
        eventually(lambda enough=enough: taskctl.stored() >= enough, within_s=120)
        assert program.poll() is None
        interrupt(taskctl, program)
        program.communicate(timeout=60)
    taskctl.run("import", str(path))
    exported = taskctl.exported()
    by_text = sorted(without_ids(exported), key=json.dumps)
    assert by_text == sorted(tasks, key=json.dumps)


def press_ctrl_c(_, program):
    program.send_signal(signal.SIGINT)


def kill_import(_, program):
    program.kill()


def kill_service(taskctl, program):
    taskctl.command.kill()
    taskctl.restart_command()
    program.send_signal(signal.SIGINT)


def test_imported_tasks_come_back_by_export_in_order(taskctl, lines):
    comes_back(taskctl, lines, 1000)


@pytest.mark.parametrize(
    "interrupt",
    [
        kill_service,
        pytest.param(press_ctrl_c, marks=pytest.mark.long),
        pytest.param(kill_import, marks=pytest.mark.long),
    ],
)
def test_interrupted_import_is_taken_up_again(taskctl, lines, interrupt):
    interrupted_comes_back(taskctl, lines, 1500, 1, interrupt)


@pytest.mark.long
def test_hundred_thousand_imported_tasks_come_back_by_export(taskctl, lines):
    comes_back(taskctl, lines, 100_000)


@pytest.mark.long
@pytest.mark.parametrize("interrupt", [press_ctrl_c, kill_import, kill_service])
def test_hundred_thousand_interrupted_again_and_again(taskctl, lines, interrupt):
    interrupted_comes_back(taskctl, lines, 100_000, 5, interrupt)


def test_service_killed_for_a_moment_does_not_end_the_import(taskctl, lines):
    path, tasks = lines(1500)
    program = taskctl.start("import", str(path))
    # So many are stored only once the import has heard of the first.
    eventually(lambda: taskctl.stored() > MAX_CALLS_IN_FLIGHT)
    assert program.poll() is None
    taskctl.command.kill()
    taskctl.restart_command()
    _, err = program.communicate(timeout=60)
    assert program.returncode == 0, err
    assert sorted(without_ids(taskctl.exported()), key=json.dumps) == sorted(tasks, key=json.dumps)
