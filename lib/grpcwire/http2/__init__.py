"""HTTP/2 for a server, without I/O (RFC 9113, RFC 7541): octets to events and back.

`connection` is where to start reading; it uses all others.
"""
