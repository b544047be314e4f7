"""Header blocks to header lists (RFC 7541): the decoding half of HPACK.

One decoder a connection. It keeps the dynamic table, and `generation`, which
changes whenever the table does: as long as it stands still the same block means
the same list, on which `request` relies. A block that cannot be decoded is a
`CompressionError`; nothing of another kind escapes. A list longer than the limit
is decoded to its end, since the tables must stay equal, but not kept.

The Huffman code and the static table come from the hpack package.
"""

from typing import Final

from hpack.exceptions import HPACKError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from grpcwire.http.fields import Field
from grpcwire.http2.errors import CompressionError

__all__ = ["STATIC_TABLE", "DynamicTable", "HpackDecoder"]

STATIC_TABLE: Final[tuple[Field, ...]] = tuple(
    (bytes(name), bytes(value)) for name, value in HeaderTable.STATIC_TABLE
)
_STATIC_SIZE: Final = len(STATIC_TABLE)
_SIZE_UPDATE: Final = 0x20  # the pattern 001 above five bits (section 6.3)
_ENTRY_OVERHEAD: Final = 32
"""The bytes that an entry counts beyond its own (section 4.1)."""
_MAX_SHIFT: Final = 28
"""Five bytes hold every integer below 2^31; no length or index needs more."""
_REMEMBERED_STRINGS: Final = 64
"""Huffman strings repeat: as many are remembered decoded, the short ones."""
_REMEMBERED_BYTES: Final = 64
"""The longest Huffman string that is remembered."""


class HpackDecoder:
    """The decoding context of one connection."""

    __slots__ = ("_dynamic", "_limit", "_max_size", "_strings", "generation")

    def __init__(self, list_limit: int, table_size: int = 4096) -> None:
        """`list_limit` bounds a header list as section 6.5.2 of RFC 9113 counts it."""
        self._limit = list_limit
        self._max_size = table_size
        self._dynamic = DynamicTable(table_size)
        self._strings: dict[bytes, bytes] = {}
        self.generation = 0

    def decode(self, block: bytes) -> list[Field] | None:
        """The header list of a block; None where it is longer than the limit."""
        try:
            return self._decode(block)
        except IndexError:
            raise CompressionError("header block ends early") from None
        except HPACKError:
            raise CompressionError("invalid Huffman code") from None

    def _decode(self, block: bytes) -> list[Field] | None:
        fields: list[Field] = []
        size = position = 0
        end = len(block)
        while position < end:
            first = block[position]
            if first & 0x80:
                index, position = _integer(block, position, 0x7F)
                field = self._entry(index)
            elif first & 0x60 == _SIZE_UPDATE:
                if fields or size:
                    raise CompressionError("table size update inside a block")
                position = self._resize(block, position)
                continue
            else:
                indexed = first & 0x40
                field, position = self._literal(block, position, 0x3F if indexed else 0x0F)
                if indexed:
                    self._dynamic.add(field)
                    self.generation += 1
            size += len(field[0]) + len(field[1]) + _ENTRY_OVERHEAD
            if size <= self._limit:
                fields.append(field)
        return fields if size <= self._limit else None

    def _entry(self, index: int) -> Field:
        if index > _STATIC_SIZE:
            return self._dynamic.entry(index - _STATIC_SIZE)
        if index:
            return STATIC_TABLE[index - 1]
        raise CompressionError("index 0")

    def _literal(self, block: bytes, position: int, prefix: int) -> tuple[Field, int]:
        index, position = _integer(block, position, prefix)
        if index:
            name = self._entry(index)[0]
        else:
            name, position = self._string(block, position)
        value, position = self._string(block, position)
        return (name, value), position

    def _string(self, block: bytes, position: int) -> tuple[bytes, int]:
        huffman = block[position] & 0x80
        length, position = _integer(block, position, 0x7F)
        end = position + length
        raw = block[position:end]
        if len(raw) < length:
            raise CompressionError("string longer than its block")
        if not huffman:
            return raw, end
        decoded = self._strings.get(raw)
        if decoded is None:
            decoded = decode_huffman(raw)
            if length <= _REMEMBERED_BYTES:
                if len(self._strings) >= _REMEMBERED_STRINGS:
                    self._strings.clear()
                self._strings[raw] = decoded
        return decoded, end

    def _resize(self, block: bytes, position: int) -> int:
        size, position = _integer(block, position, 0x1F)
        if size > self._max_size:
            raise CompressionError("table size update beyond the setting")
        self._dynamic.resize(size)
        self.generation += 1
        return position


class DynamicTable:
    """Entries by age, newest last, within a size (RFC 7541, section 4)."""

    __slots__ = ("_entries", "_max_size", "_size")

    def __init__(self, max_size: int) -> None:
        self._entries: list[Field] = []
        self._size = 0
        self._max_size = max_size

    def entry(self, index: int) -> Field:
        """The entry by its age: 1 is the newest."""
        if index > len(self._entries):
            raise CompressionError("index beyond the tables")
        return self._entries[-index]

    def add(self, field: Field) -> None:
        """Insert; what no longer fits leaves, even the new entry itself."""
        self._entries.append(field)
        self._size += len(field[0]) + len(field[1]) + _ENTRY_OVERHEAD
        if self._size > self._max_size:
            self._evict()

    def resize(self, max_size: int) -> None:
        """Change the maximum, evicting what no longer fits."""
        self._max_size = max_size
        self._evict()

    def _evict(self) -> None:
        leaving = 0
        while self._size > self._max_size:
            name, value = self._entries[leaving]
            self._size -= len(name) + len(value) + _ENTRY_OVERHEAD
            leaving += 1
        del self._entries[:leaving]


def _integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    """An integer with its prefix (section 5.1) and the position after it."""
    value = block[position] & prefix
    position += 1
    if value < prefix:
        return value, position
    shift = 0
    while True:
        byte = block[position]
        position += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, position
        shift += 7
        if shift > _MAX_SHIFT:
            raise CompressionError("integer too long")
