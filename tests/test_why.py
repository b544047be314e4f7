"""docs/why.md tells the truth: its examples run, and both servers are asked by raw frames."""

import asyncio
import doctest
import re
import struct

import grpclib.server
import pytest
from grpclib import Status
from hpack import Decoder, Encoder

import grpcwire
from bench.trip import measure
from protowire import Codec
from taskpb import GetTaskResponse, TaskServiceBase
from tests.conftest import ROOT

WHY = (ROOT / "docs/why.md").read_text()
SERVERS = {"grpclib": grpclib.server.Server, "grpcwire": grpcwire.Server}
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
GRPC = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/task.TaskService/GetTask"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]
NOTHING = "nothing"
CLOSED = "closed"
ANSWER_S = 10.0
SILENCE_S = 0.5


class Tasks(TaskServiceBase):
    async def get_task(self, get_task_request):
        return GetTaskResponse()


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(stream, *more, end=False, fields=GRPC):
    block = Encoder().encode([*fields, *more])
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def long_headers(stream, size):
    block = Encoder().encode([*GRPC, ("a", "~" * size)], huffman=False)
    first, *rest = (block[at : at + 16_000] for at in range(0, len(block), 16_000))
    pieces = [
        frame(HEADERS, 0, stream, first),
        *(frame(CONTINUATION, 0, stream, it) for it in rest),
    ]
    return b"".join(pieces) + frame(CONTINUATION, END_HEADERS, stream)


def data(stream, payload, *, end=True):
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def message(payload):
    return struct.pack(">BI", 0, len(payload)) + payload


VALID = message(b"\n\x011")
NOT_TEXT = [(name, b"/\xff" if name == ":path" else value) for name, value in GRPC]
# By the first cell of a row of the table.
ODD_CALLS = {
    "no message where the rpc takes one": headers(1, end=True),
    "two messages where the rpc takes one": headers(1) + data(1, VALID + VALID),
    "a body that ends inside a message": headers(1) + data(1, VALID[:-1]),
    "a message that declares 4 GiB": headers(1) + data(1, b"\0\xff\xff\xff\xff", end=False),
    "a `grpc-encoding` nobody knows": headers(1, ("grpc-encoding", "br")) + data(1, VALID),
    "a message that is not one": headers(1) + data(1, message(b"\n\x05")),
}
# By its words in the text.
HARMFUL = {
    "a frame of an unknown type": frame(0x1F, 0xFF, 0, b"grease"),
    "a client's GOAWAY": frame(GOAWAY, 0, 0, bytes(8)),
    "a 101st stream": b"".join(headers(stream) for stream in range(3, 300, 2)),
    "a header value beyond ASCII": headers(3, ("x", "ünïcode"), end=True),
    "a header list of 70 KiB": long_headers(3, 70_000),
    "a path that is not text": headers(3, fields=NOT_TEXT),
    "a window update of nothing": headers(3) + frame(WINDOW_UPDATE, 0, 3, bytes(4)),
    "a body unlike its content-length": headers(3, ("content-length", "3")) + data(3, b"x" * 20),
}


async def status_of_the_first_call(server_class, sent, wait_s=ANSWER_S):
    """The name of its status, NOTHING in `wait_s`, or CLOSED where the connection ended."""
    server = server_class([Tasks()], codec=Codec())
    await server.start("127.0.0.1", 0)
    sockets = server.sockets if hasattr(server, "sockets") else server._server.sockets
    reading, writing = await asyncio.open_connection(*sockets[0].getsockname())
    writing.write(PREFACE + frame(SETTINGS, 0, 0) + sent)
    try:
        async with asyncio.timeout(wait_s):
            return await first_status(reading)
    except TimeoutError:
        return NOTHING
    except (asyncio.IncompleteReadError, ConnectionError):
        return CLOSED
    finally:
        writing.close()
        server.close()
        await server.wait_closed()


async def first_status(reading):
    decoder = Decoder()
    while True:
        size, kind, _, stream = struct.unpack(">IBBI", b"\0" + await reading.readexactly(9))
        payload = await reading.readexactly(size)
        if kind == HEADERS:
            fields = dict(decoder.decode(payload))
            if stream == 1 and "grpc-status" in fields:
                return Status(int(fields["grpc-status"])).name


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("sent", ODD_CALLS)
async def test_each_server_answers_an_odd_call_as_the_table_says(sent, server):
    cells = re.search(rf"^\| {re.escape(sent)} \| (.*?) \| (.*?) \|$", WHY, re.MULTILINE)
    said = re.match(r"\w+", cells[1 + [*SERVERS].index(server)])[0]
    wait_s = SILENCE_S if said == NOTHING else ANSWER_S
    assert await status_of_the_first_call(SERVERS[server], ODD_CALLS[sent], wait_s) == said


@pytest.mark.parametrize(("server", "status"), [("grpclib", CLOSED), ("grpcwire", "OK")])
@pytest.mark.parametrize("sent", HARMFUL)
async def test_what_harms_other_calls_of_the_connection(sent, server, status):
    assert sent in re.sub(r"\s+", " ", WHY)
    around = headers(1) + HARMFUL[sent] + data(1, VALID)
    assert await status_of_the_first_call(SERVERS[server], around) == status


def test_examples_of_strictness_run():
    examples = "\n".join(re.findall(r"```python\n(.*?)```", WHY, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "why.md", "docs/why.md", 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_a_call_passes_a_third_of_the_code_on_grpcwire():
    ours, stock = (asyncio.run(measure(engine, calls=3)) for engine in ("grpcwire", "grpclib"))
    assert ours.files < stock.files
    assert ours.calls * 4 < stock.calls
    assert ours.lines * 2 < stock.lines
