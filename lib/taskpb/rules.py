"""The contract's rules for what a request may hold, apart from any server.

`command` refuses by them; a program that reads input may ask them beforehand.
Each function answers the violations by field path as BadRequest names it
(`text`, `tags[3]`, ...), empty where the request is fine.
"""

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

MAX_TEXT_BYTES = 16 * 1024
MAX_TAGS = 64
MAX_TAG_BYTES = 256
MAX_INT32 = 2**31 - 1
_MAX_ID_DIGITS = len(str(MAX_INT32))


def create_violations(request: CreateTaskRequest) -> dict[str, str]:
    """What of a CreateTaskRequest the contract refuses, by field path."""
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
    """The id a GetTaskRequest names, None where it is no positive int32 in decimal."""
    if not (task_id.isascii() and task_id.isdigit()) or len(task_id) > _MAX_ID_DIGITS:
        return None
    number = int(task_id)
    return number if not task_id.startswith("0") and number <= MAX_INT32 else None


def parse_request_id(request_id: str) -> UUID | None:
    """The UUID of RFC 9562's text form, in any case; None where it is none."""
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
