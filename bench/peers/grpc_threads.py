"""A peer: grpc's classic server on a pool of threads."""

# ruff: noqa: ANN001, ANN201, ARG002, D102, N802 - the generated base sets names and signatures

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import task_pb2
import task_pb2_grpc
from store import Store

THREADS = 10


class TaskService(task_pb2_grpc.TaskServiceServicer):
    """The contract over the plain store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def CreateTask(self, request, context):
        task_id = self._store.create(request.text, list(request.tags))
        task = task_pb2.Task(id=task_id, text=request.text, tags=request.tags)
        return task_pb2.CreateTaskResponse(task=task)

    def GetTask(self, request, context):
        task = self._store.get(int(request.task_id))
        if task is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such task")
        return task_pb2.GetTaskResponse(task=task_pb2.Task(**task._asdict()))

    def ListTasksByTag(self, request, context):
        page = self._store.list_by_tag(request.tag_name, request.page_size, request.page_token)
        return task_pb2.ListTasksByTagResponse(
            tasks=[task_pb2.Task(**task._asdict()) for task in page.tasks],
            next_page_token=page.next_page_token,
        )


def main(port: str, database: str) -> None:
    """Serve until killed."""
    server = grpc.server(ThreadPoolExecutor(max_workers=THREADS))
    task_pb2_grpc.add_TaskServiceServicer_to_server(TaskService(Store(database)), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
