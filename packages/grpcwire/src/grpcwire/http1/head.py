"""A request's head in HTTP/1.1: parsed by h11, then held to a stricter rule.

What two parsers could read in two ways is refused, since the other may stand before
us and share this connection among clients (RFC 9112, section 11.2): a length and a
transfer coding together, line ends that are no CR LF, a coding in HTTP/1.0.
"""

import re
from dataclasses import dataclass
from typing import Final

import h11

from grpcwire.http.request_head import RequestHead

_BARE_LINE_END: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_FOLDED: Final = re.compile(rb"\r\n[ \t]")
_ABSOLUTE: Final = re.compile(rb"^https?://[^/?#]*", re.IGNORECASE)
# RFC 3986, section 3.2.2, and a port.
_HOST: Final = re.compile(rb"(?:\[[0-9A-Za-z:.%~_\-]+\]|[0-9A-Za-z\-._~%!$&'()*+,;=]*)(?::[0-9]*)?")
# What a chunk's head or the trailers may take: nobody reads more of them than a number.
_CHUNK_HEAD_BYTES: Final = 4096
# More digits than any message has, and few enough to count with.
_MAX_LENGTH_DIGITS: Final = 18


class Http1Error(Exception):
    """The peer's octets are no request of ours; `status` is what it is told."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Http1Head:
    """A request's head, checked; `decoder` reads its body where that is chunked."""

    head: RequestHead
    keep_alive: bool
    http10: bool
    expects_continue: bool
    decoder: h11.Connection | None


def parse(octets: bytes) -> Http1Head:
    """The head in these octets, which end with its empty line; raises Http1Error."""
    if _BARE_LINE_END.search(octets) or _FOLDED.search(octets):
        raise Http1Error(400, "malformed line ends")
    decoder = h11.Connection(
        h11.SERVER, max_incomplete_event_size=max(len(octets), _CHUNK_HEAD_BYTES)
    )
    try:
        decoder.receive_data(octets)
        event = decoder.next_event()
    except h11.RemoteProtocolError as error:
        raise Http1Error(error.error_status_hint, "malformed request") from None
    if not isinstance(event, h11.Request):
        raise Http1Error(400, "malformed request")
    if event.http_version not in (b"1.1", b"1.0"):
        raise Http1Error(505, "unknown version of HTTP")
    fields = tuple((bytes(name), bytes(value)) for name, value in event.headers)
    by_name = dict(fields)
    http10 = event.http_version == b"1.0"
    chunked = b"transfer-encoding" in by_name
    if chunked and (http10 or b"content-length" in by_name):
        raise Http1Error(400, "ambiguous length of the body")
    host = by_name.get(b"host", b"")
    if not _HOST.fullmatch(host):
        raise Http1Error(400, "malformed host")
    connection = b",".join(value for name, value in fields if name == b"connection")
    tokens = [token.strip() for token in connection.lower().split(b",")]
    length = -1 if chunked else _length(by_name.get(b"content-length", b"0"))
    pseudo = {
        b":method": bytes(event.method),
        b":scheme": b"http",
        b":path": _ABSOLUTE.sub(b"", bytes(event.target), count=1) or b"/",
        b":authority": host,
    }
    return Http1Head(
        head=RequestHead(pseudo, fields, length),
        keep_alive=not http10 and b"close" not in tokens,
        http10=http10,
        expects_continue=not http10 and by_name.get(b"expect", b"").lower() == b"100-continue",
        decoder=decoder if chunked else None,
    )


def _length(value: bytes) -> int:
    if len(value) > _MAX_LENGTH_DIGITS:
        raise Http1Error(413, "content-length beyond all reason")
    return int(value)
