"""One call, the same for every protocol and version of HTTP that carries it.

call              starts the handler, ends it once, sends its status
stream            the handler's side, with the names of grpclib's Stream
route             the route of a head: handler, codec, deadline, metadata
request_body      unread messages, within the limits of memory
envelope          length-prefixed messages, gzip
metadata          header fields as handlers know them, and back
call_context      `current_call()` for handlers without a stream
events            grpclib's events and their listeners
peer              the other side's address and certificate
server_context    the limits, counters and listeners of the server
server_transport  the connection, as its calls see it
stream_owner      the receiver of a stream's events
"""
