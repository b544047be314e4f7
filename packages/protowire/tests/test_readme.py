"""The README: its example runs as printed, its reference and limits are those of the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import protowire
from protowire.json.reader import MAX_JSON_BYTES
from protowire.json.values import MAX_NUMBER_LENGTH
from protowire.wire import MAX_DEPTH, MAX_LENGTH

PACKAGE = Path(__file__).parent.parent
README = (PACKAGE / "README.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_first_example_prints_what_it_says(tmp_path):
    program = tmp_path / "example.py"
    program.write_text(block("python"))
    assert run(sys.executable, "-W", "error", str(program)) == block("text")


def test_the_reference_has_a_row_for_every_public_name():
    table = README.partition("## Reference")[2].partition("## Limits")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)", row)} == {*protowire.__all__}


def test_the_limits_are_those_of_the_code():
    assert f"{MAX_DEPTH} levels" in README
    assert "2 GiB - 1" in README
    assert MAX_LENGTH == 2 * 1024**3 - 1
    assert f"{MAX_JSON_BYTES >> 20} MiB" in README
    assert f"{MAX_NUMBER_LENGTH} characters" in README


def test_its_links_within_the_package_resolve():
    for name in re.findall(r"`(\w+\.py)`", README):
        assert (PACKAGE / "examples" / name).exists()


@pytest.mark.parametrize("name", ["generated_module.py", "compare.py"])
def test_the_examples_run(name):
    printed = run(sys.executable, "-W", "error", str(PACKAGE / "examples" / name), "10")
    assert printed.count("\n") > 2


def test_every_example_is_run_here():
    names = {path.name for path in (PACKAGE / "examples").glob("*.py")}
    assert names == {"generated_module.py", "compare.py"}
