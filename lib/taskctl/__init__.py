"""The command line of the task service: `taskctl`, or `python -m taskctl`."""

import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the program and exit."""
    try:
        from taskctl.program import run  # noqa: PLC0415 - the time it takes can be interrupted

        run()
    except KeyboardInterrupt:
        sys.stderr.write("taskctl: interrupted\n")
        sys.exit(128 + signal.SIGINT)
