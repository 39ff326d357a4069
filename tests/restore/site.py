"""A host to restore, in a scratch folder: a live root, root's files, people with keys, backups.

Everything in it is real: GNU tar makes the archives, ssh-keygen the signatures, and the helper
works as root. No service is in it; those are met in the container.
"""

import hashlib
import json
import os
import secrets
import shutil
import stat
import struct
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchdog.restore.anchor import record
from watchdog.restore.manifest import Head
from watchdog.restore.places import Places
from watchdog.restore.plan import NAMESPACE, Plan
from watchdog.restore.run import Helper

MOST_BYTES = 1 << 30
HOST = "mainnet-1"

RULES = """\
approvals = 2
roots = ["{root}"]
archives = ["{backups}/system-backup-*.tar*"]
services = ["mycelia-*"]
verify_user = "nobody"
host = "mainnet-1"
"""


def key(folder: Path, person: str) -> Path:
    """A new key of a person; the public part beside it."""
    file = folder / person
    made = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(file))
    subprocess.run(made, check=True, timeout=20, stdin=subprocess.DEVNULL)
    return file


def signature(by: Path, text: str, namespace: str = NAMESPACE) -> bytes:
    """What a person sends: their key's signature over a text."""
    argv = ("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(by))
    made = subprocess.run(argv, input=text.encode(), capture_output=True, check=True, timeout=20)
    return made.stdout


def look_of(root: Path) -> Mapping[str, tuple[Any, ...]]:
    """Everything below a folder, and itself: what a manifest tells of it."""
    found: dict[str, tuple[Any, ...]] = {}
    for here in (root, *root.rglob("*")):
        seen = here.lstat()
        content: Any = ""
        if stat.S_ISREG(seen.st_mode):
            content = hashlib.sha256(here.read_bytes()).hexdigest()
        elif stat.S_ISLNK(seen.st_mode):
            content = str(here.readlink())
        xattrs: tuple[tuple[str, bytes], ...] = ()
        if not stat.S_ISLNK(seen.st_mode):
            xattrs = tuple((name, os.getxattr(here, name)) for name in sorted(os.listxattr(here)))
        told = (oct(seen.st_mode), seen.st_uid, seen.st_gid, seen.st_mtime_ns, content, xattrs)
        found[str(here.relative_to(root))] = told
    return found


@dataclass
class Site:
    folder: Path
    places: Places
    keys: dict[str, Path]
    wall: float = 0.0  # added to the clock

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def now(self) -> float:
        return time.time() + self.wall

    def look(self) -> Mapping[str, tuple[Any, ...]]:
        return look_of(self.root)

    def back_up(self, name: str = "system-backup-20261122.tar.gz", *options: str) -> Path:
        """What a backup job does: GNU tar over the live root, with all that it can keep."""
        archive = self.backups / name
        flags = ("--xattrs", "--xattrs-include=*", "--acls", "--format=posix", *options)
        pack = ("-czf" if name.endswith(".gz") else "-cf", str(archive))
        run = ("tar", *flags, *pack, "-C", str(self.root), ".")
        subprocess.run(run, check=True, timeout=60)
        return archive

    def record(self, archive: Path) -> Head:
        now = self.now()
        return record(archive, self.places, root=str(self.root), now=now, most_bytes=MOST_BYTES)

    def plan(self, archive: Path, **changes: Any) -> Plan:
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        told: dict[str, Any] = {
            "version": 1,
            "id": secrets.token_hex(16),
            "act": "restore",
            "of": "",
            "archive": str(archive),
            "sha256": sha256,
            "root": str(self.root),
            "services": (),
            "verify": (),
            "verify_in": "/",
            "host": HOST,
            "decision": "D-17",
            "requester": "margaret",
            "approvals": 2,
            "expires_at": int(self.now()) + 3600,
            "nonce": secrets.token_hex(16),
        }
        return Plan(**{**told, **changes})

    def ask(self, plan: Plan) -> Path:
        """The daemon's part: the request lies where the helper looks for it."""
        folder = self.places.requests / plan.id
        (folder / "approvals").mkdir(parents=True)
        (folder / "request.json").write_text(plan.text)
        return folder

    def sign(self, plan: Plan, *people: str, text: str = "", namespace: str = NAMESPACE) -> None:
        for person in people:
            made = signature(self.keys[person], text or plan.text, namespace)
            file = self.places.requests / plan.id / "approvals" / f"{person}.sig"
            file.write_bytes(made)

    def start(self, plan: Plan) -> dict[str, Any]:
        """What the unit does, and what it says came of it."""
        Helper(self.places, self.now).run(plan.id)
        return self.result(plan)

    def result(self, plan: Plan) -> dict[str, Any]:
        refused = self.places.state / "refused" / f"{plan.id}.json"
        ended = self.places.of(plan.id) / "result.json"
        told: dict[str, Any] = json.loads((ended if ended.exists() else refused).read_text())
        return told

    def approved(self, archive: Path, **changes: Any) -> Plan:
        plan = self.plan(archive, **changes)
        self.ask(plan)
        self.sign(plan, "ada", "grace")
        return plan


def places_of(folder: Path) -> Places:
    etc, state = folder / "etc", folder / "state"
    daemons = folder / "daemon"
    own = (str(etc), str(state), str(daemons), str(folder / "root/var/lib/slo-watchdog"))
    return Places(etc, daemons / "restore", state, own)


def build(folder: Path) -> Site:
    places = places_of(folder)
    for made in (places.etc, places.requests, folder / "root", folder / "backups", folder / "keys"):
        made.mkdir(parents=True)
    keys = {name: key(folder / "keys", name) for name in ("ada", "grace", "margaret", "mallory")}
    known = [
        f"{name} {file.with_suffix('.pub').read_text().strip()}"
        for name, file in keys.items()
        if name != "mallory"
    ]
    places.signers.write_text("\n".join(known) + "\n")
    text = RULES.format(root=folder / "root", backups=folder / "backups")
    places.rules.write_text(text)
    site = Site(folder, places, keys)
    live(site.root)
    return site


def acl(owner: int, somebody: int, others: int) -> bytes:
    """An access control list as the kernel has it: with a user of its own beside the owner."""
    nobody = 0xFFFFFFFF
    entries = (
        (1, owner, nobody),
        (2, somebody, 33),
        (4, 4, nobody),
        (16, 5, nobody),
        (32, others, nobody),
    )
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)


def live(root: Path) -> None:
    """A small system: programs, settings, data, with all kinds of owners, modes and attributes."""
    (root / "srv/app/bin").mkdir(parents=True)
    (root / "srv/app/data").mkdir()
    (root / "etc").mkdir()
    (root / "srv/app/bin/tool").write_text("#!/bin/sh\necho good\n")
    (root / "srv/app/bin/tool").chmod(0o4755)
    (root / "srv/app/data/ledger").write_bytes(b"sats" * 5000)
    os.chown(root / "srv/app/data/ledger", 33, 34)
    os.link(root / "srv/app/data/ledger", root / "srv/app/data/ledger-again")
    os.setxattr(root / "srv/app/data/ledger", "user.checked", b"\x00\xffyes")
    os.setxattr(root / "srv/app/data", "user.kind", b"data")
    os.chown(root / "srv/app/data", 33, 33)
    os.setxattr(root / "srv/app/data/ledger", "system.posix_acl_access", acl(6, 4, 4))
    os.setxattr(root / "srv/app/data", "system.posix_acl_default", acl(7, 5, 0))
    (root / "srv/app/current").symlink_to("bin/tool")
    (root / "etc/app.conf").write_text("mode = good\n")
    (root / "etc/app.conf").chmod(0o640)
    (root / "srv/app/naïve name\twith all").write_text("odd")
    os.utime(root / "etc/app.conf", ns=(0, 1_700_000_000_123_456_789))
    os.utime(root / "srv/app/current", ns=(0, 1_600_000_000_000_000_001), follow_symlinks=False)


def corrupt(root: Path) -> None:
    """What went wrong after the backup; some of it lies where the backup has nothing."""
    (root / "srv/app/bin/tool").write_text("#!/bin/sh\necho bad\n")
    (root / "srv/app/bin/tool").chmod(0o755)
    (root / "srv/app/data/ledger").unlink()
    (root / "srv/app/data/ledger").write_bytes(b"lost" * 7)
    os.chown(root / "srv/app/data", 1, 1)
    os.removexattr(root / "srv/app/data", "user.kind")
    os.removexattr(root / "srv/app/data", "system.posix_acl_default")
    os.setxattr(root / "srv/app/data", "user.other", b"x")
    (root / "srv/app/current").unlink()
    (root / "srv/app/current").symlink_to("bin/other")
    shutil.rmtree(root / "etc")
    (root / "srv/app/data/since").write_text("written since the backup")


Change = Callable[[Path], None]
