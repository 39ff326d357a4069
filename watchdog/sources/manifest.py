"""Are the files below a folder what its manifest says?

Proven wrong are: another content, a file that is missing or is no file any more, and, unless they
are ignored, files that the manifest does not name. What cannot be read proves nothing, and so
does a manifest that is missing, empty or broken: it does not say what should be there. One file
that is proven wrong is a breach, whatever else could not be read.

* The folder is held open: when another is put in its place, all of one look is of one of them.
* What is wrong is looked at once more at the end, and so is all, once, when the manifest itself
  was written meanwhile: a release that is being copied is not yet a wrong one.
* A file that changes while it is read is read again; one that never holds still is unreadable.
* Bounded: bytes, files, names in the reason, and time; the work is done beside the loop. Links
  are followed inside the folder only, and nothing but regular files is opened.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from watchdog.core.probes import ManifestProbe
from watchdog.core.samples import Failure, Fault, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind, Instant
from watchdog.sources.looks import ours, told
from watchdog.sources.manifest_format import BrokenManifestError, digests
from watchdog.wire.beside import Beside, StillBusyError
from watchdog.wire.files import AstrayError, NotPlainError, folder, plain_file, read_all

_MANIFEST_BYTES = 8 * 1024 * 1024
_MOST_ENTRIES = 100_000  # looked at in search of extra files
_CHUNK = 1 << 20
_TRIES = 3
_NAMED = 5
_LONGEST_NAME = 60
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})


class _LimitError(Exception):
    """One of our bounds is reached."""


@dataclass(slots=True)
class _Found:
    """Names by what is wrong with them, and why where that is not all."""

    files: int = 0
    changed: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        return [*self.changed, *self.missing]


class ManifestLook:
    def __init__(self, spec: SourceSpec, how: ManifestProbe) -> None:
        self._spec, self._how = spec, how
        self._beside: Beside[Look | Failure] = Beside(spec.name)

    async def look(self, at: Instant) -> Look | Failure:  # noqa: ARG002  # judged by what lies there now
        seconds = self._spec.deadline_seconds
        try:
            return await self._beside.run(self._examine, seconds)
        except TimeoutError:
            return ours(f"{self._how.path}: not all could be read within {seconds:g} s")
        except StillBusyError:
            return ours(f"{self._how.path}: the look before still hangs in the file system")

    def _examine(self, stop: threading.Event) -> Look | Failure:
        path = PurePath(self._how.path)
        try:
            with folder(str(path.parent)) as tree:
                return self._twice(tree, path.name, _Reader(tree, self._spec.max_bytes, stop))
        except _LimitError as limit:
            return ours(f"{path}: {limit}")
        except BrokenManifestError as broken:
            return Failure(Fault.PROVIDER, Blind.ODD_ANSWER, told(f"{path}: {broken}"))
        except NotPlainError as other:
            return Failure(Fault.PROVIDER, Blind.ODD_ANSWER, told(f"{path} is {other}"))
        except (OSError, AstrayError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            blind = Blind.NO_DATA if getattr(error, "errno", 0) in _GONE else Blind.OURS
            return Failure(Fault.PROVIDER, blind, told(f"{path}: {why}"))

    def _twice(self, tree: int, name: str, reader: _Reader) -> Look | Failure:
        for _ in range(2):
            text = _manifest(tree, name)
            found = self._compared(reader, digests(text, itself=name), name)
            if _manifest(tree, name) == text:
                return _judged(self._how.path, found)
        return ours(f"{self._how.path}: it was written while its files were looked at")

    def _compared(self, reader: _Reader, wanted: dict[str, str], itself: str) -> _Found:
        found = _Found(files=len(wanted))
        reader.compare(wanted.items(), found)
        again = found.wrong
        found.changed, found.missing = {}, {}
        reader.compare([(name, wanted[name]) for name in again], found)
        if self._how.extra:
            known = {itself, *wanted}
            found.extra = {
                name: ""
                for name in reader.names(found)
                if name not in known and reader.is_there(name)
            }
        return found


class _Reader:
    """Reads one tree within one budget of bytes."""

    def __init__(self, tree: int, max_bytes: int, stop: threading.Event) -> None:
        self._tree, self._stop = tree, stop
        self._max_bytes = self._left = max_bytes

    def compare(self, wanted: Iterable[tuple[str, str]], found: _Found) -> None:
        for name, digest in wanted:
            try:
                seen = self._digest(name)
            except NotPlainError as other:
                found.changed[name] = f"{other} now"
            except AstrayError as astray:
                found.unreadable[name] = str(astray)
            except OSError as error:
                if error.errno in _GONE:
                    found.missing[name] = ""
                else:
                    found.unreadable[name] = error.strerror or "unreadable"
            else:
                if seen is None:
                    found.unreadable[name] = "it never held still"
                elif seen != digest:
                    found.changed[name] = ""

    def names(self, found: _Found) -> Iterator[str]:
        """Every file below the tree, links as themselves; folders that cannot be read are told."""
        waiting, seen = [""], 0
        while waiting:
            here = waiting.pop()
            try:
                handle = os.open(
                    here or ".",
                    os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=self._tree,
                )
            except OSError as error:
                if error.errno not in _GONE:
                    found.unreadable[here or "."] = error.strerror or "unreadable"
                continue
            try:
                with os.scandir(handle) as entries:
                    for entry in entries:
                        self._go_on()
                        seen += 1
                        if seen > _MOST_ENTRIES:
                            raise _LimitError(f"more than {_MOST_ENTRIES} files in its folder")
                        name = f"{here}/{entry.name}" if here else entry.name
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(name)
                        else:
                            yield name
            finally:
                os.close(handle)

    def is_there(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self._tree, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _digest(self, name: str) -> str | None:
        """None for a file that changed at every try. Raises what `plain_file` raises."""
        for _ in range(_TRIES):
            with plain_file(name, tree=self._tree) as fd:
                before = os.fstat(fd)
                digest, read = hashlib.sha256(), 0
                while part := os.read(fd, _CHUNK):
                    self._go_on()
                    read += len(part)
                    self._left -= len(part)
                    if self._left < 0:
                        raise _LimitError(f"more than {self._max_bytes} bytes to read")
                    digest.update(part)
                after = os.fstat(fd)
            if _stamp(before) == _stamp(after) and read == after.st_size:
                return digest.hexdigest()
        return None

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise _LimitError("nobody waits for it any more")


def _manifest(tree: int, name: str) -> bytes:
    with plain_file(name, tree=tree) as fd:
        text = read_all(fd, _MANIFEST_BYTES)
    if text is None:
        raise BrokenManifestError(f"it has more than {_MANIFEST_BYTES} bytes")
    return text


def _stamp(about: os.stat_result) -> tuple[int, ...]:
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _judged(path: str, found: _Found) -> Look | Failure:
    wrong = [
        _told(word, names)
        for word, names in (
            ("changed", found.changed),
            ("missing", found.missing),
            ("extra", found.extra),
        )
        if names
    ]
    unread = [_told("unreadable", found.unreadable)] if found.unreadable else []
    if wrong:
        count = len(found.changed) + len(found.missing) + len(found.extra)
        reason = told(f"{path}: {'; '.join([*wrong, *unread])}")
        return Look(False, reason, value=float(count), bound="> 0")  # noqa: FBT003  # it fails
    if unread:
        return ours(f"{path}: {unread[0]}")
    reason = told(f"{path}: {found.files} files are as it says")
    return Look(True, reason, value=0.0, bound="> 0")  # noqa: FBT003  # it holds


def _told(word: str, names: dict[str, str]) -> str:
    """`2 changed: images.json, health.json`, the first few by name."""
    shown = []
    for name, why in sorted(names.items())[:_NAMED]:
        plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
        plain = plain if len(plain) <= _LONGEST_NAME else f"{plain[: _LONGEST_NAME - 3]}..."
        shown.append(f"{plain} ({why})" if why else plain)
    more = len(names) - len(shown)
    return f"{len(names)} {word}: {', '.join(shown)}{f' and {more} more' if more else ''}"
