"""The errors of protowire: one family, whose members are ValueErrors.

    ProtowireError
        DecodeError     the sender's: bytes or JSON text that are not such a message
        EncodeError     the caller's: a message that holds what its fields can't
        CompileError    the programmer's: a class that can't be compiled, said when it should be

Nothing else leaves this package for a bad message, so a server maps `DecodeError` to
INVALID_ARGUMENT and is done. What is not a message at all, or not compiled, is a TypeError.
"""

from collections.abc import Mapping
from typing import Self

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
    """Bytes or text that are not such a message.

    `field` is the path of field names from the outermost message (`tasks.text`), empty where
    no known field was being read. `offset` counts bytes (characters of JSON text) from the
    start of the input to the field in error; None where no place can be told.
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
        """The place of the error and its reason."""
        where = ".".join(part for part in (self.message, self.field) if part)
        place = "" if self.offset is None else f" at offset {self.offset}"
        return f"{where}: {self.reason}{place}" if where else f"{self.reason}{place}"

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the place when pickled."""
        state = {"offset": self.offset, "field": self.field, "message": self.message}
        return (type(self), (self.reason,), state)

    def inside(self, message: str, field: str) -> Self:
        """Put this error below a field of an enclosing message."""
        self.message = message
        self.field = f"{field}.{self.field}" if field and self.field else field or self.field
        return self
