"""A file that is there complete or not at all."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["atomic_file"]


@contextmanager
def atomic_file(path: Path) -> Generator[IO[bytes]]:
    """Write into a neighbour of `path` that takes its place once all went well.

    A symbolic link is followed, an existing file's mode is kept. A device or a
    pipe can't be replaced and is written directly.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as device:
            yield device
        return
    path = Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError for a loop
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
        try:
            yield new
            new.flush()
            os.fchmod(new.fileno(), mode)
            os.fsync(new.fileno())
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink()
            raise


def _umask() -> int:
    """The mask of new files' modes, which only setting it tells."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
