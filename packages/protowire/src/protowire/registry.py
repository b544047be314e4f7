"""The compiled classes, and the entry points that look them up.

`encode` and `decode` are the only doors to generated code. They turn whatever goes wrong
into the one error family, and send what is not compiled to its own methods: messages of
protobuf's runtime, and betterproto classes that were left out by name.
"""

# Messages may be of any runtime's classes.
# pyright: reportUnknownArgumentType=false

import struct
from collections.abc import Callable
from typing import Any, Final, TypeVar

from protowire.betterproto_internals import UNKNOWN, is_message_class, new
from protowire.check import find_error
from protowire.errors import CompileError, DecodeError, EncodeError, ProtowireError
from protowire.shape import Shape
from protowire.wire import MAX_DEPTH, TRUNCATED

__all__ = [
    "DECODERS",
    "DECODE_ERRORS",
    "ENCODERS",
    "ENCODE_ERRORS",
    "LAZY",
    "QUICK_JSON_READERS",
    "QUICK_JSON_TRANSCODERS",
    "QUICK_JSON_WRITERS",
    "SHAPES",
    "decode",
    "encode",
    "encode_other",
    "keep_unknown",
    "locate",
    "merge",
    "shape_of",
]

T = TypeVar("T")

ENCODERS: Final[dict[type, Callable[[Any, int], bytes]]] = {}
"""A class's encoder: a message, and the levels that may be below it."""
DECODERS: Final[dict[type, Callable[..., None]]] = {}
"""A class's decoder: data, from, to, the message to fill, levels, what it holds already."""
QUICK_JSON_WRITERS: Final[dict[type, Callable[[Any, int], str]]] = {}
"""A message, and levels, to JSON text; may raise TakeFullWay, as the next two."""
QUICK_JSON_READERS: Final[dict[type, Callable[[Any, int], Any]]] = {}
"""What the scanner gives, and levels, to a message."""
QUICK_JSON_TRANSCODERS: Final[dict[type, Callable[[bytes, int, int, int], str]]] = {}
"""Data, from, to, and levels, to JSON text."""
LAZY: Final[dict[type, type]] = {}
"""The hidden class of a class's messages that are known only by their bytes."""
SHAPES: Final[dict[type, Shape]] = {}

DECODE_ERRORS: Final = (DecodeError, IndexError, UnicodeDecodeError, struct.error)
"""All that stops a generated decoder."""
ENCODE_ERRORS: Final = (
    ProtowireError,
    AttributeError,
    IndexError,
    OverflowError,
    TypeError,
    UnicodeEncodeError,
    struct.error,
)
"""All that stops a generated encoder."""


def encode(message: Any) -> bytes:
    """Return the binary encoding of a message; EncodeError names the field that has none."""
    encoder = ENCODERS.get(type(message)) or _adopted(ENCODERS, type(message))
    if encoder is None:
        return bytes(message.SerializeToString())
    try:
        return encoder(message, MAX_DEPTH)
    except ENCODE_ERRORS as error:
        raise _explained(message, error) from error


def decode(cls: type[T], data: bytes) -> T:
    """Make a message of a class from its binary encoding; DecodeError for any other bytes."""
    decoder = DECODERS.get(cls) or _adopted(DECODERS, cls)
    if type(data) is not bytes:
        data = _as_bytes(data)
    if decoder is None:
        return _decode_foreign(cls, data)  # type: ignore[no-any-return] # the runtime's own
    message: T = new(cls)
    decoder(data, 0, len(data), message, MAX_DEPTH)
    return message


def merge(message: Any, data: bytes) -> Any:
    """Merge the binary encoding of another message into this one, and give this one back."""
    if type(data) is not bytes:
        data = _as_bytes(data)
    fields = message.__dict__  # before its class is asked: this settles a lazy message
    decoder = DECODERS.get(type(message)) or _adopted(DECODERS, type(message))
    if decoder is None:
        raise TypeError(f"{type(message).__name__} is not compiled")
    decoder(data, 0, len(data), message, MAX_DEPTH, fields)
    return message


def encode_other(message: Any, cls: type, depth: int) -> bytes:
    """Encode a sub-message whose class is not exactly its field's."""
    if not isinstance(message, cls):
        raise TypeError
    encoder = ENCODERS.get(type(message)) or _adopted(ENCODERS, type(message))
    if encoder is None:
        raise TypeError
    return encoder(message, depth)


def keep_unknown(message: Any, unknown: list[bytes] | None, piece: bytes) -> list[bytes]:
    """Keep the bytes of an unknown field; returns the message's list of them."""
    if unknown is None:
        unknown = message.__dict__[UNKNOWN] = []
    unknown.append(piece)
    return unknown


def shape_of(cls: type) -> Shape | None:
    """Return the shape of a compiled class, or of one that adds no field to it."""
    shape = SHAPES.get(cls)
    if shape is None and _adopted(ENCODERS, cls):
        shape = SHAPES[cls]
    return shape


def locate(error: Exception, message: str, field: str, offset: int) -> DecodeError:
    """Turn what stopped a decoder into the error that says where."""
    if isinstance(error, DecodeError):
        if error.offset is None:
            error.offset = offset
        return error.inside(message, field)
    reason = "invalid UTF-8" if isinstance(error, UnicodeDecodeError) else TRUNCATED
    return DecodeError(reason, offset=offset, field=field, message=message)


def _as_bytes(data: object) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected bytes, got {type(data).__name__}")
    return bytes(data)


def _explained(message: Any, error: Exception) -> EncodeError:
    found = find_error(shape_of, message)
    reason, path = found or (f"can't be encoded: {type(error).__name__}", "")
    return EncodeError(reason, field=path, message=type(message).__name__)


def _adopted(table: dict[type, Any], cls: type) -> Any:
    """Serve a subclass by its base's code if it adds no field."""
    if not is_message_class(cls):
        return None
    base = next((base for base in cls.__mro__ if base in DECODERS), None)
    if base is None or getattr(cls, "_protowire_lazy", False):
        return None
    if "__dataclass_fields__" in vars(cls):
        raise CompileError({cls.__name__: "adds fields to a compiled class: compile it too"})
    SHAPES[cls], ENCODERS[cls], DECODERS[cls] = SHAPES[base], ENCODERS[base], DECODERS[base]
    return table[cls]


def _decode_foreign(cls: Any, data: bytes) -> Any:
    if getattr(cls, "_protowire_lazy", False):  # the hidden class of a message not looked into
        return decode(cls.__bases__[0], data)
    try:
        return cls.FromString(data)
    except Exception as error:  # every runtime has its own classes of error
        raise DecodeError("malformed", message=cls.__name__) from error
