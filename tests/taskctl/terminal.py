"""A program on a terminal of its own, as a person runs it."""

import os
import pty
import re
import select
import subprocess
import sys
import time

TIMEOUT_S = 20.0
# Python's fork of a process with threads is deprecated, so the new process does this itself.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """`arguments` in a new session whose terminal we type on and read."""

    def __init__(self, *arguments, **environment):
        self.shown = ""
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        os.close(theirs)

    def wait_for(self, pattern):
        """Read until the screen shows `pattern`."""
        give_up_at = time.monotonic() + TIMEOUT_S
        while not (match := re.search(pattern, self.shown)):
            if not self._read(give_up_at):
                raise AssertionError(f"never showed {pattern!r}: {self.shown}")
        return match

    def press(self, characters):
        os.write(self._terminal, characters)

    def wait(self):
        """The exit code, negative for a signal."""
        give_up_at = time.monotonic() + TIMEOUT_S
        while self._read(give_up_at):
            pass
        return self._process.wait(TIMEOUT_S)

    def _read(self, give_up_at):
        left_s = max(0.0, give_up_at - time.monotonic())
        if not select.select([self._terminal], [], [], left_s)[0]:
            return False
        try:
            content = os.read(self._terminal, 65536)
        except OSError:  # Linux's word for the end of a terminal
            return False
        self.shown += content.decode(errors="replace")
        return bool(content)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._terminal)  # hangs up, which ends whoever is left
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
