"""Statuses as Connect says them: codes, HTTP statuses, error JSON, details.

The table is connectrpc.com/docs/protocol's "Error codes". Details come as the
`google.rpc.Status` that gRPC puts into its trailers, so that both protocols carry the
same ones; of that message just the list of Any is read here.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

from grpclib.const import Status

from grpcwire.calls.metadata import MetadataLike, encode_metadata

CODES: Final = {
    Status.CANCELLED: ("canceled", 499),
    Status.UNKNOWN: ("unknown", 500),
    Status.INVALID_ARGUMENT: ("invalid_argument", 400),
    Status.DEADLINE_EXCEEDED: ("deadline_exceeded", 504),
    Status.NOT_FOUND: ("not_found", 404),
    Status.ALREADY_EXISTS: ("already_exists", 409),
    Status.PERMISSION_DENIED: ("permission_denied", 403),
    Status.RESOURCE_EXHAUSTED: ("resource_exhausted", 429),
    Status.FAILED_PRECONDITION: ("failed_precondition", 400),
    Status.ABORTED: ("aborted", 409),
    Status.OUT_OF_RANGE: ("out_of_range", 400),
    Status.UNIMPLEMENTED: ("unimplemented", 501),
    Status.INTERNAL: ("internal", 500),
    Status.UNAVAILABLE: ("unavailable", 503),
    Status.DATA_LOSS: ("data_loss", 500),
    Status.UNAUTHENTICATED: ("unauthenticated", 401),
}
# google.rpc.Status and google.protobuf.Any, by their fields' numbers.
_STATUS_DETAILS: Final = 3
_ANY_TYPE_URL: Final = 1
_ANY_VALUE: Final = 2
_VARINT, _LENGTH_DELIMITED = 0, 2


def http_status(status: Status) -> int:
    """The HTTP status of a unary call that ended so; a success is 200."""
    return 200 if status is Status.OK else CODES[status][1]


def error_object(status: Status, message: str | None, details: bytes | None) -> dict[str, Any]:
    """The Error of a call that failed, before it becomes JSON text."""
    error: dict[str, Any] = {"code": CODES[status][0]}
    if message:
        error["message"] = message
    if details and (found := list(_details(details))):
        error["details"] = found
    return error


def end_of_stream(
    status: Status, message: str | None, details: bytes | None, metadata: MetadataLike
) -> bytes:
    """The JSON text of an EndStreamResponse."""
    end: dict[str, Any] = {}
    if status is not Status.OK:
        end["error"] = error_object(status, message, details)
    values: dict[str, list[str]] = {}
    for name, value in encode_metadata(metadata):
        values.setdefault(name.decode("ascii"), []).append(value.decode("ascii"))
    if values:
        end["metadata"] = values
    return json_text(end)


def json_text(value: Any) -> bytes:
    """JSON without white space; a lone surrogate becomes a question mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _details(status: bytes) -> Iterator[dict[str, str]]:
    try:
        packed = [value for number, value in _strings(status) if number == _STATUS_DETAILS]
        for each in packed:
            fields = dict(_strings(each))
            name = fields.get(_ANY_TYPE_URL, b"").decode().rpartition("/")[2]
            value = b64encode(fields.get(_ANY_VALUE, b"")).rstrip(b"=").decode("ascii")
            yield {"type": name, "value": value}
    except (IndexError, UnicodeDecodeError, ValueError):
        return  # a codec of the application's own, whose details are no google.rpc.Status


def _strings(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        size, at = _varint(message, at)
        if tag & 7 == _LENGTH_DELIMITED:
            if at + size > len(message):
                raise ValueError("truncated")
            yield tag >> 3, message[at : at + size]
            at += size
        elif tag & 7 != _VARINT:
            raise ValueError("no field of google.rpc.Status")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = message[at]
        value |= (octet & 0x7F) << shift
        at += 1
        shift += 7
        if octet < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
