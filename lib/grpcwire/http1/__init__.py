"""HTTP/1.1 for a server (RFC 9112), synchronous and without I/O; heads and chunks by h11."""
