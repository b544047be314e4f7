"""Bytes to calls and back: grpclib's handlers served fast, within limits, in every protocol.

The way of a request, from the socket to the handler and back:

    server            listens; knows its connections
    front             the first octets: HTTP/2 or HTTP/1.1
    http2_protocol    a connection's asyncio end: octets in, one write a turn out
      watch           its timers: preface, idle, unread output, age
    http2/            the protocol, synchronous and without I/O
      frame_reader    octets to frames, header blocks put together
      hpack_decoder   header blocks to header lists, by look-up where repeated
      request         a request's header list, checked
      connection      frames to events: what the peer does
      connection_state  streams, windows, shutting down: what we do
      streams         which frame is legal when: a table
      budget          what cheap frames may cost us
      sender          everything that goes out: flow control, one buffer
    http1_protocol    the same for HTTP/1.1, one request at a time
      http1_watch     its timers
    http1/            the protocol, synchronous and without I/O
      head            a request's head, by h11 and a stricter rule
      connection      octets to events
      exchange        a response's way out
    web/              what is no gRPC over HTTP/2
      router          what a head asks for, and in which protocol
      dialect         what a protocol must be able to say
      connect         Connect: unary, GET, streams
        connect_errors  statuses as it says them
      grpc_web        gRPC-Web, in octets and in text
      health          GET /healthz
      cors            browsers from other origins
      answer          a whole response made beforehand
      response        where a response goes, whichever version carries it
      readers         messages out of bodies that are no envelopes
    meaning           what any head asks for
    grpc              what a gRPC head means: method, deadline, encodings; answers
    timers            when a watch looks at its connection
    stream_owner      where a stream's events go
    host              the connection as its calls see it
    call              one call: starts the handler, ends it once, sends its status
      grpc_call       its messages and status as gRPC over HTTP/2 has them
      web.call        as the others have them, over either version of HTTP
      request_body    its unread messages, within the limits of memory
      envelope        length-prefixed messages, gzip
    stream            what the handler holds: grpclib's Stream to the letter
      dispatch        grpclib's events
      call_context    `current_call()` for handlers without a stream
    json_codec        JSON beside protobuf
    reflection        services that tell of the others, from a descriptor set

`limits` names every bound and its reason, `counters` how often each struck.
Calls go down this list, events come back as values; no module calls one above it
but through the small protocol that it declares itself.
"""

from grpcwire.call_context import Call, current_call, provide_current_call, serving
from grpcwire.counters import Counters
from grpcwire.json_codec import JsonCodec
from grpcwire.limits import Limits
from grpcwire.peer import Peer
from grpcwire.reflection import idempotent_methods, with_reflection
from grpcwire.server import Server
from grpcwire.stream import Stream
from grpcwire.web.cors import Cors

__all__ = [
    "Call",
    "Cors",
    "Counters",
    "JsonCodec",
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
