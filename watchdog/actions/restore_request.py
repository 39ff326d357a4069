"""What passes between the daemon and the privileged helper: requests one way, words the other.

A request is a file in our folder, and its text is what people sign. The helper has one form for
it and refuses every other, so this writes that form; a test holds the two together.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchdog.core.trees import Facts, RestoreSystem

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MOST_BYTES = 1 << 20
_FINAL = frozenset({"done", "unverified", "undone", "backed out"})


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what, and of how many; `expires_at` in seconds since the epoch."""

    host: str
    decision: str
    requester: str
    approvals: int
    expires_at: int
    undo_of: str = ""  # the id of the restore that is to be undone


@dataclass(frozen=True, slots=True)
class Said:
    """The helper's last word on one request. `final`: it says no other unless root asks."""

    outcome: str
    reason: str
    at: float
    saved: str
    told: str  # for people, bounded
    final: bool


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def id_for(*parts: str) -> str:
    """The same for the same question, so that asking again after a restart asks nothing new."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def write_request(
    requests: Path, name: str, how: RestoreSystem, digest: str, archive: str, asking: Asking
) -> str:
    """Leave a request where the helper looks; its text. One that lies there already stays."""
    folder = requests / name
    (folder / "approvals").mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "request.json"
    if file.exists():
        return file.read_text(encoding="ascii")
    text = request_text(name, how, digest, archive, asking, secrets.token_hex(16))
    beside = folder / ".request.new"
    with beside.open("w", encoding="ascii") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    beside.rename(file)
    return text


def request_text(
    name: str, how: RestoreSystem, digest: str, archive: str, asking: Asking, nonce: str
) -> str:
    """What is signed."""
    told = {
        "version": 1,
        "id": name,
        "act": "undo" if asking.undo_of else "restore",
        "of": asking.undo_of,
        "archive": archive,
        "sha256": digest,
        "root": how.root,
        "services": list(how.services),
        "verify": [list(argv) for argv in how.verify],
        "verify_in": how.verify_in,
        "host": asking.host,
        "decision": asking.decision,
        "requester": asking.requester,
        "approvals": asking.approvals,
        "expires_at": asking.expires_at,
        "nonce": nonce,
    }
    return json.dumps(told, indent=2, sort_keys=True) + "\n"


def find_request(requests: Path, how: RestoreSystem, facts: Facts, now: float) -> str:
    """The newest request for exactly this that has not expired; "" where there is none."""
    known = dict(facts)
    wanted = {
        "act": "undo" if how.undo else "restore",
        "root": how.root,
        "services": list(how.services),
        "verify": [list(argv) for argv in how.verify],
        "verify_in": how.verify_in,
    }
    if how.undo:
        wanted |= {"of": known.get("request", "")}
    else:
        wanted |= {"sha256": known.get("digest", ""), "archive": known.get("archive", "")}
    found: list[tuple[float, str]] = []
    for file in requests.glob("*/request.json"):
        told = _read(file)
        if told is None or any(told.get(key) != value for key, value in wanted.items()):
            continue
        if now < told.get("expires_at", 0) and told.get("id") == file.parent.name:
            found.append((file.stat().st_mtime, file.parent.name))
    return max(found, default=(0.0, ""))[1]


def outcome_of(state: Path, name: str) -> Said | None:
    """The newest that the helper says of it; None while it has said nothing."""
    files = (state / name / "result.json", state / "refused" / f"{name}.json")
    words = [told for file in files if (told := _read(file)) is not None]
    newest = max(words, key=lambda told: float(told.get("at", 0.0)), default=None)
    if newest is None:
        return None
    outcome = str(newest.get("outcome", ""))
    seconds = newest.get("seconds") or {}
    steps = ", ".join(f"{step} {took} s" for step, took in seconds.items())
    people = ", ".join(str(one) for one in newest.get("people", ()))
    return Said(
        outcome,
        str(newest.get("reason", "")),
        float(newest.get("at", 0.0)),
        str(newest.get("saved", "")),
        f"approved by {people}; {steps}"[:2000] if people else "",
        outcome in _FINAL,
    )


def is_begun(state: Path, name: str) -> bool | None:
    """Whether the helper has taken it up; None where that cannot be seen."""
    try:
        (state / name).stat()
    except FileNotFoundError:
        return False if state.is_dir() else None
    except OSError:
        return None
    return True


def progress_of(state: Path, name: str) -> str:
    """How far the helper is, in words; "" where it has not said."""
    told = _read(state / name / "progress.json")
    if told is None:
        return ""
    of = f", {told['done']} of {told['total']}" if told.get("total") else ""
    return f"{told.get('step', '')}{of}"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        with file.open("rb") as opened:
            told = json.loads(opened.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
