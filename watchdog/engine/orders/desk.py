"""What every order needs: who gives it, what it says it does, and the reasons to refuse it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from watchdog.core.book import Book, Episode
from watchdog.core.inputs import Scene
from watchdog.core.rights import Account, Right, Rights
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine

NOBODYS = Account()


class OrderRefused(Exception):
    """The order is not carried out; the message says why and what to do."""


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
        return Scene(self.policy, self.engine.facts(), self.engine.recorder.draft())

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


def reasoned(text: str) -> None:
    """Refuse an order without a reason."""
    if not text.strip():
        raise OrderRefused("a reason is needed: --reason TEXT")
