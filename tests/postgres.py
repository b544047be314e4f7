"""Real PostgreSQL servers for tests: from the distribution's programs, in a folder of their own."""

import getpass
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 30.0
PROGRAMS = ("initdb", "postgres", "pg_ctl", "pg_basebackup", "psql")

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = 64MB
wal_level = replica
max_wal_senders = 8
max_replication_slots = 8
hot_standby = on
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
# Only a database that asks for more than a local commit waits for a replica.
synchronous_standby_names = '{standbys}'
synchronous_commit = {commit}
autovacuum = off
logging_collector = off
log_min_messages = fatal
"""


def find_programs(require_tool: Callable[[str], str]) -> Path:
    """The folder of the newest server's programs, which are seldom on PATH."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3])
    )
    found = installed[-1] if installed else Path(require_tool("postgres")).resolve()
    missing = [name for name in PROGRAMS if not (found.parent / name).exists()]
    for name in missing:
        require_tool(name)
    return found.parent


class Server:
    """One server, a primary or a replica, on a free port of its own."""

    def __init__(self, programs: Path, folder: Path, port: int | None = None) -> None:
        self.programs = programs
        self.folder = folder
        self.data = folder / "data"
        self.port = port or free_port()
        self.user = "postgres" if os.getuid() == 0 else getpass.getuser()
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")

    def url(self, database: str = "postgres", options: str = "") -> str:
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}{options}"

    def init(self, *, sync: bool = True, standbys: str = "", commit: str = "local") -> None:
        """Make a new, empty primary; `sync` false skips what only a power cut needs.

        A user named `guarded` is asked for a password, others are trusted.
        """
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", self.user, "-E", "UTF8", "-N")
        text = _CONFIGURATION.format(folder=self.folder, standbys=standbys, commit=commit)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(text + f"port = {self.port}\nfsync = {'on' if sync else 'off'}\n")
        rules = self.data / "pg_hba.conf"
        asks = "host all guarded 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(asks + rules.read_text())

    def follow(self, primary: "Server", name: str) -> None:
        """Become a streaming replica of `primary`, from a copy of it."""
        connection = f"host=127.0.0.1 port={primary.port} user={self.user} application_name={name}"
        copy = ("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "-N")
        self.run(*copy, "-d", connection)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"port = {self.port}\nunix_socket_directories = '{self.folder}'\n")
            file.write("synchronous_standby_names = ''\n")

    def start(self) -> None:
        log = self.folder / "log"
        self.run("pg_ctl", "-D", self.data, "-l", log, "-w", "-t", f"{START_S:.0f}", "start")

    @property
    def is_running(self) -> bool:
        file = self.data / "postmaster.pid"
        return file.exists() and _is_running(int(file.read_text().split()[0]))

    def stop(self, mode: str = "immediate") -> None:
        if self.is_running:
            self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """kill -9 of the postmaster; its processes follow as they notice."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        children = _children(pid)
        os.kill(pid, signal.SIGKILL)
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        while any(map(_is_running, (pid, *children))):
            time.sleep(0.01)

    def promote(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def wait_for_replica(self, name: str) -> None:
        """From now on, acknowledge only what the one replica, `name`, has on disk."""
        found = "SELECT count(*) FROM pg_stat_replication"
        give_up_at = time.monotonic() + START_S
        while self.sql(found) == "0":
            assert time.monotonic() < give_up_at, "the replica never streamed"
            time.sleep(0.05)
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.sql("SELECT pg_reload_conf()")

    def sql(self, statement: str, database: str = "postgres", *, timeout_s: float = START_S) -> str:
        """Return psql's answer, unaligned."""
        arguments = ["-h", "127.0.0.1", "-p", str(self.port), "-U", self.user, "-d", database]
        command = [self.programs / "psql", *arguments, "-X", "-A", "-t", "-q"]
        done = subprocess.run(
            [*command, "-v", "ON_ERROR_STOP=1", "-c", statement],
            capture_output=True, text=True, check=False, timeout=timeout_s,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, name: str, *arguments: object) -> None:
        """Run one of the programs as a user that may, which root may not."""
        command = [str(self.programs / name), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        with (self.folder / "programs.log").open("a+") as log:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False
            )
            if done.returncode:
                log.seek(0)
                raise AssertionError(f"{name} failed: {log.read()[-2000:]}")


def free_port() -> int:
    """One below those the system gives to outgoing connections, which would take it away."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder every user may enter, with a path short enough for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def primary_and_replica(
    programs: Path,
    *databases: str,
    sync: bool = False,
    standbys: str = "",
    commit: str = "local",
) -> Iterator[tuple[Server, Server]]:
    """A primary and its streaming replica, both running, with `databases`; see Server.init."""
    with temporary_folder() as folder:
        primary = Server(programs, folder / "primary")
        replica = Server(programs, folder / "replica")
        primary.init(sync=sync, standbys=standbys, commit=commit)
        try:
            primary.start()
            for database in databases:
                primary.sql(f"CREATE DATABASE {database}")
            replica.follow(primary, "replica")
            replica.start()
            yield primary, replica
        finally:
            replica.stop()
            primary.stop()


def _children(pid: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = re.findall(r"^\s*(\d+)\s+(\d+)\s*$", listing.stdout, re.MULTILINE)
    return [int(child) for child, parent in pairs if int(parent) == pid]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
