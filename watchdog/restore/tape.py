"""A tar archive's bytes, plain or gzip, read so strictly that two readers cannot disagree.

Every block must be one of: a header with a right checksum of the ustar or GNU form, the data that
it announces, and at the end two blocks of zeros with nothing but zeros behind. GNU tar takes an
archive that ends after any member for a whole one; here it is truncated. Of what tar can express
only plain files, folders, symbolic links and second names are known: devices, pipes, sparse files
and global headers are refused by name.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import zlib
from collections.abc import Callable, Iterator
from typing import NoReturn

from watchdog.restore.members import FILE, FOLDER, LINK, SAME, Member
from watchdog.restore.refused import Refused, shown

BLOCK = 512
_CHUNK = 1 << 20
_MOST_HEADER = 1 << 20  # bytes of one member's extended header
_MOST_MEMBERS = 5_000_000
_BOMB_FROM = 256 << 20  # a small archive may well unpack to much more than it has
_BOMB_TIMES = 100
_KINDS = {b"0": FILE, b"\0": FILE, b"1": SAME, b"2": LINK, b"5": FOLDER}
_REFUSED = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a pipe",
    b"7": "a contiguous file",
    b"S": "a sparse file (write the archive without --sparse)",
    b"g": "a global header",
    b"D": "a folder of an incremental backup",
    b"M": "the rest of a file from another volume",
    b"V": "a volume label",
}
_PLAIN_KEYS = frozenset({"path", "linkpath", "size", "mtime", "uid", "gid"})
_IGNORED_KEYS = frozenset({"atime", "ctime", "uname", "gname", "comment", "hdrcharset"})
_XATTR = "SCHILY.xattr."
_ACLS = ("SCHILY.acl.access", "SCHILY.acl.default")
_RAW_ACLS = (f"{_XATTR}system.posix_acl_access", f"{_XATTR}system.posix_acl_default")
"""The same once more, as tar writes with --xattrs and does not read with --acls."""
_SELINUX = "RHT.security.selinux"


class Flow:
    """The bytes of an open archive, unpacked where they are gzip; counts and digests both."""

    def __init__(self, fd: int, most_bytes: int, look: Callable[[int], None]) -> None:
        self._fd = fd
        self._look = look
        self._most = most_bytes
        self._raw_digest = hashlib.sha256()
        self._raw = 0
        self._out = 0
        self._held = bytearray()
        self._ended = False
        self.name = "its beginning"  # the member under way, for the sentence that refuses
        self.zipped = os.pread(fd, 2, 0) == b"\x1f\x8b"
        self._unzip = zlib.decompressobj(wbits=31) if self.zipped else None

    def refuse(self, why: str) -> NoReturn:
        raise Refused(f"archive, at {shown(self.name)}: {why}")

    def read(self, count: int) -> bytes:
        """Exactly so many bytes; refuses where there are fewer."""
        while len(self._held) < count and not self._ended:
            self._more()
        if len(self._held) < count:
            self.refuse("it is truncated")
        found = bytes(self._held[:count])
        del self._held[:count]
        return found

    def finish(self) -> str:
        """Read on to the end, where only zeros may be; the digest of the archive as a file."""
        self.name = "its end"
        while True:
            if self._held.strip(b"\0"):
                self.refuse("something stands behind its end")
            self._held.clear()
            if self._ended:
                return self._raw_digest.hexdigest()
            self._more()

    def _more(self) -> None:
        waiting = self._unzip.unconsumed_tail if self._unzip else b""
        chunk = waiting or os.pread(self._fd, _CHUNK, self._raw)
        if not waiting:
            self._raw_digest.update(chunk)
            self._raw += len(chunk)
            self._look(self._raw)
        if self._unzip is None:
            self._take(chunk)
            self._ended = not chunk
            return
        try:
            self._take(self._unzip.decompress(chunk, _CHUNK))
        except zlib.error as error:
            self.refuse(f"its gzip is damaged ({error})")
        if self._unzip.eof:
            if self._unzip.unused_data or os.pread(self._fd, 1, self._raw):
                self.refuse("something stands behind its gzip")
            self._ended = True
        elif not chunk:
            self.refuse("its gzip is truncated")

    def _take(self, part: bytes) -> None:
        self._held += part
        self._out += len(part)
        if self._out > self._most:
            self.refuse(f"it unpacks to more than {self._most} bytes")
        if self.zipped and self._out > _BOMB_FROM and self._out > _BOMB_TIMES * self._raw:
            self.refuse(f"it unpacks to more than {_BOMB_TIMES} times its size, as a bomb does")


def members_of(flow: Flow, *, digests: bool) -> Iterator[Member]:
    """Every member in order, with its content's digest where wanted. Raises Refused."""
    for _ in range(_MOST_MEMBERS):
        extended: dict[str, bytes] = {}
        while True:
            block = flow.read(BLOCK)
            if not block.strip(b"\0"):
                if flow.read(BLOCK).strip(b"\0"):
                    flow.refuse("a lone block of zeros")
                return
            kind = _checked(flow, block)
            if kind in {b"x", b"L", b"K"}:
                _extend(flow, kind, block, extended)
                continue
            break
        member = _member(flow, kind, block, extended)
        flow.name = member.path
        yield _with_content(flow, member, digests=digests)
    flow.refuse(f"it has more than {_MOST_MEMBERS} members")


def _checked(flow: Flow, block: bytes) -> bytes:
    told = _number(flow, block[148:156])
    if told != sum(block[:148]) + 8 * 32 + sum(block[156:]):
        flow.refuse("a header's checksum is wrong: it is damaged, or truncated in a member")
    if block[257:265] not in {b"ustar\x0000", b"ustar  \0"}:
        flow.refuse("a header of a form that is not known; write it as pax, ustar or gnu")
    return block[156:157]


def _extend(flow: Flow, kind: bytes, block: bytes, extended: dict[str, bytes]) -> None:
    size = _number(flow, block[124:136])
    if size > _MOST_HEADER:
        flow.refuse(f"an extended header of {size} bytes")
    content = flow.read(_padded(size))[:size]
    if kind == b"x":
        found = _records(flow, content)
    else:
        found = {"path" if kind == b"L" else "linkpath": content.removesuffix(b"\0")}
    for key, value in found.items():
        if key in extended:
            flow.refuse(f"{shown(key)} is told twice of one member")
        extended[key] = value


def _records(flow: Flow, content: bytes) -> dict[str, bytes]:
    """The `length key=value` lines of a pax header."""
    found: dict[str, bytes] = {}
    while content:
        length, blank, _ = content.partition(b" ")
        if not blank or not length.isdigit() or not 5 <= int(length) <= len(content):
            flow.refuse("a damaged extended header")
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, equals, value = record.partition(b"=")
        name = key.decode("utf-8", "replace")
        if not equals or not value.endswith(b"\n") or name in found:
            flow.refuse("a damaged extended header")
        known = name in _PLAIN_KEYS | _IGNORED_KEYS or name in _ACLS or name == _SELINUX
        if not known and not name.startswith(_XATTR):
            flow.refuse(f"{shown(name)} in an extended header is not known")
        found[name] = value[:-1]
    return found


def _member(flow: Flow, kind: bytes, block: bytes, extended: dict[str, bytes]) -> Member:
    name = extended.get("path") or _name_of(block)
    flow.name = os.fsdecode(name)
    if kind not in _KINDS:
        what = _REFUSED.get(kind, f"of a kind that is not known ({kind!r})")
        raise Refused(f"member {shown(flow.name)!r}: it is {what}")
    plain = _KINDS[kind]
    if b"\0" in name:
        flow.refuse("its name holds a zero byte")
    target = extended.get("linkpath") or block[157:257].split(b"\0")[0]
    size = _decimal(flow, extended, "size", block[124:136])
    if size and plain != FILE:
        flow.refuse("it announces data, and is no plain file")
    if plain == FILE and name.endswith(b"/"):
        flow.refuse("a file whose name ends as a folder's")
    acl = any(key in extended for key in _ACLS)
    if not acl and any(key in extended for key in _RAW_ACLS):
        flow.refuse("it has an access control list that only --acls keeps: write the archive so")
    xattrs = {
        key.removeprefix(_XATTR): value.hex()
        for key, value in extended.items()
        if key.startswith(_XATTR) and key not in _RAW_ACLS
    }
    link = os.fsdecode(target) if plain in {LINK, SAME} else ""
    return Member(
        _tidy(os.fsdecode(name)),
        plain,
        _number(flow, block[100:108]) & 0o7777,
        _decimal(flow, extended, "uid", block[108:116]),
        _decimal(flow, extended, "gid", block[116:124]),
        size,
        _time(flow, extended.get("mtime"), block[136:148]),
        _tidy(link) if plain == SAME else link,
        tuple(sorted(xattrs.items())),
        acl,
    )


def _with_content(flow: Flow, member: Member, *, digests: bool) -> Member:
    if member.kind != FILE:
        return member
    digest = hashlib.sha256()
    left = member.size
    while left:
        part = flow.read(min(left, _CHUNK))
        left -= len(part)
        if digests:
            digest.update(part)
    flow.read(_padded(member.size) - member.size)
    if not digests:
        return member
    fields = {name: getattr(member, name) for name in Member.__slots__}
    return Member(**{**fields, "sha256": digest.hexdigest()})


def _tidy(name: str) -> str:
    """`./a/b/` and `a/b` are one name; what else is odd about it stays, to be refused."""
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    if name.startswith("/") or ".." in name.split("/"):
        return name
    return posixpath.normpath(name) if name else "."


def _name_of(block: bytes) -> bytes:
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _decimal(flow: Flow, extended: dict[str, bytes], key: str, otherwise: bytes) -> int:
    text = extended.get(key)
    if text is None:
        return _number(flow, otherwise)
    if not text.isdigit() or len(text) > 20:
        flow.refuse(f"{key} is no number")
    return int(text)


def _time(flow: Flow, text: bytes | None, otherwise: bytes) -> int:
    """Nanoseconds since the epoch; what is finer is cut off, as tar does."""
    if text is None:
        return _number(flow, otherwise) * 10**9
    whole, _, part = text.partition(b".")
    if not whole.isdigit() or len(whole) > 12 or not (part or b"0").isdigit():
        flow.refuse("its time is no time after 1970")
    return int(whole) * 10**9 + int(part[:9].ljust(9, b"0") or b"0")


def _number(flow: Flow, text: bytes) -> int:
    """Octal, or GNU's base-256; never negative."""
    if text[0] == 0x80:
        return int.from_bytes(text[1:], "big")
    digits = text.strip(b" \0")
    if any(one not in b"01234567" for one in digits):
        flow.refuse("a number in a header is none")
    return int(digits or b"0", 8)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
