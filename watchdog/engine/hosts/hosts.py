"""Whose hands do what is bound to a host: our own, or those of that host's daemon.

Laws
* Who is asked does what its own policy says of the action that is named, and nothing where its
  policy says something else.
* It looks at the lease right before, and does nothing of an epoch that is over; what it does
  meanwhile is cut off when the epoch ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from watchdog.core.acting import ActionSpec, How
from watchdog.core.capabilities import CAPABILITIES, Fellow, unfinished_by
from watchdog.core.spec import Policy
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.hosts.elsewhere import Elsewhere
from watchdog.engine.hosts.errands import (
    Answer,
    Call,
    Order,
    Told,
    Unanswered,
    answer_in,
    answered,
    errand_in,
    reads_of,
    ways_of,
    written,
)
from watchdog.engine.leading import Leading
from watchdog.ports import (
    Actuator,
    Attempt,
    Attempted,
    Clock,
    Errand,
    JournalError,
    JournalLost,
    Peers,
    Presence,
    Probe,
    Readiness,
)

MEET_SECONDS = 0.25
ASK_SECONDS = 0.1
LONGEST_ASK_SECONDS = 1.0
GRACE_SECONDS = 1.0
"""How long an answer may be on its way after the deadline of what was asked."""

Handler = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Hand:
    """What acts on a target and reads it, on the host that it belongs to."""

    actuator: Actuator
    probe: Probe


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
        self._here = here
        self._leading = leading
        self._clock = clock
        self._policy = policy
        self._presence = presence
        self._present: tuple[Presence, ...] = ()
        self._met: float | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._doing: dict[asyncio.Task[None], int] = {}  # those under way -> their epoch
        self._lesser: tuple[Fellow, ...] = ()  # the others that know less, when we last met
        self.orders: dict[str, Handler] = {}
        self.on_lesser: Callable[[], None] = lambda: None  # one of them came, went or was updated

    # -- who is there ------------------------------------------------------------------------------

    def present(self) -> tuple[Presence, ...]:
        """The daemons that were heard of within a lease, ourselves among them."""
        if self._met is None:
            return (self._presence(),)
        gone = self._clock.now().steady - self._met
        there = (replace(one, seconds_ago=one.seconds_ago + gone) for one in self._present)
        return tuple(one for one in there if one.seconds_ago < self._leading.seconds)

    def elsewhere(self) -> frozenset[str]:
        """The other hosts that have a daemon."""
        mine = self._presence().host
        return frozenset(one.host for one in self.present()) - {mine}

    def fellows(self) -> tuple[Fellow, ...]:
        """The other daemons, and what each could carry on with."""
        if self._met is None:
            return ()
        there = (one for one in self.present() if one.name != self._leading.name)
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
        if action.host in {"any", self._presence().host}:
            return self._here
        there = Elsewhere(action, self.ask, self._clock)
        return Hand(there, there)

    # -- asking ------------------------------------------------------------------------------------

    async def order(self, kind: str, body: str, deadline_seconds: float) -> str | Unanswered:
        """Hand an order on to the daemon that leads."""
        leader = self._leading.lead.holder
        found = await self.ask(f"daemon {leader}", Order(kind, body), deadline_seconds)
        if isinstance(found, Unanswered):
            return found
        return found.body if isinstance(found, Told) else Unanswered("an odd answer", sent=True)

    async def ask(
        self, to: str, what: Call | Order, deadline_seconds: float
    ) -> Answer | Unanswered:
        """What was answered within the deadline."""
        if self._peers is None or not self._is_there(to):
            return Unanswered(f"no daemon was heard of lately that is {to}", sent=False)
        peers, epoch = self._peers, self._leading.lead.epoch
        body = written(what)
        try:
            number = await asyncio.to_thread(
                lambda: peers.send(to, body, epoch=epoch, deadline_seconds=deadline_seconds)
            )
        except JournalError as error:
            # What was sent without an answer may be there.
            return Unanswered(str(error), sent=isinstance(error, JournalLost))
        until = self._clock.now().steady + deadline_seconds + GRACE_SECONDS
        pause, why = ASK_SECONDS, f"{to} did not answer in time"
        while self._clock.now().steady < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, LONGEST_ASK_SECONDS)
            try:
                found = await asyncio.to_thread(peers.answer_to, number)
            except JournalError as error:
                why = str(error)
                continue
            if found is not None:
                return answer_in(found, to)
        return Unanswered(why, sent=True)

    def _is_there(self, to: str) -> bool:
        return any(to in {one.to_host, one.to_daemon} for one in self.present())

    # -- being asked -------------------------------------------------------------------------------

    async def forever(self) -> None:
        """Meet the others and do what they ask. Never ends by itself."""
        while self._peers is not None:
            try:
                self._present, errands = await asyncio.to_thread(self._peers.meet, self._presence())
                self._met = self._clock.now().steady
            except JournalLost:
                errands = ()
            self._tell_who_knows_less()
            for errand in errands:
                task = asyncio.create_task(self._do(errand), name=f"errand {errand.number}")
                self._errands.add(task)
                task.add_done_callback(self._done)
            self._cut_off_what_is_over()
            await asyncio.sleep(MEET_SECONDS)
        await asyncio.Event().wait()

    def _tell_who_knows_less(self) -> None:
        lesser = tuple(one for one in self.fellows() if not one.knows >= CAPABILITIES)
        if lesser != self._lesser:
            self._lesser = lesser
            self.on_lesser()

    async def leave(self) -> None:
        """At the end: what we do for others is cut off, and they need not wait for us."""
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

    async def _do(self, errand: Errand) -> None:
        assert self._peers is not None, "it came from there"  # noqa: S101  # assertions stay on
        over = await self._leading.still_leads(errand.epoch)
        task = asyncio.current_task()
        if not over and task is not None:
            self._doing[task] = errand.epoch
        what = errand_in(errand.body)
        if what is None:
            answer: Answer = Attempt(Attempted.REFUSED, "this version does not know what is asked")
        elif isinstance(what, Order):
            answer = await self._ordered(what, over)
        else:
            until = self._clock.now().plus(errand.left_seconds)
            answer = await self._called(what, until, over)
        await asyncio.to_thread(self._peers.answer, errand.number, answered(answer))

    async def _ordered(self, order: Order, over: str) -> Answer:
        handler = self.orders.get(order.kind)
        if over or handler is None:
            return Attempt(Attempted.REFUSED, over or f"nobody here takes {order.kind}")
        return Told(await handler(order.body))

    async def _called(self, call: Call, until: Instant, over: str) -> Answer:
        action, now = self._policy().actions.get(call.action), self._clock.now()
        if not over and (action is None or action.sha256 != call.sha256):
            over = f"this daemon has no {call.action}, or another text of it"
        if over or action is None:
            return _not_done(call, over, now)
        left = max(0.05, until.steady - now.steady)
        parts = reads_of(action) if call.what == "read" else ways_of(action)
        if call.part >= len(parts):
            return _not_done(call, f"{call.action} has no such part", now)
        if call.what == "read":
            endpoint = reads_of(action)[call.part]
            return await self._here.probe.read(endpoint, call.expect, at=now, deadline_seconds=left)
        return await self._acted(call, ways_of(action)[call.part], now, left)

    async def _acted(self, call: Call, how: How, now: Instant, left: float) -> Answer:
        actuator, key, facts = self._here.actuator, call.key, call.facts
        match call.what:
            case "attempt":
                return await actuator.attempt(how, key=key, deadline_seconds=left, facts=facts)
            case "settle":
                return await actuator.settle(how, key=key, deadline_seconds=left, facts=facts)
            case "stands":
                return await actuator.stands(how, key=key, deadline_seconds=left, facts=facts)
            case _:
                return await actuator.preflight(how, at=now, deadline_seconds=left)


def _not_done(call: Call, why: str, now: Instant) -> Answer:
    unread = CheckReading(Truth.UNKNOWN, why, now)
    match call.what:
        case "attempt" | "settle":
            return Attempt(Attempted.NOT_DONE, why)
        case "preflight":
            return Readiness(unread)
        case _:
            return unread
