"""The journal's tables and its chain, the same for every database.

Each row's hash covers the hash before it, so that no row can be changed, dropped or slipped in
without every later hash speaking against it. The first row follows the genesis hash, which is
this one journal's own; after a pruning the first row follows the base instead.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from watchdog.core.words import Instant

SCHEMA_VERSION = 1

metadata = MetaData()

_SEQ = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's row number must be INTEGER

about = Table(
    "about",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("schema_version", Integer, nullable=False),
    Column("identity", String(32), nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("wall", Double, nullable=False),
    Column("steady", Double, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

base = Table(
    "base",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("seq", _SEQ, nullable=False),  # the last retired entry; 0 before the first pruning
    Column("hash", String(64), nullable=False),
    Column("wall", Double, nullable=False),
    Column("steady", Double, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Link:
    """The end of the chain so far: what the next row follows."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of `entries`, as it is stored."""

    seq: int
    wall: float
    steady: float
    kind: str
    body: str
    prev_hash: str
    hash: str

    @property
    def at(self) -> Instant:
        return Instant(self.wall, self.steady)

    @property
    def link(self) -> Link:
        return Link(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Base:
    """What stands for the retired entries: where the chain goes on, and the state they led to."""

    seq: int
    hash: str
    at: Instant
    snapshot: bytes
    digest: str


def genesis(identity: str) -> Link:
    return Link(0, hashlib.sha256(f"slo-watchdog journal\n{identity}".encode()).hexdigest())


def row_hash(prev_hash: str, seq: int, at: Instant, kind: str, body: str) -> str:
    """SHA-256 over the row and the hash before it. Only `body`, the last, may hold line breaks."""
    text = f"{prev_hash}\n{seq}\n{_plain(at.wall)!r}\n{_plain(at.steady)!r}\n{kind}\n{body}"
    return hashlib.sha256(text.encode()).hexdigest()


def next_row(after: Link, at: Instant, kind: str, body: str) -> Row:
    seq = after.seq + 1
    digest = row_hash(after.hash, seq, at, kind, body)
    return Row(seq, _plain(at.wall), _plain(at.steady), kind, body, after.hash, digest)


def misfit(row: Row, after: Link) -> str:
    """Why `row` does not follow `after`, or nothing when it does."""
    if row.seq != after.seq + 1:
        return f"entry {after.seq + 1} is missing: {after.seq} is followed by {row.seq}"
    if row.prev_hash != after.hash:
        return f"entry {row.seq} does not follow entry {after.seq}"
    if row.hash != row_hash(row.prev_hash, row.seq, row.at, row.kind, row.body):
        return f"entry {row.seq} has been changed since it was written"
    return ""


def base_digest(seq: int, chain_hash: str, at: Instant, snapshot: bytes) -> str:
    head = f"{seq}\n{chain_hash}\n{_plain(at.wall)!r}\n{_plain(at.steady)!r}\n"
    return hashlib.sha256(head.encode() + snapshot).hexdigest()


def _plain(value: float) -> float:
    """As every database gives it back: SQLite knows no zero below zero."""
    return float(value) + 0.0
