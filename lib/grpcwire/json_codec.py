"""The JSON codec: ProtoJSON for every message that grpclib's handlers take and give.

Classes of betterproto go through protowire, those of protobuf's own runtime (health
and reflection bring them) through its `json_format`. Unknown fields are ignored on
either way, as they are in binary, so that a newer client is understood.
"""

import sys
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from grpclib.encoding.base import CodecBase

import protowire


class JsonCodec(CodecBase):
    """Messages as JSON text, for `Server(..., codecs=[JsonCodec()])`."""

    __content_subtype__ = "json"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Encode a message; TypeError unless it is of the method's type."""
        if not isinstance(message, message_type):
            raise TypeError(
                f"message must be a {message_type.__name__}, not a {type(message).__name__}"
            )
        if isinstance(message, Message):
            return json_format.MessageToJson(message, indent=None).encode()
        return protowire.to_json(message).encode()

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Decode a message; ValueError or a ParseError for text that is none."""
        if issubclass(message_type, Message):
            return json_format.Parse(data, message_type(), ignore_unknown_fields=True)
        # The transport has limited the size.
        return protowire.from_json(message_type, data, ignore_unknown=True, max_bytes=sys.maxsize)
