"""What protowire raises: one family, whose members are ValueErrors.

`DecodeError` is the sender's fault: bytes or JSON text that are no message. `EncodeError`
is ours: a message that holds what its fields can't. `CompileError` is the programmer's: a
class that protowire cannot make fast, said by name when it is compiled and never later.

Nothing else leaves this package for a bad message, so a server maps `DecodeError` to
INVALID_ARGUMENT and is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CompileError", "DecodeError", "EncodeError", "ProtowireError"]


class ProtowireError(ValueError):
    """A message can't be read, written or compiled."""


class CompileError(ProtowireError):
    """Classes that protowire leaves to betterproto; `reasons` says why, by `Class.field`."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in self.reasons.items()))

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the reasons when pickled."""
        return (type(self), (self.reasons,))


class EncodeError(ProtowireError):
    """A field holds what it can't: `field` is its path, such as `tasks[3].text`."""

    def __init__(self, reason: str, *, field: str = "", message: str = "") -> None:
        self.reason = reason
        self.field = field
        self.message = message
        where = ".".join(part for part in (message, field) if part)
        super().__init__(f"{where}: {reason}" if where else reason)


class DecodeError(ProtowireError):
    """Bytes or text that are no such message.

    `field` is the path of field names from the outermost message (`tasks.text`), empty where
    no known field was being read. `offset` counts bytes (characters of JSON text) from the
    start of the input to the field at fault; None where no place can be told.
    """

    def __init__(
        self, reason: str, *, offset: int | None = None, field: str = "", message: str = ""
    ) -> None:
        self.reason = reason
        self.offset = offset
        self.field = field
        self.message = message
        super().__init__(reason)

    def __str__(self) -> str:
        """Say where the fault is and what it is."""
        where = ".".join(part for part in (self.message, self.field) if part)
        place = "" if self.offset is None else f" at offset {self.offset}"
        return f"{where}: {self.reason}{place}" if where else f"{self.reason}{place}"

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the place when pickled."""
        state = {"offset": self.offset, "field": self.field, "message": self.message}
        return (type(self), (self.reason,), state)

    def inside(self, message: str, field: str) -> DecodeError:
        """Put this error below a field of an enclosing message."""
        self.message = message
        self.field = f"{field}.{self.field}" if field and self.field else field or self.field
        return self
