"""What was heard of events, folded from the journal with the book: what stands, what is known.

Laws
* An event that was told once is known: telling it again opens nothing, also after a restart, after
  its end, and when what was told first arrives last. Only a later beginning is another event.
* A rule that has dealt with an event (its episode ended, or a person undid what it did) is not
  breached by it again. Only what is first heard of after that is news to it.
* What was heard before a rule's present text was applied is no fresh event to that text.
* What is known is bounded: in time, in number per channel, what is over goes first.

`take`, `settle` and `hear_anew` alone change it, by the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from watchdog.core.channels import Channel, EventReceived, EventStatus, Labels
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Instant

KNOWN_FOR_SECONDS = 30 * 86_400.0
"""By then an event that nobody repeats is forgotten; a rule lets none stand for longer."""

MOST_KNOWN = 5_000
"""Of one channel."""

REPEATED_AFTER_SECONDS = 60.0
"""A repeat is recorded when the last one was recorded this long ago; those between add nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is known. `began` is the sender's own time, by the wall clock."""

    channel: str
    id: str
    began: float
    labels: Labels
    summary: str
    heard: Instant  # when we first heard of it
    told: Instant  # when we last recorded that it goes on
    over: Instant | None = None  # when we heard that it had ended
    number: int = 0  # the change by which it became known: what came before is told by it

    def stands(self, lasts_seconds: float, now: Instant) -> bool:
        return self.over is None and now.steady - self.told.steady < lasts_seconds


class News(StrEnum):
    """What a report is, beside what is known."""

    NEW = "new"
    RESOLVED = "resolved"
    REPEATED = "repeated"
    LATE = "late"  # of an event that is over, or that a later one has followed


@dataclass(slots=True)
class Heard:
    """Read freely; changed by the book alone."""

    events: dict[str, dict[str, Event]] = field(default_factory=dict)  # channel -> id -> it
    settled: dict[str, int] = field(default_factory=dict)  # rule -> the last change it dealt with
    changes: int = 0  # how often `events` was changed
    texts: dict[str, int] = field(default_factory=dict)  # rule -> the last change before its text

    def of(self, channel: str) -> Iterable[Event]:
        return self.events.get(channel, {}).values()

    def standing(self, channel: str) -> Iterator[Event]:
        """Those that nobody has resolved."""
        return (event for event in self.of(channel) if event.over is None)

    def find(self, channel: str, name: str) -> Event | None:
        return self.events.get(channel, {}).get(name)

    def is_settled(self, rule: str, event: Event) -> bool:
        """Whether the rule has dealt with it."""
        return event.number <= self.settled.get(rule, 0)

    def is_older_than_text(self, rule: str, event: Event) -> bool:
        """Whether it was heard before the rule's present text was applied."""
        return event.number <= self.texts.get(rule, 0)

    def take(self, entry: object, at: Instant) -> None:
        """An entry of the journal, in its order; of most kinds nothing is to be learned."""
        if not isinstance(entry, EventReceived):
            return
        known = self.find(entry.channel, entry.id)
        if news_of(known, entry, at) is not News.LATE:
            self.changes += 1
            self._put(_after(known, entry, at, self.changes), at)

    def settle(self, rule: str) -> None:
        """The rule has dealt with all that was heard until now."""
        self.settled[rule] = self.changes

    def hear_anew(self, rule: str) -> None:
        """From here on the rule is judged by another text."""
        self.texts[rule] = self.changes

    def _put(self, event: Event, at: Instant) -> None:
        events = self.events.setdefault(event.channel, {})
        events.pop(event.id, None)  # the dictionary's order is that of the last word on each
        events[event.id] = event
        while at.steady - (oldest := next(iter(events.values()))).told.steady >= KNOWN_FOR_SECONDS:
            del events[oldest.id]
        if len(events) > MOST_KNOWN:
            over = (name for name, known in events.items() if known.over is not None)
            del events[next(over, next(iter(events)))]


def sorted_out(
    heard: Heard, source: SourceSpec, told: Iterable[EventReceived], now: Instant
) -> tuple[list[EventReceived], tuple[News | None, ...]]:
    """What of one request is to be recorded, and what each part of it is, None for what is too
    soon. By a signed webhook an id is told once for ever: its own times do not make it another.
    """
    once = isinstance(source.how, Channel) and source.how.kind == "hmac"
    fresh: dict[str, EventReceived] = {}
    news: list[News | None] = []
    for one in told:
        known = heard.find(one.channel, one.id)
        if once and known is not None:
            one = replace(one, began=known.began, ended=None)  # noqa: PLW2901  # as it was told first
        kind = _told_once(known, one) if once else news_of(known, one, now)
        if kind not in {None, News.LATE}:
            fresh[one.id] = one  # of two in one request the later word counts
        news.append(kind)
    return list(fresh.values()), tuple(news)


def _told_once(known: Event | None, one: EventReceived) -> News:
    over = one.status is EventStatus.RESOLVED
    if known is None:
        return News.RESOLVED if over else News.NEW
    return News.RESOLVED if over and known.over is None else News.LATE


def news_of(known: Event | None, entry: EventReceived, at: Instant) -> News | None:
    """What a report is; None for a repeat that is too soon to be recorded."""
    if known is None or _follows(known, entry):
        return News.NEW if entry.status is EventStatus.FIRING else News.RESOLVED
    if known.over is not None:
        return News.LATE
    if entry.status is EventStatus.RESOLVED:
        return News.RESOLVED if _ends(known, entry) else News.LATE
    soon = at.steady - known.told.steady < REPEATED_AFTER_SECONDS
    return None if soon else News.REPEATED


def _follows(known: Event, entry: EventReceived) -> bool:
    """Another event of the same identity, which began after this one."""
    return entry.began > known.began


def _ends(known: Event, entry: EventReceived) -> bool:
    """Whether what has ended is this one. Where several tell of it, its beginning may have been
    moved back since, and its end still lies behind the beginning that we know.
    """
    return entry.began == known.began or entry.ended is None or entry.ended >= known.began


def _after(known: Event | None, entry: EventReceived, at: Instant, number: int) -> Event:
    over = at if entry.status is EventStatus.RESOLVED else None
    if known is None or _follows(known, entry):
        return Event(
            channel=entry.channel,
            id=entry.id,
            began=entry.began,
            labels=entry.labels,
            summary=entry.summary,
            heard=at,
            told=at,
            over=over,
            number=number,
        )
    return replace(known, told=at, over=over)
