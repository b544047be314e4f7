"""The README's commands work in their order and print what it shows; its figures hold."""

import re
import shlex
import shutil
import subprocess

from servicekit import COMMAND_PORT, QUERY_PORT
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL))
TYPED = re.findall(r"^\$ (.*)$", CONSOLE, re.MULTILINE)
SHOWN = dict(re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)*)", CONSOLE, re.MULTILINE))
MAX_LINES = 150
STOREYS = {
    "services": (["command", "query"], 170),
    "lib": (["lib/taskctl", "lib/servicekit", "lib/taskpb", "lib/taskstore"], 6_000),
    "packages": (["packages/grpcwire/src", "packages/protowire/src"], 11_000),
}


def test_readme_is_short():
    assert len(README.splitlines()) < MAX_LINES


def test_readme_shows_the_two_commands_first():
    assert TYPED[:1] == ["make serve"]
    assert "make test" in TYPED
    for target in ("serve", "test", "help"):
        assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    ready = {"command": COMMAND_PORT, "query": QUERY_PORT}
    lines = "".join(f"{name} listening on localhost:{port}\n" for name, port in ready.items())
    assert SHOWN["make serve"] == lines


def test_make_help_names_every_target(require_tool):
    done = subprocess.run(
        [require_tool("make"), "--silent"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert re.findall(r"^make (\S+) +\S", done.stdout, re.MULTILINE) == targets


def run(line, pair, require_tool):
    """Run a line of the README against the pair; what it prints."""
    program, *arguments = shlex.split(pair.addressed(line))
    environment = pair.environment
    done = subprocess.run(
        [shutil.which(program, path=environment["PATH"]) or require_tool(program), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), line
    return done.stdout


def test_first_commands_print_what_is_shown(pair, require_tool):
    typed = [line for line in TYPED if line.startswith(("taskctl ", "curl "))]
    assert len(typed) >= 4
    for line in typed:
        assert run(line, pair, require_tool).strip() == SHOWN[line].strip()


def test_buf_commands_work_in_order(pair, require_tool):
    typed = [line for line in TYPED if line.startswith("buf ")]
    assert len(typed) >= 2
    for line in typed:
        assert "tag1" in run(line, pair, require_tool)


async def test_python_example_works(pair, capsys):
    example = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    body = "\n".join("    " + line for line in pair.addressed(example).splitlines())
    names = {}
    exec(f"async def run():\n{body}\n", names)  # noqa: S102 - the example is ours
    await names["run"]()
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(r"[0-9]+ buy milk", line) for line in lines)


def test_storeys_have_about_as_many_lines_as_drawn():
    drawing = README.partition("## How it is built")[2].partition("## ")[0]
    said = [
        int(number.replace(",", "")) for number in re.findall(r"about +([0-9,]+) lines", drawing)
    ]
    assert said == [lines for _, lines in STOREYS.values()]
    for folders, about in STOREYS.values():
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
        lines = sum(
            len(path.read_text().splitlines()) for path in paths if "generated" not in path.parts
        )
        assert about * 0.8 < lines < about * 1.25, folders
