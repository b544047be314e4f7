"""The parent of several workers, whose work is to wait for a signal.

It forks, so it runs as a program of its own, whose workers tell their pids on
standard error: no thread of the tests may be forked with it.
"""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

PROGRAM = """
import os, signal, sys
from pathlib import Path
from servicekit import Settings, workers
from taskstore import SqliteLocation

workers.FIRST_PAUSE_S = 0.01

def work(settings):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    if sys.argv[2] == "never ready":
        return 3
    os.write(1, b"ready")
    os.write(2, f"{os.getpid()} {settings.port}\\n".encode())
    while True:
        number = signal.sigwait({signal.SIGTERM, signal.SIGHUP})
        if number == signal.SIGTERM and sys.argv[2] != "stubborn":
            return int(sys.argv[3])
        os.write(2, f"{signal.Signals(number).name}\\n".encode())

settings = Settings(
    host="127.0.0.1", port=int(sys.argv[1]), database=SqliteLocation(Path("tasks.db")), workers=2,
    engine="grpcwire", log_format=None, log_level="info", tls=None, command="c:1", query="q:1",
    cors_origins=(),
)
workers.STOP_S = 0.2 if sys.argv[2] == "stubborn" else 15.0
sys.exit(workers.supervise_workers("query", settings, work))
"""


class Parent:
    """The program; `pids` and `ports` are those that its workers told."""

    def __init__(self, process):
        self.process = process
        self.pids, self.ports = [], set()

    def next_lines(self, count):
        return sorted(self.process.stderr.readline().strip() for _ in range(count))

    def next_workers(self, count):
        while count:
            line = self.process.stderr.readline()
            assert line, "the program has ended"
            if "worker died" not in line:
                pid, port = line.split()
                self.pids.append(int(pid))
                self.ports.add(port)
                count -= 1

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def running(kind="willing", code=0):
    command = [sys.executable, "-c", PROGRAM, "0", kind, str(code)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Parent(process)
        finally:
            process.kill()


def test_one_ready_line_names_the_port_that_all_share():
    with running() as parent:
        parent.next_workers(2)
        [port] = parent.ports
        assert parent.process.stdout.readline() == f"query listening on 127.0.0.1:{port}\n"
        assert parent.end() == 0
        assert parent.process.stdout.read() == ""


def test_a_dead_worker_gets_a_successor_on_the_same_port_each_time():
    with running() as parent:
        parent.next_workers(2)
        parent.process.stdout.readline()
        for victim in range(3):
            os.kill(parent.pids[victim], signal.SIGKILL)
            parent.next_workers(1)
        assert len(set(parent.pids)) == 5
        assert len(parent.ports) == 1
        assert parent.end() == 0


def test_a_hangup_reaches_every_worker():
    with running() as parent:
        parent.next_workers(2)
        parent.process.stdout.readline()
        parent.process.send_signal(signal.SIGHUP)
        assert parent.next_lines(2) == ["SIGHUP", "SIGHUP"]
        assert parent.end() == 0


def test_the_worst_exit_code_of_the_workers_is_the_parents():
    with running(code=5) as parent:
        parent.next_workers(2)
        parent.process.stdout.readline()
        assert parent.end() == 5


def test_a_worker_that_ends_before_it_is_ready_ends_them_all_without_a_ready_line():
    with running("never ready") as parent:
        assert parent.process.wait(20) == 1
        assert parent.process.stdout.read() == ""


def test_workers_that_do_not_stop_are_killed():
    with running("stubborn") as parent:
        parent.next_workers(2)
        parent.process.stdout.readline()
        assert parent.end() == 128 + signal.SIGKILL
        assert parent.next_lines(2) == ["SIGTERM", "SIGTERM"]
