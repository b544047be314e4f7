"""The servers: connecting to the one that is wanted, a pool of sessions, errors.

A session is one of the pool's connections, the caller's alone for a while. Where
the location says that a pooler stands between, a session is one transaction,
since only then all of its statements meet the same server.

A reading session can't write: the server itself refuses.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, cast

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from typing_extensions import override

from taskstore.errors import NotTaskDatabase, StoreError, StoreFull, StoreUnavailable
from taskstore.location import Host, PostgresLocation

__all__ = ["STATEMENT_S", "Database", "Session", "drop", "is_lost", "store_error", "store_errors"]

STATEMENT_S: Final = 10.0
"""The seconds of a statement; none of ours takes longer, but on a server that hangs."""

LOCK_S: Final = 5.0
"""The seconds that a writer waits for its turn; groups of other writers take milliseconds each."""

TURN_S: Final = 5.0
"""The seconds that a call may wait for its turn on a connection, beside the time to connect."""

_CLOSE_S: Final = 2.0
"""The seconds that closing may wait for a server to say goodbye."""

_READ_ONLY: Final = "25006"

_PASSING: Final = (
    *("08", "40", "53", "57", "58", _READ_ONLY),
    *("55P03", "55006", "42P01", "42883", "3F000"),
)
"""The classes and codes of errors that pass by themselves, or by another server."""

_REFUSED: Final = ("28", "3D000", "42501", "42704")
"""The errors that don't pass: the password, the rights, the database's name."""

_DISK_FULL: Final = "53100"

_LOST: Final = ("08", "57P01", "57P02", "57P03")
"""The connection's end, and with it the word on what the statement did."""

_DRIVER_ERRORS: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_INDEX_PLANS: Final = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}
"""The settings by which each read gets its one right plan, a scan of its index.

It is made once, whatever the statistics say, also while the tables are still small.
"""

_WAL_POSITION: Final = """
SELECT ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
         ELSE pg_current_wal_flush_lsn() END) - '0/0'::pg_lsn)::bigint
"""
"""The place in the log that the server has replayed; on a primary, written."""


class Session(asyncpg.Connection):
    """A connection that knows which writes its reads are sure to see.

    One of ours stays with one server, which only goes forward; one of a pooler
    (`pooled`) does not, and is asked each time.
    """

    __slots__ = ("_seen", "pooled")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pooled = False
        self._seen = 0

    async def see(self, position: int) -> int:
        """Return the place in the write-ahead log that reads see; ask if `position` needs it."""
        if position > self._seen or (position and self.pooled):
            self._seen = await self.fetchval(_WAL_POSITION) or 0
        return self._seen

    @override
    async def close(self, *, timeout: float | None = None) -> None:
        with suppress(TimeoutError):  # a server that keeps silent is left
            await super().close(timeout=timeout)

    @override
    def get_reset_query(self) -> str:
        return ""  # sessions leave no state behind


def drop(session: Session) -> None:
    """End a connection that is of no more use; one that has ended is left alone."""
    with suppress(asyncpg.InterfaceError):
        session.terminate()


class Database:
    """Up to `size` connections to the servers of `location`, made as they are needed."""

    def __init__(self, location: PostgresLocation, *, writes: bool, size: int) -> None:
        self.pooled = location.pooled
        self._location = location
        self._writes = writes
        self._pool: asyncpg.Pool[asyncpg.Record] = asyncpg.create_pool(
            min_size=0,
            max_size=size,
            max_queries=sys.maxsize,
            connect=self._connect,
            connection_class=Session,
        )
        self._turn_s = TURN_S + location.connect_timeout_s * max(1, len(location.hosts))
        self._opening = asyncio.Lock()
        self._opened = False

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Lend a connection of one's own; errors of the driver leave as the store's."""
        with store_errors():
            await self._open()
            async with self._pool.acquire(timeout=self._turn_s) as connection:
                try:
                    if self.pooled:
                        async with connection.transaction(
                            isolation="read_committed", readonly=not self._writes
                        ):
                            yield cast("Session", connection)
                    else:
                        yield cast("Session", connection)
                except _DRIVER_ERRORS as error:
                    if isinstance(error, TimeoutError):
                        # What silenced this connection may have silenced all of them.
                        await self._pool.expire_connections()
                    if _sqlstate(error) == _READ_ONLY or is_lost(error):
                        drop(cast("Session", connection))
                    raise

    async def close(self) -> None:
        """Let go of every connection."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._pool.close()
        except (TimeoutError, *_DRIVER_ERRORS):
            self._pool.terminate()

    async def _open(self) -> None:
        if not self._opened:
            async with self._opening:
                await self._pool
                self._opened = True

    async def _connect(self, *_: Any, **options: Any) -> Session:
        """Connect to the first server of the URL that answers and is of the wanted kind."""
        problem: Exception | None = None
        for target in self._targets():
            for host in self._location.hosts or (None,):
                try:
                    return await self._connect_to(host, target, options)
                except _DRIVER_ERRORS as error:
                    problem = _worse(problem, error)
        raise problem or StoreUnavailable

    def _targets(self) -> list[SessionAttribute]:
        if self._writes:
            return [SessionAttribute.read_write]
        if self._location.target == "prefer-standby":
            return [SessionAttribute.standby, SessionAttribute.any]
        return [SessionAttribute(self._location.target)]

    async def _connect_to(
        self, host: Host | None, target: SessionAttribute, options: dict[str, Any]
    ) -> Session:
        name, port = host or (None, None)
        connection = await asyncpg.connect(
            self._location.dsn,
            host=name,
            port=port,
            timeout=self._location.connect_timeout_s,
            command_timeout=STATEMENT_S,
            statement_cache_size=0 if self.pooled else 100,
            server_settings=self._settings(),
            target_session_attrs=target,
            **options,
        )
        assert isinstance(connection, Session)  # noqa: S101 - the pool asked for this class
        connection.pooled = self.pooled
        return connection

    def _settings(self) -> dict[str, str]:
        """A pooler's connections are shared: it takes no settings of ours."""
        if self.pooled:
            return {}
        settings = {"default_transaction_isolation": "read committed", "jit": "off"}
        if self._writes:
            # A commit that waits for its replica would count as done at a timeout's end.
            settings |= {"statement_timeout": "0", "lock_timeout": f"{LOCK_S:.0f}s"}
        else:
            settings |= {
                "statement_timeout": f"{STATEMENT_S:.0f}s",
                "default_transaction_read_only": "on",
                **_INDEX_PLANS,
            }
        return settings


def _worse(one: Exception | None, other: Exception) -> Exception:
    """The error to tell of: that of a server that answered, if there was one."""
    return other if one is None or isinstance(one, OSError) else one


def _sqlstate(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def is_lost(error: BaseException) -> bool:
    """True if `error` ended the connection, leaving the statement's outcome open."""
    if isinstance(error, asyncpg.PostgresError):
        return _sqlstate(error).startswith(_LOST)
    return isinstance(error, _DRIVER_ERRORS) and not isinstance(error, asyncpg.DataError)


def store_error(error: Exception) -> StoreError | None:
    """Return the store's own error for the driver's; None where there is none."""
    state = _sqlstate(error)
    if state == _DISK_FULL:
        return StoreFull()
    if state.startswith(_REFUSED):
        return NotTaskDatabase("the database refuses this user, password or name")
    if is_lost(error) or state.startswith(_PASSING):
        return StoreUnavailable()
    return None


@contextmanager
def store_errors() -> Generator[None]:
    """Turn errors of the driver into the store's, chained; one without a match passes."""
    try:
        yield
    except _DRIVER_ERRORS as error:
        mapped = store_error(error)
        if mapped is None:
            raise
        raise mapped from error
