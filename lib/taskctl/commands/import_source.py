"""The input of an import: validated as a whole before anything is sent, then read again.

A regular file is read where it lies and must not change in between; anything
else (standard input, a pipe) is kept in a temporary file. At no time are more
than a few lines in memory.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Final, NamedTuple, Self
from uuid import UUID, uuid5

from taskctl.json_line import BadLine, parse_line
from taskpb import CreateTaskRequest

__all__ = ["MAX_LINE_BYTES", "ImportSource", "InputChanged", "Survey"]

MAX_LINE_BYTES: Final = 2**20
"""The most bytes of a line; no valid task needs more, with each of its characters escaped."""

_LINES_PER_ADVANCE: Final = 1000
_NAMESPACE: Final = UUID("6d0b3b8e-6c9f-5d0a-9f0e-0d6f5f8c7a51")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class InputChanged(Exception):
    """The file is not what it was when it was validated."""


class Survey(NamedTuple):
    """The findings of validating the whole input."""

    digest: str
    """The SHA-256 of its bytes, in hexadecimal."""

    tasks: int
    """The number of its tasks."""

    def request_id(self, line_number: int, again: str) -> UUID:
        """Return the line's request id.

        It is the same for the same line of the same input: repeating an import doubles nothing.
        """
        # A label may be an argument whose bytes are not UTF-8.
        label = again.encode(errors="backslashreplace").decode()
        return uuid5(_NAMESPACE, f"{self.digest}:{line_number}:{label}")


class ImportSource:
    """The lines of `path`, or of standard input where it is `-`."""

    def __init__(self, path: str) -> None:
        self.name = "stdin" if path == "-" else path
        self._file = _seekable(path)
        self._state = self._stat()

    @property
    def size_bytes(self) -> int:
        """The bytes of the whole input."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position_bytes(self) -> int:
        """The bytes of it that are read."""
        return self._file.tell()

    def survey(self, report: Callable[[int, str], None], advance: Callable[[], None]) -> Survey:
        """Read and validate every line; `report` gets each problem with its line number."""
        digest = hashlib.sha256()
        tasks = 0
        for number, content in self._raw_lines(digest.update):
            if content is None:
                report(number, f"has more than {MAX_LINE_BYTES} bytes")
            elif content.strip():
                tasks += 1
                for problem in _problems(content):
                    report(number, problem)
            if number % _LINES_PER_ADVANCE == 0:
                advance()
        return Survey(digest.hexdigest(), tasks)

    def tasks(self) -> Iterator[tuple[int, CreateTaskRequest]]:
        """Each task with its line number, in order; raises InputChanged."""
        for number, content in self._raw_lines(lambda _: None):
            if content is None or self._stat() != self._state:
                raise self._changed()
            if not content.strip():
                continue
            try:
                request = parse_line(content)
            except BadLine:
                raise self._changed() from None
            yield number, request

    def _changed(self) -> InputChanged:
        return InputChanged(f"{self.name} was changed while it was imported")

    def _stat(self) -> tuple[int, int]:
        state = os.fstat(self._file.fileno())
        return state.st_size, state.st_mtime_ns

    def _raw_lines(self, saw: Callable[[bytes], object]) -> Iterator[tuple[int, bytes | None]]:
        """Each line by number from 1; None in place of one that is too long."""
        self._file.seek(0)
        number = 0
        while content := self._file.readline(MAX_LINE_BYTES + 1):
            number += 1
            saw(content)
            too_long = len(content) > MAX_LINE_BYTES
            while too_long and content and not content.endswith(b"\n"):
                content = self._file.readline(MAX_LINE_BYTES)
                saw(content)
            if number == 1 and not too_long:
                content = content.removeprefix(_BYTE_ORDER_MARK)
            yield number, None if too_long else content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _problems(content: bytes) -> tuple[str, ...]:
    try:
        parse_line(content)
    except BadLine as bad:
        return bad.problems
    return ()


def _seekable(path: str) -> IO[bytes]:
    if path == "-":
        return _spooled(sys.stdin.buffer)
    file = open(path, "rb")  # noqa: PTH123, SIM115 - the source closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return _spooled(file)


def _spooled(stream: IO[bytes]) -> IO[bytes]:
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    try:
        shutil.copyfileobj(stream, spool)
        spool.flush()
    except BaseException:
        spool.close()
        raise
    return spool
