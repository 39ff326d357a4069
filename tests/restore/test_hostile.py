"""Archives that nobody should unpack: refused when they are recorded, and again by the helper, with
the member named, before anything is stopped or written.
"""

import gzip
import hashlib
import io
import os
import re
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.restore.site import MOST_BYTES, Site
from watchdog.restore.anchor import record
from watchdog.restore.manifest import Head, write_anchor
from watchdog.restore.refused import Refused

Parts = list[tuple[tarfile.TarInfo, bytes]]


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **more: Any) -> Parts:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, len(content), 1_700_000_000
    for key, value in more.items():
        setattr(info, key, value)
    return [(info, content)]


def packed(*groups: Parts, end: bytes = bytes(1024), form: Literal[0, 2] = 2) -> bytes:
    out = io.BytesIO()
    for info, content in (one for group in groups for one in group):
        out.write(info.tobuf(form, "utf-8", "surrogateescape"))
        out.write(content + bytes(-len(content) % 512))
    return out.getvalue() + end


GOOD = member("srv/first", content=b"first")
LINK = member("srv/app", tarfile.SYMTYPE, linkname="elsewhere")
LATER = member("srv/later", content=b"later")


HOSTILE = {
    "an absolute name": (member("/etc/passwd"), "'/etc/passwd': an absolute"),
    "a name that climbs": (member("srv/../../etc/passwd"), "its name climbs out of the root"),
    "a name of dots": (member(".."), "'..': its name climbs"),
    "a link out": (
        member("srv/x", tarfile.SYMTYPE, linkname="../../etc"),
        "'srv/x': a link out of",
    ),
    "a link out that is absolute": (
        member("srv/x", tarfile.SYMTYPE, linkname="/etc"),
        "'srv/x': a link out of the root, to /etc",
    ),
    "a member below a link": (
        LINK + member("srv/app/x"),
        "srv/app, in which it lies, is no folder",
    ),
    "a link above a member": (member("srv/app/x") + LINK, "'srv/app': it is no folder, and other"),
    "a second name of what is outside": (
        member("srv/x", tarfile.LNKTYPE, linkname="/etc/shadow"),
        "'srv/x': second name of '/etc/shadow', which is no earlier file",
    ),
    "a second name of what comes later": (
        member("srv/x", tarfile.LNKTYPE, linkname="srv/later") + LATER,
        "'srv/x': second name of 'srv/later'",
    ),
    "a second name of a link": (
        LINK + member("srv/x", tarfile.LNKTYPE, linkname="srv/app"),
        "'srv/x': second name of 'srv/app'",
    ),
    "a device": (member("dev/sda", tarfile.BLKTYPE, devmajor=8), "'dev/sda': it is a block device"),
    "a terminal": (member("dev/tty", tarfile.CHRTYPE), "'dev/tty': it is a character device"),
    "a pipe": (member("srv/pipe", tarfile.FIFOTYPE), "'srv/pipe': it is a pipe"),
    "a name twice": (GOOD, "'srv/first': it is there twice"),
    "a name twice in other words": (member("./srv//first"), "'srv/first': it is there twice"),
    "the watchdog's journal": (member("var/lib/slo-watchdog/journal.db"), "the watchdog's own"),
    "a guarded attribute": (
        member("srv/x", pax_headers={"SCHILY.xattr.trusted.overlay.opaque": "y"}),
        "'srv/x': the extended attribute trusted.overlay.opaque cannot be put back",
    ),
    "a sparse file, as pax tells it": (
        member("srv/x", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": "9" * 18}),
        "at srv/first: GNU.sparse.major in an extended header is not known",
    ),
    "a size that is none": (member("srv/x", pax_headers={"size": "-5"}), "at srv/x: size is no"),
    "a name with a zero byte": (member("srv/x", pax_headers={"path": "srv/x\0y"}), "a zero byte"),
    "a long part": (member("srv/" + "x" * 256), "a part of its name is too long"),
    "a folder with data": (member("srv/x", tarfile.DIRTYPE, content=b"data"), "announces data"),
    "a volume label": (member("srv/x", b"V"), "it is a volume label"),
    "an unheard-of kind": (member("srv/x", b"Z"), "of a kind that is not known"),
}


def hostile_sparse() -> bytes:
    """GNU's old sparse header: a member of 8 GiB minus one in no data at all."""
    block = bytearray(member("srv/huge")[0][0].tobuf(tarfile.GNU_FORMAT))
    block[156:157] = b"S"
    block[483:495] = b"77777777777\0"
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return packed(GOOD)[:-1024] + bytes(block) + bytes(1024)


WHOLE = packed(GOOD, LATER)
BROKEN: dict[str, tuple[bytes, str]] = {
    "cut after a member": (WHOLE[:1024], "at srv/first: it is truncated"),
    "cut in a member's data": (WHOLE[:700], "at srv/first: it is truncated"),
    "cut in a header": (WHOLE[:1200], "at srv/first: it is truncated"),
    "cut in its end": (WHOLE[:-512], "at srv/later: it is truncated"),
    "a lone block of zeros": (WHOLE[:1024] + bytes(512) + WHOLE[1024:], "a lone block of zeros"),
    "a second archive behind the first": (WHOLE + packed(LATER), "something stands behind its end"),
    "a damaged header": (WHOLE[:1024] + b"x" + WHOLE[1025:], "checksum is wrong"),
    "huge and sparse": (hostile_sparse(), "member 'srv/huge': it is a sparse file"),
    "no archive": (b"#!/bin/sh\n" * 200, "at its beginning: "),
    "nothing": (b"", "it is truncated"),
    "a form of 1979": (
        packed(GOOD, form=0).replace(b"ustar\x0000", bytes(8)),
        "at its beginning: a header's checksum is wrong",
    ),
    "gzip cut short": (gzip.compress(WHOLE)[:-20], "gzip is"),
    "two gzips": (gzip.compress(WHOLE) + gzip.compress(bytes(10)), "stands behind its gzip"),
    "a long header of nothing": (
        packed(member("srv/x", pax_headers={"comment": "x" * (2 << 20)})),
        "an extended header of",
    ),
}


def bomb() -> bytes:
    """260 MiB of zeros in a megabyte."""
    info = member("srv/bomb")[0][0]
    info.size = 260 << 20
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as zipped:
        zipped.write(info.tobuf(tarfile.PAX_FORMAT))
        for _ in range(260):
            zipped.write(bytes(1 << 20))
        zipped.write(bytes(1024))
    return out.getvalue()


def refusals(site: Site, content: bytes) -> tuple[str, str]:
    """What recording says of it, and what the helper says where it was recorded all the same."""
    name = "system-backup-1.tar.gz" if content[:2] == b"\x1f\x8b" else "system-backup-1.tar"
    archive = site.backups / name
    archive.write_bytes(content)
    before = site.look()
    with pytest.raises(Refused) as recorded:
        site.record(archive)
    assert not site.places.anchors.exists()
    sha256 = hashlib.sha256(content).hexdigest()
    head = Head(str(archive), sha256, len(content), 0, 0, 0.0, 0.0, 0, "")
    site.places.state.mkdir(exist_ok=True)
    write_anchor(site.places.anchors, head, [], gid=0)
    plan = site.approved(archive)
    told = site.start(plan)
    assert told["outcome"] == "refused"
    assert site.look() == before
    assert not list((site.places.state / "nonces").glob("*"))  # asked again, it may be approved
    return str(recorded.value), str(told["reason"])


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_member_is_refused_by_name(site: Site, what: str) -> None:
    parts, reason = HOSTILE[what]
    recorded, started = refusals(site, packed(GOOD, parts))
    assert reason in recorded
    assert started == recorded


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_archive_is_refused_with_the_place(site: Site, what: str) -> None:
    content, reason = BROKEN[what]
    recorded, started = refusals(site, content)
    assert reason in recorded
    assert started == recorded


def test_a_bomb_is_refused_long_before_it_is_unpacked(site: Site) -> None:
    recorded, started = refusals(site, bomb())
    assert recorded == (
        "archive, at srv/bomb: it unpacks to more than 100 times its size, as a bomb does"
    )
    assert started == recorded


def test_what_unpacks_to_more_than_root_allows_is_refused(site: Site) -> None:
    archive = site.backups / "system-backup-1.tar"
    archive.write_bytes(packed(member("srv/x", content=b"x" * (3 << 20))))
    with pytest.raises(Refused, match="at srv/x: it unpacks to more than 2097152 bytes"):
        from_record(site, archive, most_bytes=2 << 20)


def from_record(site: Site, archive: Path, *, most_bytes: int = MOST_BYTES, **more: Any) -> Head:
    now = site.now()
    return record(archive, site.places, root=str(site.root), now=now, most_bytes=most_bytes, **more)


def test_rights_are_counted_and_refused_where_none_are_wanted(site: Site) -> None:
    archive = site.backups / "system-backup-1.tar"
    capable = {"SCHILY.xattr.security.capability": "\1\0\0\2\0\4\0\0\0\0\0\0"}
    archive.write_bytes(
        packed(GOOD, member("srv/su", mode=0o4755), member("srv/ping", pax_headers=capable))
    )
    assert from_record(site, archive).privileged == 2
    with pytest.raises(Refused, match="member 'srv/su': it gives rights to who runs it"):
        from_record(site, archive, privileged=False)


def test_rights_that_the_manifest_does_not_know_are_refused(site: Site) -> None:
    """As if somebody had exchanged what was recorded, digest and all."""
    archive = site.backups / "system-backup-1.tar"
    archive.write_bytes(packed(GOOD, member("srv/su", mode=0o755)))
    head = from_record(site, archive)
    folder = site.places.anchors
    archive.write_bytes(packed(GOOD, member("srv/su", mode=0o4755)))
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    told = (folder / f"{head.sha256}.json").read_text().replace(head.sha256, sha256)
    (folder / f"{sha256}.json").write_text(told)
    (folder / f"{head.sha256}.manifest").rename(folder / f"{sha256}.manifest")
    told = site.start(site.approved(archive))["reason"]
    assert told == f"member 'srv/su': mode is {0o4755}, not {0o755}"


def a_pipe(root: Path) -> None:
    (root / "srv").mkdir()
    os.mkfifo(root / "srv/first")


def an_old_folder(root: Path) -> None:
    (root / "srv").mkdir()
    os.utime(root / "srv", (-5, -5))


LIVE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder that became a link": (
        lambda root: (root / "srv").symlink_to("etc"),
        "member 'srv': a folder in the archive, and a link in the live tree",
    ),
    "a folder that became a file": (
        lambda root: (root / "srv").write_text(""),
        "member 'srv': a folder in the archive, and no folder in the live tree",
    ),
    "a file that became a folder": (
        lambda root: (root / "srv/first").mkdir(parents=True),
        "member 'srv/first': a folder in the live tree, and none in the archive",
    ),
    "a file that became a pipe": (
        a_pipe,
        "member 'srv/first': in the live tree it is a device, a pipe or a socket",
    ),
    "a time before all times": (
        an_old_folder,
        "member 'srv': in the live tree its time is before 1970",
    ),
}


@pytest.mark.parametrize("what", LIVE)
def test_a_live_tree_that_could_not_be_taken_back_is_refused(site: Site, what: str) -> None:
    damage, reason = LIVE[what]
    archive = site.backups / "system-backup-1.tar"
    archive.write_bytes(packed(GOOD))
    site.record(archive)
    (site.root / "srv").rename(site.root / "away")
    damage(site.root)
    before = site.look()
    assert site.start(site.approved(archive))["reason"] == reason
    assert site.look() == before


def test_no_room_is_said_before_anything_is_stopped(site: Site) -> None:
    """A disk of four megabytes, and six to unpack."""
    disk = site.places.state
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    try:
        archive = site.backups / "system-backup-1.tar"
        (site.root / "srv/app/bin/tool").write_bytes(bytes(6_000_000))
        archive = site.back_up("system-backup-1.tar")
        site.record(archive)
        before = site.look()
        told = site.start(site.approved(archive))
        assert told["outcome"] == "refused"
        assert re.match(
            rf"{disk}: 6\d{{6}} bytes are needed there, and 4\d{{6}} are", told["reason"]
        )
        assert site.look() == before
    finally:
        subprocess.run(["umount", disk], check=True)
