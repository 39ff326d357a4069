"""What every order needs: who gives it, what it says it does, and the reasons to refuse it.

The one way to carry out an order is `wish`, which only who leads gets, and `record`, which refuses
what is not durable: nobody is told that something was done of which there is no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from watchdog.core.book import Book, Episode
from watchdog.core.draft import Draft
from watchdog.core.inputs import Scene
from watchdog.core.rights import Account, Right, Rights
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine
from watchdog.engine.recorder import Unrecorded

NOBODYS = Account()


class OrderRefused(Exception):
    """The order is not carried out; the message says why and what to do."""


class OrderUnrecorded(OrderRefused):
    """For now: there is no record of it, or, `in_doubt`, it is not known whether there is."""

    def __init__(self, why: str, *, in_doubt: bool = False) -> None:
        super().__init__(why)
        self.in_doubt = in_doubt


@dataclass(frozen=True, slots=True)
class Done:
    """`effect` is what the order does, or, when it was not dry, did; `target` is its name."""

    effect: str
    target: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """Who ordered it. `counts` tells whether this counts as a person's decision."""

    name: str
    counts: bool
    account: Account = NOBODYS  # what the rights file knows them by
    everything: bool = False  # whoever may signal the process may do all that a signal does
    itself: bool = False  # the daemon's own user, whose the record is


class Desk:
    """Looks names up and refuses what must be refused."""

    def __init__(self, engine: Engine, rights: Callable[[], Rights | None] = lambda: None) -> None:
        self.engine = engine
        self.rights = rights

    @property
    def book(self) -> Book:
        return self.engine.book

    @property
    def policy(self) -> Policy:
        return self.engine.in_force()

    def now(self) -> Instant:
        return self.engine.ports.clock.now()

    def scene(self) -> Scene:
        """What an order is judged by. Nothing is added to it."""
        return self.scene_of(self.engine.recorder.draft())

    def scene_of(self, wish: Draft) -> Scene:
        return Scene(self.policy, self.engine.facts(), wish)

    def wish(self) -> Draft:
        """What an order will add, which nobody believes before it is recorded."""
        elsewhere = self.engine.leading.elsewhere()
        if elsewhere:
            raise OrderUnrecorded(f"{elsewhere}, and not this daemon: not done. Order it once more")
        return self.engine.recorder.wish()

    def record(self, wish: Draft, intent: str = "") -> None:
        """Refuse where it is not durable, and while we stop what would begin an `intent`. That of
        what is in doubt is not acted on here.
        """
        if intent and self.engine.runner.draining:
            raise OrderRefused(
                "the watchdog is stopping, and begins nothing any more: not done. Order it again "
                "once it runs; what it began before is being ended: slo-watchdog status"
            )
        missed = self.engine.recorder.order(wish)
        if missed is None:
            return
        if missed.in_doubt and intent:
            self.engine.runner.withdraw(intent)
        raise unrecorded(missed)

    def counts(self, person: Person) -> None:
        """Refuse who does not count as a person."""
        if not person.counts:
            raise OrderRefused(
                f"{person.name} does not count as a person here. Order it under your own name, "
                "or set root_is_person"
            )

    def may(
        self, person: Person, right: Right, owners: Iterable[str], *, every: bool = False
    ) -> None:
        """Refuse who has not the right, where there is a rights file; see Rights.refusal."""
        rights = self.rights()
        if rights is None or person.everything:
            return
        refused = rights.refusal(person.name, person.account, right, owners, every=every)
        if refused:
            raise OrderRefused(refused)

    def owners_of(self, ep: Episode) -> frozenset[str]:
        """Whose an episode is; of one that a person commanded, whose the action is."""
        return frozenset({ep.owner}) if ep.owner else self.users_of(ep.action)

    def users_of(self, action: str) -> frozenset[str]:
        """The owners of the rules that may come to an action."""
        books = self.policy.playbooks.values()
        having = {book.name for book in books if any(r.action == action for r in book.rungs)}
        rules = self.policy.rules.values()
        return frozenset(rule.owner for rule in rules if rule.playbook in having)

    def episode(self, name: str) -> Episode:
        found = self.book.episodes.get(name)
        if found is None:
            raise OrderRefused(f"there is no episode {name}. See: slo-watchdog status")
        return found

    def action(self, name: str) -> ActionSpec:
        found = self.policy.actions.get(name)
        if found is None:
            known = ", ".join(sorted(self.policy.actions))
            raise OrderRefused(f"there is no action {name}; there are: {known}")
        return found


def unrecorded(missed: Unrecorded) -> OrderUnrecorded:
    """What a person is told whose order is not on the record, or perhaps is."""
    if missed.in_doubt:
        return OrderUnrecorded(
            f"whether it was recorded is not known, and so whether it is done: {missed.reason}. "
            "Before you order it again: slo-watchdog status",
            in_doubt=True,
        )
    return OrderUnrecorded(f"it could not be recorded: {missed.reason}; not done")


def reasoned(text: str) -> None:
    """Refuse an order without a reason."""
    if not text.strip():
        raise OrderRefused("a reason is needed: --reason TEXT")
