"""Tasks on standard output: a table for people, a line of JSON for programs."""

import sys
from collections.abc import Sequence
from io import StringIO
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskctl.json_line import json_of_task
from taskctl.printable import printable
from taskpb import Task

__all__ = ["print_table", "print_task", "task_table"]

_MIN_WIDTH: Final = 24
"""In fewer columns rich drops some of the table's; the terminal folds what is too long for it."""


def task_table(tasks: Sequence[Task], *, header: bool = True) -> Table:
    """Columns Id, Text and Tags; nothing in a task can act as markup or control."""
    table = Table(box=None, pad_edge=False, show_header=header)
    table.add_column("Id", justify="right", no_wrap=True)
    table.add_column("Text", overflow="fold")
    table.add_column("Tags", overflow="fold")
    for task in tasks:
        tags = ", ".join(map(printable, task.tags))
        table.add_row(Text(str(task.id)), Text(printable(task.text)), Text(tags))
    return table


def print_table(table: Table) -> None:
    """Print on standard output: folded to a terminal's width, else in full width."""
    if sys.stdout.isatty():
        console = Console(file=sys.stdout, highlight=False)
        console.width = max(console.width, _MIN_WIDTH)
        console.print(table)
        return
    text = StringIO()
    console = Console(file=text, color_system=None, force_terminal=False, width=sys.maxsize)
    console.width = max(1, console.measure(table).maximum)
    console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))


def print_task(task: Task, *, as_json: bool) -> None:
    """Print one task in the form that was asked for."""
    if as_json:
        click.echo(json_of_task(task).encode())
    else:
        print_table(task_table([task]))
