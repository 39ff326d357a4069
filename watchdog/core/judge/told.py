"""The judge of an event rule: does a matching event stand that the rule has not dealt with?

Laws
* BREACHED while one stands, HEALTHY while none does; BLIND while nobody could tell us, since the
  channel has no credential to know a sender by.
* It is judged from what the book holds at this very pass: what was heard, and which of it the rule
  has dealt with.
* One event is a fact and needs no second look. One that is first told long after it began, or that
  was heard before the rule's present text was applied, is breached all the same, and already
  burning.
* Recovery is judged by events after the effect alone. That nothing new is told proves nothing while
  an old event stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from watchdog.core.channels import EventSignal
from watchdog.core.heard import Event, Heard
from watchdog.core.judge.answers import series_text, stale
from watchdog.core.judge.finding import Finding, blinded
from watchdog.core.judge.judge import Judge
from watchdog.core.samples import Answer, Labels, Point, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.text import duration, shortened
from watchdog.core.words import CheckReading, Instant, Status, Truth, Verdict

LATE_SECONDS = 900.0
"""An event that began longer than this before we first heard of it is no fresh one: an alert that
burnt when the watchdog was connected must not fire everything. Grouping delays are shorter."""

_BEFORE_TEXT = "was heard before the rule's present text was applied"
_BOUND = "> 0"
_MOST_TOLD = 300


class EventJudge(Judge):
    """A `Judge` that looks into the book. `hear` gives it, before each look."""

    def __init__(self, rule: RuleSpec, signal: EventSignal) -> None:
        super().__init__(rule)
        self._signal = signal
        self._heard = Heard()
        self._deaf = False
        self._matching: tuple[Event, ...] = ()
        self._as_of: tuple[int, int] | None = None
        self._stands: object = None
        self._found: Finding | None = None

    def hear(self, heard: Heard) -> None:
        """What is known at this pass."""
        self._heard = heard

    def tick(self, now: Instant) -> Verdict:
        """Unlike a number, what was heard may be judged at any time that somebody listens."""
        last = self._last
        if last is None or self._read_at is None:
            return super().tick(now)
        if self._deaf:
            return last
        old = stale(now.steady - self._read_at.steady, self.rule.stale_after_seconds)
        finding = old or self._judge(now)
        if (finding.status, finding.reason) != (last.status, last.reason):
            self._last = finding.verdict(now, self._read_at.wall)
        return self._last or last

    def recovered_since(self, effect: Instant, now: Instant) -> CheckReading:
        verdict = self.tick(now)
        if verdict.status is Status.BLIND:
            return CheckReading(Truth.UNKNOWN, f"blind: {verdict.reason}", now)
        standing = self._standing(now)
        fresh = [event for event in standing if event.heard.steady > effect.steady]
        if fresh:
            return CheckReading(Truth.FALSE, f"{fresh[0].id} was told after the effect", now)
        if standing:
            return CheckReading(Truth.UNKNOWN, f"nobody has resolved {standing[0].id}", now)
        return CheckReading(Truth.TRUE, verdict.reason, now)

    def _find(
        self,
        reading: Reading,
        answers: Mapping[str, Answer],  # noqa: ARG002  # a channel is not asked expressions
        now: Instant,
    ) -> tuple[Finding, float | None]:
        failure = reading.failure
        self._deaf = failure is not None
        if failure is not None:
            return blinded(failure.blind, failure.reason), None
        return self._judge(now), reading.at.wall

    def _judge(self, now: Instant) -> Finding:
        standing = self._standing(now)
        news = [one for one in standing if not self._heard.is_settled(self.rule.name, one)]
        # Until something is heard, what stands only ever becomes less: its number tells it.
        old = [one for one in news if self._heard.is_older_than_text(self.rule.name, one)]
        stands = (self._as_of, len(standing), len(news), len(old))
        if self._found is None or stands != self._stands:
            self.points = kept_events(news, dealt_with=len(standing) - len(news), old=old)
            self._found, self._stands = judge_events(self._signal, self.points), stands
        return self._found

    def _standing(self, now: Instant) -> list[Event]:
        """What matches and stands, the newest first. Matching is done once a change."""
        as_of = (id(self._heard), self._heard.changes)
        if as_of != self._as_of:
            channel = self._heard.standing(self._signal.channel)
            matching = [event for event in channel if self._signal.matches(event.labels)]
            matching.sort(key=lambda event: event.heard.steady, reverse=True)
            self._matching, self._as_of = tuple(matching), as_of
        lasts = self._signal.lasts_seconds
        return [event for event in self._matching if event.stands(lasts, now)]


def kept_events(
    news: Sequence[Event], *, dealt_with: int, old: Sequence[Event] = ()
) -> tuple[Point, ...]:
    """What the judgement rests on, as a decision stores it: a point for each event that the rule
    has not dealt with, the newest first, and one for the number of the others. `old` are those of
    them that were heard before the rule's present text was applied.
    """
    points = [Point(_told(event, before_text=event in old), 1.0) for event in news]
    return (*points, Point((("dealt_with", str(dealt_with)),), 0.0)) if dealt_with else (*points,)


def judge_events(signal: EventSignal, points: Sequence[Point]) -> Finding:
    """What these points of `kept_events` say. Raises KeyError where they are no such."""
    news = [dict(point.labels) for point in points if point.value]
    if not news:
        others = [dict(point.labels)["dealt_with"] for point in points]
        reason = f"no event stands on {signal.about}"
        if others:
            reason = f"no new event stands on {signal.about}; dealt with before: {others[0]}"
        return Finding(Status.HEALTHY, reason, value=0.0, bound=_BOUND, clear=True)
    newest, count = news[0], len(news)
    what = f"{newest['event']} stands on {signal.channel} since {newest['heard']}"
    if count > 1:
        what = f"{count} events stand on {signal.channel}, the newest since {newest['heard']}: "
        what += newest["event"]
    if "late" in newest:
        what += f", which began {newest['late']} before"
    elif "before_text" in newest:
        what += f", which {_BEFORE_TEXT}"
    told = newest["summary"] or series_text(
        tuple((name[1:], value) for name, value in newest.items() if name.startswith("."))
    )
    reason = f"{what}: {shortened(told, _MOST_TOLD)}"
    return Finding(Status.BREACHED, reason, value=float(count), bound=_BOUND)


def none_is_fresh(points: Sequence[Point]) -> str:
    """Why none of these events is fresh, if none is."""
    news = [dict(point.labels) for point in points if point.value]
    if not news or not all("late" in one or "before_text" in one for one in news):
        return ""
    newest = news[0]
    if "late" in newest:
        return f"{newest['event']} began {newest['late']} before it was first told"
    return f"{newest['event']} {_BEFORE_TEXT}"


def _told(event: Event, *, before_text: bool) -> Labels:
    """The event's own labels with a dot before their names, which no name of ours has."""
    said = [("event", event.id), ("heard", _time(event.heard.wall)), ("summary", event.summary)]
    before = event.heard.wall - event.began
    if before > LATE_SECONDS:
        said.append(("late", duration(before)))
    if before_text:
        said.append(("before_text", "yes"))
    return (*said, *((f".{name}", value) for name, value in event.labels))


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
