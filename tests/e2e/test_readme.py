"""What the README tells its reader to type works, in its order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL))
TYPED = re.findall(r"^\$ (.*)$", CONSOLE, re.MULTILINE)


@pytest.fixture
def environment(command, query):
    beside_python = str(Path(sys.executable).parent)
    return os.environ | {
        "TASK_COMMAND": command.address,
        "TASK_QUERY": query.address,
        "PATH": os.pathsep.join([beside_python, os.environ["PATH"]]),
    }


def test_readme_shows_the_two_commands_first():
    assert TYPED[:1] == ["make serve"]
    assert "make test" in TYPED
    for target in ("serve", "test"):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_taskctl_commands_work_in_order(environment):
    typed = [line for line in TYPED if line.startswith("taskctl ")]
    assert len(typed) >= 3
    for line in typed:
        done = subprocess.run(
            shlex.split(line), env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        assert "buy milk" in done.stdout


def test_buf_commands_work_in_order(environment, command, query, require_tool):
    typed = [line for line in TYPED if line.startswith("buf ")]
    assert len(typed) >= 2
    for line in typed:
        here = line.replace("localhost:8081", command.address)
        program, *arguments = shlex.split(here.replace("localhost:8082", query.address))
        done = subprocess.run(
            [require_tool(program), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        assert "tag1" in done.stdout


async def test_python_example_works(command, query, capsys):
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    example = example.replace("localhost:8081", command.address)
    example = example.replace("localhost:8082", query.address)
    body = "\n".join("    " + line for line in example.splitlines())
    names = {}
    exec(f"async def run():\n{body}\n", names)  # noqa: S102 - the example is ours
    await names["run"]()
    assert capsys.readouterr().out == "1 buy milk\n"


def test_exit_codes_are_those_of_the_program():
    from taskctl.exit_code import MEANINGS

    table = README.partition("| exit code |")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == {*MEANINGS}


def test_every_option_of_a_service_is_documented(query):
    done = subprocess.run(
        [sys.executable, "-m", "query", "--help"], capture_output=True, text=True, check=True
    )
    for option in re.findall(r"(--[a-z-]+)", done.stdout):
        assert option in README or option == "--help", option
    for variable in re.findall(r"TASK_[A-Z_]+", done.stdout):
        assert variable in README, variable
