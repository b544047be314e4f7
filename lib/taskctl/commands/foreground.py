"""Ctrl-C for us alone, when a program that started us shares our terminal.

Under `make serve`, Ctrl-C goes to make too, which dies of it and reports an
error whatever we do. So we become a process group of our own and take the
terminal's foreground, as a shell does for its jobs, and give it back at the end.
"""

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["foreground"]


@contextmanager
def foreground() -> Generator[None]:
    """Take the terminal's foreground if our starter has it and we don't lead its group."""
    group = os.getpgrp()
    if not _shares_terminal(group):
        yield
        return
    terminal = sys.stdin.fileno()
    os.setpgid(0, 0)
    _give(terminal, os.getpgrp())
    # No shell watches our new group: once suspended, nobody could wake us again.
    before = signal.signal(signal.SIGTSTP, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
        with suppress(OSError):  # our starter has ended
            _give(terminal, group)


def _shares_terminal(group: int) -> bool:
    try:
        terminal = sys.stdin.fileno()
        return group != os.getpid() and os.isatty(terminal) and os.tcgetpgrp(terminal) == group
    except (OSError, ValueError):
        return False  # no standard input at all, or not our terminal


def _give(terminal: int, group: int) -> None:
    # Whoever isn't in the foreground is stopped for asking, unless it ignores the signal.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(terminal, group)
    finally:
        signal.signal(signal.SIGTTOU, before)
