"""Holds and silences: people stop automatic starts, and end the stop."""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.draft import Draft
from watchdog.core.rights import Right
from watchdog.core.spec import Scope
from watchdog.core.standing import Hold
from watchdog.core.words import Direction
from watchdog.engine.effects.ending import CHANGE
from watchdog.engine.family_view import known_rules, no_rule
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned, unrecorded
from watchdog.engine.recorder import Unrecorded

TOLD_AGAIN_SECONDS = 60.0
"""By how much later a message may come again and still ask for the same hold."""


class Stops:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def hold(
        self,
        person: Person,
        scope: Scope,
        reason: str,
        *,
        for_seconds: float | None,
        silence: bool,
        dry: bool,
    ) -> Done:
        """Stop automatic starts. Anyone who reaches the control socket may."""
        reasoned(reason)
        self._known(scope)
        if silence:  # a stop is anybody's; to keep pages back is not
            self._desk.may(person, Right.SILENCE, self._owners(scope))
            if for_seconds is None:
                raise OrderRefused("a silence ends by itself: say when, with --for 1h")
        word = "silence" if silence else "hold"
        until = self._desk.now().plus(for_seconds) if for_seconds is not None else None
        when = f"until {until.utc:%Y-%m-%d %H:%M:%SZ}" if until else "until it is released"
        pages = "its pages are kept back, and " if silence else ""
        effect = (
            f"{word} on {scope.text} {when}: {pages}nothing is started automatically under it. "
            "A breach that goes on under it stays held when it ends."
        )
        if dry:
            return Done(effect, scope.name or "all")
        wish = self._desk.wish()
        name = wish.book.next_id("H")
        wish.add(e.HoldPlaced(name, scope, reason, person.name, until, silence))
        missed = self._desk.engine.recorder.order(wish)
        if missed is not None:
            effect += self._unrecorded(wish, missed)
        effect += self._begun(scope)
        told = {"hold": name, "recorded": missed is None}
        return Done(f"{name}: {effect}", scope.name or "all", told)

    def standing(
        self, person: Person, scope: Scope, reason: str, for_seconds: float
    ) -> Hold | None:
        """What this very person placed for this very reason, if it stands for as long as is asked
        now: a message that is told again asks for a little more than is left.
        """
        asked = self._desk.now().steady + for_seconds - min(TOLD_AGAIN_SECONDS, for_seconds / 10)
        for hold in self._desk.book.standing_holds(self._desk.now()):
            same = (hold.actor, hold.scope, hold.reason) == (person.name, scope, reason)
            if same and (hold.expires is None or hold.expires.steady >= asked):
                return hold
        return None

    def _begun(self, scope: Scope) -> str:
        """What a stop comes too late for, or may: it is in somebody's hands already."""
        book = self._desk.book
        late = [
            f"{one.entry.action} on {one.entry.target} ({one.entry.episode})"
            for one in book.intents.values()
            if CHANGE in one.began
            and one.entry.direction is Direction.DO
            and (ep := book.episodes.get(one.entry.episode)) is not None
            and scope.covers(owner=ep.owner, rule=ep.rule, target=one.entry.target)
        ]
        if not late:
            return ""
        names = ", ".join(late)
        return f" Begun before it, and may still take effect: {names}. See: slo-watchdog status"

    def _unrecorded(self, wish: Draft, missed: Unrecorded) -> str:
        """On a record of our own it stands at once all the same: a stop must not wait for a disk.

        On a shared one that would be a promise for others, who may lead by the time it counts and
        have never heard of it. Refusing costs nothing meanwhile: nobody starts what cannot be
        recorded, and here nothing can.
        """
        engine = self._desk.engine
        if engine.ports.peers is not None:
            raise unrecorded(missed)
        draft = engine.recorder.draft()
        for entry in wish.entries:
            draft.add(entry)
        engine.recorder.commit(draft)
        return f" NOT YET RECORDED, and lost if the watchdog dies before it is: {missed.reason}"

    def release(self, person: Person, hold: str, reason: str, *, dry: bool) -> Done:
        """End a hold; by itself this starts nothing."""
        found = self._desk.book.holds.get(hold)
        if found is None:
            raise OrderRefused(f"there is no hold {hold}. See: slo-watchdog status")
        if found.actor != person.name:  # who placed it may take it back
            right = Right.SILENCE if found.silence else Right.HOLD
            self._desk.may(person, right, self._owners(found.scope))
        effect = (
            f"{hold} on {found.scope.text} (by {found.actor}: {found.reason}) ends. "
            "What is breached now stays held as already burning until it was once clear, "
            "or until: slo-watchdog act EPISODE"
        )
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            draft.add(e.HoldEnded(hold, person.name, reason))
            self._desk.record(draft)
        return Done(effect, hold)

    def _owners(self, scope: Scope) -> frozenset[str]:
        """Whose rules a scope covers; nobody's alone where it is everything."""
        policy = self._desk.policy
        rule = policy.rule(scope.name) if scope.kind == "rule" else None
        match scope.kind:
            case "owner":
                return frozenset({scope.name})
            case "rule" if rule is not None:
                return frozenset({rule.owner})
            case "target":
                named = (a.name for a in policy.actions.values() if a.target == scope.name)
                return frozenset(owner for name in named for owner in self._desk.users_of(name))
            case _:
                return frozenset()

    def _known(self, scope: Scope) -> None:
        policy = self._desk.policy
        names = {
            "all": {""},
            "owner": {rule.owner for rule in policy.rules.values()},
            "rule": set(known_rules(self._desk.engine)),
            "target": {action.target for action in policy.actions.values()},
        }.get(scope.kind)
        if names is not None and scope.kind == "rule" and scope.name not in names:
            raise OrderRefused(no_rule(self._desk.engine, scope.name))
        if names is None or scope.name not in names:
            raise OrderRefused(
                f"there is no {scope.kind} {scope.name}; there are: "
                + ", ".join(sorted(names or {"all, owner, rule, target"}))
            )
