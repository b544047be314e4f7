"""The standard streams, there whatever started the service."""

import os
import sys

__all__ = ["open_missing_streams"]


def open_missing_streams() -> None:
    """Put the null device in the place of each standard stream that was closed.

    Else the next socket or file would get its number, and the text that is printed.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115 - for good
