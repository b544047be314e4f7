"""The errors of tasks at rest, in plain Python: no gRPC, no driver.

The text of each error is fit for a client to read. The driver's own error hangs
on as `__cause__` and belongs in a log.
"""

__all__ = [
    "AnswerTooLarge",
    "IdsExhausted",
    "InvalidToken",
    "NotTaskDatabase",
    "RequestIdReused",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "TaskNotFound",
    "WriteNotSeen",
]


class StoreError(Exception):
    """The base of every error of the store."""


class TaskNotFound(StoreError):
    """No task has this id.

    The store's side of the wire; a client gets a `taskpb.TaskNotFound`.
    """

    def __init__(self, task_id: int) -> None:
        super().__init__(f"no task has the id {task_id}")
        self.task_id = task_id


class RequestIdReused(StoreError):
    """The request id already stands for a task with another text or tags.

    The store's side of the wire; a client gets a `taskpb.RequestIdReused`.
    """

    def __init__(self, task_id: int) -> None:
        super().__init__(
            f"this request_id created task {task_id}, which has another text or other tags"
        )
        self.task_id = task_id


class InvalidToken(StoreError):
    """A token is not of this database, or not for this use."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        """The token's name in the request."""
        self.problem = problem
        """The reason against it, as the end of a sentence about the field."""


class AnswerTooLarge(StoreError):
    """All tasks together don't fit in one answer."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the tasks take more than {max_bytes} bytes: ask by pages (page_size)")
        self.max_bytes = max_bytes


class WriteNotSeen(StoreError):
    """The write of a consistency token did not arrive here in time."""

    def __init__(self) -> None:
        super().__init__("the write of this consistency_token has not arrived here yet; retry")


class IdsExhausted(StoreError):
    """Every id of an int32 is given out."""

    def __init__(self) -> None:
        super().__init__("all 2147483647 task ids are used up")


class StoreFull(StoreError):
    """The database has no room left; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("the database has no room left; nothing was stored")


class StoreUnavailable(StoreError):
    """The database can't be used now; the same request may be sent again."""

    def __init__(self, problem: str = "the database is not available; retry") -> None:
        super().__init__(problem)


class NotTaskDatabase(StoreUnavailable):
    """Waiting won't help: no tasks there, a schema this version doesn't know, no right."""
