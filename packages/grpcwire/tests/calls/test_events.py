"""grpclib's events, shown to their listeners."""

import pytest
from grpclib.events import RecvMessage, SendMessage

from grpcwire.calls.events import Dispatch, made


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


def test_an_event_without_listeners_is_not_even_made(dispatch):
    assert RecvMessage not in dispatch.listeners


@pytest.mark.parametrize("event_type", [object, int])
def test_only_grpclibs_events_are_listened_to(dispatch, event_type):
    with pytest.raises(KeyError):
        dispatch.add_listener(event_type, None)


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_listeners_are_asked_in_their_order_and_may_change_the_event(dispatch):
    async def first(event: RecvMessage) -> None:
        event.message += "b"

    async def second(event: RecvMessage) -> None:
        event.message += "c"

    dispatch.add_listener(RecvMessage, first)
    dispatch.add_listener(RecvMessage, second)
    assert (await dispatch.dispatch(made(RecvMessage, message="a"))).message == "abc"


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_interrupt_keeps_later_listeners_out(dispatch):
    async def first(event: RecvMessage) -> None:
        event.message = "last"
        event.interrupt()

    async def never(event: RecvMessage) -> None:
        raise AssertionError(event)

    dispatch.add_listener(RecvMessage, first)
    dispatch.add_listener(RecvMessage, never)
    assert (await dispatch.dispatch(made(RecvMessage, message="a"))).message == "last"


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_listeners_see_only_their_event(dispatch):
    async def never(event: RecvMessage) -> None:
        raise AssertionError(event)

    dispatch.add_listener(RecvMessage, never)
    assert (await dispatch.dispatch(made(SendMessage, message="a"))).message == "a"
