"""Tasks in one SQLite file: a writer in one process, any number of readers.

Write-ahead logging with a sync at every commit: what is acknowledged survives
a power cut. `schema` holds the tables, `database` opens and watches the file,
`ledger` is the writer's synchronous core, `writer` and `reader` are the two
sides of the store.
"""

from taskstore.sqlite.reader import SqliteReader
from taskstore.sqlite.writer import SqliteWriter

__all__ = ["SqliteReader", "SqliteWriter"]
