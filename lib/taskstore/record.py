"""A task at rest: the bytes of its `task.Task` message.

The message's three fields stand here again because the store knows no gRPC; a
test holds them equal to the contract's. The encoding is canonical (fields by
number, defaults left out), so equal tasks have equal bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import betterproto

from protowire import compile_messages, encode

__all__ = ["answer_bytes", "encode_task", "list_answer"]

# The tag of field 1 and a length, for the lengths that most tasks have.
_HEADS_KEPT = 2048
_SEVEN_BITS = 0x7F


@dataclass(eq=False, repr=False)
class _Task(betterproto.Message):
    id: int = betterproto.int32_field(1)
    text: str = betterproto.string_field(2)
    tags: list[str] = betterproto.string_field(3)  # noqa: RUF009 - betterproto's field


compile_messages(_Task)


def encode_task(task_id: int, text: str, tags: Sequence[str]) -> bytes:
    """The task's bytes."""
    return encode(_Task(id=task_id, text=text, tags=list(tags)))


def _head(length: int) -> bytes:
    """What stands before a task in a list answer: the tag of field 1, the length as a varint."""
    head = bytearray(b"\n")
    while length > _SEVEN_BITS:
        head.append(length & _SEVEN_BITS | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head)


_HEADS = tuple(map(_head, range(_HEADS_KEPT)))


def list_answer(tasks: Sequence[bytes]) -> bytes:
    """The tasks as the entries of a list answer: its field 1, encoded."""
    return b"".join(
        [
            (_HEADS[len(task)] if len(task) < _HEADS_KEPT else _head(len(task))) + task
            for task in tasks
        ]
    )


def answer_bytes(task: bytes) -> int:
    """The bytes that an encoded task takes as an entry of a list answer."""
    length_bytes = max(1, (len(task).bit_length() + 6) // 7)
    return 1 + length_bytes + len(task)
