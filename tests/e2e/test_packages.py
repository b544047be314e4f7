"""Each package by itself: installed into a bare environment, its example and its tests run.

The environments are made by the interpreter's own venv, so that nothing of this one is
seen, and the packages are copied, so that nothing beside them is found.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

PACKAGES = ["protowire", "grpcwire"]
NOT_BROUGHT = {"apsw", "asyncpg", "click", "rich", "structlog", "task-service"}
OF_THE_PROJECT = {"bff", "command", "query", "servicekit", "taskctl", "taskpb", "taskstore"}
TESTS_TIMEOUT_S = 900

pytestmark = [pytest.mark.long, pytest.mark.timeout(TESTS_TIMEOUT_S + 300)]


class Alone(NamedTuple):
    """A package in an environment of its own."""

    name: str
    folder: Path
    python: Path

    def run(self, *arguments: str, timeout_s: float = 300) -> str:
        """Run Python there, away from the repository; what it prints."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        return done.stdout


@pytest.fixture(scope="module", params=PACKAGES)
def alone(request, tmp_path_factory) -> Iterator[Alone]:
    name = request.param
    place = tmp_path_factory.mktemp(name)
    folder = place / name
    leave = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "packages" / name, folder, ignore=leave)
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    package = Alone(name, folder, place / "venv/bin/python")
    # The locked versions, as far as the package needs any.
    locked = place / "constraints.txt"
    text = (ROOT / "constraints.txt").read_text()
    locked.write_text("\n".join(re.findall(r"^[\w.-]+==[^ \\]+", text, re.MULTILINE)))
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    package.run(*install, "--constraint", str(locked), str(folder))
    yield package
    shutil.rmtree(place)


def installed(alone: Alone) -> set[str]:
    listed = alone.run("-m", "pip", "list", "--format", "json", "--disable-pip-version-check")
    return {each["name"] for each in json.loads(listed)}


def test_it_brings_nothing_of_the_project(alone):
    found = installed(alone)
    assert alone.name in found
    assert not found & (NOT_BROUGHT | OF_THE_PROJECT | {*PACKAGES} - {alone.name})


def test_importing_it_loads_nothing_of_the_project(alone):
    program = f"import sys, {alone.name}; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in alone.run("-c", program).split()}
    assert alone.name in loaded
    assert not loaded & (OF_THE_PROJECT | {*PACKAGES} - {alone.name})


def test_its_first_example_runs_on_its_dependencies_alone(alone):
    blocks = re.findall(r"```python\n(.*?)```", (alone.folder / "README.md").read_text(), re.DOTALL)
    assert blocks
    (alone.folder.parent / "example.py").write_text(blocks[0])
    alone.run("-W", "error", str(alone.folder.parent / "example.py"))


def test_its_own_tests_pass_where_nothing_else_is(alone):
    """Comes last: the packages of the tests are installed now."""
    wanted = alone.run(
        "-c",
        "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))"
        "['dependency-groups']['test'], sep='\\n')",
    ).splitlines()
    locked = str(alone.folder.parent / "constraints.txt")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone.run(*install, "--constraint", locked, *wanted)
    shutil.rmtree(alone.folder / "src")  # what was installed is tested
    alone.run("-m", "pytest", "-q", timeout_s=TESTS_TIMEOUT_S)
    assert not installed(alone) & {"apsw", "asyncpg", "structlog", "task-service"}
