"""The documents: their commands run, and what they name exists.

A command nobody can run here stands in NOT_RUN with its reason; the README's
own are run by test_readme.py.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain

import click
import pytest

from command.__main__ import main as command_main
from query.__main__ import main as query_main
from taskctl.exit_code import DESCRIPTIONS
from taskctl.program import program
from taskstore import SqliteLocation, open_reader
from tests.conftest import ROOT

DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in chain(ROOT.glob("*.md"), *(ROOT.glob(f"{it}/**/*.md") for it in ("docs", "bench")))
)
# Their commands are run by the packages' own tests.
OF_PACKAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("packages/*/*.md"))
OPERATIONS = (ROOT / "docs/operations.md").read_text()
NOT_RUN = {
    "README.md": {
        "make serve": "serves until Ctrl-C on the usual ports; tests/taskctl/test_serve.py does it",
        "make test": "runs this very suite",
        ". .venv/bin/activate": "tests find the programs by their PATH",
        "taskctl ": "tests/e2e/test_readme.py",
        "curl ": "tests/e2e/test_readme.py",
        "buf ": "tests/e2e/test_readme.py",
    },
    "CONTRIBUTING.md": {"tox": "runs this very suite"},
    "bench/README.md": {
        "tox -e bench": "measures for minutes, beside servers that it installs",
        "python -m bench": "likewise",
    },
    "docs/scaling.md": {
        "TASK_DATABASE_URL=": "tests/e2e/test_postgres.py has a primary and its replica"
    },
    "docs/why.md": {
        "tox -e bench": "measures for minutes, beside servers that it installs",
        "python -m bench.trip": "tests/test_why.py",
        "python -m bench.codec": "measures for ten seconds; no figure of it is promised",
    },
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(
    r"`((?:proto|command|query|lib|packages|tests|bench|examples|docs)/[\w./-]*)(?:::(\w+))?`"
)


def text_of(document):
    return (ROOT / document).read_text()


def prose_of(document):
    return FENCE.sub("", text_of(document))


def typed_in(document) -> Iterator[tuple[str, str]]:
    """Each command of the document, and what it is shown to print."""
    for kind, block in FENCE.findall(text_of(document)):
        if kind == "console":
            yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def is_run(document, line):
    return not any(line.startswith(start) for start in NOT_RUN.get(document, ()))


# Commands.


@pytest.mark.parametrize(
    "document", [it for it in DOCUMENTS if any(is_run(it, line) for line, _ in typed_in(it))]
)
def test_commands_print_what_is_shown(document, pair, require_tool):
    for line, shown in typed_in(document):
        if not is_run(document, line):
            continue
        if not shutil.which(line.split()[0], path=pair.environment["PATH"]):
            require_tool(line.split()[0])
        done = subprocess.run(
            ["bash", "-c", pair.addressed(line)],
            cwd=pair.folder,
            env=pair.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
        if shown:
            assert words(done.stdout) == words(pair.addressed(shown)), line


def words(text):
    """Its words: tables are as wide as the addresses in them."""
    return text.split()


async def test_backup_holds_the_tasks(pair):
    (line,) = [line for line, _ in typed_in("docs/operations.md") if "backup" in line]
    subprocess.run(["taskctl", "create", "kept"], env=pair.environment, check=True)
    subprocess.run(["bash", "-c", line], cwd=pair.folder, env=pair.environment, check=True)
    reader = await open_reader(SqliteLocation(pair.folder / "copy.db"))
    assert b"kept" in b"".join((await reader.list_by_tag("")).tasks)
    await reader.close()


def test_no_command_hides_in_a_block_that_is_not_run():
    for document in DOCUMENTS:
        for kind, block in FENCE.findall(text_of(document)):
            assert kind in ("", "console", "python"), document
            commands = r"^(\$ |taskctl |tox|make |python |uv |buf |curl |docker |TASK_)"
            assert kind == "console" or not re.search(commands, block, re.MULTILINE), block


def test_every_reason_not_to_run_is_of_a_command():
    for document, reasons in NOT_RUN.items():
        for start in reasons:
            assert any(line.startswith(start) for line, _ in typed_in(document)), start


# Names.


@pytest.mark.parametrize("document", DOCUMENTS + OF_PACKAGES)
def test_every_link_leads_somewhere(document):
    for link in LINK.findall(prose_of(document)):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


def anchors(text):
    """As renderers make them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_test_named_exists(document):
    for path, test in NAMED.findall(prose_of(document)):
        found = ROOT / path
        assert found.exists(), path
        if test:
            assert re.search(rf"^(async )?def {test}\(", found.read_text(), re.MULTILINE), test


def test_every_document_is_linked_from_the_readme():
    linked = {link.partition("#")[0] for link in LINK.findall(text_of("README.md"))}
    assert {*DOCUMENTS} - {"README.md"} <= linked


# Options and exit codes.


def parameters(*commands):
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield parameter


def rows(title):
    """The rows of each table whose head begins with `title`, by their cells."""
    for table in re.findall(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", OPERATIONS, re.MULTILINE):
        lines = table.splitlines()
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("main", [command_main, query_main])
def test_every_option_of_a_service_has_its_row(main):
    of_services, _ = rows("option")
    documented = {row[0]: row[1] for row in of_services}
    options = {f"`{each.opts[0]}`": f"`{each.envvar}`" for each in parameters(main)}
    assert documented == options | {"`--help`, `-h`": ""}


def test_every_option_of_taskctl_is_named():
    named = set(re.findall(r"`(-[\w-]+)[` ]", OPERATIONS))
    for option in parameters(program, *program.commands.values()):
        assert named >= {*option.opts}, option.opts
        assert not option.envvar or option.envvar in OPERATIONS


def test_no_option_is_made_up():
    real = {"--help", "-h"}
    for option in parameters(command_main, program, *program.commands.values()):
        real |= {*option.opts}
    first_cells = [row[0] for table in rows("option") for row in table]
    first_cells += [row[0] + row[1] for table in rows("command") for row in table]
    assert set(re.findall(r"`(-[\w-]+)[` ]", " ".join(first_cells))) <= real


def test_every_command_of_taskctl_has_its_row():
    (table,) = rows("command")
    names = [re.match(r"`taskctl (\w+)", row[0])[1] for row in table]
    assert sorted(names) == sorted(program.commands)


def test_every_exit_code_has_its_row():
    of_services, of_taskctl = rows("exit code")
    assert [int(row[0]) for row in of_services] == [0, 1, 2, 130]
    assert {int(row[0]): row[1] for row in of_taskctl} == {**DESCRIPTIONS}
