"""What was deployed, and what may not be: deploys and freezes, folded from the journal's entries.

Laws: one deploy at a time for each target; deploys that follow each other at once keep actions
back no longer than one would; one that was begun under a pipeline's id is never begun
again under it; a lifted freeze stays lifted for the episodes that it named, until they change the
target anew. What is kept is bounded, and what is forgotten of a lift is frozen again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.deploys import ALL
from watchdog.core.states import State
from watchdog.core.words import Direction, Instant

FOLLOWS_WITHIN_SECONDS = 300.0
"""A deploy that begins so soon after another one goes on with its time: a pipeline that tries over
and over keeps actions back no longer than one that takes long."""

MOST_PAST = 1000
MOST_TARGETS = 1000
MOST_LIFTED = 1000

PAGE = "deploy:"
"""Before a deploy's name: the key of the page that it lasts too long."""


@dataclass(frozen=True, slots=True)
class Deploy:
    """`ended` is None while it is under way."""

    name: str
    target: str
    actor: str
    began: Instant
    expires: Instant
    change: str = ""
    reason: str = ""
    id: str = ""
    told: bool = False  # people were told that it lasts too long
    since: Instant | None = None  # the beginning of the one that it follows, where it follows one
    ended: Instant | None = None
    outcome: str = ""
    ended_by: str = ""

    def over(self, most_seconds: float) -> Instant:
        """When it ends for the gates: its own end, or the longest that one may keep actions back.

        Of one under way that is when it will.
        """
        ends = (self.ended or self.expires, (self.since or self.began).plus(most_seconds))
        return min(ends, key=lambda at: at.steady)

    def keeps_back(self, most_seconds: float, now: Instant) -> bool:
        return self.ended is None and now.steady < self.over(most_seconds).steady


@dataclass(slots=True)
class Deploys:
    """Read freely; changed by the book alone."""

    open: dict[str, Deploy] = field(default_factory=dict)  # target -> the one under way
    past: dict[str, Deploy] = field(default_factory=dict)  # by name, the oldest first
    last: dict[str, Deploy] = field(default_factory=dict)  # target -> the one that ended last
    touched: dict[str, dict[str, Instant]] = field(default_factory=dict)  # target -> open episodes
    lifted: dict[str, dict[str, Instant]] = field(default_factory=dict)  # target -> episodes
    count: int = 0

    def of(self, target: str) -> Iterator[Deploy]:
        """Those under way that cover the target."""
        return (self.open[name] for name in dict.fromkeys((target, ALL)) if name in self.open)

    def last_of(self, target: str) -> Iterator[Deploy]:
        """The last that ended of those that covered it, one each."""
        return (self.last[name] for name in dict.fromkeys((target, ALL)) if name in self.last)

    def every(self) -> Iterator[Deploy]:
        """All that are known, those under way last."""
        yield from self.past.values()
        yield from self.open.values()

    def find(self, actor: str, given: str) -> Deploy | None:
        """By a pipeline's own id; another's of the same name is another."""
        found = (one for one in self.every() if (one.actor, one.id) == (actor, given))
        return next(found, None)

    def next_name(self) -> str:
        """The name that the next one will have: P1, P2, ..."""
        return f"P{self.count + 1}"

    def is_lifted(self, target: str, episode: str) -> bool:
        return episode in self.lifted.get(target, {})

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case e.DeployBegan():
                self._begin(entry, at)
            case e.DeployEnded():
                self._end(entry, at)
            case e.FreezeLifted():
                self._lift(entry, at)
            case e.IntentEnded() if entry.direction is Direction.DO:
                self._effect(entry, at)
            case e.EpisodeMoved(after=State.OK):
                for target in list(self.touched):
                    _drop(self.touched, target, entry.episode)
            case e.Paged(key) if key.startswith(PAGE):
                self._told(key.removeprefix(PAGE))
            case _:
                pass

    def _begin(self, entry: e.DeployBegan, at: Instant) -> None:
        self.count = max(self.count, int(entry.deploy[1:]))
        before = [*self._lately(entry.target, at), *self.of(entry.target)]
        self.open[entry.target] = Deploy(
            entry.deploy,
            entry.target,
            entry.actor,
            at,
            entry.expires,
            entry.change,
            entry.reason,
            entry.id,
            told=any(one.told for one in before),
            since=min(
                (one.since or one.began for one in before),
                key=lambda began: began.steady,
                default=None,
            ),
        )

    def _lately(self, target: str, at: Instant) -> Iterator[Deploy]:
        for one in self.last_of(target):
            if one.ended is not None and at.steady - one.ended.steady < FOLLOWS_WITHIN_SECONDS:
                yield one

    def _told(self, name: str) -> None:
        for target, one in self.open.items():
            if one.name == name:
                self.open[target] = replace(one, told=True)

    def _end(self, entry: e.DeployEnded, at: Instant) -> None:
        found = self.open.pop(entry.target, None)
        if found is None:
            return
        over = replace(found, ended=at, outcome=entry.outcome.value, ended_by=entry.actor)
        self.past[over.name] = over
        self.last.pop(over.target, None)
        self.last[over.target] = over
        _keep(self.past, MOST_PAST)
        _keep(self.last, MOST_TARGETS)

    def _effect(self, entry: e.IntentEnded, at: Instant) -> None:
        """A change of the target, or one that may have been: a lift of before is not about it."""
        if entry.outcome is e.Outcome.ABANDONED:
            return
        self.touched.setdefault(entry.target, {})[entry.episode] = at
        _drop(self.lifted, entry.target, entry.episode)

    def _lift(self, entry: e.FreezeLifted, at: Instant) -> None:
        self.lifted.setdefault(entry.target, {}).update(dict.fromkeys(entry.episodes, at))
        while sum(len(held) for held in self.lifted.values()) > MOST_LIFTED:
            when = {(t, ep): since for t, held in self.lifted.items() for ep, since in held.items()}
            _drop(self.lifted, *min(when, key=lambda one: when[one].steady))


def _keep(found: dict[str, Deploy], most: int) -> None:
    while len(found) > most:
        del found[next(iter(found))]


def _drop(found: dict[str, dict[str, Instant]], target: str, episode: str) -> None:
    held = found.get(target, {})
    held.pop(episode, None)
    if not held:
        found.pop(target, None)
