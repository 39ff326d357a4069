"""Deploys by command: begin, end, and lifting the freeze that a rollback left behind."""

from __future__ import annotations

from collections.abc import Callable

from watchdog.core.deploys import ALL, MOST_FOR_SECONDS, DeployOutcome
from watchdog.core.rights import Right
from watchdog.engine.deploys import DeployDesk, DeployRefused, DeployTold, NotRecorded, Wish
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned, unrecorded


class DeployOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._deploys = DeployDesk(desk.engine)

    def begin(
        self,
        person: Person,
        target: str,
        for_seconds: float,
        change: str,
        reason: str,
        *,
        dry: bool,
    ) -> Done:
        """Keep the target's actions back until it ends. A script may, whoever runs it."""
        self._desk.may(person, Right.DEPLOY, self._owners(target))
        if not 0 < for_seconds <= MOST_FOR_SECONDS:
            raise OrderRefused("a deploy ends by itself within a day: say when, with --for 20m")
        if why := self._deploys.why_not(target):
            raise OrderRefused(why)
        until = self._desk.now().plus(for_seconds)
        effect = (
            f"a deploy of {target} begins, until {until.utc:%Y-%m-%d %H:%M:%SZ} or until it is "
            f"ended: no action of {'anything' if target == ALL else target} starts by itself"
        )
        if dry:
            return Done(effect, target)
        wish = Wish(target, person.name, for_seconds, change, reason)
        began = _told(lambda: self._deploys.begin(wish)).deploy
        return Done(f"{began.name}: {effect}", target, {"deploy": began.name})

    def end(
        self, person: Person, target: str, outcome: DeployOutcome, reason: str, *, dry: bool
    ) -> Done:
        """What was kept back is judged at once, by what is seen from now on."""
        self._desk.may(person, Right.DEPLOY, self._owners(target))
        found = self._desk.book.deploys.open.get(target)
        if found is None:
            raise OrderRefused(
                f"no deploy of {target} is under way. See: slo-watchdog deploy status"
            )
        effect = (
            f"{found.name}, the deploy of {target} by {found.actor}, is over ({outcome.value}); "
            "what is breached by then is acted on, as its gates allow"
        )
        if not dry:
            _told(lambda: self._deploys.end(target, person.name, outcome, reason))
        return Done(effect, target, {"deploy": found.name})

    def unfreeze(self, person: Person, target: str, reason: str, *, dry: bool) -> Done:
        """Let a target be deployed again. A person answers for it: no pipeline and no script."""
        reasoned(reason)
        self._desk.may(person, Right.UNFREEZE, self._owners(target))
        if target == ALL:
            raise OrderRefused("name the target: each was rolled back for a reason of its own")
        found = self._deploys.frozen(target)
        if not found:
            raise OrderRefused(f"{target} is not frozen. See: slo-watchdog deploy status")
        effect = f"{target} may be deployed again, although " + "; ".join(one.why for one in found)
        if not dry:
            self._desk.counts(person)
            try:
                self._deploys.unfreeze(target, person.name, reason)
            except NotRecorded as error:
                raise unrecorded(error.missed) from None
        return Done(effect, target, {"episodes": [one.episode for one in found]})

    def _owners(self, target: str) -> frozenset[str]:
        """Whose rules may come to an action of it."""
        named = self._deploys.actions_of(target)
        return frozenset(owner for name in named for owner in self._desk.users_of(name))


def _told(tell: Callable[[], DeployTold]) -> DeployTold:
    try:
        return tell()
    except DeployRefused as refused:
        raise OrderRefused(str(refused)) from None
    except NotRecorded as error:
        raise unrecorded(error.missed) from None
