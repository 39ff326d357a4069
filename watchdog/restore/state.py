"""The durable marks of a restore: which steps are done, what is running, which nonces are spent.

All in root's folder. The daemon's group may read how far it is and how it ended, and nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from watchdog.restore.anchor import readers_of
from watchdog.restore.durable import make_folder, sync_folder, write_json
from watchdog.restore.places import Places
from watchdog.restore.plan import is_id
from watchdog.restore.refused import Refused, shown

FINAL = frozenset({"done", "undone", "backed out"})
_MOST_REFUSALS = 100


@dataclass(slots=True)
class State:
    """One restore. `course` is the way that it goes, `done` which of its steps are behind it."""

    id: str
    text: str  # the plan that was approved
    people: list[str]
    accepted_at: float
    course: str = "restore"  # then "undo" or "back out"
    done: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)  # that ran before; started again, and only they
    saved: str = ""  # digest of what was saved
    troubles: list[str] = field(default_factory=list)
    reason: str = ""  # why it left its course
    ended: str = ""  # one of FINAL
    seconds: dict[str, float] = field(default_factory=dict)  # of each step
    verified: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """Reads and writes the marks of one restore."""

    places: Places
    id: str

    def prepare(self) -> None:
        gid = readers_of(self.places)
        make_folder(self.places.state, mode=0o750, gid=gid)
        make_folder(self.places.of(self.id), mode=0o750, gid=gid)

    def load(self) -> State | None:
        file = self.places.of(self.id) / "state.json"
        if not file.exists():
            return None
        return State(**json.loads(file.read_bytes()))

    def keep(self, state: State) -> None:
        write_json(self.places.of(self.id) / "state.json", asdict(state))

    def wanted(self) -> str:
        """What root asked for at a terminal: "undo" or "resume"; empty where nothing."""
        file = self.places.of(self.id) / "wanted"
        return file.read_text() if file.exists() else ""

    def heard(self) -> None:
        (self.places.of(self.id) / "wanted").unlink(missing_ok=True)

    def progress(self, step: str, done: int, total: int, at: float) -> None:
        """How far it is; may be lost."""
        folder = self.places.of(self.id)
        beside = folder / ".progress.new"
        told = {"step": step, "done": done, "total": total, "at": at}
        beside.write_text(json.dumps(told))
        os.chown(beside, 0, readers_of(self.places))
        beside.chmod(0o640)
        beside.rename(folder / "progress.json")

    def result(self, document: dict[str, Any]) -> None:
        gid = readers_of(self.places)
        write_json(self.places.of(self.id) / "result.json", document, mode=0o640, gid=gid)


def refuse(places: Places, name: str, document: dict[str, Any]) -> None:
    """Say that a request was refused. That is no mark: it may be asked again."""
    gid = readers_of(places)
    folder = places.state / "refused"
    make_folder(places.state, mode=0o750, gid=gid)
    make_folder(folder, mode=0o750, gid=gid)
    old = sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for one in old[:-_MOST_REFUSALS]:
        one.unlink(missing_ok=True)
    write_json(folder / f"{name}.json", document, mode=0o640, gid=gid)


def ask(places: Places, name: str, what: str) -> None:
    """Root's own word, for the next start of that restore: "undo" or "resume"."""
    folder = places.of(name)
    if not (folder / "state.json").exists():
        raise Refused(f"no restore {shown(name)} was ever begun here")
    file = folder / "wanted"
    file.write_text(what)
    sync_folder(folder)


def unfinished(places: Places, besides: str) -> str:
    """The id of another restore that is neither done nor undone; empty where there is none."""
    for folder in sorted(places.state.iterdir()) if places.state.exists() else ():
        if is_id(folder.name) and folder.name != besides:
            state = Desk(places, folder.name).load()
            if state is not None and not state.ended:
                return folder.name
    return ""


def spend(places: Places, nonce: str, name: str, digest: str) -> None:
    """Spend a nonce, durably, before anything is stopped. Raises Refused where it was spent.

    The same request may spend it again while it left no other mark: it died right here.
    """
    folder = places.state / "nonces"
    make_folder(folder)
    told = f"{name} {digest}\n"
    try:
        fd = os.open(folder / nonce, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if (folder / nonce).read_text() not in {told, ""}:
            raise Refused("its nonce is spent: it was used before") from None
        fd = os.open(folder / nonce, os.O_WRONLY | os.O_CLOEXEC)
    with os.fdopen(fd, "w") as file:
        file.write(told)
        file.flush()
        os.fsync(fd)
    sync_folder(folder)


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """One helper at a time on this host. Raises Refused."""
    fd = os.open(places.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused("another restore is at work on this host") from None
        yield
    finally:
        os.close(fd)
