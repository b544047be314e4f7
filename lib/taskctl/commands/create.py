"""`taskctl create`: one task in."""

import asyncio
from uuid import UUID

import click

from taskctl.client_options import ClientOptions, client_options, json_option
from taskctl.task_output import print_task
from taskpb import Task

__all__ = ["create"]


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
@client_options
def create(
    text: str, tags: tuple[str, ...], request_id: UUID | None, as_json: bool, options: ClientOptions
) -> None:
    """Store a task."""

    async def call() -> Task:
        async with options.client() as tasks:
            return await tasks.create(text, tags, request_id=request_id)

    print_task(asyncio.run(call()), as_json=as_json)
