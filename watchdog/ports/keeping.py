"""Ports of the record: the journal, who leads on a shared one, and what can be measured again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from watchdog.core.capabilities import CAPABILITIES
from watchdog.core.entries import Entry, Recorded
from watchdog.core.words import Instant

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
    steady: float | None = None  # at `asked_at`, by the clock of whoever led last; None: nobody did
    silent_seconds: float = 0.0  # since the store heard of whoever led last

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


@dataclass(frozen=True, slots=True)
class Presence:
    """A daemon on a shared store, as it said last of itself."""

    name: str
    host: str
    version: str
    sees: bool  # at least one rule is not blind to it
    seconds_ago: float = 0.0
    knows: frozenset[str] = CAPABILITIES  # what its program knows of actions
    settings: str = ""  # those that are to be the same on all, in words
    leads: bool = False  # it takes what is ordered of it; told by none but ourselves

    @property
    def to_host(self) -> str:
        """The address of whichever daemon of this host."""
        return f"host {self.host}"

    @property
    def to_daemon(self) -> str:
        """The address of this daemon while it leads: orders go there."""
        return f"daemon {self.name}"

    @property
    def receives(self) -> tuple[str, ...]:
        """A name is no proof of who leads, so who does not takes no orders under it."""
        return (self.to_host, self.to_daemon) if self.leads else (self.to_host,)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a daemon is asked to do for another."""

    number: int
    epoch: int
    body: str
    left_seconds: float


class Peers(Protocol):
    """The daemons that share a store, and what one asks of the daemon of another host.

    An errand is handed to one process, once, and expires. Whoever does it looks at the lease
    first: what was sent in an epoch that is over is not done. Each method raises JournalLost when
    the store does not answer.
    """

    def namesake(self, within_seconds: float) -> str:
        """Before we say that we are here: who bears our name and is alive; "" where nobody does.

        Waits for a sign of life, where somebody of that name gave one so lately. From then on
        `twin` tells of one that comes to light.
        """
        ...

    @property
    def twin(self) -> str:
        """Of another process that bears our name beside us, in a sentence; "" of none."""
        ...

    def meet(self, me: Presence) -> tuple[tuple[Presence, ...], tuple[Errand, ...]]:
        """Say that we are here; who is, ourselves among them, and what is asked of us."""
        ...

    def send(self, to: str, body: str, *, epoch: int, deadline_seconds: float) -> int:
        """Ask it of whoever has that address. Returns the errand's number."""
        ...

    def take_back(self, number: int) -> bool:
        """Take back what nobody has taken; False where somebody has."""
        ...

    def answer_to(self, number: int) -> str | None:
        """What was answered; None while nothing was."""
        ...

    def answer(self, number: int, body: str) -> None:
        """Tell what came of an errand of ours."""
        ...

    def leave(self) -> None:
        """Say that we are gone."""
        ...

    def close(self) -> None: ...


class History(Protocol):
    """Checkpoints of what can be measured again: windows, counters, clocks.

    Losing it costs warm-up time, never a decision.
    """

    def save(self, items: Mapping[str, bytes]) -> bool:
        """True when it stands, also after a power cut."""
        ...

    def load(self) -> Mapping[str, bytes]: ...

    def drop(self, keys: Iterable[str]) -> None: ...

    def close(self) -> None: ...
