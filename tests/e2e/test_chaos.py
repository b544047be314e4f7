"""PostgreSQL restarts, dies and fails over under load: nothing is lost, doubled or unseen.

64 clients create and read what they created, through both services as
processes, while the primary is restarted, killed and replaced by its replica,
again and again. TASK_CHAOS_S says for how many seconds.
"""

import asyncio
import itertools
import os
import shutil
import time
from uuid import uuid4

import grpc
import pytest

from taskpb import Task
from taskstore import open_reader, parse_database_url
from tests.postgres import Server, primary_and_replica
from tests.processes import ServiceProcess

CLIENTS = 64
CHAOS_S = float(os.environ.get("TASK_CHAOS_S", "60"))
# What passes between two failures, so that each meets a service at work.
CALM_S = 4.0
BACK_S = 10.0
CALL_S = 5.0
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


class Clients:
    """Create a task, read it with its token, and again, until told to stop."""

    def __init__(self, foreign, command, query):
        self._foreign = foreign
        self.acknowledged = {}
        self.stopping = False
        self.answered_at = 0.0
        self._create = command.unary_unary(
            "/task.TaskService/CreateTask",
            request_serializer=foreign.CreateTaskRequest.SerializeToString,
            response_deserializer=foreign.CreateTaskResponse.FromString,
        )
        self._get = query.unary_unary(
            "/task.TaskService/GetTask",
            request_serializer=foreign.GetTaskRequest.SerializeToString,
            response_deserializer=foreign.GetTaskResponse.FromString,
        )

    async def run(self):
        while not self.stopping:
            request_id = str(uuid4())
            text = f"task {request_id}"
            created = await self._until_answered(
                self._create,
                self._foreign.CreateTaskRequest(text=text, tags=["t"], request_id=request_id),
            )
            assert created.task.id not in self.acknowledged
            self.acknowledged[created.task.id] = text
            found = await self._until_answered(
                self._get,
                self._foreign.GetTaskRequest(
                    task_id=str(created.task.id), consistency_token=created.consistency_token
                ),
            )
            assert found.task.text == text
            self.answered_at = time.monotonic()

    async def _until_answered(self, call, request):
        """Ask until it is answered: only what is safe to retry may come in between."""
        while True:
            try:
                return await call(request, timeout=CALL_S)
            except grpc.aio.AioRpcError as error:
                if error.code() not in RETRIED:
                    raise
                await asyncio.sleep(0.05)


class Cluster:
    """A primary, its replica, and what may befall them; every failure ends with a primary."""

    def __init__(self, primary: Server, replica: Server) -> None:
        self.primary = primary
        self.replica = replica

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{s.port}" for s in (self.primary, self.replica))
        return f"postgresql://{self.primary.user}@{hosts}/postgres"

    def restart(self) -> None:
        self.primary.stop("fast")
        self.primary.start()

    def crash(self) -> None:
        self.primary.kill()
        self.primary.start()

    def fail_over(self) -> None:
        self.primary.kill()
        self.replica.promote()
        self.primary, self.replica = self.replica, self.primary

    def replace_replica(self) -> None:
        """Make the server that is down a replica of the new primary."""
        shutil.rmtree(self.replica.data)
        self.replica.follow(self.primary, "replica")
        self.replica.start()
        self.primary.wait_for_replica("replica")


async def cause_failures(cluster, clients, running):
    """One failure after the other; how long each kept the service away."""
    away = []
    failures = itertools.cycle([cluster.restart, cluster.crash, cluster.fail_over])
    end_at = time.monotonic() + CHAOS_S
    while time.monotonic() < end_at or len(away) < 3:
        await asyncio.sleep(CALM_S)
        failure = next(failures)
        await asyncio.to_thread(failure)
        back_at = time.monotonic()
        while clients.answered_at < back_at:
            assert not any(client.done() for client in running), "a client failed"
            assert time.monotonic() < back_at + BACK_S, f"not back after {failure.__name__}"
            await asyncio.sleep(0.02)
        away.append((failure.__name__, round(clients.answered_at - back_at, 2)))
        if failure == cluster.fail_over:
            await asyncio.to_thread(cluster.replace_replica)
    return away


@pytest.mark.long
async def test_chaos_loses_doubles_and_hides_nothing(postgres_programs, foreign):
    with primary_and_replica(postgres_programs, standbys="replica", commit="on") as servers:
        cluster = Cluster(*servers)
        with (
            ServiceProcess("command", cluster.url) as command,
            ServiceProcess("query", f"{cluster.url}?target_session_attrs=prefer-standby") as query,
        ):
            acknowledged, away = await run_clients(foreign, command, query, cluster)
            assert command.process.poll() is None
            assert query.process.poll() is None
            assert command.stop() == 0
            assert query.stop() == 0
        stored = await all_tasks(cluster)
    print(f"{len(stored)} tasks; seconds away after each failure: {away}")
    assert {task.id: task.text for task in stored} == acknowledged
    assert [task.id for task in stored] == list(range(1, len(stored) + 1))


async def run_clients(foreign, command, query, cluster):
    async with (
        grpc.aio.insecure_channel(command.address) as commands,
        grpc.aio.insecure_channel(query.address) as queries,
    ):
        clients = Clients(foreign, commands, queries)
        running = [asyncio.create_task(clients.run()) for _ in range(CLIENTS)]
        try:
            away = await cause_failures(cluster, clients, running)
        finally:
            clients.stopping = True
            done = await asyncio.wait_for(asyncio.gather(*running), 60)
        assert len(done) == CLIENTS
    return clients.acknowledged, away


async def all_tasks(cluster):
    reader = await open_reader(parse_database_url(cluster.primary.url()))
    tasks, token = [], ""
    while True:
        page = await reader.list_by_tag("t", page_size=1000, page_token=token)
        tasks += [Task().parse(task) for task in page.tasks]
        token = page.next_page_token
        if not token:
            await reader.close()
            return tasks
