"""The command line of the task service: `taskctl`, or `python -m taskctl`."""

from taskctl.program import main

__all__ = ["main"]
