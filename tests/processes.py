"""The two services as an operator starts them: processes with a ready line."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

START_S = 20.0
STOP_S = 15.0


class ServiceProcess:
    """`python -m NAME` on a free port of its own, or on `port`."""

    def __init__(self, name: str, database: Path | str, *options: str, port: int = 0) -> None:
        """`database` is a SQLite file or a URL."""
        self.name = name
        url = database if isinstance(database, str) else f"sqlite:///{database}"
        command = [sys.executable, "-m", name, "--port", str(port), "--database", url, *options]
        self._log: list[str] = []
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
        )
        self._reading = threading.Thread(target=self._read_log, daemon=True)
        self._reading.start()
        self.address = self._wait_until_ready()
        self.port = int(self.address.rpartition(":")[2])

    @property
    def log(self) -> str:
        """The lines that came on standard error so far."""
        return "".join(self._log)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._finish()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal, wait, and answer the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(STOP_S)
        self._finish()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        else:
            self._finish()

    def _finish(self) -> None:
        self.process.wait(STOP_S)
        self._reading.join(STOP_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.append(line)

    def _wait_until_ready(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.fullmatch(rf"{self.name} listening on (\S+:\d+)\n", line)
        if match is None:
            self.kill()
            raise AssertionError(f"{self.name} said {line!r}, then: {self.log}")
        return match[1]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TASK_")}


def eventually(fact: object, within_s: float = 5.0) -> None:
    """Ask `fact` until it holds; fail after `within_s`."""
    assert callable(fact)
    give_up_at = time.monotonic() + within_s
    while not fact():
        if time.monotonic() > give_up_at:
            raise AssertionError(f"never came true: {fact}")
        time.sleep(0.01)
