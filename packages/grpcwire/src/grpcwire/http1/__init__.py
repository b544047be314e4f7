"""HTTP/1.1 for a server (RFC 9112), synchronous and without I/O; heads and chunks by h11.

head        a request's head, by h11 and a stricter rule
connection  bytes to events
response    a response's way out
"""
