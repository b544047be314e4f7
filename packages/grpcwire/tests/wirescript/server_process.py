"""The echo server as a process of its own, from the outside."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent.parent


class ServerProcess(NamedTuple):
    pid: int
    port: int

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextmanager
def running(*arguments: str) -> Iterator[ServerProcess]:
    """The server, until the block ends; it must end cleanly then."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wirescript.echo_server", *arguments],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield ServerProcess(process.pid, int(process.stdout.readline()))
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()  # one that does not end fails its test and holds up no other
