"""Slices of the past on disk, so that a run that was cut off goes on and a second one is quick.

One file a slice, named by what was asked; its head says it again and carries a digest of the rest.
A file that is damaged, cut off or of something else is as good as none: it is read anew. Above the
limit those go that were not used for the longest time.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zlib
from array import array
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from watchdog.lab.history.tracks import Track

MOST_BYTES = 2**30
"""Of all slices together."""

_VERSION = 1
_AFTER_PRUNING = 0.9  # of the limit, so that not every slice prunes
_LONGEST = 1 << 30


class Cache:
    """`folder` is made when the first slice is kept. Only the owner may read it."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most_bytes = folder, most_bytes
        self._held_bytes: int | None = None  # None: not counted yet
        self.found = 0
        self.damaged = 0

    def get(self, key: Sequence[object]) -> list[Track] | None:
        """What was kept for this key."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        tracks = _unpacked(data, key)
        if tracks is None:
            self.damaged += 1
            return None
        self.found += 1
        with suppress(OSError):
            os.utime(path)  # used now
        return tracks

    def put(self, key: Sequence[object], tracks: Sequence[Track]) -> None:
        """Keep it; a disk that is full or read-only only costs the next run its time."""
        path = self._path(key)
        part = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                written = part.write_bytes(_packed(key, tracks))
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._make_room(written)

    def _make_room(self, written: int) -> None:
        """What another run adds meanwhile is counted at the next run's first slice."""
        if self._held_bytes is not None:
            self._held_bytes += written
            if self._held_bytes <= self._most_bytes:
                return
        slices = []
        for path in self._folder.glob("??/*.slice"):
            with suppress(OSError):  # another run has pruned it
                found = path.stat()
                slices.append((found.st_mtime_ns, found.st_size, path))
        held = sum(size for _, size, _ in slices)
        keep = held if held <= self._most_bytes else int(self._most_bytes * _AFTER_PRUNING)
        for _, size, path in sorted(slices):
            if held <= keep:
                break
            path.unlink(missing_ok=True)
            held -= size
        self._held_bytes = held

    def _path(self, key: Sequence[object]) -> Path:
        name = hashlib.sha256(_text(key)).hexdigest()[:40]
        return self._folder / name[:2] / f"{name}.slice"


def _text(key: Sequence[object]) -> bytes:
    return json.dumps([_VERSION, sys.byteorder, *key], separators=(",", ":")).encode()


def _packed(key: Sequence[object], tracks: Sequence[Track]) -> bytes:
    series = [[track.name, list(track.labels), len(track.times)] for track in tracks]
    body = b"".join(t.times.tobytes() + t.values.tobytes() for t in tracks)
    packed = zlib.compress(json.dumps(series).encode() + b"\n" + body, level=1)
    return _text(key) + b"\n" + hashlib.sha256(packed).digest() + packed


def _unpacked(data: bytes, key: Sequence[object]) -> list[Track] | None:
    head = _text(key) + b"\n"
    digest, packed = data[len(head) : len(head) + 32], data[len(head) + 32 :]
    if not data.startswith(head) or hashlib.sha256(packed).digest() != digest:
        return None
    try:
        text, _, body = zlib.decompressobj().decompress(packed, _LONGEST).partition(b"\n")
        return _tracks(json.loads(text), body)
    except (zlib.error, ValueError, TypeError):
        return None


def _tracks(series: Sequence[tuple[str, list[list[str]], int]], body: bytes) -> list[Track]:
    tracks, at = [], 0
    for name, labels, count in series:
        size = 8 * count
        pairs = tuple((label, text) for label, text in labels)
        times, values = (
            array("d", body[at : at + size]),
            array("d", body[at + size : at + 2 * size]),
        )
        if len(values) != count:
            raise ValueError("cut off")
        tracks.append(Track(name, pairs, times, values))
        at += 2 * size
    return tracks
