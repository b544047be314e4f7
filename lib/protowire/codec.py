"""The codec that grpclib servers and channels use for every message.

It serves compiled classes by their generated code, and any other message (health and
reflection bring protobuf's own) by its SerializeToString and FromString. Whatever can't be
decoded is a DecodeError, of whichever runtime the message is.
"""

from __future__ import annotations

from typing import Any

from grpclib.encoding.base import CodecBase

from protowire.registry import decode, encode

__all__ = ["Codec"]


class Codec(CodecBase):
    """grpclib's seam between messages and bytes."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Encode a message; TypeError unless it is of the method's type."""
        if not isinstance(message, message_type):
            raise TypeError(
                f"message must be a {message_type.__name__}, not a {type(message).__name__}"
            )
        return encode(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Decode a message; DecodeError for bytes that are none."""
        return decode(message_type, data)
