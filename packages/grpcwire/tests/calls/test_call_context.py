"""The call that a handler serves, as `current_call` finds it."""

import asyncio

import pytest
from multidict import MultiDict

from grpcwire import Call, current_call, serving
from grpcwire.calls.call_context import make_current


def call(**metadata: str) -> Call:
    return Call(MultiDict(metadata), None, "peer")


class Source:
    """A stream of ours: it makes its call when it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self._call = call(a="b")

    @property
    def call(self) -> Call:
        self.asked += 1
        return self._call


class ForeignStream:
    """A stream as grpclib's server has it."""

    def __init__(self, metadata: MultiDict[str] | None) -> None:
        self.metadata, self.deadline, self.peer = metadata, None, "peer"


def test_outside_of_a_call_there_is_none():
    assert current_call() is None


def test_serving_makes_a_call_current_within_its_block():
    outer, inner = call(), call()
    with serving(outer):
        with serving(inner):
            assert current_call() is inner
        assert current_call() is outer
    assert current_call() is None


def test_serving_ends_with_an_error_too():
    with pytest.raises(RuntimeError), serving(call()):
        raise RuntimeError
    assert current_call() is None


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_each_task_has_a_call_of_its_own():
    async def serve() -> Call | None:
        make_current(mine := call())
        await asyncio.sleep(0)
        return current_call() if current_call() is mine else None

    assert None not in await asyncio.gather(*(asyncio.create_task(serve()) for _ in range(10)))
    assert current_call() is None


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_a_call_is_made_only_when_it_is_asked_for():
    source = Source()

    async def serve() -> None:
        make_current(source)
        assert source.asked == 0
        assert current_call() is source._call

    await asyncio.create_task(serve())
    assert source.asked == 1


def test_the_call_of_our_stream_is_always_the_same():
    source = Source()
    assert Call.of(source) is Call.of(source)


@pytest.mark.parametrize("metadata", [None, MultiDict(a="b")])
def test_the_call_of_another_stream_is_made_of_its_parts(metadata):
    made = Call.of(ForeignStream(metadata))
    assert made.metadata == (metadata or MultiDict())
    assert (made.deadline, made.peer) == (None, "peer")
    assert not made.initial_metadata
    assert not made.trailing_metadata
