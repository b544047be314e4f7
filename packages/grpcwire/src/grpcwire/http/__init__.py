"""The parts of HTTP that both versions share, without I/O.

request_head  the head of a request, checked
fields        header fields
budget        the work that cheap frames and tiny pieces may cause
response      a whole response, made beforehand
"""
