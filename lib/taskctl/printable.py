r"""Text that others wrote, made fit for a terminal.

Control characters (C0, DEL, C1), line and paragraph separators and the marks
that turn the direction of writing are shown as escapes: a task can neither
move the cursor nor pass itself off as another.
"""

import re
from typing import Final

__all__ = ["json_fit_for_terminals", "printable"]

_TRICKY: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""Show tricky characters as `\n`, `\x1b`, `\u202e`."""
    return _TRICKY.sub(_escape, text)


def json_fit_for_terminals(document: str) -> str:
    """Escape the tricky characters that JSON allows in strings; the value stays the same."""
    return _TRICKY.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004 - one byte
