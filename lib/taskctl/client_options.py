"""The options that the client's commands share: the services' addresses, the time, JSON."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import click
from typing_extensions import override

from taskpb import TaskClient
from taskpb.channel import COMMAND_ADDRESS, QUERY_ADDRESS, Address, parse_address
from taskpb.client import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S

__all__ = ["ClientOptions", "client_options", "json_option"]

_CONNECT_RETRY_S: Final = 0.5
"""The seconds of trying to connect: enough for a service that is just being started."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The services' addresses, and the time of a call."""

    command: Address
    """The address of the write service."""

    query: Address
    """The address of the read service."""

    timeout_s: float
    """The seconds that each call may take, retries included."""

    def client(self) -> TaskClient:
        """Make a client of both services, to be closed by its user."""
        return TaskClient(
            command=str(self.command),
            query=str(self.query),
            timeout_s=self.timeout_s,
            connect_retry_s=_CONNECT_RETRY_S,
        )


class _AddressType(click.ParamType[Address]):
    name = "address"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class _Seconds(click.ParamType[float]):
    name = "seconds"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= MAX_TIMEOUT_S:
            message = f"{value!r} is not a number of seconds above 0 and at most {MAX_TIMEOUT_S}."
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

    def address(name: str, default: Address, service: str) -> Callable[..., Any]:
        return click.option(
            f"--{name}",
            type=_AddressType(),
            metavar="HOST:PORT",
            default=str(default),
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
    addresses = (
        address("query", QUERY_ADDRESS, "read"),
        address("command", COMMAND_ADDRESS, "write"),
    )
    for option in (timeout, *addresses):
        with_options = option(with_options)
    return with_options
