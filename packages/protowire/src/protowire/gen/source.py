"""A Python function in the making: its lines, and the objects its names stand for.

Generated code is compiled once and kept in `linecache`, as dataclasses and attrs do, so that
a traceback shows its lines and a debugger steps through them. Objects of other classes are
reached by names that are unique within one source; `late` names are filled in when every
class of a batch is compiled, since messages refer to each other in circles.
"""

import linecache
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["Source"]


class Source:
    """The code of one message class."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.names: dict[str, Any] = {}
        self.late: dict[str, tuple[type, str]] = {}
        self._lines: list[str] = []
        self._indent = 0
        self._classes: dict[type, str] = {}

    @property
    def text(self) -> str:
        """The lines written so far."""
        return "\n".join(self._lines) + "\n"

    def add(self, *lines: str) -> None:
        """Write lines at the current depth."""
        self._lines.extend("    " * self._indent + line for line in lines)

    @contextmanager
    def block(self, head: str) -> Generator[None, None, None]:
        """Write a compound statement's head, and what follows inside it."""
        self.add(head)
        self._indent += 1
        yield
        self._indent -= 1

    def bind(self, name: str, value: object) -> str:
        """Let a name stand for an object."""
        self.names[name] = value
        return name

    def class_name(self, cls: type) -> str:
        """Return a name to a class, the same one each time."""
        if cls not in self._classes:
            taken = sum(other.__name__ == cls.__name__ for other in self._classes)
            name = f"{cls.__name__}_{taken}" if taken else cls.__name__
            self._classes[cls] = self.bind(f"cls_{name}", cls)
        return self._classes[cls]

    def part_of(self, cls: type, part: str) -> str:
        """Name another class's code for one purpose (`encode`, say), bound when compiled."""
        name = f"{part}_{self.class_name(cls).removeprefix('cls_')}"
        self.late[name] = (cls, part)
        return name

    def compile(self) -> dict[str, Any]:
        """Run the source; the namespace it ran in holds its functions."""
        filename = f"<protowire {self.title}>"
        lines = self.text.splitlines(keepends=True)
        linecache.cache[filename] = (len(self.text), None, lines, filename)
        exec(compile(self.text, filename, "exec"), self.names)  # noqa: S102 - this is how dataclasses work
        return self.names
