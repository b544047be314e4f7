"""Tasks in a PostgreSQL database: any number of writers on the primary, readers anywhere.

`schema` holds the tables and the one procedure that stores, `database` connects
and maps errors, `ledger` is the writer's core, `gets` gathers the reads of single
tasks, `replay` waits for a replica, `writer` and `reader` are the two sides of
the store.
"""

from taskstore.postgres.reader import PostgresReader
from taskstore.postgres.writer import PostgresWriter

__all__ = ["PostgresReader", "PostgresWriter"]
