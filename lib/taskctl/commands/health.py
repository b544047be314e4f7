"""`taskctl health`: ask both services if they are serving."""

import asyncio
import json
from typing import Final, NamedTuple

import click
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from rich.table import Table
from rich.text import Text

from taskctl.client_options import ClientOptions, client_options, json_option
from taskctl.exit_code import ExitCode
from taskctl.printable import printable
from taskctl.task_output import print_table
from taskpb.channel import Address, connection_failure, make_channel

__all__ = ["health"]

_SERVING: Final = "SERVING"
_UNREACHABLE: Final = "UNREACHABLE"


class _Health(NamedTuple):
    service: str
    address: Address
    status: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        fields = {"address": str(self.address), "status": self.status}
        return {**fields, "detail": self.detail} if self.detail else fields


@click.command()
@json_option
@client_options
@click.pass_context
def health(ctx: click.Context, as_json: bool, options: ClientOptions) -> None:
    """Ask both services for their health; exit code 0 if both are serving, else 4."""
    found = asyncio.run(_ask_both(options))
    if as_json:
        click.echo(json.dumps({each.service: each.as_json() for each in found}))
    else:
        print_table(_table(found))
    if any(each.status != _SERVING for each in found):
        ctx.exit(ExitCode.UNAVAILABLE)


def _table(found: tuple[_Health, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("Service", "Address", "Status"):
        table.add_column(title, overflow="fold")
    for each in found:
        status = f"{each.status}: {each.detail}" if each.detail else each.status
        cells = (each.service, str(each.address), printable(status))
        table.add_row(*map(Text, cells))
    return table


async def _ask_both(options: ClientOptions) -> tuple[_Health, _Health]:
    return await asyncio.gather(
        _ask("command", options.command, options.timeout_s),
        _ask("query", options.query, options.timeout_s),
    )


async def _ask(service: str, address: Address, timeout_s: float) -> _Health:
    channel = make_channel(address)
    try:
        answer = await HealthStub(channel).Check(HealthCheckRequest(), timeout=timeout_s)
    except GRPCError as error:
        if error.status is Status.DEADLINE_EXCEEDED:
            return _Health(service, address, _UNREACHABLE, f"no answer within {timeout_s:g} s")
        detail = f"{error.status.name} {error.message or ''}".strip()
        return _Health(service, address, "UNKNOWN", detail)
    except StreamTerminatedError as error:
        return _Health(service, address, _UNREACHABLE, str(error))
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:
            return _Health(service, address, _UNREACHABLE, f"no answer within {timeout_s:g} s")
        return _Health(service, address, _UNREACHABLE, connection_failure(error))
    finally:
        channel.close()
    return _Health(service, address, HealthCheckResponse.ServingStatus.Name(answer.status))
