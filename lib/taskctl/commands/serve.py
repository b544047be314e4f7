"""`taskctl serve`: both services in one terminal."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

import click

from taskctl.commands.foreground import foreground
from taskctl.commands.supervisor import Child, run_services
from taskpb.channel import COMMAND_PORT, MAX_PORT, QUERY_PORT, Address

__all__ = ["serve"]

_WILDCARD_HOSTS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
"""The hosts that stand for every address of this machine, and name none."""

_PASSED_ON: Final[Mapping[str, tuple[str, str]]] = {
    "--database": ("URL", "The database of both."),
    "--workers": ("N", "Processes of each service."),
    "--engine": ("NAME", "The server that runs the handlers."),
    "--cors-origin": ("ORIGIN", "Let pages of this origin call from browsers."),
    "--log-format": ("FORMAT", "text or json."),
    "--log-level": ("LEVEL", "The least to log."),
    "--tls-cert": ("FILE", "Certificate chain (PEM)."),
    "--tls-key": ("FILE", "The certificate's key (PEM)."),
    "--tls-client-ca": ("FILE", "Ask clients for a certificate of this CA (PEM)."),
}
"""The options that both services get as they were given: metavar and help of each."""

_PORT: Final = click.IntRange(0, MAX_PORT)


def _passed_on(function: Callable[..., None]) -> Callable[..., None]:
    for name, (metavar, help_text) in reversed([*_PASSED_ON.items()]):
        function = click.option(name, metavar=metavar, help=help_text)(function)
    return function


@click.command()
@click.option("--host", metavar="HOST", help="Where both listen.")
@click.option(
    "--command-port",
    type=_PORT,
    default=COMMAND_PORT,
    show_default=True,
    help="The write service's port; 0: any free one.",
)
@click.option(
    "--query-port",
    type=_PORT,
    default=QUERY_PORT,
    show_default=True,
    help="The read service's port; 0: any free one.",
)
@_passed_on
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    host: str | None,
    command_port: int,
    query_port: int,
    **options: str | None,
) -> None:
    """Run both services until Ctrl-C or SIGTERM, or until one of them ends.

    Runs `python -m command` and `python -m query`. The options but the ports
    are passed on to both where given; else the environment and the services'
    own defaults hold (see `python -m command --help`).
    """
    shared = {"--host": host, **{f"--{name.replace('_', '-')}": options[name] for name in options}}
    given = [part for name, value in shared.items() if value is not None for part in (name, value)]
    environment = _environment(host, command_port, query_port)
    children = [
        Child(name, (sys.executable, "-P", "-m", name, "--port", str(port), *given), environment)
        for name, port in (("command", command_port), ("query", query_port))
    ]
    with foreground():
        code = asyncio.run(run_services(children))
    ctx.exit(code)


def _environment(host: str | None, command_port: int, query_port: int) -> dict[str, str]:
    """Ours, and each half's address for the other to name; a free port isn't known yet."""
    environment = dict(os.environ)
    bound = os.environ.get("TASK_HOST", "localhost") if host is None else host
    named = "localhost" if bound in _WILDCARD_HOSTS else bound
    for variable, port in (("TASK_COMMAND", command_port), ("TASK_QUERY", query_port)):
        environment.pop(variable, None)
        if port:
            environment[variable] = str(Address(named, port))
    return environment
