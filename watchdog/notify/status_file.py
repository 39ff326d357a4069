"""Puts what stands into a JSON file that somebody else keeps: our fields alone, and all at once.

The law: every other field stays as it was, in its place, to the last digit. The file is replaced
whole, by a new one beside it that is on disk before it takes the name; owner, group and mode are
kept, or it is refused. A file that somebody exchanged meanwhile is read again. Each who writes has
a new file of their own; what one who died left beside it goes when the next is written. While
nothing is the matter, a status that somebody else put there is theirs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchdog.core.telling.status_pages import OURS, Condition, StatusFile
from watchdog.ports import Delivered, Shown, StatusSheet
from watchdog.wire.beside import Beside, StillBusyError
from watchdog.wire.files import NotPlainError, plain_file, read_all
from watchdog.wire.status_document import fields, filled

LARGEST_BYTES = 1 << 20
MOST_TRIES = 5
"""How often it is read anew, where somebody exchanges it again and again."""

LEFT_AFTER_SECONDS = 600.0
"""A new file that nobody has touched for so long was left by one who died: nobody writes longer."""

Wanted = Mapping[tuple[str, ...], Any]
"""Path to what is to stand there."""

_TROUBLE = OURS - {Condition.OPERATIONAL.value}
_MODE = 0o7777
_NUMBER = "\0number:"
_MARKED = re.compile(r'"\\u0000number:([^"\\]*)"')


class FileBoard:
    """Implements `ports.StatusBoard`. Its work is done beside the loop: a drive may hang."""

    def __init__(self, how: StatusFile) -> None:
        self._how = how
        self._beside: Beside[Shown] = Beside(f"the status file {how.path}")

    async def show(self, sheet: StatusSheet, *, deadline_seconds: float) -> Shown:
        found = fields(sheet)
        prefix = sheet.prefix if sheet.worst is Condition.OPERATIONAL else ""
        wanted = {path: filled(json.loads(text), found) for path, text in self._how.fields}
        return await self._done(
            lambda stop: _put(Path(self._how.path), wanted, prefix, stop), deadline_seconds
        )

    async def look(self, *, deadline_seconds: float) -> Shown:
        """Read it, and see whether a file can be made beside it."""
        return await self._done(lambda _: _tried(Path(self._how.path)), deadline_seconds)

    async def _done(self, work: Any, deadline_seconds: float) -> Shown:
        try:
            return await self._beside.run(work, deadline_seconds)
        except _Unusable as wrong:
            return Shown(Delivered.REFUSED, str(wrong))
        except StillBusyError as busy:
            return Shown(Delivered.NOT_SENT, str(busy))
        except TimeoutError:
            return Shown(Delivered.NOT_SENT, f"{self._how.path}: not within {deadline_seconds:g} s")
        except OSError as error:
            return Shown(Delivered.REFUSED, f"{self._how.path}: {error.strerror or error}")


class _Unusable(Exception):
    """It cannot be used as it is; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class _Read:
    text: str
    document: dict[str, Any]
    is_: os.stat_result

    def is_still(self, path: Path) -> bool:
        """Whether the name still leads to what was read."""
        try:
            return _same(self.is_, path.lstat())
        except FileNotFoundError:
            return False


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino, one.st_mtime_ns, one.st_size) == (
        other.st_dev,
        other.st_ino,
        other.st_mtime_ns,
        other.st_size,
    )


def _put(path: Path, wanted: Wanted, prefix: str, stop: threading.Event) -> Shown:
    """`prefix` is given while nothing is the matter: then only what we put there is taken back."""
    for _ in range(MOST_TRIES):
        before = _read(path)
        if prefix and not any(_is_ours(_at(before.document, where), prefix) for where in wanted):
            return Shown(Delivered.SENT)
        changed = False
        for where, value in wanted.items():
            if not (prefix and _is_theirs(_at(before.document, where), value)):
                changed = _set(before.document, where, value) or changed
        if not changed:
            return Shown(Delivered.SENT)
        if stop.is_set():
            return Shown(Delivered.NOT_SENT, f"{path}: nobody waits any more")
        if _replaced(path, before, _written(before)):
            return Shown(Delivered.SENT)
    return Shown(Delivered.NOT_SENT, f"{path} was exchanged {MOST_TRIES} times while it was read")


def _tried(path: Path) -> Shown:
    before = _read(path)
    handle, name = _beside(path, before)
    os.close(handle)
    name.unlink()
    return Shown(Delivered.SENT)


def _read(path: Path) -> _Read:
    try:
        if stat.S_ISLNK(path.lstat().st_mode):
            raise _Unusable(f"{path} is a link: name the file that it leads to")
        with plain_file(str(path)) as handle:
            is_, raw = os.fstat(handle), read_all(handle, LARGEST_BYTES)
    except NotPlainError as other:
        raise _Unusable(f"{path} is {other}, and no file") from None
    except FileNotFoundError:
        raise _Unusable(f"{path} is not there: it is changed, and not made") from None
    if raw is None:
        raise _Unusable(f"{path} has more than {LARGEST_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
        document = json.loads(
            text, parse_float=_marked, parse_int=_marked, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"{path} is no JSON document: {error}") from None
    if not isinstance(document, dict):
        raise _Unusable(f"{path} is no JSON object")
    return _Read(text, document, is_)


def _marked(literal: str) -> str:
    """A number as it is written: it is put back to the last digit."""
    return _NUMBER + literal


def _no_number(word: str) -> str:
    raise ValueError(f"{word} is no JSON")


def _at(document: Any, where: tuple[str, ...]) -> Any:
    """What stands there, or None."""
    for key in where:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _is_ours(found: Any, prefix: str) -> bool:
    """Whether a value says that something is the matter, in our words or under our names."""
    if isinstance(found, Mapping):
        return any(_is_ours(one, prefix) for one in found.values())
    if isinstance(found, list):
        return any(_is_ours(one, prefix) for one in found)
    return isinstance(found, str) and (found in _TROUBLE or found.startswith(prefix))


def _is_theirs(found: Any, value: Any) -> bool:
    """Another word where ours would stand; or nothing, where there was never anything."""
    other = isinstance(found, str) and found not in OURS
    return found is None or (other and value == Condition.OPERATIONAL.value)


def _set(document: dict[str, Any], where: tuple[str, ...], value: Any) -> bool:
    """Whether that changed anything. Raises where something else stands in the way."""
    inner = document
    for depth, key in enumerate(where[:-1]):
        found = inner.setdefault(key, {})
        if not isinstance(found, dict):
            shown = ".".join(where[: depth + 1])
            raise _Unusable(f"{shown} in it is no object: {'.'.join(where)} cannot be put there")
        inner = found
    last = where[-1]
    if last in inner and inner[last] == value:
        return False
    inner[last] = value
    return True


def _written(read: _Read) -> bytes:
    """In the form that it had: its indentation, its separators, its last line's end."""
    second = re.search(r"\n([ \t]+)\S", read.text)
    compact = second is None and '": ' not in read.text
    text = json.dumps(
        read.document,
        indent=second[1] if second else None,
        separators=(",", ":") if compact else None,
        ensure_ascii=read.text.isascii(),
    )
    end = "\n" if read.text.endswith("\n") else ""
    return (_MARKED.sub(r"\1", text) + end).encode()


def _replaced(path: Path, before: _Read, content: bytes) -> bool:
    """False where another file has the name by now."""
    handle, name = _beside(path, before)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not before.is_still(path):
            return False
        try:
            name.rename(path)
        except FileNotFoundError:
            return False  # taken for one that was left: written anew
    finally:
        with contextlib.suppress(FileNotFoundError):
            name.unlink()
    _sync(path.parent)
    return True


def _beside(path: Path, before: _Read) -> tuple[int, Path]:
    """A new file in the same folder, with the owner, the group and the mode of the old one."""
    begins = f".{path.name}.slo-watchdog"
    name = path.with_name(f"{begins}-{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(name, flags, 0o600)
    except OSError as error:
        raise _Unusable(
            f"{path.parent} cannot be written to ({error.strerror}): "
            "the file is replaced by one that is made beside it"
        ) from None
    try:
        now, old = os.fstat(handle), before.is_
        if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(handle, old.st_uid, old.st_gid)
        os.fchmod(handle, old.st_mode & _MODE)
    except OSError as error:
        os.close(handle)
        name.unlink()
        raise _Unusable(
            f"{path} belongs to user {before.is_.st_uid} and group {before.is_.st_gid}, which this "
            f"daemon cannot keep ({error.strerror}): its owner could not write it any more"
        ) from None
    with contextlib.suppress(OSError):  # it may be written to, and not be looked through
        _clear_up(path.parent, begins, now)
    return handle, name


def _clear_up(folder: Path, begins: str, new: os.stat_result) -> None:
    """Remove what others left, by the clock of the drive itself: by when it made the `new` one."""
    with os.scandir(folder) as found:
        beside = [one.path for one in found if one.name.startswith(begins)]
    for one in map(Path, beside):
        with contextlib.suppress(OSError):  # another was faster, or it is not ours to remove
            if new.st_mtime - one.lstat().st_mtime > LEFT_AFTER_SECONDS:
                one.unlink()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
