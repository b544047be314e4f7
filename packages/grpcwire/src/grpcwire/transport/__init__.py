"""The asyncio ends of connections: bytes in, one write a turn out, timeouts, the end.

detection            the first bytes of a connection tell its version of HTTP
connection_protocol  the part that both versions share: turns, calls, the life of a connection
http2_protocol       a connection that speaks HTTP/2
http1_protocol       a connection that speaks HTTP/1.1, one request at a time
timeouts             the timers of a connection, and the rules that they serve
registry             the server, as its connections see it
"""
