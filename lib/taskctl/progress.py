"""A progress bar on standard error, where that is a terminal; else nothing."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from typing_extensions import override

__all__ = ["progress_bar"]


class _Rate(ProgressColumn):
    """Tasks a second."""

    @override
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "-/s")


@contextmanager
def progress_bar(
    label: str, total: int | None, *, in_bytes: bool = False, visible: bool = True
) -> Generator[Callable[[int], None]]:
    """Show the progress of something; the caller tells the amount done so far.

    `total` is None where it can't be known beforehand.
    """
    console = Console(stderr=True)
    if not (visible and sys.stderr.isatty()) or console.is_dumb_terminal:
        yield lambda _done: None
        return
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    time = TimeElapsedColumn() if total is None else TimeRemainingColumn()
    columns = [TextColumn("{task.description}"), BarColumn(), amount]
    columns += [time] if in_bytes else [_Rate(), time]
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(label, total=total)

        def show(done: int) -> None:
            progress.update(bar, completed=done)

        yield show
