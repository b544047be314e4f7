"""`taskctl list`: the tasks of a tag, page by page."""

import asyncio
from collections.abc import AsyncIterator

import click

from taskctl.client_options import ClientOptions, client_options, json_option
from taskctl.json_line import json_of_task
from taskctl.task_output import print_table, task_table
from taskpb import Task
from taskpb.client import DEFAULT_PAGE_SIZE

__all__ = ["list_"]


@click.command("list")
@click.argument("tag", default="")
@json_option
@client_options
def list_(tag: str, as_json: bool, options: ClientOptions) -> None:
    """List the tasks of TAG, or every task, by ascending id."""

    async def call() -> None:
        async with options.client() as tasks:
            await (_print_json if as_json else _print_tables)(tasks.list(tag))

    asyncio.run(call())


async def _print_json(tasks: AsyncIterator[Task]) -> None:
    separator = b"["
    async for task in tasks:
        click.echo(separator + json_of_task(task).encode(), nl=False)
        separator = b", "
    click.echo(b"[]" if separator == b"[" else b"]")


async def _print_tables(tasks: AsyncIterator[Task]) -> None:
    """Print as the tasks come: the columns fit the tasks of a page, the header stands once."""
    page: list[Task] = []
    header = True
    async for task in tasks:
        page.append(task)
        if len(page) == DEFAULT_PAGE_SIZE:
            print_table(task_table(page, header=header))
            page, header = [], False
    if page:
        print_table(task_table(page, header=header))
    elif header:
        click.echo("no tasks", err=True)
