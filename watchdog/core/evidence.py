"""What a rule has earned: the time it watched in shadow, and what it would have done meanwhile.

Folded in the book from the journal's entries and kept by the hash of the rule's text without its
mode, so that a comment resets nothing and arming what was watched in shadow begins with its days.

* Time counts while the rule was really watched in shadow: not blind, not asleep, not down.
* It counts from the newest would-act that nobody explained. One marked `true`, `explained` or
  `drill` is explained; one marked `false` is not: it shows that the text is wrong.
* A live action marked false is a fall: from then on nothing that was earned or written counts,
  until `armed_because` has other words or another text has earned it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from watchdog.core.gates import ModeLimit
from watchdog.core.spec import RuleSpec
from watchdog.core.text import duration
from watchdog.core.words import Instant, Mode, Truth

EARNED = "earned evidence"
"""Who limits a rule that has not earned to be armed."""

EXPLAINS = frozenset({"true", "explained", "drill"})
MOST_WOULD_ACTS = 100
"""Kept of one text. Of what is forgotten the time before it does not count, unless explained."""

MOST_TEXTS = 5
"""Texts of one rule whose evidence is kept, so that going back to one finds it again."""


@dataclass(frozen=True, slots=True)
class WouldAct:
    """An episode in which it would have acted, and what people said of it."""

    episode: str
    decision: str
    action: str
    at: Instant
    after_seconds: float  # watched in shadow before it
    mark: str = ""
    actor: str = ""
    reason: str = ""

    @property
    def explained(self) -> bool:
        return self.mark in EXPLAINS


@dataclass(frozen=True, slots=True)
class Tested:
    """What its unit tests said when somebody last ran them for `apply`."""

    passed: bool
    reason: str
    actor: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one text of one rule."""

    rule: str
    sha256: str  # of the text without its mode
    touched: Instant
    banked_seconds: float = 0.0  # watched in shadow, in stretches that are over
    since: Instant | None = None  # watched in shadow without a break from here on
    floor_seconds: float = 0.0  # what was watched before does not count any more
    would_acts: tuple[WouldAct, ...] = ()
    tested: Tested | None = None
    promoted: Instant | None = None

    def watched_seconds(self, now: Instant) -> float:
        """In shadow, all together."""
        going_on = 0.0 if self.since is None else max(0.0, now.steady - self.since.steady)
        return self.banked_seconds + going_on

    def clean_seconds(self, now: Instant) -> float:
        """In shadow, since the newest would-act that nobody explained."""
        unexplained = [one.after_seconds for one in self.would_acts if not one.explained]
        return self.watched_seconds(now) - max(self.floor_seconds, *unexplained, 0.0)

    def paused(self, at: Instant, unseen_seconds: float = 0.0) -> Evidence:
        """Not watched from `at` on, nor for so long before it."""
        if self.since is None:
            return self
        seen = max(0.0, at.steady - self.since.steady - unseen_seconds)
        return replace(self, banked_seconds=self.banked_seconds + seen, since=None, touched=at)

    def watching(self, at: Instant) -> Evidence:
        return self if self.since is not None else replace(self, since=at, touched=at)

    def with_would_act(self, one: WouldAct) -> Evidence:
        acts = (*self.would_acts, one)
        gone, kept = acts[:-MOST_WOULD_ACTS], acts[-MOST_WOULD_ACTS:]
        lost = (act.after_seconds for act in gone if not act.explained)
        floor = max(lost, default=self.floor_seconds)
        return replace(self, would_acts=kept, floor_seconds=max(floor, self.floor_seconds))

    def marked(self, episode: str, mark: str, actor: str, reason: str) -> Evidence:
        """A person says what the episode was; the last word counts."""
        acts = tuple(
            replace(act, mark=mark, actor=actor, reason=reason) if act.episode == episode else act
            for act in self.would_acts
        )
        return replace(self, would_acts=acts)

    def begun_again(self, at: Instant) -> Evidence:
        """Nothing that was watched until now counts any more."""
        return replace(self, promoted=None, floor_seconds=self.watched_seconds(at), touched=at)


@dataclass(frozen=True, slots=True)
class Fall:
    """A live action was marked false. `armed_because` are the words that do not count any more."""

    episode: str
    sha256: str  # of the text that fell; "" where that text is gone
    armed_because: str
    reason: str
    actor: str
    at: Instant


def limit_of(
    rule: RuleSpec, evidence: Evidence | None, fall: Fall | None, *, asked: bool
) -> ModeLimit | None:
    """What the evidence limits the rule to; None where it limits nothing.

    `asked`: whether this process asks for evidence. A fall counts anywhere.
    """
    if fall is not None and rule.mode > Mode.SHADOW:
        return ModeLimit(f"{EARNED}, lost when {fall.episode} was marked false", Mode.SHADOW)
    if not asked or rule.mode is not Mode.ARMED or rule.armed_because:
        return None
    earned = evidence is not None and evidence.promoted is not None
    return None if earned else ModeLimit(EARNED, Mode.SHADOW)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of one action that the rule may start."""

    action: str
    ready: Truth
    reason: str


def missing(
    evidence: Evidence | None,
    fall: Fall | None,
    actions: Iterable[Readiness],
    shadow_seconds: float,
    now: Instant,
) -> tuple[str, ...]:
    """What the text still needs to be armed by what it has earned; nothing when it has all."""
    found = []
    if fall is not None and evidence is not None and evidence.sha256 == fall.sha256:
        found.append(
            f"another text: {fall.episode} was a false action of this one "
            "(or other words in armed_because, applied)"
        )
    clean = evidence.clean_seconds(now) if evidence is not None else 0.0
    if clean < shadow_seconds:
        needed = duration(shadow_seconds - clean)
        found.append(f"{needed} more of shadow, watched and without an unexplained would-act")
        acts = evidence.would_acts if evidence is not None else ()
        found += [_to_explain(act) for act in acts if not act.explained]
    tested = evidence.tested if evidence is not None else None
    if tested is None:
        found.append("a passing unit test: none was run for this text (slo-watchdog apply runs it)")
    elif not tested.passed:
        found.append(f"a passing unit test: {tested.reason}")
    found += [f"{one.action} ready: {one.reason}" for one in actions if one.ready is not Truth.TRUE]
    return tuple(found)


def _to_explain(act: WouldAct) -> str:
    if act.mark:
        return f"{act.episode} was marked {act.mark}: its days count from there"
    return f"{act.episode} explained: slo-watchdog mark {act.episode} true, explained or drill"
