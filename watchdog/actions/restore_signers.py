"""Who signed a request, as far as we can tell: to show it, and to ask the gates in time.

What counts is what the privileged helper finds by itself; this looks the same way, at the same
file of root's, so that a restore is not started before enough people have signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from watchdog.wire.environment import default_environment
from watchdog.wire.process import Exited, run

NAMESPACE = "slo-watchdog-restore"
_SECONDS = 10.0
_MOST_BYTES = 65536
_MOST_SIGNATURES = 32
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}", re.ASCII)
_FRAME = re.compile(r"-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SSH SIGNATURE-----")


@dataclass(frozen=True, slots=True)
class Signed:
    """One verified signature. `key` as in an authorized_keys file, without its comment."""

    person: str
    key: str
    proof: str  # SHA-256 of the signature


def handed_in(folder: Path) -> dict[str, tuple[Path, float]]:
    """The signatures of a request's folder by their digest, and when each was handed in."""
    found: dict[str, tuple[Path, float]] = {}
    for file in sorted(folder.glob("approvals/*.sig"))[:_MOST_SIGNATURES]:
        try:
            with file.open("rb") as opened:
                digest = hashlib.sha256(opened.read(_MOST_BYTES)).hexdigest()
                found[digest] = (file, os.fstat(opened.fileno()).st_mtime)
        except OSError:
            continue
    return found


async def signed_by(folder: Path, proof: str, file: Path, signers: Path) -> Signed | str:
    """Whose signature over the request in `folder` it is, or why it is nobody's."""
    given = ("-f", str(signers), "-n", NAMESPACE, "-s", str(file))
    found = await _keygen(folder, "find-principals", *given)
    names = found.split() if found is not None else []
    if len(names) != 1 or not _PERSON.fullmatch(names[0]):
        return f"{file.name}: its key is that of no one person among the allowed signers"
    if await _keygen(folder, "verify", *given, "-I", names[0]) is None:
        return f"{file.name}: it is no signature of {names[0]} over this request"
    key = _key_of(file)
    return Signed(names[0], key, proof) if key else f"{file.name}: it names no key"


async def _keygen(folder: Path, what: str, *arguments: str) -> str | None:
    """What it prints, where it agrees."""
    with (folder / "request.json").open("rb") as text:
        ended = await run(
            ("ssh-keygen", "-Y", what, *arguments),
            cwd="/",
            env=default_environment(),
            deadline_seconds=_SECONDS,
            max_bytes=_MOST_BYTES,
            stdin=text.fileno(),
        )
    agreed = isinstance(ended, Exited) and ended.status == 0
    return ended.stdout.text.strip() if agreed and isinstance(ended, Exited) else None


def _key_of(file: Path) -> str:
    """The public key in a signature: after "SSHSIG" and a version, with its length before it."""
    try:
        framed = _FRAME.search(os.fsdecode(file.read_bytes()[:_MOST_BYTES]))
        blob = base64.b64decode(framed[1]) if framed else b""
    except (OSError, binascii.Error):
        return ""
    length = int.from_bytes(blob[10:14], "big")
    key = blob[14 : 14 + length]
    kind = key[4 : 4 + int.from_bytes(key[:4], "big")]
    if blob[:6] != b"SSHSIG" or not kind or len(key) != length:
        return ""
    return f"{kind.decode('ascii', 'replace')} {base64.b64encode(key).decode()}"
