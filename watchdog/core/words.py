"""The words everything else is said in: instants, verdicts, modes, checks.

All are frozen. A judgement always carries its reason, and there are three truths, not two:
what could not be read is UNKNOWN, and UNKNOWN is never treated as FALSE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """One moment on two clocks, both in seconds.

    `wall` is UTC since the epoch: for people, and to compare with the samples' own times.
    `steady` never steps and goes on across restarts: every timer, cooldown and deadline uses it.
    """

    wall: float
    steady: float

    @property
    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.wall, UTC)

    def plus(self, seconds: float) -> Instant:
        return Instant(self.wall + seconds, self.steady + seconds)


class Status(StrEnum):
    """A rule's judgement. BLIND is neither of the others and never turns into one of them."""

    HEALTHY = "healthy"
    BREACHED = "breached"
    BLIND = "blind"


class Blind(StrEnum):
    """Why a rule cannot be judged."""

    NOT_YET = "not_yet"  # nothing has been read since the start
    NO_DATA = "no_data"  # the query or selector matches nothing
    NAN = "nan"
    INFINITE = "infinite"
    STALE = "stale"  # the newest sample is older than two intervals
    FUTURE = "future"  # the newest sample lies ahead of our clock
    FROZEN = "frozen"  # the same timestamp again and again
    QUERY_ERROR = "query_error"  # the provider answered with an error
    UNREACHABLE = "unreachable"  # the provider did not answer
    PARTIAL = "partial"  # the provider says that its answer is incomplete
    ODD_ANSWER = "odd_answer"  # not the type, content or form that was asked for
    TOO_MANY_SERIES = "too_many_series"
    TOO_FEW_EVENTS = "too_few_events"
    NO_TRAFFIC = "no_traffic"
    NEWBORN = "newborn"  # a counter's first sample shows no increase
    RESTARTED = "restarted"  # the target restarted within the window
    SOURCE_DOWN = "source_down"  # the target itself does not answer: liveness judges that
    CONTRADICTION = "contradiction"  # bad above total, or `good` missing beside a live total
    DEAF = "deaf"  # no credential to know a sender of events by
    OURS = "ours"  # a limit of the watchdog itself, or a loop of it that was late
    BUG = "bug"  # the evaluation raised: people are told at once


class Truth(StrEnum):
    """A check's answer. Only a proven FALSE climbs a ladder; UNKNOWN latches and pages."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool) -> Truth:  # noqa: FBT001  # a conversion's only parameter
        return cls.TRUE if value else cls.FALSE


def any_true(*truths: Truth) -> Truth:
    """Kleene's three-valued OR; UNKNOWN when nothing was asked."""
    if Truth.TRUE in truths:
        return Truth.TRUE
    return Truth.UNKNOWN if Truth.UNKNOWN in truths or not truths else Truth.FALSE


def all_true(*truths: Truth) -> Truth:
    """Kleene's three-valued AND; UNKNOWN when nothing was asked."""
    if Truth.FALSE in truths:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in truths or not truths else Truth.TRUE


class Mode(IntEnum):
    """How far a rule may go; the lowest of process, rule, rung and evidence counts."""

    OBSERVE = 0  # verdicts only
    SHADOW = 1  # decides as if armed, acts never
    APPROVE = 2  # asks a person
    ARMED = 3  # acts

    @property
    def word(self) -> str:
        return self.name.lower()


class Severity(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Direction(StrEnum):
    DO = "do"
    UNDO = "undo"


class World(StrEnum):
    """Shadow keeps episodes, budgets and targets of its own and can never alter a live decision."""

    LIVE = "live"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class WindowReading:
    """What one window said at one time.

    `bad` and `total` are event counts as seen; `filled` are the events assumed good for the part
    without history; `coverage` is the observed share of the window, 0 to 1. `ratio` is
    bad / (total + filled). `burn` is the ratio over the error budget, None where the rule has no
    objective; `factor` is the burn above which the window speaks for a breach.
    """

    seconds: float
    bad: float
    total: float
    filled: float
    coverage: float
    ratio: float | None
    burn: float | None = None
    factor: float | None = None


class Telling(NamedTuple):
    """What people ask of a verdict; the fields mean what they mean in `Verdict`."""

    reason: str
    value: float | None = None
    bound: str = ""
    evidence: tuple[WindowReading, ...] = ()


class _Untold:
    """Room for how a verdict tells what it was not yet asked for."""

    __slots__ = ("_tell",)
    _tell: Callable[[], Telling]


@dataclass(frozen=True, slots=True)
class Verdict(_Untold):
    """A rule's judgement at one time, with the numbers it rests on.

    With ten thousand rules most verdicts are never read: one made by `told_later` puts its
    numbers into words when they are first asked for. Nothing else can be told from outside.
    """

    status: Status
    reason: str  # "burn 21.4 > 14.4 over 1h and 5m"
    at: Instant  # the time the samples were asked for
    sampled_at: float | None = None  # wall time of the newest sample judged
    blind: Blind | None = None
    value: float | None = None  # the number that was compared
    bound: str = ""  # what it was compared with: "> 5%"
    evidence: tuple[WindowReading, ...] = ()
    clear: bool = False  # healthy with its (short) window wholly observed

    @classmethod
    def told_later(
        cls,
        status: Status,
        at: Instant,
        sampled_at: float | None,
        tell: Callable[[], Telling],
        *,
        clear: bool,
    ) -> Verdict:
        """One whose words `tell` gives: of frozen numbers, so that they stay true until then."""
        verdict = cls.__new__(cls)
        put = object.__setattr__
        put(verdict, "status", status)
        put(verdict, "at", at)
        put(verdict, "sampled_at", sampled_at)
        put(verdict, "blind", None)
        put(verdict, "clear", clear)
        put(verdict, "_tell", tell)
        return verdict

    if not TYPE_CHECKING:  # a type checker would take it for any name at all

        def __getattr__(self, name: str) -> object:
            """Python asks here for a field that is not filled in yet."""
            if name not in Telling._fields:
                raise AttributeError(f"a verdict has no {name}")
            for field, told in zip(Telling._fields, self._tell(), strict=True):
                object.__setattr__(self, field, told)
            return object.__getattribute__(self, name)


@dataclass(frozen=True, slots=True)
class CheckReading:
    """One check, asked once: its truth, what was seen, and why it is unknown where it is."""

    truth: Truth
    reason: str
    at: Instant
    seen: str = ""  # the part of the answer that decided, shortened
    silent: bool = False  # unknown, since the service itself gave no answer
