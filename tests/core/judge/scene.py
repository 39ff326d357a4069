"""A made-up service whose counters a rule watches: polls, failures, restarts, silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core.judge import Judge
from watchdog.core.probes import Probed
from watchdog.core.samples import Answer, Failure, Fault, Labels, Point, Reading
from watchdog.core.spec import (
    Bound,
    BurnPair,
    Counters,
    Liveness,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.words import Blind, Instant, Mode, Severity, Verdict

BAD = 'requests_total{code=~"5.."}'
TOTAL = "requests_total"
WALL = 1_700_000_000.0
OVER_5_PERCENT = Bound(">", 0.05, "> 5%")


def rule(
    signal: RatioThreshold | Slo | ValueThreshold | Liveness | Probed,
    *,
    every: float = 5.0,
    minimum_events: float = 20.0,
) -> RuleSpec:
    return RuleSpec(
        name="redemption",
        owner="redemption-team",
        kind="threshold",
        severity=Severity.P0,
        source="app",
        signal=signal,
        every_seconds=every,
        stale_after_seconds=2 * every,
        for_seconds=15.0,
        keep_firing_seconds=60.0,
        minimum_events=minimum_events,
        page_after_seconds=300.0,
        playbook=None,
        up_to=None,
        mode=Mode.OBSERVE,
        mode_reason="",
        corroborate=(),
        cooldown_seconds=0.0,
        watch_seconds=0.0,
        runbook="",
        labels=(),
        summary="",
        sha256="",
        where="rules.yaml:1:1",
    )


def error_rate(over: float = 30.0, bound: Bound = OVER_5_PERCENT) -> RatioThreshold:
    return RatioThreshold(Counters(BAD, TOTAL), over, bound)


def availability(*pairs: BurnPair, objective: float = 0.999) -> Slo:
    return Slo(
        Counters(BAD, TOTAL), objective, 30 * 86400.0, pairs or (BurnPair(0.02, 3600, 300, 14.4),)
    )


def labels(**pairs: str) -> Labels:
    return tuple(sorted(pairs.items()))


def instant(seconds: float) -> Instant:
    return Instant(WALL + seconds, 1000.0 + seconds)


@dataclass
class Service:
    """Its time starts at 0; every `poll` is one scrape that the judge sees at once."""

    judge: Judge
    every: float = 5.0
    at: float = 0.0
    ok: float = 1000.0
    failed: float | None = None  # no failure yet: the series does not exist
    restarted: bool = False
    last: Verdict | None = None
    trail: list[Verdict] = field(default_factory=list)

    def serve(self, ok: float, failed: float = 0.0) -> None:
        self.ok += ok
        if failed:
            self.failed = (self.failed or 0.0) + failed

    def restart(self) -> None:
        self.ok, self.failed, self.restarted = 0.0, None, True

    def answers(self, newest: float) -> Mapping[str, Answer]:
        fine = Point(labels(code="200"), self.ok, newest)
        broken = () if self.failed is None else (Point(labels(code="500"), self.failed, newest),)
        return {
            BAD: Answer(broken, newest if broken else None, () if broken else (BAD,)),
            TOTAL: Answer((fine, *broken), newest),
        }

    def poll(self) -> Verdict:
        at = instant(self.at)
        gone = frozenset({"app"}) if self.restarted else frozenset[str]()
        reading = Reading("app", at, 0.01, up={"app": True}, restarted=gone)
        self.restarted = False
        return self._seen(self.judge.observe(reading, self.answers(at.wall), at))

    def poll_in_vain(
        self, fault: Fault = Fault.PROVIDER, blind: Blind = Blind.UNREACHABLE
    ) -> Verdict:
        at = instant(self.at)
        failure = Failure(fault, blind, "connection refused")
        return self._seen(self.judge.observe(Reading("app", at, 0.01, failure=failure), {}, at))

    def run(self, polls: int, ok: float, failed: float = 0.0) -> Verdict:
        """So many intervals pass; each serves so many events and is polled at its end."""
        verdict = self.last
        for _ in range(polls):
            self.at += self.every
            self.serve(ok, failed)
            verdict = self.poll()
        assert verdict is not None
        return verdict

    def _seen(self, verdict: Verdict) -> Verdict:
        self.last = verdict
        self.trail.append(verdict)
        return verdict


def watched(
    signal: RatioThreshold | Slo, *, minimum_events: float = 20.0, every: float = 5.0
) -> Service:
    """A service with a judge that has looked at it once."""
    service = Service(Judge(rule(signal, every=every, minimum_events=minimum_events)), every)
    service.poll()
    return service
