"""The codecs that gRPC servers and channels of grpclib's interface use for every message.

Both serve compiled classes by their generated code, and any other message (health and
reflection bring protobuf's own) by its runtime: `Codec` in binary, by SerializeToString
and FromString; `JsonCodec` in JSON, by `json_format`. Whatever can't be decoded is a
DecodeError, or that runtime's own error. Unknown fields are ignored on either way, so
that a newer client is understood.
"""

import sys
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from grpclib.encoding.base import CodecBase
from typing_extensions import override

from protowire.json.reader import from_json
from protowire.json.writer import to_json
from protowire.registry import decode, encode

__all__ = ["Codec", "JsonCodec"]


class Codec(CodecBase):
    """Messages as protobuf's binary form, for a server's or a channel's `codec`."""

    __content_subtype__ = "proto"  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] # as grpclib's own

    @override
    def encode(self, message: Any, message_type: Any) -> bytes:
        """Encode a message; raises TypeError unless it is of the method's type."""
        _check_type(message, message_type)
        return encode(message)

    @override
    def decode(self, data: bytes, message_type: Any) -> Any:
        """Decode a message; raises DecodeError for bytes that are not one."""
        return decode(message_type, data)


class JsonCodec(CodecBase):
    """Messages as JSON text (ProtoJSON), for `grpcwire.Server(..., codecs=[JsonCodec()])`."""

    __content_subtype__ = "json"  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType] # as grpclib's own

    @override
    def encode(self, message: Any, message_type: Any) -> bytes:
        """Encode a message; raises TypeError unless it is of the method's type."""
        _check_type(message, message_type)
        if isinstance(message, Message):
            return json_format.MessageToJson(message, indent=None).encode()
        return to_json(message).encode()

    @override
    def decode(self, data: bytes, message_type: Any) -> Any:
        """Decode a message; raises DecodeError or ParseError for text that is not one."""
        if issubclass(message_type, Message):
            return json_format.Parse(data, message_type(), ignore_unknown_fields=True)
        # The transport has limited the size.
        return from_json(message_type, data, ignore_unknown=True, max_bytes=sys.maxsize)


def _check_type(message: Any, message_type: Any) -> None:
    if not isinstance(message, message_type):
        raise TypeError(
            f"message must be a {message_type.__name__}, not a {type(message).__name__}"
        )
