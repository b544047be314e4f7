"""Header lists to header blocks (RFC 7541): the encoding half of HPACK.

Stateless on purpose: literals without indexing and the static table only, so
that a block can be built once and sent on every connection, and the peer's
SETTINGS_HEADER_TABLE_SIZE never matters.
"""

from collections.abc import Iterable
from typing import Final

from grpcwire.http.fields import Field
from grpcwire.http2.hpack_decoder import STATIC_TABLE

__all__ = ["encode_fields"]

_FIELD_INDEX: Final = {field: index for index, field in reversed([*enumerate(STATIC_TABLE, 1)])}
_NAME_INDEX: Final = {field[0]: index for index, field in reversed([*enumerate(STATIC_TABLE, 1)])}


def encode_fields(fields: Iterable[Field]) -> bytes:
    """The header block of a list of (name, value) bytes."""
    block = bytearray()
    for field in fields:
        index = _FIELD_INDEX.get(field)
        if index is not None:
            block += _integer(index, 0x7F, 0x80)
            continue
        name, value = field
        index = _NAME_INDEX.get(name, 0)
        block += _integer(index, 0x0F, 0)
        if not index:
            block += _integer(len(name), 0x7F, 0) + name
        block += _integer(len(value), 0x7F, 0) + value
    return bytes(block)


def _integer(value: int, prefix: int, pattern: int) -> bytes:
    if value < prefix:
        return bytes((pattern | value,))
    raw = [pattern | prefix]
    value -= prefix
    while value >= 0x80:  # noqa: PLR2004 - the continuation bit
        raw.append(value & 0x7F | 0x80)
        value >>= 7
    raw.append(value)
    return bytes(raw)
