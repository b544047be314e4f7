"""How the client's commands reach the services: the options they share."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from taskpb import TaskClient
from taskpb.channel import Address, parse_address
from taskpb.client import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S

__all__ = ["ClientOptions", "client_options", "json_option"]

_CONNECT_RETRY_S = 0.5
"""Enough for a service that is just being started; no wait for one that is not there."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """Where the services are, and how long a call may take."""

    command: Address
    query: Address
    timeout_s: float

    def client(self) -> TaskClient:
        """A client of both services, to be closed by its user."""
        return TaskClient(
            command=str(self.command),
            query=str(self.query),
            timeout_s=self.timeout_s,
            connect_retry_s=_CONNECT_RETRY_S,
        )


class _AddressType(click.ParamType[Address]):
    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class _Seconds(click.ParamType[float]):
    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= MAX_TIMEOUT_S:
            message = f"{value!r} is no number of seconds above 0 and at most {MAX_TIMEOUT_S}."
            self.fail(message, param, ctx)
        return seconds


json_option = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


def client_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --command, --query and --timeout; `function` gets them as `options`."""

    @functools.wraps(function)
    def with_options(
        *arguments: Any, command: Address, query: Address, timeout_s: float, **others: Any
    ) -> Any:
        return function(*arguments, options=ClientOptions(command, query, timeout_s), **others)

    def address(name: str, port: int, service: str) -> Callable[..., Any]:
        return click.option(
            f"--{name}",
            type=_AddressType(),
            metavar="HOST:PORT",
            default=f"localhost:{port}",
            envvar=f"TASK_{name.upper()}",
            show_default=True,
            show_envvar=True,
            help=f"Where the {service} service listens.",
        )

    timeout = click.option(
        "--timeout",
        "timeout_s",
        type=_Seconds(),
        metavar="SECONDS",
        default=DEFAULT_TIMEOUT_S,
        show_default=True,
        help="How long each call may take, retries included.",
    )
    for option in (timeout, address("query", 8082, "read"), address("command", 8081, "write")):
        with_options = option(with_options)
    return with_options
