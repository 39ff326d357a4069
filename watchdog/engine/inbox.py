"""What senders tell: recorded first, and judged at once.

The law: whoever is answered that we have it can forget it. So an event is in the journal before
anything is answered, and where it cannot be recorded nothing is believed and nothing starts. What
is known already is answered and not recorded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from watchdog.core.channels import Channel, EventReceived, EventStatus
from watchdog.core.heard import Event, Heard, News, news_of
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Instant
from watchdog.engine.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a request: the news of each of its events, None for a repeat too soon.

    Not `recorded`: there is no room, and none of it was believed.
    """

    recorded: bool
    news: tuple[News | None, ...] = ()


class Inbox:
    """`judge` is told of a source that has news: its rules are judged now."""

    def __init__(self, recorder: Recorder, judge: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._judge = judge

    def take(self, source: SourceSpec, told: Sequence[EventReceived]) -> Taken:
        """Take in what an authenticated sender told. Raises JournalError, save that it is full."""
        now = self._recorder.clock.now()
        once = isinstance(source.how, Channel) and source.how.kind == "hmac"
        fresh, news = _sorted_out(self._recorder.book.heard, told, now, once=once)
        if fresh and not self._recorder.record(fresh, now):
            return Taken(recorded=False)
        if fresh:
            self._judge(source.name)
        return Taken(recorded=True, news=news)


def _sorted_out(
    heard: Heard, told: Sequence[EventReceived], now: Instant, *, once: bool
) -> tuple[list[EventReceived], tuple[News | None, ...]]:
    """What of it is to be recorded, and what each is. `once`: an id is told once and for ever."""
    fresh: dict[str, EventReceived] = {}
    news: list[News | None] = []
    for one in told:
        known = heard.find(one.channel, one.id)
        if once and known is not None:
            one = replace(one, began=known.began, ended=None)  # noqa: PLW2901  # its own time counts
        kind = _once(known, one) if once else news_of(known, one, now)
        if one.id in fresh:  # twice in one request: the later word on it counts
            kind = News.LATE if one.began < fresh[one.id].began else kind
        if kind not in {None, News.LATE}:
            fresh[one.id] = one
        news.append(kind)
    return list(fresh.values()), tuple(news)


def _once(known: Event | None, one: EventReceived) -> News:
    over = one.status is EventStatus.RESOLVED
    if known is None:
        return News.RESOLVED if over else News.NEW
    return News.RESOLVED if over and known.over is None else News.LATE
