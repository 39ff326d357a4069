"""Is it who it says? A token shown, or a body signed, compared in constant time.

Every key is tried, whether or not one before it was right, so that the time tells nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

FRESH_SECONDS = 300.0
"""How far a signed timestamp may be from our clock."""

_BEARER = re.compile(r"[Bb]earer +([\x21-\x7e]{1,1000})")
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def bearer(authorization: str) -> bytes | None:
    """The token of an Authorization header, if it has the form of one."""
    found = _BEARER.fullmatch(authorization)
    return found[1].encode() if found else None


def is_one_of(token: bytes, keys: Iterable[bytes]) -> bool:
    return any([hmac.compare_digest(token, key) for key in keys])  # noqa: C419  # all, always


def timestamp_of(header: str) -> float | None:
    """Whole seconds since the epoch, if it is that."""
    return float(header) if _TIMESTAMP.fullmatch(header) else None


def is_signed(keys: Iterable[bytes], timestamp: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is HMAC-SHA256 of the timestamp, a dot and the body, by one of the keys.

    `signature` is written `sha256=` and 64 hex digits.
    """
    given = _SIGNATURE.fullmatch(signature)
    if given is None:
        return False
    told = timestamp.encode() + b"." + body
    made = [hmac.new(key, told, hashlib.sha256).hexdigest() for key in keys]
    return any([hmac.compare_digest(given[1], one) for one in made])  # noqa: C419  # all, always
