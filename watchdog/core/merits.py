"""What every rule has earned and lost, folded from the journal's entries with the book.

`take` is the only thing that changes it. It decides nothing: what follows is in `promotion.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import singledispatchmethod

from watchdog.core import entries as e
from watchdog.core import promotions as p
from watchdog.core.evidence import MOST_TEXTS, Evidence, Fall, Tested, WouldAct
from watchdog.core.naming import family_of
from watchdog.core.words import Instant


@dataclass(slots=True)
class Merits:
    """Read freely; changed by the book alone."""

    evidence: dict[str, Evidence] = field(default_factory=dict)  # by the text's hash
    shadowing: dict[str, str] = field(default_factory=dict)  # rule -> the text that is in shadow
    falls: dict[str, Fall] = field(default_factory=dict)  # by rule

    def mark(self, rule: str, episode: str, mark: str, actor: str = "", reason: str = "") -> None:
        """A person says what the episode was; any text of the rule may have it."""
        for sha256, kept in self.evidence.items():
            if kept.rule == family_of(rule):
                self.evidence[sha256] = kept.marked(episode, mark, actor, reason)

    @singledispatchmethod
    def take(self, entry: e.Entry, at: Instant) -> None:
        """Take one entry in, in the journal's order. Most are of no concern here."""

    @take.register
    def _began(self, entry: p.ShadowBegan, at: Instant) -> None:
        self._leave(entry.rule, at)
        self.shadowing[entry.rule] = entry.sha256
        self._put(self._of(entry.rule, entry.sha256, at).watching(at))

    @take.register
    def _ended(self, entry: p.ShadowEnded, at: Instant) -> None:
        self._leave(entry.rule, at)

    @take.register
    def _tested(self, entry: p.RuleTested, at: Instant) -> None:
        tested = Tested(entry.passed, entry.reason, entry.actor, at)
        self._put(replace(self._of(entry.rule, entry.sha256, at), tested=tested))

    @take.register
    def _promoted(self, entry: p.RulePromoted, at: Instant) -> None:
        self.falls.pop(entry.rule, None)
        self._put(replace(self._of(entry.rule, entry.sha256, at), promoted=at))

    @take.register
    def _demoted(self, entry: p.RuleDemoted, at: Instant) -> None:
        for sha256, kept in self.evidence.items():
            if kept.rule == entry.rule and (entry.episode or sha256 == entry.sha256):
                again = kept.begun_again(at) if entry.episode else replace(kept, promoted=None)
                self.evidence[sha256] = again
        if entry.episode:
            self.falls[entry.rule] = Fall(
                entry.episode, entry.sha256, entry.armed_because, entry.reason, entry.actor, at
            )

    @take.register
    def _decided(self, entry: e.Decided, at: Instant) -> None:
        kept = self._shown(family_of(entry.rule))
        if entry.ruling is e.Ruling.WOULD_ACT and kept is not None:
            seen = kept.watched_seconds(at)
            one = WouldAct(entry.episode, entry.decision, entry.action, at, seen)
            self._put(kept.with_would_act(one))

    @take.register
    def _blind_began(self, entry: e.BlindBegan, at: Instant) -> None:
        kept = self._shown(entry.rule)
        if kept is not None:
            self._put(kept.paused(at))

    @take.register
    def _blind_ended(self, entry: e.BlindEnded, at: Instant) -> None:
        kept = self._shown(entry.rule)
        if kept is not None:
            self._put(kept.watching(at))

    @take.register
    def _started(self, entry: e.Started, at: Instant) -> None:
        self._unseen(at, entry.down_seconds)

    @take.register
    def _slept(self, entry: e.Slept, at: Instant) -> None:
        self._unseen(at, entry.seconds)

    @take.register
    def _policy(self, entry: e.PolicyApplied, at: Instant) -> None:
        for rule in entry.removed:
            self._leave(rule, at)

    def _unseen(self, at: Instant, seconds: float) -> None:
        """Nobody watched for so long before `at`."""
        for sha256 in self.shadowing.values():
            kept = self.evidence[sha256]
            if kept.since is not None:
                self._put(kept.paused(at, seconds).watching(at))

    def _leave(self, rule: str, at: Instant) -> None:
        kept = self._shown(rule)
        self.shadowing.pop(rule, None)
        if kept is not None:
            self._put(kept.paused(at))

    def _shown(self, rule: str) -> Evidence | None:
        """The evidence of the text that is in shadow now."""
        sha256 = self.shadowing.get(rule)
        return None if sha256 is None else self.evidence[sha256]

    def _of(self, rule: str, sha256: str, at: Instant) -> Evidence:
        return self.evidence.get(sha256) or Evidence(rule, sha256, at)

    def _put(self, evidence: Evidence) -> None:
        """Keep it; of the rule's texts the one that was touched longest ago goes."""
        self.evidence[evidence.sha256] = evidence
        texts = [kept for kept in self.evidence.values() if kept.rule == evidence.rule]
        if len(texts) > MOST_TEXTS:
            shown = self.shadowing.get(evidence.rule)
            old = [one for one in texts if one.sha256 not in {shown, evidence.sha256}]
            del self.evidence[min(old, key=lambda one: one.touched.steady).sha256]
