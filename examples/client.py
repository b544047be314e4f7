"""Creates, reads and lists tasks from a program, and meets each error worth telling apart.

Run it beside `make serve`:

    .venv/bin/python examples/client.py
"""

import asyncio
import os
from uuid import uuid4

from taskpb import (
    InvalidRequest,
    RequestIdReused,
    ServiceUnavailable,
    TaskClient,
    TaskNotFound,
)

COMMAND = os.environ.get("TASK_COMMAND", "localhost:8081")
QUERY = os.environ.get("TASK_QUERY", "localhost:8082")


async def main() -> None:
    """Use both services once."""
    async with TaskClient(command=COMMAND, query=QUERY, timeout_s=5) as tasks:
        task = await tasks.create("buy milk", tags=["home", "shop"])
        print(f"created {task.text!r} with tags {', '.join(task.tags)}")

        # A read sees the client's own creates, on a replica that is behind as well.
        assert await tasks.get(task.id) == task
        newest = [each async for each in tasks.list("shop")][-1]
        print(f"the newest under 'shop' is the one created: {newest.id == task.id}")

        # With a request id of your own a create may be repeated, after a crash too.
        request_id = uuid4()
        first = await tasks.create("pay rent", request_id=request_id)
        again = await tasks.create("pay rent", request_id=request_id)
        print(f"created twice, stored once: {first == again}")

        try:
            await tasks.create("another text", request_id=request_id)
        except RequestIdReused:
            print("a request id stands for one task only")
        try:
            await tasks.create("", tags=["home", " "])
        except InvalidRequest as error:
            print(f"refused: {', '.join(error.violations)}")
        try:
            await tasks.get(2**31 - 1)
        except TaskNotFound as error:
            print(f"not found: {error}")

    # Port 1 of this machine serves nobody; who knows that much need not wait for it.
    async with TaskClient(query="localhost:1", connect_retry_s=0) as nowhere:
        try:
            await nowhere.get(1)
        except ServiceUnavailable:
            print("nobody listens there")


if __name__ == "__main__":
    asyncio.run(main())
