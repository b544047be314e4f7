"""One call, whatever protocol and connection carry it.

call              starts the handler, ends it once, sends its status
stream            the handler's side: grpclib's Stream to the letter
route             what a head asks for: handler, codec, deadline, metadata
request_body      unread messages, within the limits of memory
envelope          length-prefixed messages, gzip
metadata          header fields as handlers know them, and back
call_context      `current_call()` for handlers without a stream
events            grpclib's events and their listeners
peer              the other side's address and certificate
server_context    the limits, counters and listeners of the server
server_transport  the connection, as its calls see it
stream_owner      where a stream's events go
"""
