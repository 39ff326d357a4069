"""Credentials from files, read anew each time, so that rotating one needs no restart.

A name is a file's name in one of the given folders (systemd's `$CREDENTIALS_DIRECTORY` first,
where it is set); a name that could lead out of the folder is refused. The text is returned to
whoever asked and kept nowhere; what is raised names the credential and the folders, never the
text.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from watchdog.ports import SecretMissing, Secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")
_MAX_BYTES = 64 * 1024  # certificates with their chain fit; a log file taken for a token does not


class FileSecrets:
    """Implements `ports.Secrets`: the first of `directories` that holds the name wins."""

    def __init__(self, directories: Sequence[Path | str]) -> None:
        self._directories = tuple(Path(directory) for directory in directories)

    @classmethod
    def of_service(cls, *others: Path | str) -> FileSecrets:
        """The credentials that systemd gave this service, if any, then `others`."""
        own = os.environ.get("CREDENTIALS_DIRECTORY")
        return cls((own, *others) if own else others)

    def __repr__(self) -> str:
        return f"FileSecrets({[str(directory) for directory in self._directories]})"

    def read(self, name: str) -> str:
        """The present text without trailing line breaks. Raises SecretMissing."""
        if not _NAME.match(name):
            raise SecretMissing(
                f"{name!r} cannot be a credential's name: letters, digits, '.', '_' and '-' only"
            )
        for directory in self._directories:
            text = _text(directory / name)
            if text is not None:
                return text
        if not self._directories:
            raise SecretMissing(f"credential {name} does not exist: no folder of them is named")
        searched = ", ".join(str(directory) for directory in self._directories)
        raise SecretMissing(f"credential {name} does not exist in {searched}")


def _text(path: Path) -> str | None:
    """None: there is no such file, look in the next folder."""
    try:
        # Non-blocking, since opening a named pipe without a writer would hang the loop.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SecretMissing(f"credential {path.name}: {path}: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretMissing(f"credential {path.name}: {path} is not a plain file")
        raw = os.read(descriptor, _MAX_BYTES + 1)
    except OSError as error:
        raise SecretMissing(f"credential {path.name}: {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if len(raw) > _MAX_BYTES:
        raise SecretMissing(f"credential {path.name}: {path} is larger than {_MAX_BYTES} bytes")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # `from None`: the original error carries the bytes.
        raise SecretMissing(f"credential {path.name}: {path} is not UTF-8 text") from None
    if not text:
        raise SecretMissing(f"credential {path.name}: {path} is empty")
    return text


def lacks(secrets: Secrets, name: str) -> str:
    """Why a credential cannot be read now; "" where it can."""
    try:
        secrets.read(name)
    except SecretMissing as missing:
        return str(missing)
    return ""
