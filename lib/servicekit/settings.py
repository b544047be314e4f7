"""A service's settings, from its options and the environment.

A bad value names its option, and the program ends with 2 before anything is
opened. One declaration serves both services, so they can't drift apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from typing_extensions import override

from servicekit.engines import ENGINES
from taskpb.channel import COMMAND_ADDRESS, MAX_PORT, QUERY_ADDRESS, is_host, parse_address
from taskstore import Location, parse_database_url

__all__ = ["Settings", "TlsFiles", "settings_options"]

_MAX_WORKERS: Final = 256
"""The most processes of a service; more than one a core gains nothing."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The PEM files of TLS."""

    certificate: Path
    """Our certificate chain, leaf first."""

    key: Path
    """The certificate's private key."""

    client_ca: Path | None
    """The authority whose clients alone are let in; None lets every client in."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set."""

    host: str
    """The name or address to listen on; empty for every address of this machine."""

    port: int
    """The TCP port to listen on; 0 for any that is free."""

    database: Location
    """The database of the tasks."""

    workers: int
    """The number of processes that share the port."""

    engine: str
    """The server that runs the handlers: a key of ENGINES."""

    log_format: str | None
    """`text` or `json`; None for text on a terminal, else json."""

    log_level: str
    """The least level to log: `debug`, `info`, `warning` or `error`."""

    tls: TlsFiles | None
    """The files to serve TLS with; None for plaintext."""

    command: str
    """The address (HOST:PORT) by which an answer names the write service."""

    query: str
    """The address (HOST:PORT) by which an answer names the read service."""

    cors_origins: tuple[str, ...]
    """The origins whose pages may call from a browser; `*` is every one."""


class _Parsed(click.ParamType[Any]):
    """The value that `parse` makes of a text; its ValueError tells what is wrong with it."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "*"
    except ValueError:
        origin = ""
    if text != origin:
        raise ValueError(f"{text!r} is not an origin: SCHEME://HOST[:PORT], or *")
    return text


def _host(text: str) -> str:
    """Empty is every address of this machine."""
    if text and not is_host(text):
        raise ValueError(f"{text!r} is not a host")
    return text


def _address(text: str) -> str:
    return str(parse_address(text))


_PEM: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def settings_options(*, default_port: int) -> Callable[[Callable[[Settings], None]], click.Command]:
    """Make `main(settings)` a program with the options of a service."""

    def decorate(main: Callable[[Settings], None]) -> click.Command:
        def run(
            tls_cert: Path | None, tls_key: Path | None, tls_client_ca: Path | None, **options: Any
        ) -> None:
            tls = _tls_files(tls_cert, tls_key, tls_client_ca)
            cors_origins = options.pop("cors_origin")
            if cors_origins and options["engine"] == "grpclib":
                raise click.UsageError(
                    "--cors-origin: grpclib's server takes no calls of browsers."
                )
            main(Settings(**options, cors_origins=cors_origins, tls=tls))

        command: Any = run
        for option in reversed(_options(default_port)):
            command = option(command)
        context = {"show_default": True, "help_option_names": ["-h", "--help"]}
        return click.command(help=main.__doc__, context_settings=context)(command)

    return decorate


def _tls_files(cert: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    if cert and key:
        return TlsFiles(cert, key, client_ca)
    if cert or key or client_ca:
        missing = "--tls-key" if cert else "--tls-cert"
        raise click.UsageError(f"{missing} is missing: TLS needs --tls-cert and --tls-key.")
    return None


def _option(name: str, **attributes: Any) -> Callable[..., Any]:
    variable = "TASK_" + name.removeprefix("--").upper().replace("-", "_")
    if name == "--database":
        variable = "TASK_DATABASE_URL"
    return click.option(name, envvar=variable, show_envvar=True, **attributes)


def _options(default_port: int) -> list[Callable[..., Any]]:
    port = click.IntRange(0, MAX_PORT)
    level = click.Choice(["debug", "info", "warning", "error"])
    return [
        _option(
            "--host", type=_Parsed("text", _host), default="localhost", help="Where to listen."
        ),
        _option("--port", type=port, default=default_port, help="0: any free port."),
        _option(
            "--database",
            type=_Parsed("url", parse_database_url),
            default="sqlite:///tasks.db",
            help="sqlite:///FILE, sqlite:////ABSOLUTE/FILE or postgresql://HOST/DATABASE.",
        ),
        _option(
            "--workers",
            type=click.IntRange(1, _MAX_WORKERS),
            default=1,
            help="Processes that share the port; a writer on SQLite stays alone.",
        ),
        _option(
            "--engine",
            type=click.Choice(list(ENGINES)),
            default="grpcwire",
            help="The server: ours, or grpclib's own.",
        ),
        _option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            help="Default: text on a terminal, else json.",
        ),
        _option("--log-level", type=level, default="info", help="The least to log."),
        *_reaching_options(),
    ]


def _reaching_options() -> list[Callable[..., Any]]:
    """The options by which clients reach the service, and the other half."""
    address = _Parsed("address", _address)
    return [
        _option("--tls-cert", type=_PEM, help="Certificate chain (PEM). Default: plaintext."),
        _option("--tls-key", type=_PEM, help="The certificate's key (PEM)."),
        _option("--tls-client-ca", type=_PEM, help="Ask clients for a certificate of this CA."),
        _option(
            "--cors-origin",
            type=_Parsed("origin", _origin),
            multiple=True,
            help="Let pages of this origin call from browsers; may be repeated. * lets all.",
        ),
        _option(
            "--command",
            type=address,
            default=str(COMMAND_ADDRESS),
            help="The write service, as answers name it.",
        ),
        _option(
            "--query",
            type=address,
            default=str(QUERY_ADDRESS),
            help="The read service, likewise.",
        ),
    ]
