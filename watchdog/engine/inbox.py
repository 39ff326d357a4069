"""What senders tell: recorded first, and judged at once.

The law: whoever is answered that we have it can forget it. So an event is in the journal before
anything is answered, and where it cannot be recorded nothing is believed and nothing starts. What
is known already is answered and not recorded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchdog.core.channels import EventReceived
from watchdog.core.heard import News, sorted_out
from watchdog.core.spec import SourceSpec
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
        fresh, news = sorted_out(self._recorder.book.heard, source, told, now)
        if fresh and not self._recorder.record(fresh, now):
            return Taken(recorded=False)
        if fresh:
            self._judge(source.name)
        return Taken(recorded=True, news=news)
