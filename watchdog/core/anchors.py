"""What actions restore to: what was proven of it, since when it is known, and what is known bad.

Laws: an anchor holds nothing of later than the first bad sample less its margin, by the earlier of
two proofs: when its newest part was written, and when its very content was first seen here. What
was once rolled back is quarantined by content, and is no anchor until a person, undoing that
rollback, vouches for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core import entries as e
from watchdog.core.releases import PRESENT_DIGEST
from watchdog.core.trees import Anchor
from watchdog.core.words import Direction, Instant

DISPLACED = "displaced_digest"
"""The fact under which settling tells the content of what was rolled back."""

KEPT_CONTENTS = 1000
"""Contents whose first sight is remembered; one forgotten is first seen anew, which is later."""


@dataclass(frozen=True, slots=True)
class Bad:
    """Content that was rolled back."""

    digest: str
    target: str
    episode: str
    at: Instant


@dataclass(slots=True)
class Anchors:
    """Folded from the journal's entries, as the book is."""

    now: dict[str, Anchor] = field(default_factory=dict)  # action -> what it would restore
    first_seen: dict[str, float] = field(default_factory=dict)  # digest -> wall time
    bad: dict[str, Bad] = field(default_factory=dict)  # digest -> whose it was

    def known_by(self, anchor: Anchor) -> float:
        """The wall time by which all of its content existed, by the earlier of both proofs."""
        return min(anchor.written_at, self.first_seen.get(anchor.digest, anchor.written_at))

    def ready(self, entry: e.ReadinessChanged, at: Instant) -> None:
        """What the last preflight proved; nothing where it proved nothing."""
        if entry.anchor is None:
            self.now.pop(entry.action, None)
            return
        self.now[entry.action] = entry.anchor
        self.first_seen.setdefault(entry.anchor.digest, at.wall)
        if present := dict(entry.anchor.facts).get(PRESENT_DIGEST):
            self.first_seen.setdefault(present, at.wall)  # it may be an anchor by and by
        while len(self.first_seen) > KEPT_CONTENTS:
            del self.first_seen[next(iter(self.first_seen))]

    def learn(self, opened: e.IntentOpened, step: e.StepTaken, at: Instant) -> None:
        """A step of an intent under way: settling tells what was rolled back."""
        digest = dict(step.facts).get(DISPLACED)
        if digest and opened.direction is Direction.DO:
            self.bad[digest] = Bad(digest, opened.target, opened.episode, at)

    def undone(self, opened: e.IntentOpened) -> None:
        """A person has taken a rollback back, and so vouches for what it had displaced."""
        self.bad.pop(dict(opened.facts).get(DISPLACED, ""), None)
