"""Metadata, timeouts and error messages as header fields, in gRPC's forms.

Header fields to the MultiDict that handlers know, and back, as "gRPC over HTTP/2" and
its wire format of `-bin` keys describe; the Connect protocols carry metadata the same
way. Nothing here knows frames or streams.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from typing import Final, cast
from urllib.parse import quote

from multidict import MultiDict

from grpcwire.http.fields import Fields

__all__ = [
    "Metadata",
    "MetadataLike",
    "MetadataValue",
    "decode_binary",
    "decode_metadata",
    "decode_timeout",
    "encode_binary",
    "encode_message",
    "encode_metadata",
]

MetadataValue = str | bytes
Metadata = MultiDict[MetadataValue]
MetadataLike = Mapping[str, MetadataValue] | Collection[tuple[str, MetadataValue]]

_RESERVED: Final = frozenset((b"te", b"content-type", b"user-agent", b"content-length", b"host"))
"""Headers that belong to the protocol, not to the application."""
_KEY: Final = re.compile(r"[0-9a-z_.\-]+")
_VALUE: Final = re.compile(r"[ -~]*")
_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNIT_S: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_PLAIN: Final = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
"""Characters of an error message that need no encoding: printable ASCII but "%"."""


def decode_metadata(
    fields: Iterable[tuple[bytes, bytes]],
    reserved: Collection[bytes] = _RESERVED,
    prefix: bytes = b"grpc-",
) -> list[tuple[str, MetadataValue]]:
    """The application's part of a request's fields; raises ValueError for bad base64.

    A name that is `reserved`, or begins with `prefix`, is the protocol's.
    """
    metadata: list[tuple[str, MetadataValue]] = []
    for name, value in fields:
        if name in reserved or name.startswith(prefix):
            continue
        key = name.decode("latin-1")
        if key.endswith("-bin"):
            metadata += [(key, decode_binary(part)) for part in value.split(b",")]
        else:
            metadata.append((key, value.decode("latin-1")))
    return metadata


def encode_metadata(metadata: MetadataLike) -> Fields:
    """Header fields of metadata to send.

    Raises ValueError for a key or value that no header can hold or that belongs to
    the protocol, TypeError for text under a `-bin` key or bytes under another.
    """
    pairs = cast(
        "Iterable[tuple[str, MetadataValue]]",
        metadata.items() if isinstance(metadata, Mapping) else metadata,
    )
    fields: Fields = []
    for key, value in pairs:
        name = key.encode("utf-8", "replace")
        if not _KEY.fullmatch(key) or name in _RESERVED or key.startswith("grpc-"):
            raise ValueError(f"invalid metadata key: {key!r}")
        if key.endswith("-bin"):
            if not isinstance(value, bytes):
                raise TypeError(f"{key!r} needs bytes, not {value!r}")
            fields.append((name, encode_binary(value)))
        else:
            if not isinstance(value, str):
                raise TypeError(f"{key!r} needs str, not {value!r}")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"invalid metadata value: {value!r}")
            fields.append((name, value.strip().encode("ascii")))
    return fields


def decode_binary(value: bytes) -> bytes:
    """A `-bin` value, padded or not; raises ValueError where it is not base64."""
    value = value.strip()
    try:
        return b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("invalid base64") from error


def encode_binary(value: bytes) -> bytes:
    """Base64 without padding, as the specification asks of senders."""
    return b64encode(value).rstrip(b"=")


def decode_timeout(value: bytes) -> float:
    """Seconds of a `grpc-timeout`; raises ValueError for anything else."""
    match = _TIMEOUT.fullmatch(value)
    if match is None:
        raise ValueError("invalid timeout")
    return int(match[1]) * _UNIT_S[match[2]]


def encode_message(message: str) -> bytes:
    """A `grpc-message`: UTF-8, percent-encoded where not printable ASCII."""
    return quote(message, safe=_PLAIN, encoding="utf-8", errors="replace").encode("ascii")
