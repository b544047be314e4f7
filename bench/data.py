"""The tasks that every store holds, the requests of the rows and their right answers.

Ours is filled through `taskstore`'s writer, the peers' through `create_many`
of their own store; both give the ids 1, 2, 3, ... in order.
"""

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from google.protobuf import json_format

from bench.h2load import Load
from bench.peers.store import Store
from taskstore import TaskWriter, open_writer, parse_database_url

__all__ = ["PAGE_TASKS", "TAGS", "Contract", "fsync_ms", "seed_ours", "seed_plain", "tags", "text"]

TAGS = 50
PAGE_TASKS = 100
_OWNERS = 997
# What the loads ask for.
_THE_ID = 4321
_THE_TAG = 7
# Waiting at once in the writer's group commit, below its limit.
_IN_FLIGHT = 2048
_TELL_EVERY = 250 * _IN_FLIGHT


def text(task_id: int) -> str:
    """The text of a task."""
    return f"Task {task_id}: water the plants before the weekend"


def tags(task_id: int) -> list[str]:
    """The tags of a task; one in TAGS shares the first of them."""
    return [f"tag-{task_id % TAGS}", f"owner-{task_id % _OWNERS}"]


class Contract:
    """Google's own classes of the contract, and what the rows send and expect by them."""

    def __init__(self, generated: Path) -> None:
        sys.path.insert(0, str(generated))
        self.messages: Any = importlib.import_module("task_pb2")

    def get_body(self, task_id: int) -> bytes:
        """A GetTaskRequest."""
        return self._bytes(self.messages.GetTaskRequest(task_id=str(task_id)))

    def page_body(self, tag: int) -> bytes:
        """A ListTasksByTagRequest for the first page of a tag."""
        return self._bytes(
            self.messages.ListTasksByTagRequest(tag_name=f"tag-{tag}", page_size=PAGE_TASKS)
        )

    def create_body(self) -> bytes:
        """A CreateTaskRequest."""
        return self._bytes(self.messages.CreateTaskRequest(text=text(1), tags=tags(1)))

    def get_answer(self, task_id: int) -> bytes:
        """The GetTaskResponse."""
        return self._bytes(self.messages.GetTaskResponse(task=self._task(task_id)))

    def page_answer(self, tag: int) -> bytes:
        """The ListTasksByTagResponse, without the token of the next page."""
        first = tag or TAGS
        ids = range(first, first + TAGS * PAGE_TASKS, TAGS)
        return self._bytes(self.messages.ListTasksByTagResponse(tasks=map(self._task, ids)))

    def canned(self) -> tuple[bytes, bytes]:
        """The right answers of `get_load` and `page_load`."""
        return self.get_answer(_THE_ID), self.page_answer(_THE_TAG)

    def get_load(self) -> Load:
        """GetTask of a task in the midst of the first thousands."""
        return Load("GetTask", self.get_body(_THE_ID), len(self.get_answer(_THE_ID)))

    def get_json_load(self) -> Load:
        """The same as `get_load` in JSON."""
        answer = json_format.MessageToDict(
            self.messages.GetTaskResponse.FromString(self.get_answer(_THE_ID))
        )
        body = json.dumps({"taskId": str(_THE_ID)}).encode()
        shortest = json.dumps(answer, separators=(",", ":")).encode()
        return Load("GetTask", body, len(shortest), content_type="application/json")

    def page_load(self) -> Load:
        """ListTasksByTag of a page."""
        return Load("ListTasksByTag", self.page_body(_THE_TAG), len(self.page_answer(_THE_TAG)))

    def create_load(self) -> Load:
        """CreateTask; the answer is at least the task with the smallest id."""
        return Load("CreateTask", self.create_body(), len(self.get_answer(1)))

    def _task(self, task_id: int) -> object:
        return self.messages.Task(id=task_id, text=text(task_id), tags=tags(task_id))

    @staticmethod
    def _bytes(message: Any) -> bytes:
        body: bytes = message.SerializeToString()
        return body


def seed_ours(path: Path, count: int, tell: Callable[[str], None]) -> None:
    """Make our database of `count` tasks at `path`, unless it is there."""
    if path.exists():
        return
    unfinished = _unfinished(path)
    asyncio.run(_create_all(unfinished, count, tell))
    unfinished.rename(path)


def seed_plain(path: Path, count: int) -> None:
    """Make the peers' database of `count` tasks at `path`, unless it is there."""
    if path.exists():
        return
    unfinished = _unfinished(path)
    store = Store(str(unfinished))
    store.create_many((text(task_id), tags(task_id)) for task_id in range(1, count + 1))
    store.close()
    unfinished.rename(path)


def fsync_ms(folder: Path) -> float:
    """The cost of a sync in `folder` of a page written over, as SQLite's log mostly does."""
    path = folder / "fsync.probe"
    times = []
    with path.open("wb", buffering=0) as probe:
        for _ in range(21):
            probe.seek(0)
            probe.write(os.urandom(4096))
            started = time.perf_counter()
            os.fdatasync(probe.fileno())
            times.append(time.perf_counter() - started)
    path.unlink()
    return median(times) * 1000


async def _create_all(path: Path, count: int, tell: Callable[[str], None]) -> None:
    writer = await open_writer(parse_database_url(f"sqlite:///{path}"))
    try:
        for first in range(1, count + 1, _IN_FLIGHT):
            await _create_some(writer, range(first, min(first + _IN_FLIGHT, count + 1)))
            if first > 1 and first % _TELL_EVERY == 1:
                tell(f"stored {first - 1:,} of {count:,} tasks")
    finally:
        await writer.close()


async def _create_some(writer: TaskWriter, ids: range) -> None:
    created = await asyncio.gather(*(writer.create(text(i), tags(i)) for i in ids))
    if [answer.task_id for answer in created] != list(ids):
        raise AssertionError("the writer gave other ids than those the rows ask for")


def _unfinished(path: Path) -> Path:
    """A name beside `path`, with nothing left there of an earlier try."""
    unfinished = path.with_suffix(".unfinished")
    for suffix in ("", "-wal", "-shm"):
        unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)
    return unfinished
