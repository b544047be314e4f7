"""HTTP/2 without I/O (RFC 9113, RFC 7541): bytes to events and back.

connection        frames to events: what the peer does
connection_state  streams, windows, shutting down: what our side does
request           a request's header list, checked and remembered
events            what a connection reports, as values
streams           which frame is legal when, as a table; the record of a stream
sender            everything that goes out: flow control, one buffer
frame_reader      bytes to frames, header blocks put together
frames            the layout of frames
settings          SETTINGS, ours and the peer's
hpack_decoder     header blocks to header lists
hpack_encoder     header lists to header blocks
errors            what can be wrong, by whose fault, and which code says so
"""
