"""What the generators of JSON code share: the way out of it, and where that is taken.

Generated JSON code handles the usual case and judges nothing. At anything else it raises
Unusual, and its caller begins again by the long way, which says what is wrong, if it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protowire.gen.source import Source

__all__ = ["Unusual", "write_unusual_if"]


class Unusual(Exception):
    """A value that the long way must judge."""


def write_unusual_if(source: Source, condition: str) -> None:
    """Write that the code gives up where the condition holds."""
    with source.block(f"if {condition}:"):
        source.add("raise Unusual")
