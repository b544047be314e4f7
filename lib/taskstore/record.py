"""A task at rest: the bytes of its `task.Task` message.

The message's three fields stand here again because the store knows no gRPC; a
test holds them equal to the contract's. The encoding is canonical (fields by
number, defaults left out), so equal tasks have equal bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import betterproto

from protowire import compile_messages, encode

__all__ = ["answer_bytes", "encode_task", "list_answer"]

_HEADS_KEPT: Final = 2048
"""The lengths, in bytes, that most tasks have: the heads of these are made beforehand."""

_SEVEN_BITS: Final = 0x7F


@dataclass(eq=False, repr=False)
class _Task(betterproto.Message):
    id: int = betterproto.int32_field(1)
    text: str = betterproto.string_field(2)
    tags: list[str] = betterproto.string_field(3)  # noqa: RUF009 - betterproto's field


compile_messages(_Task)


def encode_task(task_id: int, text: str, tags: Sequence[str]) -> bytes:
    """Encode a task."""
    return encode(_Task(id=task_id, text=text, tags=list(tags)))


def _head(length: int) -> bytes:
    """The bytes before a task in a list answer: the tag of field 1, the length as a varint."""
    head = bytearray(b"\n")
    while length > _SEVEN_BITS:
        head.append(length & _SEVEN_BITS | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head)


_HEADS: Final = tuple(map(_head, range(_HEADS_KEPT)))


def list_answer(tasks: Sequence[bytes]) -> bytes:
    """Encode the tasks as the entries of a list answer: its field 1."""
    return b"".join(
        [
            (_HEADS[len(task)] if len(task) < _HEADS_KEPT else _head(len(task))) + task
            for task in tasks
        ]
    )


def answer_bytes(task: bytes) -> int:
    """Count the bytes that an encoded task takes as an entry of a list answer."""
    length_bytes = max(1, (len(task).bit_length() + 6) // 7)
    return 1 + length_bytes + len(task)
