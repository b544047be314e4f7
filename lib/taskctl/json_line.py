"""A task as one line of JSON: written by export and `--json`, read by import."""

import json
from typing import Any, Final, cast

from taskctl.printable import json_fit_for_terminals, printable
from taskpb import CreateTaskRequest, Task
from taskpb.rules import create_violations

__all__ = ["BadLine", "json_of_task", "parse_line"]

_KEYS: Final = frozenset({"id", "text", "tags"})


class BadLine(ValueError):
    """No task can be made of a line."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems
        """Every reason against it."""


def json_of_task(task: Task) -> str:
    """Return the task as a JSON object on one line, without the line's end."""
    fields = {"id": task.id, "text": task.text, "tags": task.tags}
    return json_fit_for_terminals(json.dumps(fields, ensure_ascii=False))


def parse_line(line: bytes) -> CreateTaskRequest:
    """Return the task that one line describes; raises BadLine with every reason against it.

    `{"text": str, "tags": [str]}`, where `tags` may be missing and an `id` is
    passed over: the service gives a new one.
    """
    fields = _json_object(line)
    problems = [f"unknown key {printable(json.dumps(key))}" for key in fields.keys() - _KEYS]
    text, tags = fields.get("text"), fields.get("tags", [])
    if "text" not in fields:
        problems.append("text: is missing")
    elif not isinstance(text, str):
        problems.append("text: is not a string")
    if isinstance(tags, list):
        problems += [
            f"tags[{index}]: is not a string"
            for index, tag in enumerate(cast("list[object]", tags))
            if not isinstance(tag, str)
        ]
    else:
        problems.append("tags: is not an array")
    if problems:
        raise BadLine(*sorted(problems))
    request = CreateTaskRequest(text=str(text), tags=cast("list[str]", tags))
    if violations := create_violations(request):
        raise BadLine(*(f"{field}: {problem}" for field, problem in violations.items()))
    return request


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode(), object_pairs_hook=_object_without_repeats)
    except UnicodeDecodeError as error:
        raise BadLine(f"is not valid UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise BadLine(f"is not valid JSON at character {error.colno}: {error.msg}") from None
    except RecursionError:
        raise BadLine("is nested too deeply") from None
    except BadLine:
        raise
    except ValueError:
        # Python refuses to convert numbers of thousands of digits.
        raise BadLine("holds a number that is too long") from None
    if not isinstance(value, dict):
        raise BadLine("is not a JSON object")
    return cast("dict[str, Any]", value)


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadLine("repeats a key")
    return fields
