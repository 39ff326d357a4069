"""The steps of a restore, of its undoing, and of backing out. Each is an "ensure".

    restore    staged listed stopped saved | placed started verified cleared      -> done
    undo       staged again, stopped again, put back, started again, cleared      -> undone
    back out                               started again, cleared                 -> backed out

Left of the bar nothing of the tree has changed: what fails there backs out by itself. Right of it,
nothing is decided without a person: it stays where it is, to be resumed or undone.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from watchdog.restore import services
from watchdog.restore.child import run
from watchdog.restore.durable import write_json
from watchdog.restore.gate import Archive, fits, opened, staging_of
from watchdog.restore.manifest import Head, read_anchor, write_anchor
from watchdog.restore.members import Member
from watchdog.restore.placing import differs, dress, place, remove
from watchdog.restore.plan import Plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.rules import Rules
from watchdog.restore.saving import save
from watchdog.restore.staging import compare, fresh, unpack
from watchdog.restore.state import Desk, State
from watchdog.restore.survey import survey
from watchdog.restore.tree import Tree

_VERIFY_SECONDS = 900.0
_MOST_OUTPUT = 2000
_PROGRESS_SECONDS = 0.5


class Steps:
    """Does the steps of one restore; what is done is in its state."""

    def __init__(self, desk: Desk, state: State, plan: Plan, rules: Rules) -> None:
        self._desk = desk
        self._places = desk.places
        self._state = state
        self._plan = plan
        self._rules = rules
        self._folder = desk.places.of(desk.id)
        self._staging = staging_of(plan, desk.places)
        self._said_at = 0.0
        self._held: Archive | None = None
        self._stack = ExitStack()
        self.courses: dict[str, list[tuple[str, Callable[[], None]]]] = {
            "restore": [
                ("staged", self._stage),
                ("listed", self._list),
                ("stopped", self._stop),
                ("saved", self._save),
                ("placed", self._place),
                ("started", self._start),
                ("verified", self._verify),
                ("cleared", self._clear),
            ],
            "undo": [
                ("staged again", self._stage_saved),
                ("stopped again", self._stop),
                ("put back", self._put_back),
                ("started again", self._start),
                ("cleared again", self._clear),
            ],
            "back out": [("started again", self._start), ("cleared again", self._clear)],
        }

    def check(self) -> None:
        """Archive, tree and disks, with the archive held open from here on. Raises Refused."""
        look = self._looker("checking the archive")
        self._held = self._stack.enter_context(opened(self._plan, self._rules, self._places, look))
        fits(self._plan, self._held, self._places, self._staging)

    def close(self) -> None:
        self._stack.close()

    # -- restore ----------------------------------------------------------------------------------

    def _stage(self) -> None:
        if self._held is None:
            self.check()
        archive = self._held
        assert archive is not None  # noqa: S101  # check() sets it or raises
        fresh(self._staging)
        self._unpack(archive.fd, archive.members, zipped=archive.zipped)
        compare(self._staging, archive.members)
        os.sync()  # what is renamed into place must survive the power, too

    def _list(self) -> None:
        self._state.units = list(services.running(self._plan.services))

    def _stop(self) -> None:
        services.stop(self._state.units, self._plan.services)

    def _save(self) -> None:
        _, members = read_anchor(self._places.anchors, self._plan.sha256)
        own = (*self._places.own, str(self._places.state))
        look = self._looker("saving what will be overwritten")
        with Tree(self._plan.root) as tree:
            found = survey(tree, members, own)
            to = self._folder / "saved.tar"
            digest, saved = save(tree, found.present, to, lambda at: look(at, found.bytes))
        size = sum(member.size for member in saved)
        now = time.time()
        head = Head(str(to), digest, to.stat().st_size, len(saved), size, now, now, 0, "")
        write_anchor(self._folder / "saved", head, saved, gid=0)
        write_json(self._folder / "absent.json", list(found.absent))
        self._state.saved = digest

    def _place(self) -> None:
        self._stop()
        _, members = read_anchor(self._places.anchors, self._plan.sha256)
        look = self._looker("putting the archive into place")
        with Tree(self._plan.root) as tree:
            place(tree, self._staging, members, lambda count: look(count, len(members)))
            dress(tree, self._staging, members)
            if reason := differs(tree, members):
                raise Refused(f"in place, {reason}")
        os.sync()

    def _start(self) -> None:
        self._trouble(services.start(self._state.units))

    def _trouble(self, said: Iterable[str]) -> None:
        """Something to tell that stops nothing; a step done again tells it once."""
        self._state.troubles += [one for one in said if one not in self._state.troubles]

    def _verify(self) -> None:
        self._state.verified = []
        for argv in self._plan.verify:
            cwd = Path(self._plan.verify_in)
            user = self._rules.verify_user
            self._looker(f"verifying: {shown(argv[0])}")(0, 0)
            try:
                ended = run(argv, user=user, cwd=cwd, seconds=_VERIFY_SECONDS)
            except Refused as refused:  # it is restored all the same
                self._trouble([str(refused)])
                continue
            output = (ended.output + ended.errors)[-_MOST_OUTPUT:]
            told = {"argv": list(argv), "status": ended.status, "output": output}
            self._state.verified.append(told)
            if ended.status != 0:
                self._trouble([f"{shown(' '.join(argv))} ended with {ended.status}: {ended.said}"])

    def _clear(self) -> None:
        """Drop the staging folder; where it stood in the root, that keeps its time."""
        root = Path(self._plan.root)
        times = root.stat()
        if self._staging.exists():
            shutil.rmtree(self._staging)
        if self._staging.parent == root:
            os.utime(root, ns=(times.st_atime_ns, times.st_mtime_ns))
        (self._folder / "archive").unlink(missing_ok=True)

    # -- undo -------------------------------------------------------------------------------------

    def _stage_saved(self) -> None:
        members = self._saved()
        fresh(self._staging)
        fd = os.open(self._folder / "saved.tar", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._unpack(fd, members, zipped=False)
        finally:
            os.close(fd)
        compare(self._staging, members)
        os.sync()

    def _put_back(self) -> None:
        self._stop()
        members = self._saved()
        absent = json.loads((self._folder / "absent.json").read_bytes())
        look = self._looker("putting back what was there before")
        with Tree(self._plan.root) as tree:
            place(tree, self._staging, members, lambda count: look(count, len(members)))
            left = remove(tree, absent)
            self._trouble(f"{shown(path)!r} stays: others have written in it" for path in left)
            dress(tree, self._staging, members)
            if reason := differs(tree, members):
                raise Refused(f"put back, {reason}")
        os.sync()

    def _saved(self) -> list[Member]:
        return read_anchor(self._folder / "saved", self._state.saved)[1]

    # -- how far ----------------------------------------------------------------------------------

    def _unpack(self, fd: int, members: Sequence[Member], *, zipped: bool) -> None:
        look, total = self._looker("unpacking"), sum(member.size for member in members)
        free = _free(self._staging)

        def told() -> None:
            # By what the disk has lost since: others write as well, so it is about right.
            look(max(0, min(free - _free(self._staging), total)), total)

        acls = any(member.acl for member in members)
        unpack(fd, self._staging, zipped=zipped, acls=acls, look=told)

    def _looker(self, step: str) -> Callable[[int, int], None]:
        def look(done: int, total: int) -> None:
            now = time.monotonic()
            if now - self._said_at >= _PROGRESS_SECONDS:
                self._said_at = now
                self._desk.progress(step, done, total, time.time())

        return look


def _free(folder: Path) -> int:
    seen = os.statvfs(folder)
    return seen.f_bfree * seen.f_frsize


@contextmanager
def steps_of(desk: Desk, state: State, plan: Plan, rules: Rules) -> Iterator[Steps]:
    steps = Steps(desk, state, plan, rules)
    try:
        yield steps
    finally:
        steps.close()
