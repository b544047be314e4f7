"""Starting a task: at once where Python can, in the next turn where it cannot.

From 3.12 on a task may begin to run where it is made, and a handler that waits for
nothing ends there too, so that a call costs no turn of the loop. It is a task all
the same: `asyncio.current_task()` and `asyncio.timeout()` work from its first line.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

if sys.version_info >= (3, 12):

    def start_task(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        """Run `work` as a task, up to where it first waits."""
        return asyncio.Task(work, loop=loop, eager_start=True)

else:

    def start_task(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]
    ) -> asyncio.Task[None]:
        """Run `work` as a task, from the next turn of the loop."""
        return loop.create_task(work)
