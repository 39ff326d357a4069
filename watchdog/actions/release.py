"""Implements `ports.Actuator` for `DeployRelease`: a version in the place of another.

It goes through what the team deploys with, a command or an HTTP call, and asks before:

    which version runs, which one would be restored, and whether that can still be deployed

What an attempt's end means is what it means for the command or the call. Asked alone (`asks_only`):

    all is still as it was decided for                                   CLAIMED
    cannot be told now                                                   NOT_DONE
    it cannot be deployed any more, or runs already                      REFUSED
    another version runs, or another one would be restored by now        CONFLICT

There is no mark at the target: what came of a deploy is told by what is served.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

from watchdog.actions.command import CommandActuator
from watchdog.actions.http_call import HttpActuator
from watchdog.actions.probe import HttpProbe
from watchdog.actions.telling import Teller, Told, Untold
from watchdog.core.anchors import DISPLACED
from watchdog.core.filling_in import Lacking
from watchdog.core.releases import (
    DeployRelease,
    Exchange,
    content_digest,
    exchange_of,
    facts_of,
    proof_of,
    way_of,
)
from watchdog.core.spec import Command, How
from watchdog.core.trees import Anchor, Facts
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness
from watchdog.wire.http import Wire
from watchdog.wire.scrub import scrubbed

_NO_TIME = Instant(0.0, 0.0)
_MOST_REASON = 300
_MOST_SEEN = 1000
"""Versions of which it is remembered since when this process knows them."""


class _Proof(NamedTuple):
    """Whether a version can be deployed."""

    truth: Truth
    reason: str


class ReleaseActuator:
    def __init__(
        self,
        commands: CommandActuator,
        calls: HttpActuator,
        wire: Wire,
        ours: Mapping[str, str] | None = None,
    ) -> None:
        self._commands = commands
        self._calls = calls
        self._probe = HttpProbe(wire)
        self._teller = Teller(wire, ours)
        self._seen: dict[str, float] = {}

    # -- would it work ----------------------------------------------------------------------------

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        if not isinstance(how, DeployRelease):
            return Readiness(_reading(Truth.FALSE, _not_ours(how), at))
        until = time.monotonic() + deadline_seconds
        present, anchor = await asyncio.gather(
            self._teller.ask(how.present, deadline_seconds),
            self._teller.ask(how.anchor, deadline_seconds),
        )
        for what, told in (("what runs now", present), ("what would be restored", anchor)):
            if isinstance(told, Untold):
                reason = f"it cannot be told {what}: {told.reason}"
                return Readiness(_reading(Truth.UNKNOWN, reason, at))
        assert isinstance(present, Told)  # noqa: S101  # the others have returned
        assert isinstance(anchor, Told)  # noqa: S101  # the others have returned
        found = self._anchor(how, anchor, present, at)
        if anchor.version == present.version:
            reason = f"there is nothing to roll back to: {anchor.version} runs already"
            return Readiness(_reading(Truth.FALSE, reason, at), found)
        reading = await self._would_work(how, found.facts, until, at)
        return Readiness(reading, found)

    async def _would_work(
        self, how: DeployRelease, facts: Facts, until: float, at: Instant
    ) -> CheckReading:
        way, exchange = way_of(how, facts), exchange_of(how, facts)
        for lacking in (way, exchange):
            if isinstance(lacking, Lacking):
                return _reading(Truth.FALSE, lacking.reason, at)
        assert not isinstance(way, Lacking)  # noqa: S101  # it has returned
        assert not isinstance(exchange, Lacking)  # noqa: S101  # it has returned
        tool, proof = await asyncio.gather(
            self._commands.preflight(way, at=at, deadline_seconds=_left(until))
            if isinstance(way, Command)
            else self._calls.preflight(way, at=at, deadline_seconds=_left(until)),
            self._proven(how, facts, until),
        )
        if tool.truth is not Truth.TRUE:
            return tool
        if proof.truth is not Truth.TRUE:
            return _reading(proof.truth, _not_deployable(exchange.wanted, proof), at)
        reason = f"{exchange.wanted} can be deployed in the place of {exchange.stands}"
        return _reading(Truth.TRUE, reason, at)

    def _anchor(self, how: DeployRelease, anchor: Told, present: Told, at: Instant) -> Anchor:
        """Known since the source says so, else since this process knows it."""
        digest = content_digest(how.target, anchor.version)
        since = anchor.since if anchor.since is not None else self._seen.setdefault(digest, at.wall)
        while len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return Anchor(digest, since, facts_of(how.target, anchor.version, present.version))

    async def _proven(self, how: DeployRelease, facts: Facts, until: float) -> _Proof:
        """Ask whether it can be deployed. Exit status 0, or a true expectation, is the proof."""
        asked = proof_of(how, facts)
        if isinstance(asked, Lacking):
            return _Proof(Truth.FALSE, asked.reason)
        if not isinstance(asked, Command):
            read = await self._probe.read(
                asked.endpoint, asked.expect, at=_NO_TIME, deadline_seconds=_left(until)
            )
            return _Proof(read.truth, read.reason)
        return _Proof(*await self._commands.ask(asked, deadline_seconds=_left(until)))

    # -- doing it ---------------------------------------------------------------------------------

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        if not isinstance(how, DeployRelease):
            return Attempt(Attempted.REFUSED, _not_ours(how))
        exchange = exchange_of(how, facts)
        if isinstance(exchange, Lacking):
            return Attempt(Attempted.REFUSED, exchange.reason)
        if how.asks_only:
            return await self._asked_again(how, exchange, facts, deadline_seconds)
        way = way_of(how, facts)
        if isinstance(way, Lacking):
            return Attempt(Attempted.REFUSED, way.reason)
        if isinstance(way, Command):
            return await self._commands.attempt(way, key=key, deadline_seconds=deadline_seconds)
        return await self._calls.attempt(way, key=key, deadline_seconds=deadline_seconds)

    async def _asked_again(
        self, how: DeployRelease, exchange: Exchange, facts: Facts, deadline_seconds: float
    ) -> Attempt:
        """Whether what was decided for is still so; one that goes back has no anchor to ask for."""
        until = time.monotonic() + deadline_seconds
        present, anchor, proof = await asyncio.gather(
            self._teller.ask(how.present, deadline_seconds),
            _no_other() if how.displaced else self._teller.ask(how.anchor, deadline_seconds),
            self._proven(how, facts, until),
        )
        for told in (present, anchor):
            if isinstance(told, Untold):
                return _answer(Attempted.NOT_DONE, told.reason)
        if isinstance(present, Told) and present.version == exchange.wanted:
            return _answer(Attempted.REFUSED, f"{exchange.wanted} runs already")
        if isinstance(present, Told) and present.version != exchange.stands:
            reason = f"{present.version} runs by now, and not {exchange.stands}"
            return _answer(Attempted.CONFLICT, reason)
        if isinstance(anchor, Told) and anchor.version != exchange.wanted:
            reason = f"{anchor.version} would be restored by now, and not {exchange.wanted}"
            return _answer(Attempted.CONFLICT, reason)
        if proof.truth is not Truth.TRUE:
            result = Attempted.REFUSED if proof.truth is Truth.FALSE else Attempted.NOT_DONE
            return _answer(result, _not_deployable(exchange.wanted, proof))
        return _answer(Attempted.CLAIMED, f"{exchange.stands} runs; {proof.reason}")

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        del how, key, deadline_seconds, facts
        return CheckReading(Truth.UNKNOWN, "a version carries no mark", _NO_TIME)

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        """Say what was displaced: it is no anchor any more."""
        del key, deadline_seconds
        exchange = exchange_of(how, facts) if isinstance(how, DeployRelease) else None
        if not isinstance(how, DeployRelease) or not isinstance(exchange, Exchange):
            return Attempt(Attempted.CLAIMED, "it leaves nothing behind")
        digest = content_digest(how.target, exchange.stands)
        reason = f"{exchange.wanted} took the place of {exchange.stands}"
        return Attempt(Attempted.CLAIMED, reason, facts=((DISPLACED, digest),))


async def _no_other() -> None:
    return None


def _not_deployable(version: str, proof: _Proof) -> str:
    can = "cannot be deployed any more" if proof.truth is Truth.FALSE else "may not be deployable"
    return f"{version} {can}: {proof.reason}"


def _left(until: float) -> float:
    return max(0.1, until - time.monotonic())


def _answer(result: Attempted, reason: str) -> Attempt:
    return Attempt(result, scrubbed(reason, known=frozenset(), most=_MOST_REASON))


def _reading(truth: Truth, reason: str, at: Instant) -> CheckReading:
    return CheckReading(truth, scrubbed(reason, known=frozenset(), most=_MOST_REASON), at)


def _not_ours(how: How) -> str:
    return f"a {type(how).__name__} deploys nothing"
