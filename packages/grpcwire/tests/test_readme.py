"""The README's example and the programs of examples/ run; its tables are the code's."""

import ast
import inspect
import re
import runpy
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import grpcwire
from grpcwire import Counters, Limits

HERE = Path(__file__).parent
PACKAGE = HERE.parent
README = (PACKAGE / "README.md").read_text()
EXAMPLES = {
    "echo.py": "hello\n",
    "deadline_and_metadata.py": "for alice by demo\nUNAVAILABLE: no answer within your deadline\n",
    "countdown.py": "1000000\n999999\n999998\nthe handler has ended\n",
}
MAX_LINES = 25  # of code in the first example


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def explained(cls: type) -> dict[str, str]:
    """The docstring below each field of a dataclass, on one line."""
    (found,) = ast.parse(inspect.getsource(cls)).body
    names = [each.name for each in fields(cls)]
    texts = [
        " ".join(node.value.value.split())
        for node in found.body[1:]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    return dict(zip(names, texts, strict=True))


def shown(name: str, value: float) -> str:
    """A default as a reader likes it."""
    if "_bytes" in name and not value % 1024:
        return f"{value // 1024**2} MiB" if not value % 1024**2 else f"{value // 1024} KiB"
    return f"{value:,} s" if name.endswith("_s") and "_per_" not in name else f"{value:,}"


def limits_table() -> Iterator[str]:
    yield "| limit | default | the bound and its reason | beyond |"
    yield "|---|---|---|---|"
    for name, text in explained(Limits).items():
        bound, _, beyond = text.partition(" Beyond: ")
        yield f"| `{name}` | {shown(name, getattr(Limits(), name))} | {bound} | {beyond} |"


def counters_table() -> Iterator[str]:
    yield "| counter | counts |"
    yield "|---|---|"
    for name, text in explained(Counters).items():
        yield f"| `{name}` | {text} |"


def test_the_first_example_prints_what_the_readme_says(capsys):
    program = python_blocks()[0]
    assert len([line for line in program.splitlines() if line]) <= MAX_LINES
    exec(compile(program, "README.md", "exec"), {})  # noqa: S102 - as a reader would run it
    assert f"It prints `{capsys.readouterr().out.strip()}`." in README


def test_every_example_is_run():
    assert EXAMPLES.keys() == {path.name for path in (PACKAGE / "examples").glob("*.py")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_prints_what_it_should(name, capsys):
    runpy.run_path(str(PACKAGE / "examples" / name), run_name="__main__")
    assert capsys.readouterr().out == EXAMPLES[name]
    assert f"(examples/{name})" in README


@pytest.mark.parametrize("table", [limits_table, counters_table])
def test_a_table_is_made_of_the_docstrings(table):
    assert "\n".join(table()) in README


def test_the_reference_names_every_public_name():
    section = README.partition("## Public names")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(named) == sorted(grpcwire.__all__)


@pytest.mark.parametrize("test", re.findall(r"`tests/([\w/]+\.py::\w+)`", README))
def test_every_deliberate_difference_names_its_test(test):
    path, _, function = test.partition("::")
    assert re.search(rf"^(async )?def {function}\(", (HERE / path).read_text(), re.MULTILINE)
