import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from taskctl.exit_code import DESCRIPTIONS, ExitCode
from tests.taskctl.conftest import TASKCTL
from tests.taskpb.fake_tasks import bad_request


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (GRPCError(Status.INTERNAL, "oh"), 1, "oh"),
        (GRPCError(Status.UNIMPLEMENTED, "ask query"), 1, "ask query"),
        (bad_request(text="is blank"), 2, "refused: text is blank"),
        (GRPCError(Status.NOT_FOUND, "no task"), 3, "no task"),
        (GRPCError(Status.UNAVAILABLE, "draining"), 4, "draining"),
        (GRPCError(Status.DEADLINE_EXCEEDED, "late"), 5, "late"),
        (GRPCError(Status.ALREADY_EXISTS, "reused"), 6, "reused"),
        (GRPCError(Status.RESOURCE_EXHAUSTED, "full"), 7, "full"),
    ],
)
async def test_each_status_is_one_plain_line_and_its_exit_code(run, fake, error, code, line):
    fake.errors = [error] * 100
    result = await run("create", "milk", "--timeout", "1")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"taskctl: {line}\n")


def test_every_exit_code_has_a_description():
    assert list(DESCRIPTIONS) == list(ExitCode)


async def test_an_answer_that_does_not_come_is_exit_code_5(run, fake):
    fake.gate.clear()
    result = await run("get", "1", "--timeout", "0.05")
    assert result.exit_code == 5
    assert result.stderr.startswith("taskctl: no answer from query at 127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "service"),
    [(["create", "x"], "command"), (["get", "1"], "query"), (["list"], "query")],
)
async def test_a_service_that_is_away_is_one_line_at_once(run, refused, arguments, service):
    result = await run(*arguments, f"--{service}", refused, "--timeout", "60")
    assert result.exit_code == 4
    assert result.stderr == f"taskctl: cannot reach {service} at {refused}: connection refused\n"


async def test_a_servers_message_cannot_play_tricks_in_the_terminal(run, fake):
    fake.errors = [GRPCError(Status.NOT_FOUND, "\x1b[2Jgone\nX")]
    result = await run("get", "1")
    assert result.stderr == "taskctl: \\x1b[2Jgone\\nX\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["create"],
        ["get", "1", "--timeout", "0"],
        ["get", "1", "--timeout", "nan"],
        ["get", "1", "--timeout", "100000000"],
        ["get", "1", "--timeout", "soon"],
        ["get", "1", "--query", "nowhere"],
        ["create", "x", "--request-id", "7"],
        ["import", "no-such-file"],
        ["serve", "--command-port", "65536"],
        ["completion", "tcsh"],
    ],
)
async def test_bad_usage_is_exit_code_2(run, arguments):
    result = await run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


async def test_an_address_in_the_environment_is_checked_and_named(run, monkeypatch):
    monkeypatch.setenv("TASK_QUERY", "nowhere")
    result = await run("get", "1")
    assert result.exit_code == 2
    assert "'--query'" in result.stderr
    assert "'nowhere' is not HOST:PORT" in result.stderr


async def test_an_option_goes_before_the_environment(run, address, refused, monkeypatch):
    monkeypatch.setenv("TASK_COMMAND", refused)
    assert (await run("create", "x", "--command", address)).exit_code == 0


@pytest.mark.parametrize("name", ["create", "get", "list", "import", "export", "health"])
async def test_help_shows_the_addresses_defaults_and_variables(run, name):
    text = " ".join((await run(name, "--help")).stdout.split())
    assert "[env var: TASK_COMMAND; default: localhost:8081]" in text
    assert "[env var: TASK_QUERY; default: localhost:8082]" in text


async def test_help_tells_the_exit_codes(run):
    text = (await run("--help")).stdout
    for code, description in DESCRIPTIONS.items():
        assert f"{code.value}  {description}" in text


async def test_the_version_is_told(run):
    assert (await run("--version")).stdout.startswith("taskctl, version 0.")


def test_it_runs_as_a_module_too():
    command = [sys.executable, "-m", "taskctl", "--version"]
    result = subprocess.run(command, capture_output=True, check=True)
    assert result.stdout.startswith(b"taskctl, version")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["get", "--help"]])
def test_help_that_cannot_be_printed_is_one_plain_line(start, arguments):
    with Path("/dev/full").open("w") as full:
        process = start(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert process.communicate()[1] == b"taskctl: No space left on device\n"
    assert process.returncode == 1
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert process.communicate()[1] == b""
    assert process.returncode == 141


async def test_streams_that_are_closed_are_empty(address):
    command = f"'{TASKCTL}' create milk --command {address} <&- >&- 2>&-"
    command += f" && '{TASKCTL}' import - --command {address} <&-"
    command += f" && '{TASKCTL}' export --query {address} <&- 2>&-"
    process = await asyncio.create_subprocess_shell(command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert (json.loads(output)["text"], process.returncode) == ("milk", 0)


def test_ctrl_c_while_the_program_is_loaded_is_no_traceback():
    interrupting = (
        "import sys, taskctl\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *_):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "taskctl.main()\n"
    )
    result = subprocess.run([sys.executable, "-c", interrupting], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (130, b"taskctl: interrupted\n")


def test_what_libraries_log_is_not_shown():
    logging = (
        "import logging, taskctl\n"
        "try:\n"
        "    taskctl.main()\n"
        "finally:\n"
        "    logging.getLogger('asyncio').warning('socket.send() raised exception.')\n"
    )
    command = [sys.executable, "-c", logging, "--version"]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""


async def test_ctrl_c_is_exit_code_130_without_traceback(fake, address, start):
    fake.gate.clear()
    process = start("get", "1", "--query", address, stderr=subprocess.PIPE)
    await fake.calls_in_flight(1)
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate)
    fake.gate.set()
    assert (process.returncode, errors) == (130, b"taskctl: interrupted\n")


@pytest.fixture
def long_list(command, query, start):
    """The address of a query service with more tasks than a pipe holds."""
    lines = "".join(json.dumps({"text": f"{n} " + "x" * 2000}) + "\n" for n in range(700))
    importing = start(
        "import", "-", "--command", command.address, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert importing.communicate(lines.encode())[1] == b"imported 700 tasks\n"
    return query.address


def test_a_reader_of_the_output_that_goes_away_is_no_noise(long_list, start):
    for arguments in (["export"], ["list"], ["list", "--json"]):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = start(*arguments, "--query", long_list, **options)
        assert process.stdout.read(10)
        process.stdout.close()
        assert process.wait(30) == 141, arguments
        assert process.stderr.read() == b""
