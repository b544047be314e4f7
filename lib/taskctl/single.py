"""`taskctl create` and `taskctl get`: one task each."""

import asyncio
from uuid import UUID

import click

from taskctl.connection import Connection, connection_options, json_option
from taskctl.json_line import json_of_task
from taskctl.task_table import print_table, task_table
from taskpb import Task

__all__ = ["create", "get"]


@click.command()
@click.argument("text")
@click.option("-t", "--tag", "tags", metavar="TAG", multiple=True, help="Repeat for more tags.")
@click.option(
    "--request-id",
    type=click.UUID,
    metavar="UUID",
    help="Makes it safe to run the same command again: it stores one task. Default: a new one.",
)
@json_option
@connection_options
def create(
    text: str, tags: tuple[str, ...], request_id: UUID | None, as_json: bool, connection: Connection
) -> None:
    """Store a task."""

    async def call() -> Task:
        async with connection.client() as tasks:
            return await tasks.create(text, tags, request_id=request_id)

    _print(asyncio.run(call()), as_json=as_json)


@click.command()
@click.argument("task_id", metavar="ID")
@json_option
@connection_options
def get(task_id: str, as_json: bool, connection: Connection) -> None:
    """Show one task."""

    async def call() -> Task:
        async with connection.client() as tasks:
            return await tasks.get(task_id)

    _print(asyncio.run(call()), as_json=as_json)


def _print(task: Task, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_of_task(task).encode())
    else:
        print_table(task_table([task]))
