"""The peers' store: what a competent engineer writes first with the standard library.

Normalised tables, an index for each question, a write-ahead log, a sync at
every commit, one commit a create. `sqlite3` keeps the statements prepared.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Page", "Store", "Task"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task_tag (
    task_id INTEGER NOT NULL REFERENCES task (id),
    position INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (task_id, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS task_tag_by_tag ON task_tag (tag, task_id);
"""
_PAGE = """
SELECT DISTINCT task.id, task.text FROM task_tag JOIN task ON task.id = task_tag.task_id
WHERE task_tag.tag = ? AND task_tag.task_id > ? ORDER BY task_tag.task_id LIMIT ?
"""


class Task(NamedTuple):
    """A stored task."""

    id: int
    text: str
    tags: list[str]


class Page(NamedTuple):
    """Tasks by ascending id; the next page's token, empty at the end."""

    tasks: list[Task]
    next_page_token: str


class Store:
    """Reads on a connection for each thread, writes on one behind a lock."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._readers = threading.local()
        self._write_lock = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(_SCHEMA)

    def create(self, text: str, tags: Sequence[str]) -> int:
        """Store a task; its id, once it is on disk."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                task_id = self._insert(text, tags)
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
        return task_id

    def create_many(self, tasks: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Store tasks in one transaction."""
        with self._write_lock:
            self._writer.execute("BEGIN IMMEDIATE")
            for text, tags in tasks:
                self._insert(text, tags)
            self._writer.execute("COMMIT")

    def get(self, task_id: int) -> Task | None:
        """The task of that id."""
        reader = self._reader()
        row = reader.execute("SELECT text FROM task WHERE id = ?", (task_id,)).fetchone()
        if row is None:
            return None
        tags = reader.execute(
            "SELECT tag FROM task_tag WHERE task_id = ? ORDER BY position", (task_id,)
        )
        return Task(task_id, row[0], [tag for (tag,) in tags])

    def list_by_tag(self, tag: str, page_size: int, page_token: str) -> Page:
        """Up to `page_size` tasks of `tag` after the page that gave `page_token`."""
        reader = self._reader()
        rows = reader.execute(_PAGE, (tag, int(page_token or 0), page_size + 1)).fetchall()
        tasks = {task_id: Task(task_id, text, []) for task_id, text in rows[:page_size]}
        marks = ",".join("?" * len(tasks))
        for task_id, name in reader.execute(
            f"SELECT task_id, tag FROM task_tag WHERE task_id IN ({marks}) "  # noqa: S608 - only marks
            "ORDER BY task_id, position",
            list(tasks),
        ):
            tasks[task_id].tags.append(name)
        more = len(rows) > page_size
        return Page(list(tasks.values()), str(rows[page_size - 1][0]) if more else "")

    def close(self) -> None:
        """Let go of the writing connection."""
        self._writer.close()

    def _insert(self, text: str, tags: Sequence[str]) -> int:
        task_id = self._writer.execute("INSERT INTO task (text) VALUES (?)", (text,)).lastrowid
        if task_id is None:
            raise AssertionError("SQLite gives every inserted row an id")
        self._writer.executemany(
            "INSERT INTO task_tag (task_id, position, tag) VALUES (?, ?, ?)",
            [(task_id, position, tag) for position, tag in enumerate(tags)],
        )
        return task_id

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = self._connect()
        return reader

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection
