"""The place of a database, read from its URL."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

__all__ = ["Location", "PostgresLocation", "SqliteLocation", "parse_database_url"]

Host = tuple[str, int | None]
"""A server's name or address, and its port if one is given."""

TARGETS: Final = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")
"""libpq's words to choose a server by; asyncpg's order of trying them is ours too."""

CONNECT_TIMEOUT_S: Final = 3.0
"""The seconds to connect: a server that hangs must not hold up the next one of the URL for long."""

_MAX_PORT: Final = 65535
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_DRIVER_OPTIONS: Final = frozenset(
    [
        *("dbname", "database", "user", "password", "passfile", "service"),
        *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword"),
        *("sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("krbsrvname", "gsslib", "application_name", "options"),
    ]
)
"""The options that go on to the driver as they stand."""

_OUR_OPTIONS: Final = frozenset(
    ["host", "port", "target_session_attrs", "connect_timeout", "statement_cache_size"]
)
"""The options that are read here."""

_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@]*)(?::(?P<port>[0-9]*))?")


@dataclass(frozen=True, slots=True)
class SqliteLocation:
    """A SQLite file."""

    path: Path
    """The file, which may not be there yet."""

    @property
    def one_writer(self) -> bool:
        """True if a second process that writes could only wait for the first."""
        return True

    def __str__(self) -> str:
        return f"sqlite:///{self.path}"


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """A PostgreSQL database on one server or a group of them."""

    dsn: str = field(repr=False)
    """The URL for the driver, without hosts; it may hold a password, so it is never shown."""

    hosts: tuple[Host, ...] = ()
    """The servers, tried in order; empty for those of the driver's environment."""

    target: str = "any"
    """The kind of server that is wanted: one of TARGETS."""

    connect_timeout_s: float = CONNECT_TIMEOUT_S
    """The seconds to connect to one server."""

    pooled: bool = False
    """True if a pooler stands between, which may give every transaction another connection."""

    @property
    def one_writer(self) -> bool:
        """True if a second process that writes could only wait for the first."""
        return False

    def __str__(self) -> str:
        parts = urlsplit(self.dsn)
        user = parts.netloc.rpartition("@")[0].partition(":")[0]
        hosts = ",".join(_host_text(*host) for host in self.hosts)
        return f"postgresql://{user}{'@' * bool(user)}{hosts}{parts.path}"


Location = SqliteLocation | PostgresLocation


def parse_database_url(url: str) -> Location:
    """Read the location that `url` names; a ValueError tells what is wrong with it.

    `sqlite:///tasks.db` is a file in the working folder, `sqlite:////srv/tasks.db`
    one by its absolute path; `postgresql://USER@HOST:PORT,HOST:PORT/DATABASE?OPTION=VALUE`
    is a database server, with the options of libpq.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"the database URL is malformed: {error}") from None
    if not _is_unicode(url):
        raise ValueError("the database URL is not valid Unicode")
    if parts.scheme in ("postgresql", "postgres"):
        return _postgres_location(parts)
    if parts.scheme != "sqlite":
        raise ValueError(
            f"{url!r} is not a database URL; use sqlite:///FILE, sqlite:////ABSOLUTE/FILE "
            "or postgresql://HOST/DATABASE"
        )
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError(f"{url!r} names a host; a SQLite file takes three slashes: sqlite:///FILE")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} has options after the file's name; there are none")
    path = unquote(parts.path[1:])
    if not path or "\0" in path or path.endswith("/"):
        raise ValueError(f"{url!r} names no file")
    if path == ":memory:":
        raise ValueError("a database in memory can't be shared by two services; name a file")
    return SqliteLocation(Path(path))


def _postgres_location(parts: SplitResult) -> PostgresLocation:
    """No text here repeats the URL, which may hold a password."""
    account, at, hosts = parts.netloc.rpartition("@")
    if "@" in account or parts.fragment:
        raise ValueError("the PostgreSQL URL has a bare @ or #; write %40 or %23 in a name")
    if not parts.netloc and parts.path and not parts.path.startswith("/"):
        raise ValueError("a PostgreSQL URL takes two slashes: postgresql://HOST/DATABASE")
    if "\0" in unquote(account + parts.path):
        raise ValueError("the PostgreSQL URL holds a NUL")
    # A bare / names no database; the driver would take it for one and pass over dbname.
    database = "" if parts.path == "/" else parts.path
    options = _options(parts.query)
    ours = {name: options.pop(name) for name in _OUR_OPTIONS & options.keys()}
    _check_choice("sslmode", options.get("sslmode", "prefer"), _SSL_MODES)
    target = ours.get("target_session_attrs", "any")
    _check_choice("target_session_attrs", target, TARGETS)
    return PostgresLocation(
        f"postgresql://{account}{at}{database}?{urlencode(options, quote_via=quote)}".rstrip("?"),
        _hosts(hosts, ours),
        target,
        _number("connect_timeout", ours.get("connect_timeout")) or CONNECT_TIMEOUT_S,
        _number("statement_cache_size", ours.get("statement_cache_size")) == 0,
    )


def _is_unicode(text: str) -> bool:
    """An argument whose bytes are not UTF-8 reaches Python as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _options(query: str) -> dict[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError("the options of the PostgreSQL URL are malformed") from None
    known = _DRIVER_OPTIONS | _OUR_OPTIONS
    for name, value in options.items():
        if name not in known:
            raise ValueError(
                f"{name!r} is not an option of a PostgreSQL URL: {', '.join(sorted(known))}"
            )
        if not value or "\0" in value:
            raise ValueError(f"the option {name} of the PostgreSQL URL has no usable value")
    return options


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} of the PostgreSQL URL is not one of {', '.join(choices)}")


def _number(name: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", value):
        raise ValueError(f"{name} of the PostgreSQL URL is not a whole number")
    return int(value)


def _hosts(netloc: str, ours: dict[str, str]) -> tuple[Host, ...]:
    """The servers in order; those of the options, where the URL itself names none."""
    ports = [_port(port) for port in ours.get("port", "").split(",")]
    if netloc:
        hosts = [_host(text) for text in netloc.split(",")]
    else:
        hosts = [(name, None) for name in ours.get("host", "").split(",") if name]
    if len(ports) not in (1, len(hosts)):
        raise ValueError("the PostgreSQL URL has another number of ports than of hosts")
    if len(ports) == 1:
        ports *= len(hosts)
    return tuple((name, port or own) for (name, port), own in zip(hosts, ports, strict=True))


def _host(text: str) -> Host:
    match = _HOST.fullmatch(text)
    if match is None:
        raise ValueError("a host of the PostgreSQL URL is malformed; use HOST:PORT,HOST:PORT")
    return unquote(match["host"]).strip("[]") or "localhost", _port(match["port"] or "")


def _port(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= _MAX_PORT:
        raise ValueError(f"a port of the PostgreSQL URL is not from 1 to {_MAX_PORT}")
    return int(text)


def _host_text(name: str, port: int | None) -> str:
    name = f"[{name}]" if ":" in name else quote(name, safe="")
    return name if port is None else f"{name}:{port}"
