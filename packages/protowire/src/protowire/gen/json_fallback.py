"""Writes, as Python source, where quick JSON code leaves off and the full way begins."""

from protowire.gen.source import Source

__all__ = ["write_fallback_if"]


def write_fallback_if(source: Source, condition: str) -> None:
    """Write that the code takes the full way where the condition holds."""
    with source.block(f"if {condition}:"):
        source.add("raise TakeFullWay")
