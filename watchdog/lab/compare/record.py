"""Our side: what the journal says of every rule's episodes, blindness and absence, as stretches.

Folded from the entries alone. Times are the journal's wall times, seconds since the epoch. What
the journal does not say, nothing here does: where it begins late or ends early, `Record.span` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.book import MANUAL, Book
from watchdog.core.states import Event, State
from watchdog.core.words import Blind, Verdict
from watchdog.lab.compare.stretches import common
from watchdog.lab.history.tracks import Span

LEAST_AWAY_SECONDS = 2.0
"""A shorter time without a pass is no absence: passes are a second apart."""

LEAST_SILENT_SECONDS = 120.0
"""Nothing is known of the last while: a daemon saves its clocks four times a minute."""


@dataclass(frozen=True, slots=True)
class OurEpisode:
    """One episode. It fires from the moment at which `for` was reached; None where it never was.

    `over` is when the rule was first seen healthy after that, or when a person closed it.
    """

    id: str
    rule: str
    world: str
    opened: float
    fired: float | None = None
    over: float | None = None
    ended: float | None = None
    closed_by: str = ""
    state: State = State.OK  # the last one, or the one before it ended
    refusals: tuple[str, ...] = ()
    rule_sha256: str = ""
    seen: float = 1.0  # of its least observed window when it opened; the rest counted as good


@dataclass(frozen=True, slots=True)
class Blinded:
    span: Span
    kinds: tuple[Blind, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Away:
    """Nothing was judged at all: `down`, `asleep`, or `silent` where no sign of life is left."""

    span: Span
    how: str


@dataclass(frozen=True, slots=True)
class Applied:
    """One policy's time in force."""

    span: Span
    sha256: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything from `span.start`, where the journal begins, up to the present."""

    span: Span
    episodes: tuple[OurEpisode, ...]
    blind: dict[str, tuple[Blinded, ...]]
    away: tuple[Away, ...]
    applied: tuple[Applied, ...]
    environment: str = ""

    def within(self, span: Span) -> Record:
        """With those policies alone that were in force at some time of the span."""
        applied = tuple(one for one in self.applied if common(one.span, span))
        return replace(self, applied=applied)


@dataclass(slots=True)
class _Fold:
    until: float
    begins: float | None = None
    episodes: dict[str, OurEpisode] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)
    blind: dict[str, list[Blinded]] = field(default_factory=dict)
    blinded: dict[str, Blinded] = field(default_factory=dict)
    away: list[Away] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    stopped: float | None = None
    last: float = 0.0
    environment: str = ""

    def take(self, entry: e.Entry, at: float) -> None:  # noqa: C901, PLR0912  # one arm a kind of entry
        self.last = at
        if at > self.until and not isinstance(entry, e.Started | e.Slept):
            return  # later than what is asked about; these two tell of a time before them
        if self.begins is None:
            self.begins = min(at, self.until)
        match entry:
            case e.Started():
                self._started(entry, at)
            case e.Stopped():
                self.stopped = at
            case e.Slept():
                self.away.append(Away(Span(at - entry.seconds, at), "asleep"))
            case e.PolicyApplied():
                self._end_policy(at)
                self.applied.append(Applied(Span(at, self.until), entry.sha256, entry.files))
            case e.BlindBegan():
                was = self.blinded.get(entry.rule) or Blinded(Span(at, self.until), (), "")
                kinds = (*was.kinds, entry.blind)
                self.blinded[entry.rule] = replace(was, kinds=kinds, reason=entry.reason)
            case e.BlindEnded():
                self._see_again(entry.rule, at)
            case e.EpisodeOpened() if entry.rule != MANUAL:
                self.episodes[entry.episode] = OurEpisode(
                    entry.episode,
                    entry.rule,
                    entry.world.value,
                    at,
                    rule_sha256=entry.rule_sha256,
                    seen=_seen(entry.verdict),
                )
                self.current[entry.rule] = entry.episode
            case e.EpisodeMoved() if entry.episode in self.episodes:
                self._moved(self.episodes[entry.episode], entry, at)
            case e.RuleCleared():
                self._cleared(entry.rule, at)
            case e.Decided() if entry.episode in self.episodes:
                if entry.ruling is e.Ruling.REFUSED:
                    ep = self.episodes[entry.episode]
                    self.episodes[ep.id] = replace(ep, refusals=(*ep.refusals, entry.reason))

    def _started(self, entry: e.Started, at: float) -> None:
        self.environment = entry.environment
        seconds = entry.down_seconds
        if self.stopped is not None:
            seconds = max(seconds, at - self.stopped)
        if seconds >= LEAST_AWAY_SECONDS:
            self.away.append(Away(Span(at - seconds, at), "down"))
        self.stopped = None

    def _end_policy(self, at: float) -> None:
        if self.applied:
            one = self.applied[-1]
            self.applied[-1] = replace(one, span=Span(one.span.start, at))

    def _see_again(self, rule: str, at: float) -> None:
        was = self.blinded.pop(rule, None)
        if was is not None:
            ended = replace(was, span=Span(was.span.start, at))
            self.blind.setdefault(rule, []).append(ended)

    def _moved(self, ep: OurEpisode, entry: e.EpisodeMoved, at: float) -> None:
        if entry.before is State.PENDING and entry.after is not State.OK:
            ep = replace(ep, fired=at)
        if entry.after is State.OK:
            closed = entry.actor or "somebody" if entry.event is Event.CLOSED else ""
            ep = replace(ep, over=at if ep.over is None else ep.over, ended=at, closed_by=closed)
            if self.current.get(ep.rule) == ep.id:
                del self.current[ep.rule]
        else:
            over = at if ep.over is None and entry.event is Event.RECOVERED else ep.over
            ep = replace(ep, state=entry.after, over=over)
        self.episodes[ep.id] = ep

    def _cleared(self, rule: str, at: float) -> None:
        """Healthy with its short window wholly seen, while an episode of it still stands."""
        ep = self.episodes.get(self.current.get(rule, ""))
        if ep is not None and ep.fired is not None and ep.over is None:
            self.episodes[ep.id] = replace(ep, over=at)


def _seen(verdict: Verdict | None) -> float:
    windows = verdict.evidence if verdict is not None else ()
    return min((one.coverage for one in windows), default=1.0)


def read_record(
    base: Book | None, entries: Iterable[e.Recorded], *, alive_at: float, now: float
) -> Record:
    """The journal as stretches. `base` stands for the entries that were retired.

    `alive_at` is the last sign of life beside the entries: of a time after it nothing is known,
    where no entry came either.
    """
    fold = _Fold(now)
    if base is not None and base.last is not None:
        _from(base, fold)
    for one in entries:
        fold.take(one.entry, one.at.wall)
    for rule in list(fold.blinded):
        fold._see_again(rule, now)  # noqa: SLF001  # of this module
    if fold.stopped is not None:
        fold.away.append(Away(Span(fold.stopped, now), "down"))
    alive = max(fold.last, alive_at)
    if fold.stopped is None and now > alive + LEAST_SILENT_SECONDS:
        fold.away.append(Away(Span(alive, now), "silent"))
    return Record(
        Span(now if fold.begins is None else fold.begins, now),
        tuple(fold.episodes.values()),
        {rule: tuple(spans) for rule, spans in fold.blind.items()},
        tuple(fold.away),
        tuple(fold.applied),
        fold.environment,
    )


def _from(base: Book, fold: _Fold) -> None:
    """What stood when the retired entries ended; when an open episode fired, they alone knew."""
    assert base.last is not None  # noqa: S101  # asked by the caller
    at = fold.begins = fold.last = base.last.wall
    if base.started is not None:
        fold.environment = base.started.environment
    if base.policy is not None:
        policy = base.policy
        fold.applied.append(Applied(Span(at, fold.until), policy.sha256, policy.files))
    for rule, one in base.blind.items():
        since = Span(one.since.wall, fold.until)
        fold.blinded[rule] = Blinded(since, one.kinds, one.reason)
    for ep in base.open_episodes():
        if ep.rule == MANUAL:
            continue
        fold.episodes[ep.id] = OurEpisode(
            ep.id,
            ep.rule,
            ep.world.value,
            ep.opened.wall,
            fired=None if ep.state is State.PENDING else ep.opened.wall,
            state=ep.state,
            rule_sha256=ep.rule_sha256,
        )
        fold.current[ep.rule] = ep.id
