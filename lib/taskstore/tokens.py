"""The opaque tokens of reads: their content, and the seal that tells a forged one.

Each is sealed with a key that is made with the database and kept in it, so a
token outlives every process and is worth nothing to another database.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final, NamedTuple

from taskstore.errors import InvalidToken

__all__ = ["KEY_BYTES", "Tokens", "Write", "check_consistency_form"]

KEY_BYTES: Final = 32
"""The bytes of a database's key."""

_SEAL_BYTES: Final = 12
_ID_BYTES: Final = 4
_POSITION_BITS: Final = 64
_WRITE_BYTES: Final = _ID_BYTES + _POSITION_BITS // 8
_PAGE_VERSION: Final = b"\x01"
_PAGE_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

_CONSISTENCY: Final = re.compile(rf"c1([0-9a-f]{{8}})([0-9a-f]{{16}})[0-9a-f]{{{2 * _SEAL_BYTES}}}")
"""A consistency token: of fixed width and lower case, so that tokens sort as their writes do."""


class Write(NamedTuple):
    """The write of a consistency token: its task, and a place in the log behind it.

    Ids ascend in the order of writes. Places only follow them: of two writes that
    are committed at once, the first may learn its place last.
    """

    task_id: int
    """The id of its task."""

    wal_position: int
    """A place in the write-ahead log behind it, in bytes; 0 where none is needed."""


class Tokens:
    """Makes and checks the tokens of one database."""

    def __init__(self, key: bytes) -> None:
        # Each use hashes apart; a copy of these spares hashing the key again.
        self._consistency = _sealing(key, b"consistency")
        self._page = _sealing(key, b"page")

    def consistency_token(self, task_id: int, wal_position: int = 0) -> str:
        """Make the token of a Write; the greater string is the later one."""
        content = task_id << _POSITION_BITS | wal_position
        seal = _seal(self._consistency, content.to_bytes(_WRITE_BYTES))
        return f"c1{content:024x}{seal.hex()}"

    def write(self, consistency_token: str) -> Write:
        """Read the write that `consistency_token` was made from; raises InvalidToken."""
        match = check_consistency_form(consistency_token)
        write = Write(int(match[1], 16), int(match[2], 16))
        if not hmac.compare_digest(self.consistency_token(*write), consistency_token):
            raise InvalidToken("consistency_token", "is not of this database")
        return write

    def page_token(self, tag: str, last_id: int) -> str:
        """Make the token of the page of `tag` that follows task `last_id`."""
        id_bytes = last_id.to_bytes(_ID_BYTES)
        token = _PAGE_VERSION + id_bytes + _seal(self._page, id_bytes + tag.encode())
        return urlsafe_b64encode(token).rstrip(b"=").decode()

    def last_id(self, tag: str, page_token: str) -> int:
        """Read the last id that `page_token` was made from; raises InvalidToken."""
        forged = InvalidToken("page_token", "is not the next_page_token of a page of this tag")
        if not _PAGE_CHARACTERS.fullmatch(page_token):
            raise forged
        try:
            token = urlsafe_b64decode(page_token + "=" * (-len(page_token) % 4))
        except ValueError:
            raise forged from None
        last_id = int.from_bytes(token[1 : 1 + _ID_BYTES])
        if not hmac.compare_digest(self.page_token(tag, last_id), page_token):
            raise forged
        return last_id


def check_consistency_form(consistency_token: str) -> re.Match[str]:
    """Match a consistency token's form, which needs no key; raises InvalidToken."""
    match = _CONSISTENCY.fullmatch(consistency_token)
    if match is None:
        raise InvalidToken("consistency_token", "is malformed")
    return match


def _sealing(key: bytes, use: bytes) -> blake2b:
    return blake2b(key=key, digest_size=_SEAL_BYTES, person=use)


def _seal(sealing: blake2b, content: bytes) -> bytes:
    started = sealing.copy()
    started.update(content)
    return started.digest()
