"""Whose hands do what is bound to a host: our own, or those of that host's daemon.

Laws
* Who is asked does what its own policy says of what is named (`doing.py`). It looks at the lease
  right before, and does nothing of an epoch that is over, nor what is begun too late; what it does
  meanwhile is cut off when the epoch ends.
* What somebody orders is carried out by who leads in its epoch, and not by its name.
* Whatever becomes of an errand is answered, also that it was cut off or failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from watchdog.core.acting import ActionSpec
from watchdog.core.capabilities import CAPABILITIES, Fellow, unfinished_by
from watchdog.core.spec import Policy
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.hosts.doing import Doing, Hand
from watchdog.engine.hosts.elsewhere import Elsewhere
from watchdog.engine.hosts.errands import (
    Answer,
    Call,
    NotCarriedOut,
    Order,
    Told,
    Unanswered,
    answered,
    errand_in,
)
from watchdog.engine.hosts.sending import GRACE_SECONDS, LONGEST_ASK_SECONDS, Sending
from watchdog.engine.hosts.who import Who
from watchdog.engine.leading import Leading
from watchdog.ports import (
    Attempt,
    Attempted,
    Clock,
    Errand,
    JournalError,
    JournalFull,
    JournalLost,
    Peers,
    Presence,
)

MEET_SECONDS = 0.25
ANSWER_SECONDS = 0.5
"""At the end, for what has ended already to be answered."""

Handler = Callable[[str], Awaitable[str]]


class Hosts:
    """One per process; without `peers` everything is done here."""

    def __init__(
        self,
        peers: Peers | None,
        here: Hand,
        leading: Leading,
        clock: Clock,
        policy: Callable[[], Policy],
        presence: Callable[[], Presence],
    ) -> None:
        self._peers = peers
        self.doing = Doing(here, policy, clock)
        self._leading = leading
        self._clock = clock
        self._presence = presence
        self._who = Who(clock, leading.seconds)
        self._errands: set[asyncio.Task[None]] = set()
        self._doing: dict[asyncio.Task[None], int] = {}  # those under way -> their epoch
        self._sending = Sending(peers, leading, clock, self._is_there) if peers else None
        self._trouble = self._twin_told = ""
        # The other hosts, and who knows less, when we last met.
        self._others: tuple[frozenset[str], tuple[Fellow, ...]] = (frozenset(), ())
        self.orders: dict[str, Handler] = {}
        self.on_others: Callable[[], None] = lambda: None  # one of them came, went or was updated

    # -- who is there ------------------------------------------------------------------------------

    def present(self) -> tuple[Presence, ...]:
        """The daemons that were heard of within a lease, ourselves among them."""
        return self._who.heard_of() if self._who.is_known else (self._presence(),)

    def elsewhere(self) -> frozenset[str]:
        """The other hosts that have a daemon."""
        return frozenset(one.host for one in self._who.counted()) - {self.here}

    def fellows(self) -> tuple[Fellow, ...]:
        """The other daemons, and what each could carry on with."""
        there = (one for one in self._who.counted() if one.name != self._leading.name)
        return tuple(Fellow(one.name, one.version, one.knows) for one in there)

    def unfinished_by(self, action: ActionSpec) -> str:
        """Which of them could not take the action over, and why; "" where all could."""
        return unfinished_by(action, self.fellows())

    def who_sees(self) -> str:
        """Another daemon to which something is not blind; the first by name."""
        mine = self._presence().name
        return next((one.name for one in self.present() if one.sees and one.name != mine), "")

    def of(self, action: ActionSpec) -> Hand:
        """Whose hands do what an action says."""
        if action.host in {"any", self.here}:
            return self.doing.here
        there = Elsewhere(action, self.ask, self._clock)
        return Hand(there, there, there)

    # -- asking ------------------------------------------------------------------------------------

    async def order(self, kind: str, body: str, deadline_seconds: float) -> str | Unanswered:
        """Hand an order on to the daemon that leads."""
        if self._sending is None:
            return Unanswered("nobody shares this record", sent=False)
        return await self._sending.order(kind, body, deadline_seconds)

    async def ask(
        self, to: str, what: Call | Order, deadline_seconds: float
    ) -> Answer | Unanswered:
        """What was answered within the deadline."""
        if self._sending is None:
            return Unanswered(f"no daemon was heard of lately that is {to}", sent=False)
        return await self._sending.ask(to, what, deadline_seconds)

    async def page_shown(self, host: str, page: str, digest: str, deadline_seconds: float) -> str:
        """Why a status page of that host does not show what `digest` names; "" where it does."""
        call = Call("page", "", digest, 0, key=page)
        found = await self.ask(f"host {host}", call, deadline_seconds)
        match found:
            case CheckReading(truth=Truth.TRUE):
                return ""
            case CheckReading() | Unanswered() | Attempt():
                return f"the daemon of {host} tells it: {found.reason or 'nothing is known'}"
            case _:
                return f"the daemon of {host} gave an odd answer"

    def _is_there(self, to: str) -> bool:
        return any(to in {one.to_host, one.to_daemon} for one in self._who.counted())

    # -- being asked -------------------------------------------------------------------------------

    async def forever(self) -> None:
        """Meet the others and do what they ask. Never ends by itself."""
        while self._peers is not None:
            await self.meet(self._peers)
            self._cut_off_what_is_over()
            await asyncio.sleep(MEET_SECONDS)
        await asyncio.Event().wait()

    async def begin(self) -> None:
        """Before anything is judged: who is there counts from the first pass on."""
        if self._peers is not None:
            await self.meet(self._peers)

    async def meet(self, peers: Peers) -> None:
        """Once."""
        began = self._clock.now()
        me = replace(self._presence(), leads=self._leading.leads())
        try:
            there, errands = await asyncio.to_thread(peers.meet, me)
            self._who.met(there)
            self._told("")
        except (JournalLost, JournalFull) as error:
            errands = ()
            self._told(str(error))
        self._tell_who_came_or_left()
        for errand in errands:
            task = asyncio.create_task(self._do(errand, began), name=f"errand {errand.number}")
            self._errands.add(task)
            task.add_done_callback(self._done)

    @property
    def here(self) -> str:
        """The host of this daemon."""
        return self._presence().host

    @property
    def twin(self) -> str:
        """Of another process that bears our name; "" of none."""
        return self._peers.twin if self._peers is not None else ""

    def _told(self, trouble: str) -> None:
        """Once for each: in the log, since nothing else is reached."""
        log, twin = structlog.get_logger(), self.twin
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                log.error("peers.not_met", reason=trouble)
        if twin != self._twin_told:
            self._twin_told = twin
            if twin:
                remedy = "stop one, or set another `name` in its settings"
                log.critical("name.not_ours_alone", reason=twin, remedy=remedy)

    def _tell_who_came_or_left(self) -> None:
        lesser = tuple(one for one in self.fellows() if not one.knows >= CAPABILITIES)
        others = (self.elsewhere(), lesser)
        if others != self._others:
            self._others = others
            self.on_others()

    async def leave(self) -> None:
        """At the end: what we do for others is cut off, and they need not wait for us."""
        if self._errands:
            await asyncio.wait(self._errands, timeout=ANSWER_SECONDS)
        for task in self._errands:
            task.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        if self._peers is not None:
            with contextlib.suppress(JournalError):
                await asyncio.to_thread(self._peers.leave)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        self._doing.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            structlog.get_logger().error("errand.failed", error=f"{type(error).__name__}: {error}")

    def _cut_off_what_is_over(self) -> None:
        lead = self._leading.lead
        runs = self._clock.now().steady < lead.asked_at + lead.valid_for_seconds
        for task, epoch in self._doing.items():
            if lead.epoch != epoch or not runs:
                task.cancel()

    async def _do(self, errand: Errand, met: Instant) -> None:
        """Whatever becomes of it is answered. Its time runs from before we were handed it."""
        what = errand_in(errand.body)
        whole = math.inf if what is None else what.seconds
        until = met.plus(min(errand.left_seconds, whole))  # the store's clock may be set back
        try:
            answer = await self._answered(what, errand.epoch, until)
        except asyncio.CancelledError:
            answer = Attempt(Attempted.UNKNOWN, f"{self._leading.name} was cut off in the middle")
            await self._tell(errand, answer, self._clock.now())
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, who asks must hear of it
            said = f"{type(error).__name__}: {error}"
            structlog.get_logger().error("errand.failed", errand=errand.number, error=said)
            answer = Attempt(Attempted.UNKNOWN, f"{self._leading.name} failed: {said}")
        await self._tell(errand, answer, until.plus(GRACE_SECONDS))

    async def _answered(self, what: Call | Order | None, epoch: int, until: Instant) -> Answer:
        over = await self._leading.still_leads(epoch)
        if not over and until.steady <= self._clock.now().steady:
            over = "its time was over before it could be begun"
        if what is None:
            return Attempt(Attempted.REFUSED, "this version does not know what is asked")
        if isinstance(what, Order):
            return await self._ordered(what, epoch, over)
        task = asyncio.current_task()
        if not over and task is not None:
            self._doing[task] = epoch
        return await self.doing.done(what, until, over)

    async def _tell(self, errand: Errand, answer: Answer, until: Instant) -> None:
        """Tried again for as long as somebody may wait for it."""
        assert self._peers is not None, "it came from there"  # noqa: S101  # assertions stay on
        while True:
            try:
                await asyncio.to_thread(self._peers.answer, errand.number, answered(answer))
            except JournalLost:
                if self._clock.now().steady >= until.steady:
                    raise
            else:
                return
            await asyncio.sleep(LONGEST_ASK_SECONDS)

    async def _ordered(self, order: Order, epoch: int, over: str) -> Answer:
        """An order is carried out by the very process that leads in its epoch."""
        if not over and not (self._leading.leads() and self._leading.epoch == epoch):
            over = f"{self._leading.name} does not lead in epoch {epoch}"
        handler = self.orders.get(order.kind)
        if over or handler is None:
            return Attempt(Attempted.REFUSED, over or f"nobody here takes {order.kind}")
        try:
            return Told(await handler(order.body))
        except NotCarriedOut as why:
            return Attempt(Attempted.REFUSED, str(why))
