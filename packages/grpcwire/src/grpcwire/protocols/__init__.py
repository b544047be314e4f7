"""The protocols of calls: gRPC, gRPC-Web, Connect, and a little plain HTTP.

router           the route of a request's head: its protocol and its method
grpc             gRPC as header lists: routes, deadlines, encodings, statuses
grpc_call        a gRPC call on an HTTP/2 stream
web_protocol     the interface of the protocols that any version of HTTP carries
web_call         a call in one of them
connect          Connect: unary, GET, streams
connect_errors   statuses in Connect's form
grpc_web         gRPC-Web, in bytes and in text
health           GET /healthz
cors             browsers, from pages of other origins
response_writer  the way of a response to its client, on either version of HTTP
readers          messages out of bodies without envelopes
"""
