import json

import pytest

from taskctl.progress import progress_bar
from tests.taskctl.conftest import TASKCTL
from tests.taskctl.terminal import Terminal


def test_there_is_no_bar_where_standard_error_is_no_terminal(capsys):
    with progress_bar("importing", 10) as show:
        show(5)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps({"text": f"task {n}"}) + "\n" for n in range(3000)))
    return path


@pytest.fixture
def short_file(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps({"text": f"task {n}"}) + "\n" for n in range(500)))
    return path


def test_import_and_export_show_a_bar_on_a_terminal(command, query, file, tmp_path):
    arguments = (TASKCTL, "import", file, "--command", command.address)
    with Terminal(*arguments, TERM="xterm", COLUMNS="100") as terminal:
        terminal.wait_for(r"importing.*\d+/3000.*/s")
        assert terminal.wait() == 0
        assert "imported 3000 tasks" in terminal.shown
    output = tmp_path / "out.jsonl"
    arguments = (TASKCTL, "export", "-o", output, "--query", query.address)
    with Terminal(*arguments, TERM="xterm", COLUMNS="100") as terminal:
        assert terminal.wait() == 0
        assert "exporting" in terminal.shown
        assert "exported 3000 tasks" in terminal.shown
    assert len(output.read_text().splitlines()) == 3000


def test_no_bar_runs_through_lines_that_go_to_the_same_terminal(command, query, short_file):
    arguments = (TASKCTL, "import", short_file, "--command", command.address)
    with Terminal(*arguments, TERM="xterm") as terminal:
        assert terminal.wait() == 0
    with Terminal(TASKCTL, "export", "--query", query.address, TERM="xterm") as terminal:
        assert terminal.wait() == 0
    lines = terminal.shown.splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(range(1, 501))


def test_a_terminal_that_cannot_move_its_cursor_shows_no_bar(command, short_file):
    arguments = (TASKCTL, "import", short_file, "--command", command.address)
    with Terminal(*arguments, TERM="dumb") as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == "imported 500 tasks\r\n"


def test_no_terminal_is_too_narrow_for_a_column(command):
    arguments = (TASKCTL, "create", "#" * 40, "-t", "%" * 40, "--command", command.address)
    for columns in ("1", "10"):
        with Terminal(*arguments, TERM="xterm", COLUMNS=columns) as terminal:
            assert terminal.wait() == 0
        assert (terminal.shown.count("#"), terminal.shown.count("%")) == (40, 40)


def test_a_table_is_folded_to_the_terminals_width_and_nothing_is_cut(command):
    text = "#" * 300
    arguments = (TASKCTL, "create", text, "-t", "home", "--command", command.address)
    with Terminal(*arguments, TERM="xterm", COLUMNS="60") as terminal:
        assert terminal.wait() == 0
    lines = terminal.shown.splitlines()
    assert terminal.shown.count("#") == 300
    assert len(lines) > 5
