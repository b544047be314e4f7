"""A peer: grpc.aio with asyncpg, a pool of connections and one commit a create.

Normalised tables and an index for each question, as in `store`: what a
competent engineer writes first. asyncpg keeps the statements prepared.
"""

# ruff: noqa: ANN001, ANN201, ARG002, D102, N802 - the generated base sets names and signatures

import asyncio
import sys

import asyncpg
import grpc
import task_pb2
import task_pb2_grpc

_CONNECTIONS = 10
_GET = """
SELECT text, ARRAY(SELECT tag FROM task_tag WHERE task_id = id ORDER BY position) AS tags
FROM task WHERE id = $1
"""
_PAGE = """
SELECT id, text, ARRAY(SELECT tag FROM task_tag WHERE task_id = id ORDER BY position) AS tags
FROM task WHERE id IN (
    SELECT task_id FROM task_tag WHERE tag = $1 AND task_id > $2 ORDER BY task_id LIMIT $3)
ORDER BY id
"""
_CREATE = "INSERT INTO task (text) VALUES ($1) RETURNING id"
_CREATE_TAGS = """
INSERT INTO task_tag (task_id, position, tag)
SELECT $1, position, tag FROM unnest($2::text[]) WITH ORDINALITY AS given (tag, position)
"""


class TaskService(task_pb2_grpc.TaskServiceServicer):
    """The contract over the plain tables."""

    def __init__(self, pool) -> None:
        self._pool = pool

    async def CreateTask(self, request, context):
        async with self._pool.acquire() as connection, connection.transaction():
            task_id = await connection.fetchval(_CREATE, request.text)
            await connection.execute(_CREATE_TAGS, task_id, list(request.tags))
        task = task_pb2.Task(id=task_id, text=request.text, tags=request.tags)
        return task_pb2.CreateTaskResponse(task=task)

    async def GetTask(self, request, context):
        task_id = int(request.task_id)
        row = await self._pool.fetchrow(_GET, task_id)
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such task")
        return task_pb2.GetTaskResponse(task=task_pb2.Task(id=task_id, **row))

    async def ListTasksByTag(self, request, context):
        size = request.page_size
        after = int(request.page_token or 0)
        rows = await self._pool.fetch(_PAGE, request.tag_name, after, size + 1)
        more = len(rows) > size
        return task_pb2.ListTasksByTagResponse(
            tasks=[task_pb2.Task(**row) for row in rows[:size]],
            next_page_token=str(rows[size - 1]["id"]) if more else "",
        )


async def main(port: str, database: str) -> None:
    """Serve until killed."""
    async with asyncpg.create_pool(database, min_size=1, max_size=_CONNECTIONS) as pool:
        server = grpc.aio.server()
        task_pb2_grpc.add_TaskServiceServicer_to_server(TaskService(pool), server)
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
