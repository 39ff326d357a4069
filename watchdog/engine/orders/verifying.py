"""Verification when somebody asks: every check once, now, on the record with who asked.

Laws: it changes nothing, so that it needs no more than to say that one is looking; it is looked at
as what begins by itself is, and nothing hangs on it either; one that a person asked for ends before
another of that action is begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from watchdog.core.book import Episode
from watchdog.core.rights import Right
from watchdog.core.spec import ActionSpec
from watchdog.core.verification import VerificationBegan, after_what, checks_after
from watchdog.core.words import Direction, World
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person
from watchdog.engine.verification_view import run_view

GRACE_SECONDS = 10.0
"""Beyond the deadlines of what is looked at: looks may have to wait for one another."""

MOST_SECONDS = 580.0
"""A command waits ten minutes for its answer."""

_LOOK_SECONDS = 0.05


class VerifyOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def verify(self, person: Person, what: str, checks: Sequence[str], *, dry: bool) -> Done:
        """Look at an episode's actions, or at one action, and answer when it is known."""
        ep, actions = self._of(what)
        wanted = {}
        for action in actions:
            found = self._checks(action, ep, checks)
            if found[1]:
                wanted[action.name] = (action, *found)
        if not wanted:
            raise OrderRefused(self._nothing(what, actions, checks))
        for action, _, _ in wanted.values():
            self._desk.may(person, Right.ACK, self._whose(action, ep))
            self._under_way(action)
        effect = "; ".join(
            f"after {after_what(name, direction)}, looks at {', '.join(names)}"
            for name, (_, direction, names) in wanted.items()
        )
        if dry:
            return Done(f"{effect}: once each, and nothing is changed", what)
        draft, begun = self._desk.wish(), []
        for action, direction, names in wanted.values():
            name = draft.book.next_id("V")
            episode = ep.id if ep is not None else ""
            asked = (episode, action.name, action.target, direction, names)
            draft.add(VerificationBegan(name, *asked, actor=person.name))
            begun.append(name)
        self._desk.record(draft)
        await self._ended(begun, self._longest([action for action, _, _ in wanted.values()]))
        return self._told(begun, what)

    def _of(self, what: str) -> tuple[Episode | None, list[ActionSpec]]:
        """`what` names an action, or an episode and so what it has rolled back."""
        policy = self._desk.policy
        if what in policy.actions:
            return None, [policy.actions[what]]
        ep = self._desk.episode(what)
        held = [claim.action for claim in self._desk.book.claims_of(ep.id)]
        names = dict.fromkeys((*ep.effected, *held)) if ep.world is World.LIVE else {}
        if not names:
            raise OrderRefused(f"{ep.id} has rolled nothing back: there is nothing to verify")
        return ep, [policy.actions[name] for name in names if name in policy.actions]

    def _checks(
        self, action: ActionSpec, ep: Episode | None, wanted: Sequence[str]
    ) -> tuple[Direction, tuple[str, ...]]:
        """By how the target stands: held by somebody, or put back."""
        claims = self._desk.book.claimants(action.target)
        held = any(ep is None or claim.episode == ep.id for claim in claims)
        direction = Direction.DO if held else Direction.UNDO
        found = checks_after(self._desk.policy.verification.get(action.name, ()), direction)
        names = (check.name for check in found)
        return direction, tuple(name for name in names if not wanted or name in wanted)

    def _nothing(self, what: str, actions: list[ActionSpec], wanted: Sequence[str]) -> str:
        policy = self._desk.policy
        known = sorted({c.name for a in actions for c in policy.verification.get(a.name, ())})
        if wanted and known:
            return f"{what} has no such check now; it has: {', '.join(known)}"
        if known:
            return f"no check of {what} says anything of how it stands now: they have another after"
        return f"{what} has no checks: write its `verification:` (docs/verification.md)"

    def _whose(self, action: ActionSpec, ep: Episode | None) -> frozenset[str]:
        return self._desk.owners_of(ep) if ep is not None else self._desk.users_of(action.name)

    def _under_way(self, action: ActionSpec) -> None:
        for run in self._desk.book.verifications.under_way():
            if run.began.actor and run.began.action == action.name:
                raise OrderRefused(
                    f"{run.began.verification}, which {run.began.actor} asked for, is under way: "
                    f"wait for {', '.join(run.missing)}"
                )

    def _longest(self, actions: list[ActionSpec]) -> float:
        verification = self._desk.policy.verification
        seconds = [c.deadline_seconds for a in actions for c in verification.get(a.name, ())]
        return min(MOST_SECONDS, GRACE_SECONDS + 2 * max(seconds))

    async def _ended(self, begun: list[str], within_seconds: float) -> None:
        """Wait; what is not over by then goes on, and is recorded."""
        runs = self._desk.book.verifications.runs
        try:
            async with asyncio.timeout(within_seconds):
                while any(one in runs and runs[one].missing for one in begun):  # noqa: ASYNC110  # the record has no event
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            pass

    def _told(self, begun: list[str], what: str) -> Done:
        runs = [self._desk.book.verifications.runs[name] for name in begun]
        view = [run_view(self._desk.engine, run) for run in runs]
        line = ". ".join(f"{run.began.verification}: {run.line}" for run in runs)
        held = all(check["truth"] == "true" for one in view for check in one["checks"])
        return Done(line, what, {"verifications": view, "held": held})
