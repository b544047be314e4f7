"""The way from quick JSON code, which is generated, to the full way.

Quick code handles the usual case and judges nothing. At anything else it raises TakeFullWay,
and `reader` or `writer` begins again the full way, which says what is wrong, if it is.
"""

from typing import NoReturn

__all__ = ["TakeFullWay", "take_full_way"]


class TakeFullWay(Exception):
    """A value that the full way must judge."""


def take_full_way() -> NoReturn:
    """Raise TakeFullWay, where a statement can't stand."""
    raise TakeFullWay
