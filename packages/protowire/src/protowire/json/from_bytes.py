"""The quick JSON of a message known only by its bytes (`lazy`), for quick writers to call.

Such a message inside another is transcoded, from bytes to text, where its class has the code
for that and its bytes are as encoders write them; else it is decoded, not in place, and written.
"""

# pyright: reportUnknownVariableType=false
# Values of any type pass here; every one is checked by its kind where that matters.

from typing import Any

from protowire.betterproto_internals import new
from protowire.json.fallback import TakeFullWay
from protowire.lazy import encode_lazy
from protowire.registry import (
    DECODE_ERRORS,
    DECODERS,
    LAZY,
    QUICK_JSON_TRANSCODERS,
    QUICK_JSON_WRITERS,
)
from protowire.wire import MAX_DEPTH

__all__ = ["json_of_bytes"]


def json_of_bytes(message: Any, cls: type, depth: int) -> str:
    """Return the JSON of a lazy message of a class; TakeFullWay for any other object."""
    if type(message) is not LAZY[cls]:
        raise TakeFullWay
    data = encode_lazy(message, 0)
    transcode = QUICK_JSON_TRANSCODERS.get(cls)
    if transcode is not None:
        try:
            return transcode(data, 0, len(data), depth)
        except (TakeFullWay, *DECODE_ERRORS):
            pass  # decoding says what it is
    decoded: Any = new(cls)
    DECODERS[cls](data, 0, len(data), decoded, MAX_DEPTH)
    return QUICK_JSON_WRITERS[cls](decoded, depth)
