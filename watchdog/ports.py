"""Where the engine meets the world: what it asks of adapters, and what they may answer.

Reading and changing are different ports, so that nothing that only looks can ever change a
target. Outcomes are returned as frozen values with a reason; these errors alone are raised:

    PortError
    |-- JournalError            the record cannot be read or written: no action may start
    |   |-- JournalMissing      there is none; only `slo-watchdog init` makes one
    |   |-- JournalBusy         another process holds the state folder
    |   |-- JournalCorrupt      a row does not follow from the one before, or the file is damaged
    |   |-- JournalTooNew       written by a newer schema than this program knows
    |   |-- JournalFull         no room to write, also after the reserve was freed
    |   |-- JournalBroken       the disk failed or is read-only: this process must end, a new one
    |   |                       opens the journal afresh and sees what is truly there
    |   |-- JournalLost         the shared store does not answer: observe, page and try again. What
    |   |                       was being appended may be there; the same append again never doubles
    |   |-- JournalMoved        others have appended since: nothing was written; read on first
    |   `-- JournalDeposed      another epoch has begun, or the lease ran out: nothing was written
    `-- SecretMissing           a named credential cannot be read
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.approvals import ApprovalAsked
from watchdog.core.entries import Entry, Recorded
from watchdog.core.samples import Failure, PastMoment, Reading
from watchdog.core.silences import Silence
from watchdog.core.spec import Endpoint, How
from watchdog.core.trees import Anchor, Facts, RestoreSystem
from watchdog.core.words import CheckReading, Instant


class PortError(Exception):
    """An adapter could not do its part; the message says what, where, and what to do."""


class JournalError(PortError): ...


class JournalMissing(JournalError): ...


class JournalBusy(JournalError): ...


class JournalCorrupt(JournalError): ...


class JournalTooNew(JournalError): ...


class JournalFull(JournalError): ...


class JournalBroken(JournalError): ...


class JournalLost(JournalError): ...


class JournalMoved(JournalError): ...


class JournalDeposed(JournalError): ...


class SecretMissing(PortError): ...


class Clock(Protocol):
    """Both clocks, read together."""

    def now(self) -> Instant: ...


class Secrets(Protocol):
    def read(self, name: str) -> str:
        """The credential's present text, without a trailing line break.

        Read anew each time, so that rotation needs no restart. Raises SecretMissing.
        """
        ...


class MetricSource(Protocol):
    """One configured source."""

    name: str

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        """Read once, pinned to `at`, within the source's own total deadline.

        `wanted` are PromQL expressions: an embedded source keeps the sample names that occur in
        them, a Prometheus source answers each of them. Never raises: a failure is in the Reading.
        """
        ...

    async def aclose(self) -> None: ...


class PastSource(Protocol):
    """Knows what a source's counters showed before anybody here looked."""

    def most_seconds(self, step_seconds: float) -> float:
        """How long a stretch one call may be about."""
        ...

    async def moments(
        self, wanted: Sequence[str], first: float, last: float, step_seconds: float
    ) -> Sequence[PastMoment] | Failure:
        """What `wanted` gave at `first` and every step up to `last`; never raises."""
        ...


class Probe(Protocol):
    """Reads a served state. Cannot change anything."""

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        """Ask, and hold the JMESPath expectation against the answer: true, false or unknown."""
        ...


@dataclass(frozen=True, slots=True)
class SilencesLook:
    """What an Alertmanager says of its silences; `silences` is None where none of it answered.

    `replicas`: base address -> why it did not answer, empty where it did.
    """

    silences: tuple[Silence, ...] | None
    replicas: Mapping[str, str]


class SilenceSource(Protocol):
    """Reads the silences that stand, or will, in an Alertmanager. Cannot change anything."""

    async def look(self, at: Instant) -> SilencesLook:
        """Ask every replica at once, within the total deadline. Never raises."""
        ...


class AlertSink(Protocol):
    """Is told of our episodes. What it does with them is its own affair."""

    async def tell(self, alerts: Sequence[Alert], at: Instant) -> Mapping[str, str]:
        """Tell every replica, within the total deadline; as the replicas of a look. Never raises.

        Told twice is told once: an alert is its labels. One that fires ends after `at`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alertmanagers:
    """How the Alertmanager of a policy is reached; None where nobody can."""

    open_silences: Callable[[AlertmanagerSpec], SilenceSource | None] = lambda _: None
    open_alerts: Callable[[AlertmanagerSpec], AlertSink | None] = lambda _: None


class Attempted(StrEnum):
    """What came of one attempt to change a target. None of these is proof: the read-back is."""

    CLAIMED = "claimed"  # the tool or service says that it is done
    NOT_DONE = "not_done"  # certainly no effect; worth another try
    REFUSED = "refused"  # certainly no effect; another try would be refused as well
    CONFLICT = "conflict"  # the target has changed meanwhile, by somebody else
    UNKNOWN = "unknown"  # may or may not have happened


@dataclass(frozen=True, slots=True)
class Attempt:
    result: Attempted
    reason: str
    output: str = ""  # bounded, redacted
    retry_after_seconds: float | None = None
    facts: Facts = ()  # what this attempt learned, for later steps


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an action would work, and what it would restore to where it restores something."""

    reading: CheckReading
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's signature over a request, as far as we can tell; whoever acts on it verifies
    it by themselves.
    """

    person: str  # without what stands behind an "@"
    proof: str  # tells it from every other


class Signing(Protocol):
    """Where a system restore is asked for, and where who approves it leaves a signature."""

    async def ask(
        self, request: str, asked: ApprovalAsked, how: RestoreSystem, archive: str, host: str
    ) -> str:
        """Leave the request under this id, once. Why that cannot be; "" where it lies there."""
        ...

    async def signed(self, request: str) -> tuple[Signature, ...]:
        """The signatures that lie there and are good, within a deadline of its own."""
        ...


class Actuator(Protocol):
    """Changes a target."""

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        """Try once. `key` is the same for every attempt of one intent.

        A swap or a restore looks at its mark at the target first, and repeats nothing. `facts`
        are those that the intent has learned so far.
        """
        ...

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        """Whether the change of this intent stands at the target, or was begun, by its mark alone.

        Changes nothing. FALSE only where surely nothing was changed. A target that carries no mark
        is told by its read-back instead, and answers UNKNOWN here.
        """
        ...

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        """After a proven success: clear away what only the way there needed. May be repeated."""
        ...

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        """Would it work? Looks at tools, folders, credentials; changes no target.

        Long work goes on between calls; until it is done the answer is UNKNOWN, with progress.
        """
        ...


FIRST_EPOCH = 1
"""The only epoch of a store that one process holds alone."""


class Journal(Protocol):
    """The append-only, hash-chained record."""

    def append(
        self,
        entries: Sequence[Entry],
        at: Instant,
        *,
        epoch: int = FIRST_EPOCH,
        after: int | None = None,
    ) -> tuple[Recorded, ...]:
        """Write all of them durably in one transaction, or none. Raises JournalError.

        `epoch` is the one that leads now, whoever leads in it; at any other, or when its lease has
        run out, JournalDeposed. With `after`, only if that entry is the newest, else JournalMoved;
        without it what others appended meanwhile comes first, which the numbers returned show.
        After JournalLost it is not known whether they are there: the same entries at the same
        instant again are answered with what stands, or written now. Any other append may be made
        first.
        """
        ...

    def newest(self) -> int:
        """The newest entry's number, whoever wrote it; cheap enough to be asked every second."""
        ...

    def read(self, after: int = 0, limit: int | None = None) -> Iterable[Recorded]:
        """Entries with a sequence number above `after`, in order."""
        ...

    def base(self) -> tuple[int, str, bytes] | None:
        """(seq, hash, snapshot) of what stands for retired entries; None while none are."""
        ...

    def prune(
        self, upto_seq: int, snapshot: bytes, at: Instant, *, epoch: int = FIRST_EPOCH
    ) -> None:
        """Retire the entries up to and with `upto_seq`; `snapshot` is what they led to."""
        ...

    def refill(self) -> bool:
        """Make the reserve again where there is room; whether it stands."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads, as the store said it last."""

    holder: str  # the daemon's name; empty while nobody has ever led
    epoch: int  # grows by one with each change of holder, and never otherwise
    asked_at: float  # the steady clock just before the store was asked
    valid_for_seconds: float  # counted from `asked_at`; 0 where it was given up or has run out
    mine: bool  # held by this very process

    def mine_at(self, steady: float) -> bool:
        """Whether this process may still believe that it leads."""
        return self.mine and steady < self.asked_at + self.valid_for_seconds


class Lease(Protocol):
    """One process at a time leads, for as long as its lease runs.

    Held by a process, not by a name: a daemon that starts anew waits until the lease of the one
    before it has run out or was given up, like any other, and begins another epoch. Time is the
    store's own; the holder counts from before it asked, on its steady clock, so that it stops
    believing in its lease before anybody else may take it.

        nobody --ask--> held --ask again, in time or not yet taken--> held, same epoch
        held --run out, or given up; another asks--> held by that one, epoch + 1

    Each method raises JournalLost when the store does not answer: then nothing is known, and what
    was known holds until it runs out. What may not be done twice is fenced by the epoch besides:
    no append is taken under one that is over.
    """

    def ask(self, holder: str, lease_seconds: float) -> Lead:
        """Take the lease where it is free, lengthen it where it is ours, else say whose it is."""
        ...

    def look(self) -> Lead:
        """Who leads, without taking anything."""
        ...

    def yield_(self) -> None:
        """Give it up at once, so that another need not wait. Nothing where it is not ours."""
        ...

    def close(self) -> None: ...


class History(Protocol):
    """Checkpoints of what can be measured again: windows, counters, clocks.

    Losing it costs warm-up time, never a decision.
    """

    def save(self, items: Mapping[str, bytes]) -> None: ...

    def load(self) -> Mapping[str, bytes]: ...

    def drop(self, keys: Iterable[str]) -> None: ...

    def close(self) -> None: ...
