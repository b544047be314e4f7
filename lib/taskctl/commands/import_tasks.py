"""`taskctl import`: JSON lines in, many calls in flight, nothing doubled by a repetition."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

import click

from taskctl.client_options import ClientOptions, client_options
from taskctl.commands.import_source import ImportSource, InputChanged, Survey
from taskctl.exit_code import ExitCode
from taskctl.printable import printable
from taskctl.progress import progress_bar
from taskpb import TaskServiceError
from taskpb.service import MAX_CALLS_IN_FLIGHT

__all__ = ["import_"]

_MAX_PROBLEMS_SHOWN: Final = 20

_SHOW_EVERY: Final = 64
"""The tasks after which the progress bar is drawn anew."""


@dataclass(slots=True)
class _Count:
    done: int = 0
    """The tasks that are stored."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--again",
    metavar="LABEL",
    default="",
    help="Import the same input one more time, under a label of your choice; "
    "repeat it with the same label to go on after an interruption.",
)
@client_options
def import_(file: str, again: str, options: ClientOptions) -> None:
    r"""Store the tasks of FILE, or of standard input where it is `-`.

    Each line is a JSON object, {"text": "buy milk", "tags": ["home"]}; tags may
    be missing, an id is passed over, blank lines too. All of it is checked
    before anything is stored.

    An import that was interrupted goes on when the same command is run again:
    a line of the same input is stored once, however often it is sent, for at
    least 24 hours. After that, or with --again, it is stored anew.
    """
    with ImportSource(file) as source:
        survey = _survey(source)
        count = _Count()
        try:
            with progress_bar("importing", survey.tasks) as show:
                sending = _send(
                    source, survey, again=again, options=options, count=count, show=show
                )
                asyncio.run(sending)
        except (TaskServiceError, KeyboardInterrupt) as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            _say(
                f"{'interrupted' if interrupted else 'stopped'}: {count.done} of {survey.tasks} "
                "imported; run the same command again to go on"
            )
            if interrupted:
                click.get_current_context().exit(ExitCode.INTERRUPTED)
            raise
        except InputChanged as error:
            _say(f"{error}: at least {count.done} of its {survey.tasks} tasks are stored")
            click.get_current_context().exit(ExitCode.FAILED)
    _say(f"imported {count.done} {'task' if count.done == 1 else 'tasks'}")


def _survey(source: ImportSource) -> Survey:
    """Validate the whole input; problems are printed, and end the program."""
    problems = 0

    def report(line_number: int, problem: str) -> None:
        nonlocal problems
        problems += 1
        if problems <= _MAX_PROBLEMS_SHOWN:
            _say(f"{source.name}:{line_number}: {problem}")

    with progress_bar("checking", source.size_bytes, in_bytes=True) as show:
        survey = source.survey(report, lambda: show(source.position_bytes))
    if problems > _MAX_PROBLEMS_SHOWN:
        _say(f"and {problems - _MAX_PROBLEMS_SHOWN} more")
    if problems:
        _say("nothing was imported")
        click.get_current_context().exit(ExitCode.REFUSED)
    return survey


async def _send(
    source: ImportSource,
    survey: Survey,
    *,
    again: str,
    options: ClientOptions,
    count: _Count,
    show: Callable[[int], None],
) -> None:
    lines = source.tasks()
    async with options.client() as tasks:

        async def send_lines(most: int | None = None) -> None:
            for number, request in islice(lines, most):
                request_id = survey.request_id(number, again)
                await tasks.create(request.text, request.tags, request_id=request_id)
                count.done += 1
                if count.done % _SHOW_EVERY == 0:
                    show(count.done)

        # The first makes the connection: calls that wait for one may overtake each other.
        await send_lines(1)
        senders = [asyncio.create_task(send_lines()) for _ in range(MAX_CALLS_IN_FLIGHT)]
        try:
            await asyncio.gather(*senders)
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)


def _say(message: str) -> None:
    click.echo(printable(message), err=True)
