"""Calls that are no gRPC over HTTP/2: Connect, gRPC-Web, and a little plain HTTP.

A `Dialect` knows how one protocol says things; `router` finds the dialect that a
request's head speaks; `call` carries a call in it over whatever HTTP version brought
it, behind a `ResponseWriter`.
"""
