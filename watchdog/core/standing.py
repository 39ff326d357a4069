"""What stands in the book: episodes, claims, holds, open intents, blindness.

Plain values; `book.py` alone changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.episode import OPEN
from watchdog.core.samples import Labels
from watchdog.core.spec import Scope
from watchdog.core.states import Event, State
from watchdog.core.trees import Facts, merged
from watchdog.core.words import Blind, Direction, Instant, Severity, Verdict, World

CONFLICT = "conflict"
"""A step's result, as the ports have it: somebody else has changed the target."""

MANUAL = "manual"
"""The rule's name of an episode that a person commanded; any number of them may be open."""


@dataclass(slots=True)
class Episode:
    id: str
    rule: str
    owner: str
    severity: Severity
    world: World
    opened: Instant
    state: State = State.OK
    rung: int = 0
    moved: Instant = field(default_factory=lambda: Instant(0, 0))
    reason: str = ""
    rule_sha256: str = ""
    reopens: str = ""
    chain: int = 0
    barred: str = ""
    unbarred_by: str = ""
    through_hold: bool = False  # that person acts through the stops that stood then
    unbarred_at: Instant | None = None
    actor: str = ""
    why: str = ""
    acked_by: str = ""
    mark: str = ""
    action: str = ""  # the last one that was decided for
    target: str = ""  # what that one, or the last that was started, would change
    intent: str = ""  # the one that is open
    effect_at: Instant | None = None
    changed: bool = False  # something was rolled back by it, and not found so
    undone: bool = False  # of that nothing is left, by whomever it was undone
    effected: tuple[str, ...] = ()  # actions that were started and not abandoned
    refusals: tuple[str, ...] = ()  # those recorded since something was last tried
    verdict: Verdict | None = None
    read_back: str = ""
    outcome: e.Outcome | None = None
    last: tuple[Direction, e.Outcome] | None = None  # of its newest intent, there or back
    last_reason: str = ""  # of that end
    differed: int = 0  # how often what was there was not what was decided for
    seconds_to_effect: float | None = None
    breached_at: Instant | None = None
    labels: Labels = ()  # by which its alert is known, and silences are matched

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def because(self) -> str:
        """Why it is in its state: what held it first may be over, and something else hold it."""
        return (self.barred if self.state is State.HELD else "") or self.reason

    @property
    def undo_is_unknown(self) -> bool:
        """Nobody knows whether what it changed stands still."""
        return self.last == (Direction.UNDO, e.Outcome.UNKNOWN)

    @property
    def undo_in_vain(self) -> str:
        """What came of its newest change, where that was to undo and did not; else ""."""
        direction, outcome = self.last or (Direction.DO, e.Outcome.DONE)
        if direction is Direction.DO or outcome in {e.Outcome.DONE, e.Outcome.FOUND}:
            return ""
        return f"its undo ended {outcome.value}: {self.last_reason}"

    def take_move(self, moved: e.EpisodeMoved, at: Instant) -> None:
        self.state, self.moved, self.reason, self.rung = moved.after, at, moved.reason, moved.rung
        self.verdict = moved.verdict or self.verdict
        if moved.event in {Event.CLIMB, Event.ABANDONED}:
            self.refusals = ()  # what refuses now is news again, and people are told
        if moved.event is Event.UNDONE:
            self.undone = self.changed

    def take_end(self, ended: e.IntentEnded) -> None:
        """What its newest change, there or back, came to."""
        self.intent, self.read_back = "", ended.read_back
        self.last, self.last_reason = (ended.direction, ended.outcome), ended.reason


@dataclass(frozen=True, slots=True)
class Claim:
    """An episode needs the target in the action's desired state."""

    episode: str
    action: str
    target: str
    found: bool  # the state stood already; nothing of ours is there to undo
    at: Instant
    facts: Facts = ()  # what the rollback learned, and its undo needs


@dataclass(frozen=True, slots=True)
class Hold:
    id: str
    scope: Scope
    reason: str
    actor: str
    placed: Instant
    expires: Instant | None
    silence: bool

    def stands(self, now: Instant) -> bool:
        return self.expires is None or now.steady < self.expires.steady


@dataclass(frozen=True, slots=True)
class OpenIntent:
    entry: e.IntentOpened
    at: Instant
    steps: tuple[e.StepTaken, ...] = ()
    began: tuple[str, ...] = ()  # the steps that were begun, each time anew

    @property
    def facts(self) -> Facts:
        """What is known by now: of the anchor, and of every step taken."""
        return merged(self.entry.facts, *(step.facts for step in self.steps))

    @property
    def differed(self) -> bool:
        """Whether what was found at last was not what was decided for."""
        return bool(self.steps) and self.steps[-1].result == CONFLICT

    def cut_off(self) -> tuple[str, int]:
        """The step that was begun last and is not taken, and how often it was begun in vain."""
        if not self.began:
            return "", 0
        last = self.began[-1]
        taken = sum(step.step == last for step in self.steps)
        in_vain = self.began.count(last) - taken
        return (last, in_vain) if in_vain > 0 else ("", 0)


@dataclass(frozen=True, slots=True)
class Blindness:
    """One rule's present blindness. `kinds` are the reasons already recorded for it."""

    since: Instant
    kinds: tuple[Blind, ...]
    reason: str
    paged: bool = False
    muted: bool = False  # and nobody heard that page: a silence kept it back, or nobody was told

    def told(self, page: e.Paged) -> Blindness:
        return replace(self, paged=True, muted=not page.note)


def forgettable(episodes: dict[str, Episode], keep: int) -> list[str]:
    """The oldest ended ones above `keep`; never the newest of all, whose number is counted on."""
    ended = [ep.id for ep in episodes.values() if not ep.is_open]
    return [name for name in ended[: max(0, len(ended) - keep)] if name != next(reversed(episodes))]
