r"""The lines that `sha256sum` writes and `sha256sum -c` reads.

    59aba3...  images.json        text mark
    59aba3... *images.json        binary mark: here both mean the bytes as they are
    \59aba3...  odd\nname          escaped: \\ is a backslash, \n a line break, \r a return

Comments (#), empty lines and a return before the line break are left aside, as `sha256sum -c`
does. Anything else is no manifest: nothing of it is used, since a line that cannot be read is a
file that would not be watched.
"""

from __future__ import annotations

import os
import re

MOST_FILES = 20_000

_LINE = re.compile(rb"(?P<escaped>\\)?(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.?)", re.DOTALL)
_MEANS = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}


class BrokenManifestError(Exception):
    """It cannot be used; the message names the line and what is wrong with it."""


def digests(text: bytes, *, itself: str) -> dict[str, str]:
    """File name, relative to the manifest's folder, to digest in small letters.

    `itself` is the manifest's own name. Raises BrokenManifestError.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.split(b"\n"), start=1):
        whole = line.removesuffix(b"\r")
        if not whole or whole.startswith(b"#"):
            continue
        match = _LINE.fullmatch(whole)
        if match is None:
            tagged = ", and --tag's form is not read" if whole.startswith(b"SHA256 (") else ""
            raise BrokenManifestError(f"line {number} is not `DIGEST  NAME`{tagged}")
        name = _name(match["name"], escaped=match["escaped"] is not None, number=number)
        if name in found:
            raise BrokenManifestError(f"line {number} names a file for the second time")
        if name == itself:
            raise BrokenManifestError(f"line {number} names the manifest itself")
        if len(found) == MOST_FILES:
            raise BrokenManifestError(f"more than {MOST_FILES} files")
        found[name] = match["digest"].decode().lower()
    if not found:
        raise BrokenManifestError("it names no file")
    return found


def _name(written: bytes, *, escaped: bool, number: int) -> str:
    def meant(match: re.Match[bytes]) -> bytes:
        if match[1] not in _MEANS:
            raise BrokenManifestError(f"line {number} escapes what needs no escape")
        return _MEANS[match[1]]

    name = _ESCAPE.sub(meant, written) if escaped else written
    if b"\0" in name or name.startswith(b"/"):
        raise BrokenManifestError(f"line {number} names no file of this folder")
    parts = [part for part in name.split(b"/") if part not in {b"", b"."}]
    if not parts or b".." in parts:
        raise BrokenManifestError(f"line {number} names no file of this folder")
    return os.fsdecode(b"/".join(parts))
