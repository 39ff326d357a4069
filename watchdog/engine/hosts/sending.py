"""What we ask of another daemon, and how long its answer is waited for.

Laws
* Whoever asks hears in time what is known: the answer; that nobody had taken it, so that it was not
  done; or that this is not known. Nobody waits longer than who leads does, or the store answers.
* What is given up is taken back first, so that nobody begins it later.
* What an action begins with is taken at once or not at all: a host that starts later would do it
  by gates that were asked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from watchdog.core.text import duration
from watchdog.engine.hosts.errands import (
    Answer,
    Call,
    Order,
    Told,
    Unanswered,
    answer_in,
    written,
)
from watchdog.engine.leading import Leading
from watchdog.ports import Attempt, Attempted, Clock, JournalError, JournalLost, Peers

ASK_SECONDS = 0.1
LONGEST_ASK_SECONDS = 1.0
PROMPT_SECONDS = 1.0
"""For how long what an action begins with may wait to be taken."""

GRACE_SECONDS = 1.0
"""How long an answer may be on its way after the deadline of what was asked."""


@dataclass(slots=True)
class _Sent:
    """An errand that is on its way. Whoever lives takes one four times a second."""

    number: int
    to: str
    epoch: int
    at: float
    until: float
    heard_at: float  # when the store answered last
    waits: float  # for so long at most to be taken
    taken: bool = False


class Sending:
    """`is_there` tells whether a daemon of that address was heard of lately."""

    def __init__(
        self, peers: Peers, leading: Leading, clock: Clock, is_there: Callable[[str], bool]
    ) -> None:
        self._peers = peers
        self._leading = leading
        self._clock = clock
        self._is_there = is_there

    async def order(self, kind: str, body: str, deadline_seconds: float) -> str | Unanswered:
        """Hand an order on to the daemon that leads."""
        leader = self._leading.lead.holder
        found = await self.ask(f"daemon {leader}", Order(kind, body), deadline_seconds)
        match found:
            case Told():
                return found.body
            case Unanswered():
                return found
            case Attempt():
                done_perhaps = found.result in {Attempted.UNKNOWN, Attempted.CLAIMED}
                return Unanswered(found.reason, sent=done_perhaps)
            case _:
                return Unanswered("an odd answer", sent=True)

    async def ask(
        self, to: str, what: Call | Order, deadline_seconds: float
    ) -> Answer | Unanswered:
        """What was answered within the deadline, while nobody else comes to lead."""
        if not self._is_there(to):
            return Unanswered(f"no daemon was heard of lately that is {to}", sent=False)
        peers, epoch = self._peers, self._leading.lead.epoch
        body = written(replace(what, seconds=deadline_seconds))
        try:
            number = await asyncio.to_thread(
                lambda: peers.send(to, body, epoch=epoch, deadline_seconds=deadline_seconds)
            )
        except JournalError as error:
            # What was sent without an answer may be there.
            return Unanswered(str(error), sent=isinstance(error, JournalLost) and error.sent)
        now = self._clock.now().steady
        longest = self._leading.seconds + GRACE_SECONDS
        begins = isinstance(what, Call) and what.begins
        waits = min(longest, PROMPT_SECONDS) if begins else longest
        sent = _Sent(number, to, epoch, now, now + deadline_seconds + GRACE_SECONDS, now, waits)
        return await self._answer(sent)

    async def _answer(self, sent: _Sent) -> Answer | Unanswered:
        pause, trouble = ASK_SECONDS, ""
        while not (why := self._in_vain(sent, trouble)):
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, LONGEST_ASK_SECONDS)
            try:
                found = await asyncio.to_thread(self._peers.answer_to, sent.number)
                if found is not None:
                    return answer_in(found, sent.to)
                sent.heard_at = self._clock.now().steady
                if not sent.taken and sent.heard_at - sent.at > sent.waits:
                    if await asyncio.to_thread(self._peers.take_back, sent.number):
                        return Unanswered(f"{sent.to} did not take it", sent=False)
                    sent.taken = True
            except JournalError as error:
                trouble = str(error)
        return await self._given_up(sent, why)

    def _in_vain(self, sent: _Sent, trouble: str) -> str:
        """Why nothing is waited for any more; "" while it is."""
        now = self._clock.now().steady
        if now >= sent.until:
            return f"{sent.to} did not answer in time"
        if self._leading.lead.epoch != sent.epoch:
            return f"another daemon leads by now than when {sent.to} was asked"
        if now - sent.heard_at > self._leading.seconds:
            return f"the store has not answered for {duration(now - sent.heard_at)}: {trouble}"
        return ""

    async def _given_up(self, sent: _Sent, why: str) -> Answer | Unanswered:
        try:
            if not sent.taken and await asyncio.to_thread(self._peers.take_back, sent.number):
                return Unanswered(f"{why}, and nobody had taken it", sent=False)
            found = await asyncio.to_thread(self._peers.answer_to, sent.number)
        except JournalError as error:
            return Unanswered(f"{why} ({error})", sent=True)
        return Unanswered(why, sent=True) if found is None else answer_in(found, sent.to)
