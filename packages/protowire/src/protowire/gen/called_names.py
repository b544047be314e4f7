"""The names that all generated code may call, besides the code of other classes.

A class's own source binds what only that class needs: its enums' members, its headers, the
readers of its JSON values. These here are the same for every class, and are made once.
"""

from functools import cache
from json.encoder import encode_basestring
from math import copysign
from struct import Struct, pack
from typing import Any, Final

from protowire import registry, wellknown, wire
from protowire.betterproto_internals import new, only_read
from protowire.errors import DecodeError, EncodeError
from protowire.gen.decoder_pieces import write_parts_reader
from protowire.gen.source import Source
from protowire.json.fallback import TakeFullWay
from protowire.json.from_bytes import json_of_bytes
from protowire.shape import FIXED, Value

__all__ = ["called_names"]

_WRAPPED: Final = (
    "double",
    "float",
    "int64",
    "uint64",
    "int32",
    "uint32",
    "bool",
    "string",
    "bytes",
)
"""The scalars that have a wrapper message."""


@cache
def called_names() -> dict[str, Any]:
    """Return the objects that generated code calls, by the names it calls them."""
    functions = (
        *wire.CALLED_BY_GENERATED_CODE,
        *wellknown.CALLED_BY_GENERATED_CODE,
        copysign,
        json_of_bytes,
        only_read,
        pack,
        registry.encode_other,
        registry.keep_unknown,
        registry.locate,
    )
    names: dict[str, Any] = {function.__name__: function for function in functions}
    names |= {
        "DECODE_ERRORS": registry.DECODE_ERRORS,
        "DecodeError": DecodeError,
        "EMPTY": [],
        "EncodeError": EncodeError,
        "TOO_DEEP": wire.TOO_DEEP,
        "TRUNCATED": wire.TRUNCATED,
        "TakeFullWay": TakeFullWay,
        "new": new,
        "quote": encode_basestring,
    }
    names |= {f"pack_{kind}": Struct(f"<{letter}").pack for kind, letter in FIXED.items()}
    names |= {f"read_{kind}": Struct(f"<{letter}").unpack_from for kind, letter in FIXED.items()}
    return names | _parts_readers(names)


def _parts_readers(names: dict[str, Any]) -> dict[str, Any]:
    """The readers of wrappers, Timestamp and Duration, which are generated too."""
    source = Source("wrappers, Timestamp and Duration")
    source.names.update(names)
    write_parts_reader(source, "read_time_parts", (Value("int64"), Value("int32")))
    for kind in _WRAPPED:
        write_parts_reader(source, f"read_{kind}_parts", (Value(kind),))
    return {name: value for name, value in source.compile().items() if name != "__builtins__"}
