"""Who leads, and what a daemon does meanwhile that does not.

Laws
* A daemon drafts, decides and acts only while it holds the lease, by its own count of time, which
  ends before anybody else may take it. Right before every effect the store is asked once more.
* Who follows reads the record as it grows, and keeps its own windows and clocks: it goes on from
  where the leader was, and an episode that it takes over is neither begun anew nor forgotten.
* All count by one steady clock: that of whoever led first. Who starts sets its own by it, and who
  follows sets it forward, should its machine have stood still.
* What was not on the record when the lease was lost is not believed: if another led since, the
  book is folded anew. If nobody did, it is recorded now, and everything open is settled.
* To whom every rule is blind yields to one that sees, unless it is in the middle of an effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from watchdog.core.entries import PolicyApplied, Recorded
from watchdog.core.text import duration
from watchdog.core.words import Severity
from watchdog.engine.recorder import Recorder
from watchdog.engine.retention import fold
from watchdog.ports import (
    Journal,
    JournalDeposed,
    JournalError,
    JournalFull,
    JournalLost,
    Lead,
    Lease,
)

FOLLOW_SECONDS = 0.5
"""How often who follows reads on, and asks whether the lease is free."""

APART_SECONDS = 1.0
"""More than a question to the store takes: a clock that is so far behind stood still."""

NONE = 0
"""The epoch of who has not led yet; the first is 1."""

ASKS_A_LEASE = 3
"""How often a lease is asked for while it runs: one answer may be lost."""


@dataclass(slots=True)
class Reactions:
    """What the engine does as it comes to lead, ceases to, or reads on."""

    took_over: Callable[[Lead, float], bool]  # (lead, seconds that nobody watched) -> in time
    resumed: Callable[[], None]  # it leads on in the same epoch
    lost: Callable[[], None]  # at once: nothing may be begun any more
    policy: Callable[[PolicyApplied], None]
    busy: Callable[[], bool]  # in the middle of an effect
    watched_seconds: Callable[[], float]  # for how long it has watched without a gap
    who_sees: Callable[[], str]  # another daemon that sees, where every rule is blind here
    shift: Callable[[float], None]  # set our steady clock forward, by seconds


class Leading:
    """One per process."""

    def __init__(
        self,
        lease: Lease,
        journal: Journal,
        recorder: Recorder,
        name: str,
        lease_seconds: float,
        reactions: Reactions,
    ) -> None:
        self.lead = Lead("", 0, 0.0, 0.0, mine=False)
        self.trouble = ""  # why the store cannot be asked
        self.seconds = lease_seconds
        self.name = name
        self._lease = lease
        self._journal = journal
        self._recorder = recorder
        self._reactions = reactions
        self._leading = False
        self._sign: float | None = None  # when we last heard that somebody led
        self._blind_since: float | None = None
        self._lost_since = 0.0
        self._lost_seconds = 0.0

    # -- what others ask ---------------------------------------------------------------------------

    def leads(self) -> bool:
        """Whether this process may decide and act now. What it notices late it ends at once."""
        if self._leading and not self.lead.mine_at(self._steady):
            self._lose("its lease has run out")
        return self._leading

    @property
    def epoch(self) -> int:
        return self._recorder.epoch

    async def fence(self) -> str:
        """Right before an effect: why it may not be made by us; "" where it may."""
        if not self.leads():
            return "this daemon does not lead any more"
        return await self.still_leads(self.epoch)

    async def still_leads(self, epoch: int) -> str:
        """Before what was begun in an epoch, by whoever led: why it is over; "" where it is not."""
        try:
            lead = await asyncio.to_thread(self._lease.look)
        except JournalLost as lost:
            return f"it cannot be told who leads: {lost}"
        # Counted from the question: an answer that was heard late may be of a lease that is over.
        if lead.epoch == epoch and self._steady < lead.asked_at + lead.valid_for_seconds:
            return ""
        return f"epoch {epoch} is over"

    def elsewhere(self) -> str:
        """Who leads, for whoever gives an order here; "" where this daemon does."""
        if self.leads():
            return ""
        if self.trouble:
            return f"it cannot be told who leads: {self.trouble}"
        return f"{self.lead.holder or 'nobody yet'} leads"

    # -- the start, before any loop runs -----------------------------------------------------------

    def begin(self, down_seconds: float) -> None:
        """Ask for the first time, with our clock set by whoever led last. Raises JournalError.

        `down_seconds` is for how long nobody watched, where the store cannot tell.
        """
        before = self._lease.look()
        if before.steady is not None:
            self._reactions.shift(before.steady - before.asked_at)
            down_seconds = before.silent_seconds
            self._sign = before.steady - before.silent_seconds
        self.lead = self._lease.ask(self.name, self.seconds)
        self._recorder.epoch = NONE
        if before.steady is None and not self.lead.mine:
            self._count_as(self.lead)  # another was faster on a new store
        if self.lead.mine:
            self._read_on(list(self._journal.read(self._recorder.last_seq)))
            self._take_the_lead(self.lead, down_seconds)

    # -- beside everything else --------------------------------------------------------------------

    async def forever(self) -> None:
        """Never ends by itself. Raises JournalError where the record cannot be believed."""
        while True:
            pause = self.seconds / ASKS_A_LEASE
            await asyncio.sleep(pause if self.leads() else min(FOLLOW_SECONDS, pause))
            try:
                await self.once()
                self._told("")
                self._tell_the_gap()
            except (JournalLost, JournalFull, JournalDeposed) as lost:
                self._told(str(lost))

    async def once(self) -> None:
        """Ask, and do what the answer means. Raises JournalError."""
        if await self._yields():
            return
        lead = await asyncio.to_thread(self._lease.ask, self.name, self.seconds)
        if self._leading and not (lead.mine and lead.epoch == self.epoch):
            self._lose(f"{lead.holder} leads in epoch {lead.epoch}")
        self.lead = lead
        if not lead.mine:
            if lead.steady is not None and lead.steady - lead.asked_at > APART_SECONDS:
                self._count_as(lead)
            self._sign = self.lead.asked_at - lead.silent_seconds
            await self._follow()
        elif not self._leading:
            await self._come_to_lead(lead)

    async def give_up(self) -> None:
        """At the end: let another lead at once."""
        if self._leading or self.lead.mine_at(self._steady):
            self._leading = False
            try:
                await asyncio.to_thread(self._lease.yield_)
            except JournalError as error:
                structlog.get_logger().warning("lease.not_given_up", error=str(error))

    def deposed(self) -> None:
        """The record refused us: another epoch has begun."""
        self._lose("the record refused it")

    # -- inside ------------------------------------------------------------------------------------

    @property
    def _steady(self) -> float:
        return self._recorder.clock.now().steady

    async def _come_to_lead(self, lead: Lead) -> None:
        if lead.epoch == self.epoch:
            self._lead_on()
            return
        await self._follow()
        silent = lead.silent_seconds  # since it was asked for, which may be by us, unheard
        if self._sign is not None:
            silent = max(silent, lead.asked_at - self._sign)
        unwatched = max(0.0, silent - self._reactions.watched_seconds())
        if self._take_the_lead(lead, unwatched):
            structlog.get_logger().warning(
                "lease.taken", epoch=lead.epoch, silent_seconds=round(silent, 3)
            )

    def _count_as(self, lead: Lead) -> None:
        """Set our steady clock by that of whoever leads."""
        if lead.steady is not None:
            self._reactions.shift(lead.steady - lead.asked_at)
            self.lead = replace(lead, asked_at=lead.steady)

    def _lead_on(self) -> None:
        """Nobody led since: what waited is recorded first, or we lead when it can be."""
        self._leading = self.lead.mine_at(self._steady)
        if self._leading and self._recorder.flush():
            self._reactions.resumed()
            structlog.get_logger().warning("lease.resumed", epoch=self.epoch)
        else:
            self._leading = False

    def _take_the_lead(self, lead: Lead, unwatched_seconds: float) -> bool:
        """Whether it was in time: an answer that is taken in too late begins nothing, and the
        next one, in the same epoch, is again the first.
        """
        newest = self._recorder.book.last
        if newest is not None and newest.steady > self._steady:
            self._reactions.shift(newest.steady - self._steady)
        self._leading = lead.mine_at(self._steady)
        if not self._leading:
            return False
        self._recorder.epoch, before = lead.epoch, self._recorder.epoch
        if not self._reactions.took_over(lead, unwatched_seconds):
            self._recorder.epoch = before
            return False
        return True

    async def _follow(self) -> None:
        """Believe what is on the record by now, and nothing else."""
        if self._recorder.waits:
            book, newest = await asyncio.to_thread(fold, self._journal)
            self._recorder.begin_anew(book, newest)
            if book.policy is not None:
                self._reactions.policy(book.policy)
        else:
            self._read_on(await asyncio.to_thread(self._read_after, self._recorder.last_seq))

    def _read_after(self, seq: int) -> list[Recorded]:
        """What is new; mostly nothing, which is cheap to ask."""
        return list(self._journal.read(seq)) if self._journal.newest() > seq else []

    def _read_on(self, recorded: list[Recorded]) -> None:
        for one in recorded:
            self._recorder.take_in(one)
            if isinstance(one.entry, PolicyApplied):
                self._reactions.policy(one.entry)

    async def _yields(self) -> bool:
        """Give the lease up, or leave it alone, where another sees and we do not."""
        seer = self._reactions.who_sees()
        if not seer:
            self._blind_since = None
            return False
        if self._blind_since is None:
            self._blind_since = self._steady
        if self._leading:
            if self._reactions.busy() or self._steady - self._blind_since < self.seconds:
                return False
            # First here: from the moment that the store hears of it another may lead.
            self._lose(f"every rule is blind here, and {seer} sees")
            await asyncio.to_thread(self._lease.yield_)
        self.lead = await asyncio.to_thread(self._lease.look)
        await self._follow()
        return True

    def _lose(self, why: str) -> None:
        if self._leading:
            self._leading = False
            structlog.get_logger().error("lease.lost", epoch=self.epoch, reason=why)
            self._reactions.lost()

    def _tell_the_gap(self) -> None:
        """On the record, where the store was lost for so long that nobody could lead."""
        if self.leads() and self._lost_seconds > self.seconds:
            draft = self._recorder.draft()
            draft.tell(
                "store:lost",
                Severity.P1,
                f"The store that daemons share did not answer for {duration(self._lost_seconds)}",
                "Nothing was decided meanwhile; what still burns is acted on after its `for`",
            )
            self._recorder.commit(draft)
        self._lost_seconds = 0.0

    def _told(self, trouble: str) -> None:
        if trouble != self.trouble:
            log = structlog.get_logger()
            if not self.trouble:
                self._lost_since = self._steady
            elif not trouble:
                self._lost_seconds = self._steady - self._lost_since
            if trouble:
                log.critical("store.lost", reason=trouble, remedy="nothing is started meanwhile")
            else:
                log.warning("store.back")
            self.trouble = trouble
