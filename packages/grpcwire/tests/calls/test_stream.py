"""grpclib's Stream, its events and the call's context: alike on both servers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpclib.client import Channel, UnaryStreamMethod, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler, Status
from grpclib.events import (
    RecvMessage,
    RecvRequest,
    SendInitialMetadata,
    SendMessage,
    SendTrailingMetadata,
    listen,
)
from grpclib.exceptions import GRPCError, ProtocolError
from grpclib.server import Server as StockServer
from wirescript.handlers import Calls, RawCodec, RawDetailsCodec

import grpcwire
from grpcwire import Call, provide_current_call, serving

CODECS = {"codec": RawCodec(), "status_details_codec": RawDetailsCodec()}


class Chorus:
    """A handler whose tasks send side by side."""

    async def sing(self, stream):
        await stream.recv_message()
        await asyncio.gather(*(self.voice(stream, size) for size in (30_000, 40_000, 50_000)))

    async def voice(self, stream, size: int):
        for _ in range(5):
            await stream.send_message(bytes(size))

    def __mapping__(self):
        return {"/test.Test/Sing": Handler(self.sing, Cardinality.UNARY_STREAM, bytes, bytes)}


class Misuser:
    """Handlers that break the rules of their rpc."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    async def twice(self, stream):
        await stream.recv_message()
        await stream.send_initial_metadata()
        await self.attempt(stream.send_initial_metadata())
        await stream.send_message(b"x")
        await self.attempt(stream.send_message(b"y"))
        await stream.send_trailing_metadata()
        await self.attempt(stream.send_trailing_metadata())

    async def early(self, stream):
        assert await stream.recv_message() == b"x"
        assert await stream.recv_message() is None
        await self.attempt(stream.send_trailing_metadata())
        await stream.send_message(b"x")

    async def attempt(self, forbidden):
        try:
            await forbidden
        except ProtocolError as error:
            self.errors.append(error)

    def __mapping__(self):
        kind = Cardinality.UNARY_UNARY
        return {
            "/test.Test/Twice": Handler(self.twice, kind, bytes, bytes),
            "/test.Test/Early": Handler(self.early, kind, bytes, bytes),
        }


@pytest.fixture
async def misuser() -> Misuser:
    return Misuser()


@pytest.fixture(params=["grpcwire", "grpclib"])
async def server(request, calls: Calls, misuser: Misuser) -> AsyncIterator:
    kind = grpcwire.Server if request.param == "grpcwire" else StockServer
    server = kind([calls, misuser, Chorus()], **CODECS)
    await server.start("127.0.0.1", 0)
    yield server
    server.close()
    await server.wait_closed()


@pytest.fixture
async def channel(server) -> AsyncIterator[Channel]:
    sockets = server.sockets if hasattr(server, "sockets") else server._server.sockets
    async with Channel("127.0.0.1", sockets[0].getsockname()[1], **CODECS) as channel:
        yield channel


async def say(channel: Channel, name: str = "Say", message: bytes = b"x") -> tuple:
    method = UnaryUnaryMethod(channel, f"/test.Test/{name}", bytes, bytes)
    async with method.open(timeout=5) as stream:
        await stream.send_message(message, end=True)
        answer = await stream.recv_message()
        await stream.recv_trailing_metadata()
    return answer, stream.initial_metadata, stream.trailing_metadata


async def test_what_a_handler_must_not_do_is_told_to_it(channel, misuser):
    await say(channel, "Twice")
    await say(channel, "Early")
    assert len(misuser.errors) == 4


async def test_tasks_of_a_handler_may_send_side_by_side(channel):
    """Each waits for the window, and each goes on once it opens."""
    method = UnaryStreamMethod(channel, "/test.Test/Sing", bytes, bytes)
    answers = await asyncio.wait_for(method(b"x"), 5)
    assert len(answers) == 15


async def test_listeners_may_change_what_passes(server, channel, calls):
    async def on_request(event: RecvRequest) -> None:
        assert event.method_name == "/test.Test/Say"
        assert event.content_type.startswith("application/grpc")
        assert event.deadline is not None
        assert event.peer.addr()[0] == "127.0.0.1"
        event.metadata["added"] = "1"
        handle = event.method_func

        async def wrapped(stream):
            calls.seen.append("wrapped")
            await handle(stream)

        event.method_func = wrapped

    async def on_receive(event: RecvMessage) -> None:
        event.message += b" received"

    async def on_send(event: SendMessage) -> None:
        event.message += b" sent"

    async def on_initial(event: SendInitialMetadata) -> None:
        event.metadata["x-initial"] = "one"

    async def on_trailing(event: SendTrailingMetadata) -> None:
        assert event.status is Status.OK
        event.metadata["x-trailing"] = "two"

    listen(server, RecvRequest, on_request)
    listen(server, RecvMessage, on_receive)
    listen(server, SendMessage, on_send)
    listen(server, SendInitialMetadata, on_initial)
    listen(server, SendTrailingMetadata, on_trailing)
    answer, initial, trailing = await say(channel)
    assert answer == b"x received sent"
    assert (initial["x-initial"], trailing["x-trailing"]) == ("one", "two")
    assert calls.seen == ["wrapped", b"x received"]
    assert calls.streams[0].metadata["added"] == "1"


async def test_a_listener_may_refuse_a_request_or_interrupt_the_others(server, channel, calls):
    async def guard(event: RecvRequest) -> None:
        event.interrupt()
        raise GRPCError(Status.UNAUTHENTICATED, "who are you?")

    listen(server, RecvRequest, guard)
    with pytest.raises(GRPCError) as caught:
        await say(channel)
    assert caught.value.status is Status.UNAUTHENTICATED
    assert calls.seen == []


async def test_interrupt_keeps_later_listeners_out(server, channel, calls):
    async def first(event: RecvMessage) -> None:
        event.message = b"first"
        event.interrupt()

    async def second(event: RecvMessage) -> None:
        event.message = b"second"

    listen(server, RecvMessage, first)
    listen(server, RecvMessage, second)
    assert (await say(channel))[0] == b"first"


async def test_unknown_events_are_refused(server):
    with pytest.raises(KeyError):
        listen(server, asyncio.Event, None)


async def test_details_of_errors_arrive(channel):
    with pytest.raises(GRPCError) as caught:
        await say(channel, "Fail", "naïve 100%".encode())
    assert caught.value.status is Status.NOT_FOUND
    assert caught.value.message == "naïve 100%"
    assert caught.value.details == b"details\0"


async def test_the_calls_context_is_there_on_both_servers(server, channel, calls):
    if isinstance(server, StockServer):
        provide_current_call(server)
    _, initial, trailing = await say(channel, "Context")
    (call,) = calls.seen
    assert call.deadline.time_remaining() > 0
    assert call.peer.addr()[0] == "127.0.0.1"
    assert initial["x-initial"] == "one"
    assert trailing["x-trailing"] == "two"
    assert trailing["x-raw-bin"] == b"\0\xff"
    assert grpcwire.current_call() is None


async def test_contexts_of_concurrent_calls_are_their_own(server, channel, calls):
    if isinstance(server, StockServer):
        provide_current_call(server)
    await asyncio.gather(*[say(channel, "Context") for _ in range(20)])
    assert len({id(call) for call in calls.seen}) == 20


async def test_a_wrapper_that_enters_the_call_itself_speaks_of_the_same(calls):
    class Wrapped:
        async def handle(self, stream):
            with serving(Call.of(stream)):
                await calls.context(stream)

        def __mapping__(self):
            kind = Cardinality.UNARY_UNARY
            return {"/test.Test/Context": Handler(self.handle, kind, bytes, bytes)}

    server = grpcwire.Server([Wrapped()], **CODECS)
    await server.start("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Channel("127.0.0.1", port, **CODECS) as channel:
        _, initial, trailing = await say(channel, "Context")
    assert (initial["x-initial"], trailing["x-trailing"]) == ("one", "two")
    server.close()
    await server.wait_closed()
