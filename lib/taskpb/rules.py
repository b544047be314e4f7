"""The contract's rules for requests, apart from any server.

`command` refuses by them; a program that reads input may ask them beforehand.
"""

from typing import Final
from uuid import UUID

from taskpb.generated.task import CreateTaskRequest

__all__ = [
    "MAX_INT32",
    "MAX_TAGS",
    "MAX_TAG_BYTES",
    "MAX_TEXT_BYTES",
    "create_violations",
    "parse_request_id",
    "parse_task_id",
]

MAX_TEXT_BYTES: Final = 16 * 1024
"""The most bytes of a task's text, in UTF-8."""

MAX_TAGS: Final = 64
"""The most tags of a task."""

MAX_TAG_BYTES: Final = 256
"""The most bytes of a tag, in UTF-8."""

MAX_INT32: Final = 2**31 - 1
"""The greatest id of a task."""

_MAX_ID_DIGITS: Final = len(str(MAX_INT32))


def create_violations(request: CreateTaskRequest) -> dict[str, str]:
    """Return the violations of a CreateTaskRequest by field path; empty if there are none.

    A field path is written as BadRequest names it (`text`, `tags[3]`, ...).
    """
    violations: dict[str, str] = {}
    if problem := _string_problem(request.text, MAX_TEXT_BYTES):
        violations["text"] = problem
    if len(request.tags) > MAX_TAGS:
        violations["tags"] = f"has {len(request.tags)} tags, more than {MAX_TAGS}"
    for index, tag in enumerate(request.tags[:MAX_TAGS]):
        if problem := _string_problem(tag, MAX_TAG_BYTES):
            violations[f"tags[{index}]"] = problem
    if request.request_id and parse_request_id(request.request_id) is None:
        violations["request_id"] = "is not a UUID"
    return violations


def parse_task_id(task_id: str) -> int | None:
    """Read the id that a GetTaskRequest names; None unless it is a positive int32 in decimal."""
    if not (task_id.isascii() and task_id.isdigit()) or len(task_id) > _MAX_ID_DIGITS:
        return None
    number = int(task_id)
    return number if not task_id.startswith("0") and number <= MAX_INT32 else None


def parse_request_id(request_id: str) -> UUID | None:
    """Read a UUID in the text form of RFC 9562, in any case; None for anything else."""
    try:
        uuid = UUID(request_id)
    except ValueError:
        return None
    return uuid if str(uuid) == request_id.lower() else None


def _string_problem(value: str, max_bytes: int) -> str | None:
    if not value or value.isspace():
        return "is blank" if value else "is empty"
    if "\0" in value:
        return "holds a NUL"
    try:
        size = len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return f"has {size} bytes, more than {max_bytes}" if size > max_bytes else None
