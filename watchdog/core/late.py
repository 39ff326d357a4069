"""What was sent and did not show by the time its intent ended: it may take effect yet.

Laws
* A change that was sent, and was not there when its intent ended, is looked out for a while longer.
  Where its target shows it then, people are told, and the open episode that had tried it holds it:
  so its undo is there. Whoever did it, it is not said that nobody of ours can have.
* While such a change may come, a target that stands as desired is not taken for found so.
* A target that is back after an undo that was given up is not said to be somebody else's doing.
* It is of what says itself how it stands, a flag or a version. A whole folder is told by its marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.releases import PRESENT_DIGEST
from watchdog.core.standing import MANUAL, Claim, Episode
from watchdog.core.starts import Acted
from watchdog.core.states import State
from watchdog.core.trees import DIGEST, Facts, merged
from watchdog.core.words import Direction, Instant, World

LATE_SECONDS = 900.0
"""For how long: a request that hung, a slow roll-out, or a process that stood still and woke."""

MOST = 100

_NOTHING_SENT = frozenset({"not_done", "refused", "conflict"})
"""A step's results, as the ports have them, by which the target is not changed."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A change that an episode asked for. `at` is when that was decided."""

    intent: str
    episode: str
    action: str
    target: str
    at: Instant
    counts: bool = True  # as a start by itself, not a person's own
    facts: Facts = ()
    direction: Direction = Direction.DO
    sent: bool = False
    ended: Instant | None = None


@dataclass(slots=True)
class Late:
    """Read freely; changed by the book alone."""

    open: dict[str, Tried] = field(default_factory=dict)  # intent -> what is under way
    tried: dict[str, Tried] = field(default_factory=dict)  # intent -> what may come yet

    def standing(self, now: Instant) -> Iterator[Tried]:
        """Those that may come yet, the oldest first."""
        return (one for one in self.tried.values() if _within(one, now))

    def may_show(self, target: str, now: Instant, direction: Direction = Direction.DO) -> bool:
        """Whether what the target shows may have been brought about by one of them."""
        return any(
            one.target == target and one.direction is direction for one in self.standing(now)
        )

    def start_of(
        self, entry: e.CameLate, ep: Episode, acted: Iterable[Acted], at: Instant
    ) -> Iterator[Acted]:
        """The automatic start that it was after all, where it is not counted yet."""
        one = self.tried.get(entry.intent)
        known = any(start.intent == entry.intent for start in acted)
        if one is not None and one.counts and ep.rule != MANUAL and not known:
            yield Acted(World.LIVE, ep.rule, one.action, one.intent, at)

    def claim_of(self, entry: e.CameLate, ep: Episode, at: Instant) -> Iterator[Claim]:
        """What its episode holds by it from now on; one that is as good as over holds nothing."""
        one = self.tried.get(entry.intent)
        if one is not None and ep.is_open and ep.state is not State.WATCHED:
            yield Claim(ep.id, one.action, one.target, found=False, at=at, facts=one.facts)

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case e.IntentOpened():
                self._opened(entry, at)
            case e.StepTaken(step="change") if entry.intent in self.open:
                before = self.open[entry.intent]
                sent = before.sent or entry.result not in _NOTHING_SENT
                facts = merged(before.facts, entry.facts)
                self.open[entry.intent] = replace(before, sent=sent, facts=facts)
            case e.IntentEnded():
                self._ended(entry, at)
            case e.CameLate(target=target):
                self.tried = {k: one for k, one in self.tried.items() if one.target != target}
            case _:
                pass

    def _opened(self, entry: e.IntentOpened, at: Instant) -> None:
        known = dict(entry.facts)
        if DIGEST in known and PRESENT_DIGEST not in known:
            return  # a whole folder, or system
        what = entry.intent, entry.episode, entry.action, entry.target
        counts = not entry.actor or bool(entry.approved_by)
        self.open[entry.intent] = Tried(*what, at, counts, entry.facts, entry.direction)

    def _ended(self, entry: e.IntentEnded, at: Instant) -> None:
        one = self.open.pop(entry.intent, None)
        kept = [old for old in self.tried.values() if _within(old, at)][-MOST:]
        self.tried = {old.intent: old for old in kept}
        done = entry.outcome in {e.Outcome.DONE, e.Outcome.FOUND}
        if one is not None and one.sent and not done:
            self.tried[one.intent] = replace(one, ended=at)


def _within(one: Tried, now: Instant) -> bool:
    return one.ended is not None and now.steady - one.ended.steady < LATE_SECONDS
