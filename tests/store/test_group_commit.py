import asyncio

import pytest

from taskstore import Created, StoreUnavailable
from taskstore.group_commit import Draft, GroupCommit


class Disk:
    """Commits groups when let to, and remembers them."""

    def __init__(self):
        self.groups = []
        self.go = asyncio.Event()

    async def commit(self, drafts):
        self.groups.append([draft.text for draft in drafts])
        await self.go.wait()
        return [Created(int(draft.text), "") for draft in drafts]


def draft(n):
    return Draft(f"{n}", [], None)


async def test_creates_of_one_tick_share_a_group_and_later_ones_the_next():
    disk = Disk()
    creates = GroupCommit(disk.commit)
    first = [asyncio.create_task(creates.create(draft(n))) for n in range(5)]
    await asyncio.sleep(0.01)
    second = [asyncio.create_task(creates.create(draft(n))) for n in range(5, 9)]
    await asyncio.sleep(0.01)
    disk.go.set()
    assert [c.task_id for c in await asyncio.gather(*first, *second)] == list(range(9))
    assert disk.groups == [["0", "1", "2", "3", "4"], ["5", "6", "7", "8"]]


async def test_groups_are_bounded():
    disk = Disk()
    disk.go.set()
    creates = GroupCommit(disk.commit, max_group=4)
    await asyncio.gather(*(creates.create(draft(n)) for n in range(10)))
    assert [len(group) for group in disk.groups] == [4, 4, 2]


async def test_too_many_waiting_creates_are_refused_and_the_rest_served():
    disk = Disk()
    creates = GroupCommit(disk.commit, max_group=2, max_waiting=3)
    tasks = [asyncio.create_task(creates.create(draft(n))) for n in range(8)]
    await asyncio.sleep(0.01)
    disk.go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert len(refused) == 5
    assert answers[:3] == [Created(n, "") for n in range(3)]


async def test_create_given_up_before_its_group_is_not_stored():
    disk = Disk()
    creates = GroupCommit(disk.commit)
    first = asyncio.create_task(creates.create(draft(0)))
    await asyncio.sleep(0.01)
    given_up, kept = (asyncio.create_task(creates.create(draft(n))) for n in (1, 2))
    await asyncio.sleep(0.01)
    given_up.cancel()
    await asyncio.sleep(0.01)
    disk.go.set()
    await asyncio.gather(first, kept)
    assert disk.groups == [["0"], ["2"]]


async def test_failed_commit_fails_its_group_and_not_the_next():
    calls = 0

    async def commit(drafts):
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("disk on fire")
        return [Created(1, "")] * len(drafts)

    creates = GroupCommit(commit)
    answers = await asyncio.gather(
        creates.create(draft(0)), creates.create(draft(1)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [RuntimeError, RuntimeError]
    assert await creates.create(draft(2)) == Created(1, "")


async def test_closed_group_commit_refuses():
    creates = GroupCommit(Disk().commit)
    await creates.close()
    with pytest.raises(StoreUnavailable):
        await creates.create(draft(0))
