"""What sources deliver and what expressions give back.

A source never raises at its caller: what went wrong is a `Failure` inside the `Reading`, and it
says whose fault it was, since only the service's own fault can ever breach a rule.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from watchdog.core.words import Blind, Instant

Labels = tuple[tuple[str, str], ...]
"""Sorted (name, value) pairs without `__name__`; hashable, so that it can key a series."""


def labels_of(mapping: Mapping[str, str]) -> Labels:
    return tuple(sorted((k, v) for k, v in mapping.items() if k != "__name__"))


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of one labelled series at one time (seconds since the epoch, UTC)."""

    name: str
    labels: Labels
    value: float
    at: float


class Fault(StrEnum):
    """Whose fault a failed reading is."""

    OURS = "ours"  # a bug, a limit that we set, a loop that was late
    PROVIDER = "provider"  # the metrics system is down or answers nonsense
    SERVICE = "service"  # the watched service itself does not answer


@dataclass(frozen=True, slots=True)
class Failure:
    fault: Fault
    blind: Blind
    reason: str  # "connection refused", "200 with text/html instead of metrics"


@dataclass(frozen=True, slots=True)
class Point:
    """One element of an instant vector. `at` is the time of the sample behind it, where known."""

    labels: Labels
    value: float
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of one expression at one time, or why there is none.

    `newest` is the time of the newest sample of that selector in the expression whose newest
    sample is oldest: the whole is as fresh as its stalest part. None when nothing was matched.
    `missing` names the selectors that matched nothing. `unwatched` names what nobody has watched
    long enough: a range that begins before its series were collected, or an absence unseen.
    """

    points: tuple[Point, ...] = ()
    newest: float | None = None
    missing: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PastMoment:
    """What expressions would have answered at one past time (seconds since the epoch)."""

    at: float
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Look:
    """What a probe saw of the service itself, proven either way."""

    holds: bool
    reason: str  # "2 changed: images.json, health.json"
    value: float | None = None  # the number that decided, where there is one
    bound: str = ""  # what it was compared with: "> 30m"
    output: str = ""  # what a command printed, bounded


@dataclass(frozen=True, slots=True)
class Reading:
    """What one poll of one source gave.

    Embedded sources (scrape, json) fill `samples`; a Prometheus source fills `answers`, keyed by
    the expression's text; a probe gives its `look`. `up` says per target whether it answered;
    `restarted` names the targets whose process is another one than at the poll before.
    `failure` set: nothing else is.

    `aside` answers what nobody judges, of the same moment: asked for once this reading was judged,
    so that it takes no time from it. None where nobody can be asked.
    """

    source: str
    at: Instant  # when the request was pinned: just before it was sent
    took_seconds: float
    samples: tuple[Sample, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    up: Mapping[str, bool] = field(default_factory=dict)
    restarted: frozenset[str] = frozenset()
    failure: Failure | None = None
    look: Look | None = None
    aside: Callable[[Sequence[str]], Awaitable[Reading]] | None = field(
        default=None, repr=False, compare=False
    )
