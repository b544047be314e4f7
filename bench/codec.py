"""Measures protowire beside untouched betterproto and protobuf's upb, as ratios.

Run it by `python bench/codec.py`. All three work on the same messages in one process, each
timed several times in turn, the best time counting: `x betterproto` is how many times faster
we are than betterproto, `x upb` how many times slower than upb. The generated module is
loaded once more under another name, so that betterproto's own classes stay untouched.
"""

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from timeit import Timer
from typing import Any, Final

import protowire
from taskpb.generated import task as fast

PROTO: Final = Path(__file__).parent.parent / "proto"
ROUNDS: Final = 7
"""Times that each case is timed; the best counts."""
ROUND_S: Final = 0.05
"""About the length of one timing, in seconds."""
TASKS: Final = 100
FIRST_ID: Final = 1000
"""Ids from here take two bytes."""


@dataclass
class Runtime:
    """One way to construct, encode and decode the task messages."""

    messages: Any
    encode: Callable[[Any], bytes]
    decode: Callable[[Any, bytes], Any]


def load(name: str, path: Path) -> Any:
    """Import a file under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def runtimes() -> tuple[Runtime, Runtime, Runtime]:
    """Return ours, betterproto's and upb's."""
    stock = load("stock_task", Path(fast.__file__))
    with tempfile.TemporaryDirectory() as out:
        command = ["grpc_tools.protoc", f"-I{PROTO}", f"--python_out={out}", f"{PROTO}/task.proto"]
        subprocess.run([sys.executable, "-m", *command], check=True)
        upb = load("task_pb2", Path(out) / "task_pb2.py")
    protowire.compile_messages(fast)
    return (
        Runtime(fast, protowire.encode, protowire.decode),
        Runtime(stock, bytes, lambda cls, data: cls.FromString(data)),
        Runtime(
            upb,
            lambda message: message.SerializeToString(),
            lambda cls, data: cls.FromString(data),
        ),
    )


def cases(runtime: Runtime) -> dict[str, Callable[[], object]]:
    """Return what is measured: each case does its whole work at each call."""
    messages, encode, decode = runtime.messages, runtime.encode, runtime.decode

    def task(number: int) -> Any:
        return messages.Task(id=number, text="Buy milk and bread", tags=["home", "errands"])

    def respond() -> bytes:
        stored = messages.Task(id=4711, text="Buy milk and bread", tags=["home", "errands"])
        return encode(messages.CreateTaskResponse(task=stored))

    create = messages.CreateTaskRequest
    request = encode(create(text="Buy milk and bread", tags=["home", "errands"]))
    listed = messages.ListTasksByTagResponse(
        tasks=[task(n) for n in range(FIRST_ID, FIRST_ID + TASKS)]
    )
    page = encode(listed)
    return {
        "decode CreateTaskRequest, 2 tags": lambda: decode(create, request),
        "construct and encode its response": respond,
        "construct a Task": lambda: task(4711),
        f"encode a list of {TASKS} tasks": lambda: encode(listed),
        f"decode a list of {TASKS} tasks": lambda: decode(type(listed), page),
    }


def stored() -> dict[str, Callable[[], bytes]]:
    """Answer a list from what is stored encoded: tasks, or lists of one task each."""
    response = fast.ListTasksByTagResponse
    tasks = [
        fast.Task(id=n, text="Buy milk and bread", tags=["home", "errands"])
        for n in range(FIRST_ID, FIRST_ID + TASKS)
    ]
    rows = [protowire.encode(task) for task in tasks]
    lists = [protowire.encode(response(tasks=[task])) for task in tasks]

    def answer() -> bytes:
        return protowire.encode(
            response(tasks=[protowire.from_encoded(fast.Task, row) for row in rows])
        )

    return {
        "the same, tasks stored encoded": answer,
        "the same, lists of one, joined": lambda: protowire.encode(
            protowire.from_encoded(response, b"".join(lists))
        ),
    }


def best_us(*works: Callable[[], object]) -> list[float]:
    """Time each work in turn, several times; give the best of each in microseconds."""
    timers = [Timer(work) for work in works]
    numbers = [max(1, round(ROUND_S / max(timer.timeit(3) / 3, 1e-7))) for timer in timers]
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for index, (timer, number) in enumerate(zip(timers, numbers, strict=True)):
            best[index] = min(best[index], timer.timeit(number) / number * 1e6)
    return best


def print_row(name: str, *works: Callable[[], object]) -> None:
    """Measure ours, betterproto's and upb's way of one case, and print them."""
    mine, theirs, native = best_us(*works)
    figures = (mine, theirs, native, theirs / mine, mine / native)
    print(f"{name:36}" + "".join(f"{figure:16.2f}" for figure in figures))


def main() -> None:
    """Print the table."""
    ours, stock, upb = map(cases, runtimes())
    print(f"Python {sys.version.split()[0]}, best of {ROUNDS}")
    heads = ("protowire us", "betterproto us", "upb us", "x betterproto", "x upb")
    print(f"{'':36}" + "".join(f"{head:>16}" for head in heads))
    for name, work in ours.items():
        print_row(name, work, stock[name], upb[name])
    encoding = f"encode a list of {TASKS} tasks"
    for name, work in stored().items():
        print_row(name, work, stock[encoding], upb[encoding])


if __name__ == "__main__":
    main()
