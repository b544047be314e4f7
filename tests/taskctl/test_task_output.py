import pytest

from taskctl.task_output import print_table, task_table
from taskpb import Task


def printed(capsys, *tasks):
    print_table(task_table(tasks))
    return capsys.readouterr().out.splitlines()


def test_nothing_is_cut_or_folded_where_the_output_is_no_terminal(capsys):
    text, tag = "x" * 16_384, "y" * 256
    _, row = printed(capsys, Task(id=2**31 - 1, text=text, tags=[tag] * 64))
    assert row == f"2147483647  {text}  {', '.join([tag] * 64)}"


@pytest.mark.parametrize(
    "text", ["[bold red]x[/]", "[link=https://example.com]x[/link]", "[/]", ":smile:", "a\\[b"]
)
def test_markup_is_text(capsys, text):
    assert (
        printed(capsys, Task(id=1, text=text, tags=[text]))[1].split() == f"1 {text} {text}".split()
    )


def test_control_characters_are_shown_as_escapes(capsys):
    task = Task(id=1, text="a\x1b[2J\r\n\tb\x9b1m", tags=["\u202eevil\x07"])
    row = printed(capsys, task)[1]
    assert row == r" 1  a\x1b[2J\r\n\tb\x9b1m  \u202eevil\x07"


def test_wide_characters_keep_the_columns_straight(capsys):
    tasks = (Task(id=1, text="買う", tags=["a"]), Task(id=2, text="four", tags=["b"]))
    assert printed(capsys, *tasks)[1:] == [" 1  買う  a", " 2  four  b"]
