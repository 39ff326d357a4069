"""Lets real daemons die at one system call of a rollback, and looks at what is left.

strace is attached to the daemon right before the breach, and kills it as it enters the n-th call
of one kind; so only what happens from the breach on is counted. The new process runs untraced.
What is broken, and rolled back, is the lane's scene.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.household import Watchdog
from tests.e2e.laws import check_laws
from tests.laws.scenes import Scene
from tests.real_parts.server import program
from watchdog.core.book import Book
from watchdog.core.entries import IntentOpened
from watchdog.core.states import State
from watchdog.engine.effects.ending import CHANGE
from watchdog.engine.retention import fold
from watchdog.store import SqliteJournal

CALLS = (
    "pwrite64",
    "fdatasync",
    "fsync",
    "ftruncate",
    "unlink",
    "rename",
    "sendto",
    "connect",
    "write",
    "openat",
    "vfork",
    "clone3",
    "pidfd_open",
)
"""What writes, syncs, renames, connects, sends, and starts or awaits a tool."""

ENDED = frozenset({State.CONTAINED, State.HELD, State.LATCHED})
END_SECONDS = 40.0


@dataclass(frozen=True)
class Point:
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


@dataclass(frozen=True)
class Fate:
    """How one trial went. `died` is False where all was over before the call came.

    `for_people`: it died when its change was on the record as begun, nothing of it ever came about,
    and it is not one that may be tried twice.
    """

    point: Point
    died: bool
    effects: int
    state: State
    decided: bool  # whether an intent was durable when it died
    for_people: bool


class Lane:
    """One scene, in which one daemon after another lives and dies."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self._folder = folder
        self._scene = scene
        self._serial = 0

    async def count(self) -> Counter[str]:
        """How often each call is made, from the breach until it is contained."""
        watchdog = await self._on_guard()
        trace = self._folder / "trace"
        strace = await attach(watchdog, "-o", str(trace), "-e", f"trace={','.join(CALLS)}")
        self._scene.breach()
        assert not await self._dead_or_contained(watchdog)
        await detach(strace)
        assert await watchdog.stop() == 0
        await watchdog.aclose()
        return Counter(re.findall(r"^(\w+)\(", trace.read_text(), re.MULTILINE))

    async def die(self, point: Point) -> Fate:
        """Kill it there, start it anew, and hold what it claims against the target."""
        watchdog = await self._on_guard()
        inject = f"inject={point.call}:signal=KILL:when={point.number}"
        strace = await attach(
            watchdog, "-o", "/dev/null", "-e", f"trace={point.call}", "-e", inject
        )
        self._scene.breach()
        died = await self._dead_or_contained(watchdog)
        await detach(strace)
        died = died or not watchdog.is_running  # it came to the call on its way from there
        decided = any(isinstance(one.entry, IntentOpened) for one in watchdog.journal())
        in_change = died and _in_change(watchdog)
        if died:
            await watchdog.start()
        state = await self._ends(watchdog)
        assert await watchdog.stop() == 0
        await watchdog.aclose()
        self._nothing_is_wrong(watchdog, state)
        effects = self._scene.effects()
        for_people = in_change and not effects and not self._scene.repeats
        return Fate(point, died, effects, state, decided, for_people)

    async def _on_guard(self) -> Watchdog:
        await self._scene.as_new()
        self._serial += 1
        home = self._folder / f"home-{self._serial}"
        home.mkdir()
        watchdog = self._scene.watchdog(home)
        await watchdog.on_guard()
        return watchdog

    async def _dead_or_contained(self, watchdog: Watchdog) -> bool:
        """Looks at the target and the journal alone, so as not to make the daemon call anything."""
        ends = time.monotonic() + END_SECONDS
        while watchdog.is_running:
            assert time.monotonic() < ends, f"neither dead nor contained: {watchdog.journal()[-5:]}"
            if self._scene.is_rolled_back() and _newest(watchdog) is State.CONTAINED:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _ends(self, watchdog: Watchdog) -> State:
        """Where the episode comes to rest. HELD may still move on, so it is given all the time."""
        ends = time.monotonic() + END_SECONDS
        while True:
            book = _book(watchdog)
            state, over = _state(book), time.monotonic() > ends
            if state in ENDED and not book.intents and (over or state is not State.HELD):
                return state
            assert not over, f"it does not end: {watchdog.journal()[-10:]}"
            await asyncio.sleep(0.05)

    def _nothing_is_wrong(self, watchdog: Watchdog, state: State) -> None:
        check_laws(
            watchdog, self._scene.sandbox
        )  # the chain, the table, nothing twice, intents first
        with SqliteJournal.open(watchdog.state, reserve_bytes=4096) as journal:
            journal.verify()
            book, _ = fold(journal)
        assert self._scene.effects() <= 1
        assert book.intents == {}
        claimed = bool(book.claims)
        assert claimed is self._scene.is_rolled_back(), f"{state}, claims: {book.claims}"
        ep = next(ep for ep in book.episodes.values() if ep.is_open)
        assert ep.reason
        assert state is not State.LATCHED or watchdog.pages(ep.reason), "nobody was called"


def _book(watchdog: Watchdog) -> Book:
    book = Book()
    for one in watchdog.journal():
        book.apply(one.entry, one.at)
    return book


def _in_change(watchdog: Watchdog) -> bool:
    """Its change was begun, and what came of it is not on the record."""
    return any(
        CHANGE in intent.began and CHANGE not in {taken.step for taken in intent.steps}
        for intent in _book(watchdog).intents.values()
    )


def _state(book: Book) -> State:
    return next((ep.state for ep in book.open_episodes()), State.OK)


def _newest(watchdog: Watchdog) -> State:
    return _state(_book(watchdog))


async def attach(watchdog: Watchdog, *arguments: str) -> asyncio.subprocess.Process:
    strace = await asyncio.create_subprocess_exec(
        program("strace", "strace"),
        *arguments,
        "-p",
        str(watchdog._running().pid),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert strace.stderr is not None
    async with asyncio.timeout(10):
        said = await strace.stderr.readline()
    assert b"attached" in said, said
    return strace


async def detach(strace: asyncio.subprocess.Process) -> None:
    """It ends by itself with its tracee; else it is told to let go."""
    if strace.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            strace.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        await strace.communicate()


def spread(counts: Counter[str], most: int) -> Sequence[Point]:
    """About so many points: of each call a share, evenly over its occurrences."""
    points = []
    weights = {call: min(counts[call], 6) for call in CALLS if counts[call]}
    for call, weight in weights.items():
        share = max(1, round(most * weight / sum(weights.values())))
        step = counts[call] / share
        points += [Point(call, 1 + int((n + 0.5) * step)) for n in range(share)]
    return points
