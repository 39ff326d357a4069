"""A release folder as a target: generations, an exchange, and a way to be cut off between any two.

The stand-in keeps the law of the real one: each step looks at its generation marker first, since
exchanging twice is undoing. The work dies with its process; a power cut takes back an exchange
whose parent folder was not synced. What was staged half is no staged tree.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.simulation.machine import Held
from tests.simulation.service import Service
from tests.simulation.targets import STRANGER, Ledger
from tests.simulation.world import EPOCH, World
from watchdog.core.trees import Anchor, Facts
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness

TARGET = "config:/release/live"


@dataclass(frozen=True, slots=True)
class Tree:
    content: str
    generation: str = ""


def before(generation: str) -> str:
    return f"before-{generation}"


@dataclass(slots=True)
class TreeHost:
    """`live`, `staged`, and what was put aside under its backup's name."""

    world: World
    service: Service
    ledger: Ledger
    live: Tree = Tree("build-0")
    previous: str = "build-0"
    staged: Tree | None = None
    staging: str = ""  # what is being staged now, by a process that may die
    aside: dict[str, Tree] = field(default_factory=dict)
    unsynced: tuple[Tree, Tree | None] | None = None  # what a power cut would bring back
    known: set[str] = field(default_factory=lambda: {"build-0"})
    generations: int = 0
    written_at: float = EPOCH - 1000.0

    # -- by others ---------------------------------------------------------------------------------

    def deploy(self, build: str, *, bad: bool) -> None:
        """A pipeline publishes another build; what was live before becomes `previous`."""
        if bad:
            self.service.bad_builds.add(build)
        self.known.add(build)
        if self.live.content not in self.service.bad_builds:
            if self.previous != self.live.content:
                self.written_at = EPOCH + self.world.now
            self.previous = self.live.content
        was, self.live = self.live, Tree(build)
        self.service.served = build
        self.unsynced = None
        self.ledger.changed(TARGET, STRANGER, was.content, build)

    def process_died(self) -> None:
        self.staging = ""

    def power_cut(self) -> None:
        if self.unsynced is not None and self.world.chance.random() < 0.5:
            was, staged = self.unsynced
            self.world.tell(f"the exchange was not synced: {was.content} is live again")
            self.ledger.did_not_last(TARGET)
            self.ledger.changed(TARGET, STRANGER, self.live.content, was.content)
            self.live, self.staged = was, staged
        self.unsynced = None

    def is_whole(self) -> str:
        """Why the live tree is not one known generation; empty where it is."""
        if self.live.content not in self.known:
            return f"{self.live.content} is no build that anybody ever made"
        marked = [t.generation for t in (self.live, self.staged, *self.aside.values()) if t]
        twice = {g for g in marked if g and marked.count(g) > 1}
        return f"two trees are generation {', '.join(twice)}" if twice else ""

    # -- as ports.Actuator -------------------------------------------------------------------------

    async def preflight(self, at: Instant, life: Held) -> Readiness:
        life.point()
        content = self.previous
        if self.staged is None or self.staged.content != content:
            if self.staging != content:
                self.staged, self.staging = None, content
                await asyncio.sleep(2.0)
                life.point()
                return _reading(Truth.UNKNOWN, "not ready yet: staging", at)
            self.generations += 1
            self.staged, self.staging = Tree(content, f"g{self.generations}"), ""
        await asyncio.sleep(0.05)
        life.point()
        if self.staged is None or self.staged.content != content:
            return _reading(Truth.UNKNOWN, "it moved while it was looked at", at)
        facts = (
            ("generation", self.staged.generation),
            ("build_sha", content),
            ("present_build_sha", self.live.content),
        )
        anchor = Anchor(f"digest-of-{content}", self.written_at, facts)
        if content == self.live.content:
            return Readiness(CheckReading(Truth.FALSE, "previous is what is live", at), anchor)
        return Readiness(CheckReading(Truth.TRUE, f"{content} is staged", at), anchor)

    async def forward(self, key: str, facts: Facts, life: Held) -> Attempt:
        life.point()
        known = dict(facts)
        generation = known.get("generation", "")
        if self.live.generation == generation and not self._waits(generation):
            return await self._finish(generation, key, life)
        differs = self._difference(generation, known)
        if differs:
            return Attempt(Attempted.CONFLICT, differs)
        if self.world.fault("tree: no time before the exchange", 0.1):
            return Attempt(Attempted.NOT_DONE, "the time was over before the exchange")
        await self._step(life)
        differs = self._difference(generation, known)
        if differs:
            return Attempt(Attempted.CONFLICT, differs)
        self._exchange(key, Tree(self.live.content, before(generation)))
        if self.is_cut_off():
            return Attempt(Attempted.UNKNOWN, "it was ended at its deadline")
        await self._step(life)
        return await self._finish(generation, key, life)

    async def back(self, key: str, facts: Facts, life: Held) -> Attempt:
        life.point()
        known = dict(facts)
        generation = known.get("generation", "")
        if self.live.generation == before(generation):
            self.unsynced = None
            return Attempt(Attempted.CLAIMED, "swapped back already")
        path = known.get("displaced", "")
        found = self.aside.get(path) or (self.staged if self._is_displaced(generation) else None)
        if self.live.generation != generation or found is None:
            return Attempt(Attempted.CONFLICT, f"the live tree is not of generation {generation}")
        await self._step(life)
        if self.live.generation != generation:
            return Attempt(Attempted.CONFLICT, "it moved while it was looked at")
        self.aside.pop(path, None)
        self.staged = Tree(found.content, before(generation))
        self._exchange(key, Tree(self.live.content, generation))
        await self._step(life)
        self.unsynced = None
        return Attempt(Attempted.CLAIMED, "swapped back", facts=(("generation", generation),))

    async def stands(self, facts: Facts, life: Held, *, back: bool) -> CheckReading:
        life.point()
        await asyncio.sleep(0.01)
        life.point()
        generation = dict(facts).get("generation", "")
        live, at = self.live.generation, Instant(0.0, 0.0)
        meant = before(generation) if back else generation
        if live == meant:
            return CheckReading(Truth.TRUE, f"the live tree is {meant}", at)
        still = live == generation if back else self._waits(generation)
        if still:
            return CheckReading(Truth.FALSE, "the live tree is what it was", at)
        return CheckReading(Truth.UNKNOWN, f"the live tree is {live or 'of no generation'}", at)

    async def settle(self, facts: Facts, life: Held) -> Attempt:
        life.point()
        await asyncio.sleep(0.01)
        life.point()
        gone = self.aside.get(dict(facts).get("displaced", ""))
        learned = (("displaced_digest", f"digest-of-{gone.content}"),) if gone else ()
        return Attempt(Attempted.CLAIMED, "it has its digest", facts=learned)

    # -- steps -------------------------------------------------------------------------------------

    def is_cut_off(self) -> bool:
        """The child process is ended at its deadline, the exchange done and nothing after it."""
        return self.world.fault("tree: cut off after the exchange", 0.25)

    async def _step(self, life: Held) -> None:
        await asyncio.sleep(0.02 + 1.0 * self.world.chance.random() ** 2)
        life.point()

    def _difference(self, generation: str, known: dict[str, str]) -> str:
        """What is not as it was decided for, held against it right before the exchange."""
        if not self._waits(generation) or self.staged is None:
            return f"no tree of generation {generation} is staged"
        if f"digest-of-{self.staged.content}" != known.get("digest"):
            return "what is staged is not what was decided on"
        if self.staged.content != self.previous:
            return f"{self.previous} comes before by now"
        live = self.live.content
        return "" if live == known.get("present_build_sha") else f"{live} is live by now"

    def _waits(self, generation: str) -> bool:
        return self.staged is not None and self.staged.generation == generation

    def _is_displaced(self, generation: str) -> bool:
        return self.staged is not None and self.staged.generation == before(generation)

    def _exchange(self, key: str, displaced: Tree) -> None:
        """At once: the live tree and the one that waits change places."""
        assert self.staged is not None
        was = self.live
        self.unsynced = (was, self.staged)
        self.live, self.staged = self.staged, displaced
        self.ledger.changed(TARGET, key, was.content, self.live.content)

    async def _finish(self, generation: str, key: str, life: Held) -> Attempt:
        self.unsynced = None  # the parent folder is synced
        await self._step(life)
        path = dict(self._names()).get(generation, "")
        if self._is_displaced(generation) and self.staged is not None:
            path = f"/release/backup-{generation}"
            self.aside[path], self.staged = self.staged, None
        self.world.tell(f"{key} finished the swap to {generation}")
        facts = (("generation", generation), ("displaced", path), ("proven", "yes"))
        return Attempt(Attempted.CLAIMED, "swapped", facts=facts if path else facts[:1])

    def _names(self) -> list[tuple[str, str]]:
        marks = ((t.generation.removeprefix("before-"), p) for p, t in self.aside.items())
        return list(marks)


def _reading(truth: Truth, reason: str, at: Instant) -> Readiness:
    return Readiness(CheckReading(truth, reason, at))
