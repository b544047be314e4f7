"""A TCP proxy that can lose a connection at a chosen moment, or its packets."""

import asyncio
from contextlib import suppress
from typing import Self


class Proxy:
    """Forwards connections on `port` to `target_port`."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._lose_request = False
        self._lose_answer = False
        self._silenced: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def lose_next_answer(self) -> None:
        """Let the next request through, wait for its answer, and drop both connections."""
        self._lose_answer = True

    def lose_next_request(self) -> None:
        """Drop the connection that the next request comes by."""
        self._lose_request = True

    def silence(self) -> None:
        """Carry nothing more by the connections so far, and let neither end know."""
        self._silenced |= self._open

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._open |= {writer, back}
        ways = [
            asyncio.create_task(self._forward(reader, back, "_lose_request")),
            asyncio.create_task(self._forward(there, writer, "_lose_answer")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, back):
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loss: str
    ) -> None:
        with suppress(ConnectionError):
            while content := await reader.read(1 << 16):
                if getattr(self, loss):
                    setattr(self, loss, False)
                    return
                if writer in self._silenced:
                    continue
                writer.write(content)
                await writer.drain()
