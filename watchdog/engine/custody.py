"""Looks after what was rolled back: does it help, and is it still as we left it?

Reads only. While an episode is verified its `contained_when` is asked every second; every
claimed target is read back every few seconds, and a change by somebody else, seen twice in a
row, is drift. So is a target for a while of which an intent was given up that may have been sent:
what takes effect late is told. Each look has its own deadline, and none delays a pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.aftermath import came_late, drifted, verify
from watchdog.core.book import Claim, Episode
from watchdog.core.filling_in import Lacking, filled
from watchdog.core.inputs import next_rung
from watchdog.core.keeping import keeper
from watchdog.core.late import Tried
from watchdog.core.spec import ActionSpec, Check, Policy, Rung
from watchdog.core.states import State
from watchdog.core.words import CheckReading, Direction, Instant, Mode, Truth
from watchdog.engine.hosts import Hand
from watchdog.engine.recorder import Recorder

VERIFY_EVERY_SECONDS = 0.5
DRIFT_EVERY_SECONDS = 5.0
LOOK_SECONDS = 3.0
SEEN_TWICE = 2
WITHOUT_A_RULE_SECONDS = 120.0
"""How long an effect without a rule in force is verified: a person's own, or an orphan's."""

Recovered = Callable[[str, Instant, Instant], CheckReading]
"""(rule, since, now) -> whether events after `since` alone show recovery."""


class Custody:
    """Two loops; run both until cancelled."""

    def __init__(
        self,
        recorder: Recorder,
        hands: Callable[[ActionSpec], Hand],
        policy: Callable[[], Policy],
        recovered: Recovered,
    ) -> None:
        self._recorder = recorder
        self._hands = hands
        self._policy = policy
        self._recovered = recovered
        self._off: dict[str, int] = {}  # target -> how often in a row it was seen changed

    async def verify_forever(self) -> None:
        while True:
            if self._recorder.leads():
                await asyncio.gather(*(self._verify(ep) for ep in self._in(State.VERIFYING)))
            await asyncio.sleep(VERIFY_EVERY_SECONDS)

    async def watch_forever(self) -> None:
        while True:
            await asyncio.sleep(DRIFT_EVERY_SECONDS)
            if not self._recorder.leads():
                self._off.clear()
                continue
            claims = {t: tuple(held.values()) for t, held in self._recorder.book.claims.items()}
            late = tuple(self._recorder.book.late.standing(self._recorder.clock.now()))
            await asyncio.gather(
                *(self._watch(t, held) for t, held in claims.items()),
                *(self._look_out(one) for one in late),
            )

    def _in(self, state: State) -> list[Episode]:
        return [ep for ep in self._recorder.book.open_episodes() if ep.state is state]

    async def _verify(self, ep: Episode) -> None:
        policy, claims = self._policy(), self._recorder.book.claims_of(ep.id)
        claim = next((c for c in claims if c.action == ep.action), None)
        action = keeper(claim, policy) if claim is not None else None
        checks = action.contained_when if action else ()
        looks = (self._look(action, check) for check in checks if action is not None)
        contained = await asyncio.gather(*looks)
        if ep is not self._recorder.book.episodes.get(ep.id) or not self._recorder.leads():
            return  # another leads by now, or did meanwhile
        if ep.state is not State.VERIFYING or ep.intent:
            return  # it moved while we looked, or a person is undoing it
        draft = self._recorder.draft()
        recovered = self._recovered(ep.rule, ep.effect_at or ep.moved, draft.now)
        verify(ep, _rung(ep, policy), tuple(contained), recovered, policy, draft)
        self._recorder.commit(draft)

    async def _look(self, action: ActionSpec, check: Check) -> CheckReading:
        now = self._recorder.clock.now()
        return await self._hands(action).probe.read(
            check.endpoint, check.expect, at=now, deadline_seconds=LOOK_SECONDS
        )

    async def _watch(self, target: str, claims: tuple[Claim, ...]) -> None:
        keepers = (keeper(claim, self._policy()) for claim in claims)
        action = next((found for found in keepers if found is not None), None)
        if action is None or self._under_way(target):
            return  # of a claim that nothing looks after people were told when it came to that
        desired = _desired(action, claims[0])
        if isinstance(desired, Lacking):
            return
        seen = await self._look(action, desired)
        if self._under_way(target) or not self._recorder.book.claimants(target):
            return
        if not self._recorder.leads():
            return
        if seen.truth is not Truth.FALSE:
            self._off.pop(target, None)
            return
        self._off[target] = self._off.get(target, 0) + 1
        if self._off[target] >= SEEN_TWICE:
            del self._off[target]
            draft = self._recorder.draft()
            drifted(target, action.name, seen.seen or seen.reason, draft)
            self._recorder.commit(draft)

    async def _look_out(self, one: Tried) -> None:
        """For what was given up, and may take effect yet."""
        action = self._policy().actions.get(one.action)
        if one.direction is Direction.UNDO or self._is_held(one.target):
            return  # the undo of what is held is told where it is held no more
        if action is None or action.target != one.target:
            return
        wanted = filled(action.do.expect, one.facts)
        if isinstance(wanted, Lacking):
            return
        seen = await self._look(action, Check(action.read_back, wanted))
        if seen.truth is not Truth.TRUE or self._is_held(one.target) or not self._recorder.leads():
            return
        if one.intent in self._recorder.book.late.tried:
            draft = self._recorder.draft()
            came_late(one, seen.seen or seen.reason, draft)
            self._recorder.commit(draft)

    def _is_held(self, target: str) -> bool:
        """Whether it is meant to stand so, or is being changed."""
        return self._under_way(target) or bool(self._recorder.book.claimants(target))

    def _under_way(self, target: str) -> bool:
        return any(intent.entry.target == target for intent in self._recorder.book.intents.values())


def _desired(action: ActionSpec, claim: Claim) -> Check | Lacking:
    """What its target shows while nobody else changes it, by what the rollback learned."""
    wanted = filled(action.do.expect, claim.facts)
    return wanted if isinstance(wanted, Lacking) else Check(action.read_back, wanted)


def _rung(ep: Episode, policy: Policy) -> Rung:
    """The rung the episode stands on; one without a rule in force has no further time."""
    rule = policy.rule(ep.rule)
    found = next_rung(rule, ep, policy) if rule is not None else None
    return found or Rung(ep.action, Mode.ARMED, WITHOUT_A_RULE_SECONDS)
