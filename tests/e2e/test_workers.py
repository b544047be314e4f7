"""`--workers`: processes that share a port and are replaced when they die."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.test_services import SERVING, health_of
from tests.processes import ServiceProcess, eventually


def children_of(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in listed}


def is_running(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def workers(database):
    with ServiceProcess("query", database, "--workers", "2") as service:
        yield service
        left = children_of(service.process.pid) if is_running(service.process.pid) else set()
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def test_workers_share_one_free_port_and_all_answer(workers):
    assert len(children_of(workers.process.pid)) == 2
    assert {health_of(workers) for _ in range(20)} == {SERVING}


def test_dead_worker_is_replaced_while_the_other_serves(workers):
    before = children_of(workers.process.pid)
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: len(children_of(workers.process.pid) - before) == 1)
    assert max(before) in children_of(workers.process.pid)
    eventually(lambda: all(health_of(workers) == SERVING for _ in range(20)))
    assert "worker died" in workers.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_workers_with_exit_0(workers, number):
    pids = children_of(workers.process.pid)
    assert workers.stop(number) == 0
    assert not any(is_running(pid) for pid in pids)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", workers.port))


def test_worker_that_died_before_the_signal_is_no_failure_to_stop(workers):
    """Both signals wait together for the parent, and the lower number comes first."""
    parent, victim = workers.process.pid, min(children_of(workers.process.pid))
    os.kill(parent, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: not is_running(victim))
    os.kill(parent, signal.SIGTERM)
    os.kill(parent, signal.SIGCONT)
    assert workers.stop(signal.SIGTERM) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must tell of a parent's death")
def test_workers_do_not_outlive_their_parent(workers):
    pids = children_of(workers.process.pid)
    workers.kill()
    eventually(lambda: not any(is_running(pid) for pid in pids))


def test_worker_that_cannot_start_ends_the_service_with_one_line_each(tmp_path):
    (tmp_path / "diary").write_text("no database at all " * 500)
    url = f"sqlite:///{tmp_path / 'diary'}"
    command = [sys.executable, "-m", "query", "--port", "0", "--workers", "2", "--database", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert url in done.stderr


def test_taken_port_is_one_plain_line_with_workers_too(database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--host", "127.0.0.1", "--port", port, "--workers", "2"]
        command = [sys.executable, "-m", "query", "--database", f"sqlite:///{database}", *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "in use" in done.stderr


def test_writer_on_sqlite_stays_alone_and_says_so(database):
    with ServiceProcess("command", database, "--workers", "2") as service:
        assert children_of(service.process.pid) == set()
        assert "one writer" in service.log
        assert service.stop() == 0
