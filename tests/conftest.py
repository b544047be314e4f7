"""Fixtures that more than one folder of tests needs."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from grpc_tools import protoc
from hypothesis import settings

from tests.postgres import Server, find_programs, primary_and_replica
from tests.processes import ServiceProcess

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

ROOT = Path(__file__).parent.parent


def pytest_configure() -> None:
    # A shell's jobs in the background ignore Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    # Tests wait for programs about as long as they compute: one more than there are cores.
    return min(os.cpu_count() or 1, 4) + 1


def pytest_collection_finish() -> None:
    # What stays as long as the process: tests collect garbage hundreds of times.
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Find a program the test needs: missing, it fails in CI and skips elsewhere."""

    def require(name: str) -> str:
        path = os.pathsep.join([str(ROOT / ".tools/node_modules/.bin"), os.environ["PATH"]])
        if found := shutil.which(name, path=path):
            return found
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        return pytest.skip(f"{name} is not installed: this behaviour goes untested here")

    return require


@pytest.fixture(scope="session")
def postgres_programs(require_tool: Callable[[str], str]) -> Path:
    return find_programs(require_tool)


@pytest.fixture(scope="session")
def servers(
    postgres_programs: Path,
) -> Iterator[tuple[Server, Server]]:
    """A primary and its replica, for the whole run.

    In the database `applied`, what is acknowledged is already on the replica.
    """
    with primary_and_replica(postgres_programs, "alone", "applied", standbys="replica") as (
        primary,
        replica,
    ):
        primary.sql("ALTER DATABASE applied SET synchronous_commit = remote_apply")
        yield primary, replica


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Protobuf's own classes of the contract, as grpcio's users have them.

    They register in a pool that is the process's, so they are made once.
    """
    out = tmp_path_factory.mktemp("foreign")
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"--python_out={out}", "task.proto"]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, str(out))
    yield import_module("task_pb2")
    sys.path.remove(str(out))


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def command(database: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess("command", database) as service:
        yield service


@pytest.fixture
def query(database: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess("query", database) as service:
        yield service
