"""What every order needs: who gives it, what it says it does, and the reasons to refuse it."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.book import Book, Episode
from watchdog.core.inputs import Scene
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine


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


class Desk:
    """Looks names up and refuses what must be refused."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

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
