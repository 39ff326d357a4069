"""What pipelines and people tell of deploys: recorded first, believed after, judged at once.

Laws: whoever is answered that a deploy has begun finds it on the record, and where it cannot be
recorded it has not begun. A pipeline that tells again is answered as before, and begins nothing
twice; it ends only what it began. When a deploy ends, what it kept back is judged in that moment.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.anew import after_deploy
from watchdog.core.changes import Deploy
from watchdog.core.deploying import Frozen, frozen, refusal
from watchdog.core.deploys import ALL, DeployOutcome
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine
from watchdog.engine.recorder import Unrecorded


class DeployRefused(Exception):
    """It has not begun, or not ended; the message says why and what to do."""


class NotRecorded(Exception):
    """It is not on the record, or that is not known: nothing is believed, and it is told again."""

    def __init__(self, missed: Unrecorded) -> None:
        super().__init__(missed.reason)
        self.missed = missed


@dataclass(frozen=True, slots=True)
class Wish:
    """A deploy that somebody wants to begin. `id` is a pipeline's own name for it."""

    target: str
    actor: str
    for_seconds: float
    change: str = ""
    reason: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class DeployTold:
    """What stands on the record. `known`: it was told before, and nothing new was recorded."""

    deploy: Deploy
    known: bool = False


class DeployDesk:
    """Begins and ends deploys, for commands and pipelines alike."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def targets(self) -> tuple[str, ...]:
        """What may be deployed: whatever an action changes, and everything."""
        actions = self._engine.in_force().actions.values()
        return (*dict.fromkeys(sorted(action.target for action in actions)), ALL)

    def why_not(self, target: str) -> str:
        """Why a deploy of it may not begin now; "" where it may."""
        if target not in self.targets():
            known = ", ".join(self.targets())
            return f"no action changes {target}, so that nothing would keep out of it. Of: {known}"
        return refusal(target, self._engine.book)

    def begin(self, wish: Wish) -> DeployTold:
        """Raises DeployRefused, NotRecorded, and JournalError."""
        known = self._known(wish)
        if known is not None:
            return DeployTold(known, known=True)
        if why := self.why_not(wish.target):
            raise DeployRefused(why)
        now, deploys = self._engine.ports.clock.now(), self._engine.book.deploys
        name = deploys.next_name()
        began = e.DeployBegan(
            name,
            wish.target,
            wish.actor,
            now.plus(wish.for_seconds),
            wish.change,
            wish.reason,
            wish.id,
        )
        self._record(now, began)
        return DeployTold(deploys.open[wish.target])

    def _known(self, wish: Wish) -> Deploy | None:
        known = self._engine.book.deploys.find(wish.actor, wish.id) if wish.id else None
        if known is None:
            return None
        if known.target != wish.target:
            raise DeployRefused(f"{wish.id} is a deploy of {known.target}: give another id")
        if known.ended is not None:
            raise DeployRefused(
                f"{wish.id} is over: {known.outcome}. Give another deploy its own id"
            )
        return known

    def end(self, target: str, actor: str, outcome: DeployOutcome, reason: str = "") -> DeployTold:
        """End the one under way on the target. Raises as `begin` does."""
        found = self._engine.book.deploys.open.get(target)
        if found is None:
            raise DeployRefused(f"no deploy of {target} is under way")
        return self._end(found, actor, outcome, reason)

    def end_own(self, actor: str, given: str, outcome: DeployOutcome, reason: str) -> DeployTold:
        """End what this pipeline began under this id. Raises as `begin` does."""
        found = self._engine.book.deploys.find(actor, given)
        if found is None:
            raise DeployRefused(f"no deploy {given} was begun by {actor}")
        if found.ended is not None:
            return DeployTold(found, known=True)
        return self._end(found, actor, outcome, reason)

    def _end(self, found: Deploy, actor: str, outcome: DeployOutcome, reason: str) -> DeployTold:
        now = self._engine.ports.clock.now()
        ended = e.DeployEnded(found.name, found.target, outcome, actor, reason)
        doubts = after_deploy(found.target, self._engine.in_force(), self._engine.book)
        self._record(now, ended, *doubts)
        self._engine.tick()
        return DeployTold(self._engine.book.deploys.past[found.name])

    def frozen(self, target: str) -> tuple[Frozen, ...]:
        return frozen(target, self._engine.book)

    def unfreeze(self, target: str, actor: str, reason: str) -> None:
        """A person's word alone. Raises NotRecorded and JournalError."""
        episodes = tuple(one.episode for one in self.frozen(target))
        lifted = e.FreezeLifted(target, episodes, actor, reason)
        self._record(self._engine.ports.clock.now(), lifted)

    def _record(self, at: Instant, *entries: e.Entry) -> None:
        missed = self._engine.recorder.append_first(entries, at)
        if missed is not None:
            raise NotRecorded(missed)

    def actions_of(self, target: str) -> frozenset[str]:
        """The actions that change it; none of ALL, which is nobody's alone."""
        actions = self._engine.in_force().actions.values()
        return frozenset(action.name for action in actions if action.target == target)
