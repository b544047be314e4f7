"""A bare HTTP/2 client over a blocking socket, for what h2load can't do.

It sends requests whose bodies differ, keeps connections idle and asks a server
that is just starting. Header blocks are literals; answers are told apart by
frame type and flags only, so they cost next to nothing to read: a call is well
answered where it had DATA before the frame that ended its stream.
"""

import socket
import struct
from collections.abc import Sequence
from typing import Self

__all__ = ["CallFailed", "Connection", "is_answering"]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM = _ACK = 0x1
_END_HEADERS = 0x4
_INITIAL_WINDOW_SIZE = 4
_MAX_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_TIMEOUT_S = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CallFailed(Exception):
    """A call was answered by an error, or the connection was."""


class Connection:
    """One connection; what it receives in all has to fit in one window of 2 GiB."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._next_stream = 1
        self._answered: dict[int, bool] = {}
        settings = struct.pack(">HI", _INITIAL_WINDOW_SIZE, _MAX_WINDOW)
        window = struct.pack(">I", _MAX_WINDOW - _DEFAULT_WINDOW)
        self._socket.sendall(
            _PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW_UPDATE, 0, 0, window)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def calls(self, method: str, bodies: Sequence[bytes], *, any_status: bool = False) -> None:
        """Send all at once and wait for every answer; raises CallFailed, OSError."""
        block = _header_block(f"/task.TaskService/{method}")
        frames = []
        for body in bodies:
            stream = self._next_stream
            self._next_stream += 2
            self._answered[stream] = any_status
            message = b"\0" + len(body).to_bytes(4, "big") + body
            frames += [
                _frame(_HEADERS, _END_HEADERS, stream, block),
                _frame(_DATA, _END_STREAM, stream, message),
            ]
        self._socket.sendall(b"".join(frames))
        while self._answered:
            self._receive()

    def close(self) -> None:
        """Reset the connection: many closed ones leave nothing waiting in the kernel."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._socket.close()

    def _receive(self) -> None:
        received = self._socket.recv(256 * 1024)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        buffer = self._buffer + received
        at = 0
        while len(buffer) - at >= 9:  # noqa: PLR2004 - the frame header, RFC 9113 4.1
            end = at + 9 + int.from_bytes(buffer[at : at + 3], "big")
            if end > len(buffer):
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big")
            self._on_frame(buffer[at + 3], buffer[at + 4], stream, buffer[at + 9 : end])
            at = end
        self._buffer = buffer[at:]

    def _on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA and payload:
            self._answered[stream] = True
        elif kind in (_SETTINGS, _PING) and not flags & _ACK:
            self._socket.sendall(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
        elif kind in (_RST_STREAM, _GOAWAY):
            raise CallFailed(f"frame type {kind}: {payload!r}")
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM and not self._answered.pop(stream):
            raise CallFailed(f"stream {stream} was answered by an error")


def is_answering(port: int) -> bool:
    """True if a server at `port` answers a call, with whatever status."""
    try:
        with Connection(port) as connection:
            connection.calls("GetTask", [b""], any_status=True)
    except (OSError, CallFailed):
        return False
    return True


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _header_block(path: str) -> bytes:
    """Literal header fields without indexing, RFC 7541 6.2.2."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        b"\0" + bytes([len(text)]) + text.encode()
        if is_name
        else bytes([len(text)]) + text.encode()
        for field in fields.items()
        for is_name, text in zip((True, False), field, strict=True)
    )
