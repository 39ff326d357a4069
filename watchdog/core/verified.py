"""What verification has said so far, folded from the record: by run, and the newest by check.

It is shown, and told. Nothing that decides looks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchdog.core.entries import Drifted
from watchdog.core.intents import CameLate, IntentEnded, IntentOpened, Outcome
from watchdog.core.verification import (
    VerificationBegan,
    VerificationChecked,
    after_what,
    in_short,
)
from watchdog.core.words import Instant

KEPT_ENDED = 100
"""Runs kept at hand that have ended; the journal keeps them all."""


@dataclass(frozen=True, slots=True)
class Known:
    """What came of a check, and when."""

    entry: VerificationChecked
    at: Instant


@dataclass(slots=True)
class Run:
    """One verification. `changes` are of its target, begun since, and may make it moot."""

    began: VerificationBegan
    at: Instant
    known: dict[str, Known] = field(default_factory=dict)
    changes: tuple[str, ...] = ()

    @property
    def overtaken(self) -> str:
        """The change that makes it moot, unless it ends without having changed anything."""
        return self.changes[0] if self.changes else ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The checks that have not ended."""
        return tuple(name for name in self.began.checks if name not in self.known)

    @property
    def line(self) -> str:
        """In one line, for people."""
        what = after_what(self.began.action, self.began.direction)
        found = [self.known[name].entry for name in self.began.checks if name in self.known]
        return f"verified after {what}: {in_short(found, self.missing)}"


@dataclass(slots=True)
class Verifications:
    runs: dict[str, Run] = field(default_factory=dict)
    by_episode: dict[str, list[str]] = field(default_factory=dict)
    last: dict[str, dict[str, Known]] = field(default_factory=dict)  # action -> check -> the newest

    def take(self, entry: object, at: Instant) -> None:
        """Take one entry in. Most are of no concern here."""
        match entry:
            case VerificationBegan():
                self._forget()
                self.runs[entry.verification] = Run(entry, at)
                self.by_episode.setdefault(entry.episode, []).append(entry.verification)
            case VerificationChecked():
                known = Known(entry, at)
                self.last.setdefault(entry.action, {})[entry.check] = known
                if entry.verification in self.runs:
                    self.runs[entry.verification].known[entry.check] = known
            case IntentOpened():
                self._moot(entry.target, entry.intent)
            case IntentEnded():
                for run in self.under_way():
                    if _changed_nothing(entry, run):
                        run.changes = tuple(one for one in run.changes if one != entry.intent)
            case CameLate():
                self._moot(entry.target, entry.intent)
            case Drifted():
                self._moot(entry.target, "somebody else's")

    def _moot(self, target: str, change: str) -> None:
        for run in self.under_way():
            if run.began.target == target and change != run.began.intent:
                run.changes = (*run.changes, change)

    def under_way(self) -> Iterator[Run]:
        """Those with checks that have not ended."""
        return (run for run in self.runs.values() if run.missing)

    def of(self, episode: str) -> tuple[Run, ...]:
        """All of an episode, oldest first."""
        return tuple(self.runs[name] for name in self.by_episode.get(episode, ()))

    def standing(self, episode: str) -> tuple[Run, ...]:
        """What is to be told of an episode: for each action the newest that began by itself, with
        what was found since where somebody asked again.
        """
        found: dict[str, Run] = {}
        for run in self.of(episode):
            began, before = run.began, found.get(run.began.action)
            if before is None or not began.actor:
                found[began.action] = Run(began, run.at, dict(run.known), run.changes)
            elif before.began.direction is began.direction:
                since = {n: one for n, one in run.known.items() if n in before.began.checks}
                before.known.update(since)
        return tuple(found.values())

    def lines(self, episode: str) -> tuple[str, ...]:
        return tuple(run.line for run in self.standing(episode))

    def _forget(self) -> None:
        ended = [name for name, run in self.runs.items() if not run.missing]
        for name in ended[: max(0, len(ended) - KEPT_ENDED)]:
            episode = self.runs.pop(name).began.episode
            self.by_episode[episode].remove(name)
            if not self.by_episode[episode]:
                del self.by_episode[episode]


def _changed_nothing(entry: IntentEnded, run: Run) -> bool:
    """What was found there and was to be there, it was there before as well."""
    if entry.outcome is Outcome.FOUND:
        return entry.direction is run.began.direction
    return entry.outcome in {Outcome.ABANDONED, Outcome.FAILED}
