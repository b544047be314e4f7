"""`taskctl export`: JSON lines out."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Final

import click

from taskctl.client_options import ClientOptions, client_options
from taskctl.commands.atomic_file import atomic_file
from taskctl.json_line import json_of_task
from taskctl.progress import progress_bar

__all__ = ["export"]

_PAGE_SIZE: Final = 1000
"""The most tasks that the service puts on a page."""


@click.command()
@click.argument("tag", default="")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write FILE, complete or not at all, instead of standard output.",
)
@client_options
def export(tag: str, output: Path | None, options: ClientOptions) -> None:
    """Write the tasks of TAG, or every task, as JSON lines, by ascending id."""
    # A bar would run through lines that go to the same terminal.
    visible = output is not None or not sys.stdout.isatty()
    opened = atomic_file(output) if output else nullcontext(sys.stdout.buffer)
    with opened as file, progress_bar("exporting", None, visible=visible) as show:
        done = asyncio.run(_write(file, tag, options, show))
    if output:
        click.echo(f"exported {done} {'task' if done == 1 else 'tasks'}", err=True)


async def _write(
    file: IO[bytes], tag: str, options: ClientOptions, show: Callable[[int], None]
) -> int:
    done = 0
    async with options.client() as tasks:
        async for task in tasks.list(tag, page_size=_PAGE_SIZE):
            file.write(json_of_task(task).encode() + b"\n")
            done += 1
            if done % _PAGE_SIZE == 0:
                show(done)
    file.flush()
    return done
