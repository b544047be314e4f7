"""HTTP/2 without I/O (RFC 9113, RFC 7541): bytes to events and back.

connection         either end: frames to events, streams, windows, our own sending
server_connection  the server's end: requests, responses, draining
request            a request's header list, checked and remembered
events             what a connection reports, as values
streams            which frame is legal when, as a table; the record of a stream
sender             everything that goes out: flow control, one buffer
frame_reader       bytes to frames, header blocks put together
frames             the layout of frames
settings           SETTINGS, ours and the peer's
hpack_decoder      header blocks to header lists
hpack_encoder      header lists to header blocks
errors             the errors of the wire: whose they are, and which code says so
"""
