"""The judges of a rule with `each`: one for the family as a whole, one for each member.

Laws
* A member is judged as any rule, of its part of the answer. Gone from an answer that holds others,
  it is BLIND, and that is said of it by name; where `present` is asked, being gone is health.
* The family is BLIND where nobody can tell who its members are: it was not answered, nothing
  matches, a series does not name its label set, or there are more of them than `limit`. Else it is
  BREACHED if any member is, BLIND if any is, and HEALTHY else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from watchdog.core.judge.finding import Finding, Glance, blinded
from watchdog.core.judge.judge import Judge
from watchdog.core.judge.parts import values_text
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.text import shortened
from watchdog.core.words import Blind, Instant, Status, Verdict

_NOTHING = frozenset({Blind.NO_DATA, Blind.NO_TRAFFIC})
_NAMED = 5


class MemberJudge(Judge):
    """A `Judge` that says whose series it misses."""

    def _find(
        self, reading: Reading, answers: Mapping[str, Answer], now: Instant
    ) -> tuple[Finding | Glance, float | None]:
        finding, newest = super()._find(reading, answers, now)
        if finding.status is not Status.BLIND or not isinstance(finding, Finding):
            return finding, newest
        last = answers.get(self._queries[-1])
        gone = last is not None and not (last.points or last.missing or last.failure)
        if reading.failure is not None or finding.blind not in _NOTHING or not gone:
            return finding, newest
        who, where = values_text(self.rule.member), shortened(self._queries[-1])
        return blinded(Blind.NO_DATA, f"{who} is not there: {where} gives others"), newest


class FamilyJudge(Judge):
    """Judges what its members were judged; `of` is told before each look."""

    def __init__(self, rule: RuleSpec) -> None:
        super().__init__(rule)
        self._counted = None
        self._fault: Finding | None = None
        self._members: tuple[tuple[RuleSpec, Verdict], ...] = ()
        self._alone: Judge | None = None

    def of(
        self, fault: Finding | None, members: Iterable[tuple[RuleSpec, Verdict]], alone: Judge
    ) -> None:
        """Why nobody can tell who belongs to it, or None; and how those that are known stand.

        `alone` judges where nobody is.
        """
        self._alone, members = alone, tuple(members)
        same = fault is self._fault and len(members) == len(self._members)
        if not same or any(
            new[1] is not old[1] for new, old in zip(members, self._members, strict=True)
        ):
            self._fault, self._members, self._last = fault, members, None

    def observe(self, reading: Reading, answers: Mapping[str, Answer], now: Instant) -> Verdict:  # noqa: ARG002  # its members have looked at them
        self._read_at = reading.at
        return self._whole(reading.at)

    def tick(self, now: Instant) -> Verdict:
        if self._read_at is None:
            return super().tick(now)
        if self._last is not None and self._members:
            return self._last
        return self._whole(now)

    def checkpoint(self) -> bytes:
        """Nothing: its members keep what they need."""
        return b""

    def restore(self, data: bytes) -> bool:
        return not data

    def _whole(self, at: Instant) -> Verdict:
        if self._fault is None and not self._members and self._alone is not None:
            self._last = self._alone.tick(at)  # also once it is stale
            return self._last
        times = [v.sampled_at for _, v in self._members if v.sampled_at is not None]
        self._last = self._judged().verdict(at, max(times, default=None))
        return self._last

    def _judged(self) -> Finding:
        if self._fault is not None:
            return self._fault
        count = len(self._members)
        by = {
            status: [(rule, v) for rule, v in self._members if v.status is status]
            for status in Status
        }
        breached, blind = by[Status.BREACHED], by[Status.BLIND]
        if breached:
            return Finding(Status.BREACHED, _told(breached, count, "breached"))
        if blind:
            kind = blind[0][1].blind or Blind.NO_DATA
            return blinded(kind, _told(blind, count, "blind"))
        clear = all(verdict.clear for _, verdict in self._members)
        return Finding(Status.HEALTHY, f"all {count} healthy", clear=clear)


def _told(some: list[tuple[RuleSpec, Verdict]], count: int, word: str) -> str:
    names = "; ".join(values_text(rule.member) for rule, _ in some[:_NAMED])
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    return f"{len(some)} of {count} {word}: {names}{more}; {some[0][1].reason}"
