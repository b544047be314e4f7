"""The program: its commands, and the one plain line that an error becomes."""

import io
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import click
from click.exceptions import Exit
from typing_extensions import override

from taskctl.commands.completion import completion
from taskctl.commands.create import create
from taskctl.commands.export import export
from taskctl.commands.get import get
from taskctl.commands.health import health
from taskctl.commands.import_tasks import import_
from taskctl.commands.list import list_
from taskctl.commands.serve import serve
from taskctl.exit_code import DESCRIPTIONS, ExitCode, exit_code_of
from taskctl.printable import printable
from taskpb import InvalidRequest, TaskServiceError

__all__ = ["program", "run"]

_EXIT_CODES: Final = "\n".join(
    f"{code.value:>5}  {description}" for code, description in DESCRIPTIONS.items()
)


class _Program(click.Group):
    """A group whose errors are one plain line and an exit code."""

    @override
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _one_plain_line():  # --help and --version print here
            return super().make_context(*arguments, **options)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        with _one_plain_line():
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@contextmanager
def _one_plain_line() -> Generator[None]:
    try:
        yield
    except TaskServiceError as error:
        _fail(_message(error), exit_code_of(error))
    except KeyboardInterrupt:
        _fail("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _drop_unprintable()
        raise Exit(ExitCode.OUTPUT_CLOSED) from None
    except OSError as error:
        _drop_unprintable()
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}", ExitCode.FAILED)


def _drop_unprintable() -> None:
    """Forget what can't be written: it would fail once more at the interpreter's end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\nExit codes:\n{_EXIT_CODES}",
)
@click.version_option(package_name="task-service", prog_name="taskctl")
def program() -> None:
    """Create tasks and find them again by their tags."""


for _command in (create, get, list_, import_, export, health, serve, completion):
    program.add_command(_command)


def run() -> None:
    """Run the program and exit."""
    # Libraries' logs are not our lines; the cause of one is told as an error.
    logging.getLogger().addHandler(logging.NullHandler())
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from servicekit.streams import open_missing_streams  # noqa: PLC0415 - slow, seldom needed

        open_missing_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A table may hold what the terminal's encoding doesn't; JSON is UTF-8 anyway.
        sys.stdout.reconfigure(errors="backslashreplace")  # pyright: ignore[reportUnknownMemberType] - it writes to any buffer
    program(prog_name="taskctl")


def _message(error: TaskServiceError) -> str:
    if isinstance(error, InvalidRequest) and error.violations:
        parts = (f"{field} {problem}" for field, problem in error.violations.items())
        return f"refused: {', '.join(parts)}"
    return str(error)


def _fail(message: str, code: ExitCode) -> NoReturn:
    click.echo(f"taskctl: {printable(message)}", err=True)
    raise Exit(code) from None
