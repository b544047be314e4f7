"""`python -m bench.trip`: how much code one warm GetTask passes, on each engine.

The whole service answers over a real socket, to grpcio's client in a process of
its own. After some calls Python's profiler notes every function that
one more call enters; the median of several such calls counts. The standard
library is left out, as what both stand on, and so is source that is generated
while the program runs.
"""

import asyncio
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low
from types import CodeType, FrameType
from typing import Any, NamedTuple

from query.service import QueryService
from servicekit.engines import ENGINES
from servicekit.listening import open_listening_sockets
from taskstore import SqliteLocation, open_reader, open_writer

__all__ = ["Trip", "measure"]

CALLS = 9
_SETTLE_S = 0.05
_STANDARD_LIBRARY = sysconfig.get_path("stdlib")
_SITE_PACKAGES = sysconfig.get_path("purelib")

_CLIENT = """
import sys, grpc
call = grpc.insecure_channel(sys.argv[1]).unary_unary("/task.TaskService/GetTask")
for _ in range(30):
    call(b"\\n\\x011")
print("warm", flush=True)
for _ in sys.stdin:
    call(b"\\n\\x011")
    print("answered", flush=True)
"""


class Trip(NamedTuple):
    """The way of one call: source files, calls of functions, lines of those files."""

    files: int
    calls: int
    lines: int


async def measure(engine: str, calls: int = CALLS) -> Trip:
    """The median trip of `calls` warm calls of GetTask on `engine`, each alone."""
    with tempfile.TemporaryDirectory() as folder:
        location = SqliteLocation(Path(folder) / "tasks.db")
        writer = await open_writer(location)
        await writer.create("buy milk", ["home", "shop"], None)
        await writer.close()
        reader = await open_reader(location)
        server = ENGINES[engine]([QueryService(reader)], ())
        sockets = open_listening_sockets("127.0.0.1", 0)
        await server.start(sockets, None)
        try:
            return await _measure(sockets[0].getsockname()[1], calls)
        finally:
            await server.stop()
            await reader.close()


async def _measure(port: int, calls: int) -> Trip:
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CLIENT, f"127.0.0.1:{port}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdin is not None  # noqa: S101 - asked for above
    assert client.stdout is not None  # noqa: S101 - likewise
    await client.stdout.readline()
    trips = []
    for _ in range(calls):
        await asyncio.sleep(_SETTLE_S)  # what the call before left to acknowledge
        entered: list[CodeType] = []

        def note(
            frame: FrameType, event: str, _argument: Any, entered: list[CodeType] = entered
        ) -> None:
            if event == "call":
                entered.append(frame.f_code)

        sys.setprofile(note)
        client.stdin.write(b"\n")
        await client.stdout.readline()
        sys.setprofile(None)
        trips.append(_trip(entered))
    client.stdin.close()
    await client.wait()
    return Trip(*map(median_low, zip(*trips, strict=True)))


def _trip(entered: Sequence[CodeType]) -> Trip:
    passed = [code.co_filename for code in entered if _counts(code.co_filename)]
    files = set(passed)
    return Trip(
        len(files), len(passed), sum(len(Path(name).read_text().splitlines()) for name in files)
    )


def _counts(name: str) -> bool:
    if name.startswith("<") or name == __file__:
        return False
    return name.startswith(_SITE_PACKAGES) or not name.startswith(_STANDARD_LIBRARY)


def main() -> None:
    """Print one line for each engine."""
    print(f"{'one warm GetTask on':<20} {'files':>6} {'calls':>6} {'lines':>7}")
    for engine in ENGINES:
        trip = asyncio.run(measure(engine))
        print(f"{engine:<20} {trip.files:>6} {trip.calls:>6} {trip.lines:>7,}")


if __name__ == "__main__":
    main()
