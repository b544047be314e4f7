"""Tasks as a table for people."""

import sys
from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskctl.printable import printable
from taskpb import Task

__all__ = ["print_table", "task_table"]

# In less, rich drops columns; the terminal itself folds what is too long for it.
_MIN_WIDTH = 24


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
