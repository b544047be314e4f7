"""A server process of its own for attacks, load and soak; prints its port.

`/test.Test/Counters` answers with the counters as JSON; of another engine
(`grpclib` as the first argument) it serves the same handlers without them.
"""

import asyncio
import json
import sys
from contextlib import suppress

import uvloop
from grpclib.const import Cardinality, Handler

from grpcwire import Limits, Server
from wirescript.handlers import Calls, RawCodec, RawDetailsCodec

# Short timers, so that what they end is seen to end.
LIMITS = Limits(preface_s=1.5, idle_s=60, stalled_write_s=1.5, linger_s=0.3)


class Inspected(Calls):
    def __init__(self, server_counters):
        super().__init__()
        self.seen = Forgetful()
        self.streams = Forgetful()
        self.counters_of = server_counters

    async def counters(self, stream):
        await stream.recv_message()
        await stream.send_message(json.dumps(self.counters_of()).encode())

    def __mapping__(self):
        kind = Cardinality.UNARY_UNARY
        counters = Handler(self.counters, kind, bytes, bytes)
        return super().__mapping__() | {"/test.Test/Counters": counters}


class Forgetful(list):
    def append(self, item):
        """Keep nothing: the server runs long."""


async def main() -> None:
    codecs = {"codec": RawCodec(), "status_details_codec": RawDetailsCodec()}
    if sys.argv[1:] == ["grpclib"]:
        from grpclib.server import Server as StockServer

        # It may wait for ever for a handler whose connection went while writing was paused.
        patience_s = 1
        server = StockServer([Inspected(dict)], **codecs)
        await server.start("127.0.0.1", 0)
        port = server._server.sockets[0].getsockname()[1]
    else:
        patience_s = None
        handlers = Inspected(lambda: server.counters.as_dict())  # noqa: PLW0108 - made after it
        server = Server([handlers], limits=LIMITS, **codecs)
        await server.start("127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), patience_s)


if __name__ == "__main__":
    uvloop.run(main())
