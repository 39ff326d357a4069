"""An OpenMetrics text file with timestamps, as back-fills of Prometheus read it.

Read once, line by line, in bounded memory: names that nobody wants and times outside the span are
not kept. A line that cannot be read is refused with its place; a file without `# EOF` was cut off.
"""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from prometheus_client.parser import text_string_to_metric_families

from watchdog.core.samples import labels_of
from watchdog.lab.history.tracks import Bad, Held, Span, Track
from watchdog.wire.files import NotPlainError, plain_file

MAX_SAMPLES = 40_000_000  # 16 bytes each
MAX_SERIES = 100_000
LATEST = 1e11  # seconds; the year 5138, and as milliseconds 1973: no history has either
_LONGEST_LINE = 64 * 1024
_BLOCK = 1 << 20  # bytes
_END = 253_402_300_800.0  # the year 10,000, which no calendar of ours knows

Progress = Callable[[float], None]
"""Called with the share that is done."""


def read_openmetrics(
    path: Path,
    names: Collection[str] | None,
    span: Span | None = None,
    progress: Progress | None = None,
    max_samples: int = MAX_SAMPLES,
) -> Held:
    """All samples of `names` (None: of all) within the span. Raises Bad."""
    reader = _Reader(path, names, span, max_samples)
    try:
        with plain_file(str(path)) as fd, os.fdopen(os.dup(fd), "rb", buffering=_BLOCK) as file:
            size = max(1, os.fstat(fd).st_size)
            reader.read(file, (lambda done: progress(done / size)) if progress else None)
    except NotPlainError as error:
        raise Bad(f"{path}:1:1: it is {error}, not a file. Is this the history file?") from None
    except OSError as error:
        raise Bad(f"{path}:1:1: {error.strerror or error}. Is this the history file?") from None
    return Held(reader.tracks(), str(path))


class _Reader:
    def __init__(
        self, path: Path, names: Collection[str] | None, span: Span | None, max_samples: int
    ) -> None:
        self._path = path
        self._names = None if names is None else frozenset(names)
        self._start = -math.inf if span is None else span.start
        self._end = min(LATEST, math.inf if span is None else span.end)
        self._max_samples = max_samples
        self._tracks: dict[bytes, Track | None] = {}
        self._number = 0

    def read(self, file: BinaryIO, progress: Callable[[int], None] | None) -> None:
        """The inner loop: lines that follow one another are mostly of one series."""
        prefix, track = b"\0", None
        start, end, ended = self._start, self._end, False
        for line in self._lines(file, progress):
            if not line.startswith(prefix):
                if line[:1] == b"#" or not line.strip():
                    ended = line.rstrip() == b"# EOF"
                    if ended:
                        break
                    continue
                prefix = self._series(line)
                track = self._track(prefix)
            if track is None:
                continue
            try:
                value, at = map(float, line[len(prefix) :].split(b" # ", 1)[0].split())
            except ValueError:
                raise self._bad(line, prefix) from None
            if start <= at <= end:
                track.times.append(at)
                track.values.append(value)
            elif not at <= LATEST:  # NaN is no time either
                raise self._bad(line, prefix, at)
        self._count()
        if not ended:
            raise Bad(
                f"{self._path}:{self._number or 1}:1: the last line is not `# EOF`: "
                "the file is cut off, or no OpenMetrics text"
            )

    def _lines(self, file: BinaryIO, progress: Callable[[int], None] | None) -> Iterator[bytes]:
        """Line by line, read by blocks; what is kept is counted once a block."""
        rest = b""
        while block := file.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._number += 1
                if len(line) > _LONGEST_LINE:
                    raise self._bad(line[:100], b"")
                yield line
            if len(rest) > _LONGEST_LINE:
                self._number += 1
                raise self._bad(rest[:100], b"")
            self._count()
            if progress is not None:
                progress(file.tell())
        if rest:
            self._number += 1
            yield rest

    def _count(self) -> None:
        kept = sum(len(track.times) for track in self._tracks.values() if track is not None)
        if kept > self._max_samples:
            raise Bad(
                f"{self._path}:{self._number}:1: more than {self._max_samples} samples are "
                "wanted. Narrow --from and --to, or take a file with fewer series"
            )

    def _series(self, line: bytes) -> bytes:
        """The line's text up to its value, with the space before it."""
        brace = line.find(b"{")
        space = line.find(b" ")
        if space <= 0:
            raise self._bad(line, b"")
        if brace < 0 or space < brace:
            return line[: space + 1]
        quoted = False
        at, size = brace + 1, len(line)
        while at < size:
            byte = line[at]
            if quoted and byte == 0x5C:
                at += 1
            elif byte == 0x22:
                quoted = not quoted
            elif byte == 0x7D and not quoted:
                if line[at + 1 : at + 2] != b" ":
                    break
                return line[: at + 2]
            at += 1
        raise self._bad(line, b"")

    def _track(self, prefix: bytes) -> Track | None:
        if prefix in self._tracks:
            return self._tracks[prefix]
        track = None
        text = prefix.split(b"{", 1)[0].strip().decode("utf-8", "replace")
        if self._names is None or text in self._names:
            try:
                (family,) = text_string_to_metric_families(prefix.decode() + "0\n")
                (sample,) = family.samples
            except (ValueError, IndexError, KeyError):
                raise self._bad(prefix, b"") from None
            track = Track(sample.name, labels_of({k: v for k, v in sample.labels.items() if v}))
        if len(self._tracks) >= MAX_SERIES:
            raise Bad(
                f"{self._path}:{self._number}:1: more than {MAX_SERIES} series. "
                "Take a file with those alone that the rules read"
            )
        self._tracks[prefix] = track
        return track

    def _bad(self, line: bytes, prefix: bytes, at: float = 0.0) -> Bad:
        rest = line[len(prefix) :].split()
        column = len(prefix.decode("utf-8", "replace")) + 1
        place = f"{self._path}:{self._number}:{column}: "
        shown = line.decode("utf-8", "replace").strip()
        shown = "".join(c if c.isprintable() else "?" for c in shown[:80])
        if prefix and len(rest) == 1:
            return Bad(
                f"{place}a sample without a time: {shown!r}. "
                "A history needs timestamps in seconds after the values"
            )
        if at > LATEST:
            return Bad(
                f"{place}a time far ahead of us: {shown!r}. "
                "Are these milliseconds? OpenMetrics has seconds, 1700000000.5"
            )
        what = "neither value and time" if prefix else "not a sample of OpenMetrics text"
        return Bad(f'{place}{what}: {shown!r}. Write: name{{label="x"}} 12 1700000000')

    def tracks(self) -> list[Track]:
        """Each series once, in the order of time."""
        found: dict[tuple[str, object], Track] = {}
        for track in self._tracks.values():
            if track is None or not track.times:
                continue
            key = track.name, track.labels
            old = found.get(key)
            if old is not None:
                old.times.extend(track.times)
                old.values.extend(track.values)
            else:
                found[key] = track
        return [_ordered(track, self._path) for track in found.values()]


def _ordered(track: Track, path: Path) -> Track:
    odd = next((at for at in (min(track.times), max(track.times)) if not 0 <= at < _END), None)
    if odd is not None:
        raise Bad(
            f"{path}: {track.name} has a sample at {odd:g}, which is no time in seconds since "
            "1970. Are these milliseconds?"
        )
    times = track.times
    if all(map(float.__lt__, times, times[1:])):
        return track
    pairs = sorted(zip(times, track.values, strict=True), key=lambda pair: pair[0])
    kept: dict[float, float] = {}
    for at, value in pairs:
        if kept.setdefault(at, value) != value:
            shown = track.name + "{" + ",".join(f'{k}="{v}"' for k, v in track.labels) + "}"
            raise Bad(f"{path}: {shown} has two values at {at:.3f}. Take one of them out")
    return Track(track.name, track.labels, array("d", kept.keys()), array("d", kept.values()))
