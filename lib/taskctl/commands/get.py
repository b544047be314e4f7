"""`taskctl get`: one task out."""

import asyncio

import click

from taskctl.client_options import ClientOptions, client_options, json_option
from taskctl.task_output import print_task
from taskpb import Task

__all__ = ["get"]


@click.command()
@click.argument("task_id", metavar="ID")
@json_option
@client_options
def get(task_id: str, as_json: bool, options: ClientOptions) -> None:
    """Show one task."""

    async def call() -> Task:
        async with options.client() as tasks:
            return await tasks.get(task_id)

    print_task(asyncio.run(call()), as_json=as_json)
