"""The parts of HTTP that both versions share.

request_head  the head of a request, checked
fields        header fields
budget        what cheap frames and tiny pieces may cost us
response      a whole response, made beforehand
"""
