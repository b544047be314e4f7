"""The protocols of calls: gRPC, gRPC-Web, Connect, and a little plain HTTP.

router           the route of a request's head: which protocol, which method
grpc             gRPC as header lists: routes, deadlines, encodings, statuses
grpc_call        a gRPC call on an HTTP/2 stream
web_protocol     the interface of the protocols that any version of HTTP carries
web_call         a call in one of them
connect          Connect: unary, GET, streams
connect_errors   statuses as Connect says them
grpc_web         gRPC-Web, in bytes and in text
health           GET /healthz
cors             browsers, from pages of other origins
response_writer  where a response goes, whichever version of HTTP carries it
readers          messages out of bodies without envelopes
"""
