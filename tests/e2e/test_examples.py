"""The programs in examples/ run as their docstrings say, against real servers."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

OUTPUT = {
    "client.py": """\
created 'buy milk' with tags home, shop
the newest under 'shop' is the one created: True
created twice, stored once: True
a request id stands for one task only
refused: text, tags[1]
not found: no task has the id 2147483647
nobody listens there
""",
    "deadline_and_metadata.py": """\
Task(id=7, text='for alice')
UNAVAILABLE: no answer within your deadline
""",
}


def test_every_example_is_run():
    assert OUTPUT.keys() == {path.name for path in (ROOT / "examples").glob("*.py")}


@pytest.mark.parametrize("name", OUTPUT)
def test_example_runs_as_its_docstring_says(name, pair):
    path = ROOT / "examples" / name
    assert re.search(rf"^    \.venv/bin/python examples/{name}$", path.read_text(), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, path],
        env=pair.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == OUTPUT[name]
