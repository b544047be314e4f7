"""A request's header list, checked (RFC 9113, sections 8.2 and 8.3).

`checked_head` refuses a malformed list; after it every name, value and pseudo-header
is as the specification allows. Many streams may share a head: a client repeats its
header block, and `RequestHeads` then returns the head that it made the first time,
found by the block's bytes.
"""

import re
from typing import Final

from grpcwire.http.fields import Field
from grpcwire.http.request_head import RequestHead
from grpcwire.http2.errors import Http2StreamError
from grpcwire.http2.hpack_decoder import HpackDecoder
from grpcwire.limits import Limits

__all__ = ["RequestHeads", "check_fields", "checked_head"]

# A token in lowercase (RFC 9110, section 5.6.2), a colon before pseudo-headers.
_NAME: Final = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+")
# No NUL, CR or LF anywhere, no white space at either end (section 8.2.1).
_VALUE: Final = re.compile(rb"(?![ \t])[^\0\r\n]*(?<![ \t])")
_DIGITS: Final = re.compile(rb"[0-9]{1,18}")
_PSEUDO: Final = frozenset((b":method", b":scheme", b":authority", b":path"))
_CONNECTION_SPECIFIC: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)


def checked_head(received: list[Field]) -> RequestHead:
    """The head of a received list; raises Http2StreamError where it is malformed."""
    pseudo: dict[bytes, bytes] = {}
    for name, value in received:
        if name[:1] != b":":
            break
        if name in pseudo or name not in _PSEUDO or not _VALUE.fullmatch(value):
            raise Http2StreamError("malformed pseudo-header")
        pseudo[name] = value
    fields = tuple(received[len(pseudo) :])
    check_fields(fields)
    _check_pseudo(pseudo)
    lengths = {value for name, value in fields if name == b"content-length"}
    if not lengths:
        return RequestHead(pseudo, fields, -1)
    value = lengths.pop()
    if lengths or not _DIGITS.fullmatch(value):
        raise Http2StreamError("malformed content-length")
    return RequestHead(pseudo, fields, int(value))


def check_fields(fields: tuple[Field, ...]) -> None:
    """Refuse fields that no header or trailer section may hold; raises Http2StreamError."""
    for name, value in fields:
        if not _NAME.fullmatch(name) or name[0] == 0x3A:  # noqa: PLR2004 - a colon
            raise Http2StreamError("malformed header name")
        if not _VALUE.fullmatch(value):
            raise Http2StreamError("malformed header value")
        if name in _CONNECTION_SPECIFIC or (name == b"te" and value != b"trailers"):
            raise Http2StreamError("connection-specific header")


def _check_pseudo(pseudo: dict[bytes, bytes]) -> None:
    # CONNECT alone goes without a path (section 8.5), and no gRPC call is one.
    if not (pseudo.get(b":method") and pseudo.get(b":scheme") and pseudo.get(b":path")):
        raise Http2StreamError("missing pseudo-header")


class RequestHeads:
    """Header blocks to heads, remembered while the dynamic table stands still.

    The look-up equals the decoding it skips: proven by
    `test_request.py::test_remembered_heads_equal_decoded_ones`.
    """

    __slots__ = ("_by_block", "_decoder", "_limits")

    def __init__(self, decoder: HpackDecoder, limits: Limits) -> None:
        self._decoder = decoder
        self._limits = limits
        self._by_block: dict[bytes, RequestHead] = {}

    def head(self, block: bytes) -> RequestHead | None:
        """The head that a block stands for; None where its list is too long.

        Raises CompressionError where it cannot be decoded, Http2StreamError where the
        request is malformed.
        """
        return self._by_block.get(block) or self._decoded(block)

    def fields(self, block: bytes) -> list[Field] | None:
        """The bare list of a block that is not a request; None where it is too long."""
        generation = self._decoder.generation
        fields = self._decoder.decode(block)
        if generation != self._decoder.generation:
            self._by_block.clear()
        return fields

    def _decoded(self, block: bytes) -> RequestHead | None:
        generation = self._decoder.generation
        fields = self.fields(block)
        if fields is None:
            return None
        head = checked_head(fields)
        if (
            generation == self._decoder.generation
            and len(block) <= self._limits.cached_header_block_bytes
        ):
            if len(self._by_block) >= self._limits.cached_header_blocks:
                self._by_block.clear()
            self._by_block[block] = head
        return head
