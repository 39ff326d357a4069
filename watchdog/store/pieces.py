"""How a checkpoint's value is cut into pieces, so that only what has changed is written.

The same for every database: pieces of a fixed size at fixed places, each known by its digest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PIECE_BYTES = 8 * 1024

Digests = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What of a value is to be written. `anew`: it is not known what stands there."""

    count: int  # of pieces; what stands above goes
    digest: bytes  # over all of them
    pieces: tuple[tuple[int, bytes], ...]  # number and body of those that differ
    anew: bool


def digests_of(value: bytes) -> Digests:
    count = -(-len(value) // PIECE_BYTES)
    return tuple(_digest(_piece(value, number)) for number in range(count))


def change(value: bytes, old: Digests | None, new: Digests) -> Change:
    """From what stands there, None where that is not known, to `value`."""
    had = old or ()
    differ = [i for i, digest in enumerate(new) if i >= len(had) or had[i] != digest]
    pieces = tuple((number, _piece(value, number)) for number in differ)
    return Change(len(new), whole_digest(new), pieces, anew=old is None)


def whole_digest(digests: Digests) -> bytes:
    return _digest(b"".join(digests))


def joined(bodies: list[bytes], count: int, digest: bytes) -> tuple[bytes, Digests] | None:
    """The value and its pieces' digests; None unless it is whole."""
    digests = tuple(_digest(body) for body in bodies)
    if len(bodies) != count or whole_digest(digests) != digest:
        return None
    return b"".join(bodies), digests


def _piece(value: bytes, number: int) -> bytes:
    return value[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
