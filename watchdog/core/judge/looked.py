"""The judge of a probe's rule: so many of the last looks failed.

Laws
* A look holds, fails, or saw nothing; one that saw nothing counts for neither side.
* BREACHED when `fails` of the last `looks` looks are proven failures. HEALTHY when so many held
  that there cannot be as many failures among them. Neither proven: BLIND.
* The newest look decides whether we see at all: where it saw nothing, the rule is blind, whatever
  was proven before. Blindness begins no breach and, by pushing failures out, ends none.
* Looks of too long ago are no longer among the last: time in which nobody looked is not spanned.
* Recovery is judged by looks after the effect alone.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from watchdog.core.channels import EventSignal
from watchdog.core.judge.each import FamilyJudge, MemberJudge
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.judge.judge import Judge
from watchdog.core.judge.told import EventJudge
from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.probes import Probed
from watchdog.core.samples import Answer, Failure, Fault, Look, Point, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Blind, CheckReading, Instant, Status, Truth

_VERSION = 1
_WORDS = MappingProxyType({True: "held", False: "failed", None: "saw nothing"})
_NUMBERS = MappingProxyType({True: 1.0, False: 0.0, None: -1.0})


class _Seen(NamedTuple):
    """One look, on the steady clock; `holds` None: it saw nothing."""

    at: float
    holds: bool | None


def judge_of(rule: RuleSpec) -> Judge:
    """The judge that the rule's kind needs."""
    if rule.each:
        return FamilyJudge(rule) if rule.is_family else MemberJudge(rule)
    match rule.signal:
        case Probed() as signal:
            return ProbeJudge(rule, signal)
        case EventSignal() as signal:
            return EventJudge(rule, signal)
        case _:
            return Judge(rule)


class ProbeJudge(Judge):
    """A `Judge` that takes looks in the place of answers."""

    def __init__(self, rule: RuleSpec, signal: Probed) -> None:
        super().__init__(rule)
        self._signal = signal
        self._seen: deque[_Seen] = deque(maxlen=signal.looks)

    def recovered_since(self, effect: Instant, now: Instant) -> CheckReading:
        verdict = self.tick(now)
        if verdict.status is Status.BLIND and verdict.blind is not Blind.TOO_FEW_EVENTS:
            return CheckReading(Truth.UNKNOWN, f"blind: {verdict.reason}", now)
        failing = self._failing([seen for seen in self._seen if seen.at > effect.steady])
        if failing is Truth.UNKNOWN:
            return CheckReading(failing, "too few looks after the effect yet", now)
        return CheckReading(Truth.of(failing is Truth.FALSE), verdict.reason, now)

    def bad_since(self, now: Instant) -> float | None:  # noqa: ARG002  # by looks, at any time
        return next((seen.at for seen in self._seen if seen.holds is False), None)

    def checkpoint(self) -> bytes:
        kept = {
            "version": _VERSION,
            "about": self._signal.about,
            "looks": [list(seen) for seen in self._seen],
        }
        return json.dumps(kept, separators=(",", ":")).encode()

    def restore(self, data: bytes) -> bool:
        try:
            kept = json.loads(data)
            same = (kept["version"], kept["about"]) == (_VERSION, self._signal.about)
            looks = [_Seen(float(at), _truth(holds)) for at, holds in kept["looks"]]
        except (ValueError, KeyError, TypeError):
            return False
        if same:
            self._seen = deque(looks, maxlen=self._signal.looks)
        return same

    def _find(
        self,
        reading: Reading,
        answers: Mapping[str, Answer],  # noqa: ARG002  # a probe is not asked expressions
        now: Instant,  # noqa: ARG002  # it is judged as of the look
    ) -> tuple[Finding, float | None]:
        look, failure = reading.look, reading.failure
        if look is None and failure is None:
            failure = Failure(Fault.OURS, Blind.OURS, "the probe gave no look")
        self._take(_Seen(reading.at.steady, None if look is None or failure else look.holds))
        looks = [seen.holds for seen in self._seen]
        self.points = kept_looks(looks, None if failure else look)
        if failure is not None or look is None:
            assert failure is not None  # noqa: S101  # one of the two is there, see above
            return blinded(failure.blind, failure.reason), None
        return judge_looks(self._signal, looks, look), reading.at.wall

    def _take(self, seen: _Seen) -> None:
        oldest = seen.at - self._signal.looks * longest_gap_seconds(self.rule.every_seconds)
        while self._seen and self._seen[0].at < oldest:
            self._seen.popleft()
        self._seen.append(seen)

    def _failing(self, looks: Iterable[_Seen]) -> Truth:
        return _failing(self._signal, [seen.holds for seen in looks])


def judge_looks(signal: Probed, looks: Sequence[bool | None], newest: Look) -> Finding:
    """What the last looks prove, the newest among them; it is one that saw something."""
    failing, failed = _failing(signal, looks), looks.count(False)
    reason = newest.reason
    if signal.looks > 1:
        of = f"{failed} of the last {len(looks)} looks failed"
        reason = f"{of}, {signal.fails} of {signal.looks} are a breach; the newest: {reason}"
    if failing is Truth.UNKNOWN:
        return blinded(Blind.TOO_FEW_EVENTS, f"not looked often enough yet: {reason}")
    breached = failing is Truth.TRUE
    value, bound = newest.value, newest.bound
    if signal.looks > 1:
        value, bound = float(failed), f">= {signal.fails}"
    status = Status.BREACHED if breached else Status.HEALTHY
    return Finding(status, reason, value=value, bound=bound, clear=not breached)


def kept_looks(looks: Sequence[bool | None], newest: Look | None) -> tuple[Point, ...]:
    """Looks as a decision stores what it was given: see `looks_kept`."""
    points = [Point((("look", _WORDS[holds]),), _NUMBERS[holds]) for holds in looks]
    if newest is not None and points:
        said = [("bound", newest.bound), ("look", _WORDS[newest.holds]), ("reason", newest.reason)]
        if newest.value is not None:
            said.append(("value", repr(newest.value)))
        points[-1] = Point(tuple(said), _NUMBERS[newest.holds])
    return tuple(points)


def looks_kept(points: Sequence[Point]) -> tuple[list[bool | None], Look | None]:
    """The looks behind points of `kept_looks`, and the newest; None where it saw nothing.

    Raises ValueError, KeyError.
    """
    meant = {word: holds for holds, word in _WORDS.items()}
    looks = [meant[dict(point.labels)["look"]] for point in points]
    if not looks or looks[-1] is None:
        return looks, None
    said = dict(points[-1].labels)
    value = float(said["value"]) if "value" in said else None
    return looks, Look(looks[-1], said["reason"], value, said["bound"])


def _failing(signal: Probed, looks: Sequence[bool | None]) -> Truth:
    """Are there `fails` failures among so many looks, of which these are all that are known?"""
    if looks.count(False) >= signal.fails:
        return Truth.TRUE
    enough = looks.count(True) > signal.looks - signal.fails
    return Truth.FALSE if enough else Truth.UNKNOWN


def _truth(kept: object) -> bool | None:
    if kept is None or isinstance(kept, bool):
        return kept
    raise TypeError("a look holds, fails, or saw nothing")
