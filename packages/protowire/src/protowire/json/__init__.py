"""JSON the full way, by shapes: every spelling that ProtoJSON allows, read and written.

reader      text to messages: tries the quick way, then goes the full one
writer      messages to text, likewise
values      single values: numbers, strings, bytes, times, enum names, map keys
fallback    the exception by which quick code asks for the full way
from_bytes  quick JSON of what is known only by its bytes
"""
