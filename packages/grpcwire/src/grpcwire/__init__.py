"""Bytes to calls and back: grpclib's handlers served fast, within limits, in every protocol.

The storeys, from the listening socket down; a folder imports only what stands below it:

    server       listens; knows its connections
    transport/   asyncio ends of connections: detection, reading, writing, timeouts, the end
    protocols/   the words of gRPC, gRPC-Web, Connect and plain HTTP; the router between them
    calls/       one call: its handler's stream, its messages, its deadline, its end
    http2/       RFC 9113 and RFC 7541 without I/O: bytes to events, and back
    http1/       RFC 9112 without I/O, likewise; knows nothing of http2/, nor http2/ of it
    http/        the parts both share: request head, fields, budget, whole responses
    limits       every bound, with its reason; `counters` tells how often each struck

`protocols` stands on http2/, http1/ and calls/, which do not know each other. Calls go
down, events come back as values. `reflection` stands aside: services made from a
descriptor set. Each folder's own docstring says what its modules are for.

The names of `__all__` are the public ones; a module below may move in any release.
"""

from grpcwire.calls.call_context import Call, current_call, provide_current_call, serving
from grpcwire.calls.peer import Peer
from grpcwire.calls.stream import Stream
from grpcwire.counters import Counters
from grpcwire.limits import Limits
from grpcwire.protocols.cors import Cors
from grpcwire.reflection import idempotent_methods, with_reflection
from grpcwire.server import Server

__all__ = [
    "Call",
    "Cors",
    "Counters",
    "Limits",
    "Peer",
    "Server",
    "Stream",
    "current_call",
    "idempotent_methods",
    "provide_current_call",
    "serving",
    "with_reflection",
]
