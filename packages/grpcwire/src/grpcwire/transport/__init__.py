"""The asyncio ends of connections: bytes in, one write a turn out, timeouts, the end.

detection        the first bytes of a connection tell its version of HTTP
registry         the server, as its connections see it
http2_protocol   a connection that speaks HTTP/2
http1_protocol   a connection that speaks HTTP/1.1, one request at a time
timeouts         when a connection is looked at; the rules that both share
http2_timeouts   the rules of HTTP/2: preface, silence, unread output, age
http1_timeouts   the rules of HTTP/1.1, slow heads among them
"""
