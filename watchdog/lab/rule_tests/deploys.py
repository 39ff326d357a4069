"""Deploys in a test's time: one that a pipeline would be refused does not take place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.deploying import refusal
from watchdog.core.deploys import MOST_FOR_SECONDS, DeployOutcome
from watchdog.core.draft import Draft
from watchdog.core.words import Instant
from watchdog.lab.rehearsal import Rehearsal
from watchdog.lab.rule_tests.shapes import DeployShape

WHO = "the test"


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of one."""

    deploy: DeployShape
    begins: bool

    def happens(self, rehearsal: Rehearsal, now: Instant) -> None:
        draft, target = Draft(rehearsal.book, now), self.deploy.target
        opened = draft.book.deploys.open.get(target)
        if self.begins and not refusal(target, draft.book):
            name, until = draft.book.deploys.next_name(), now.plus(MOST_FOR_SECONDS)
            draft.add(e.DeployBegan(name, target, WHO, until, self.deploy.change))
        if not self.begins and opened is not None:
            draft.add(e.DeployEnded(opened.name, target, DeployOutcome.OK, WHO))
        rehearsal.keep(draft)


def edges(deploys: Iterable[DeployShape], until: float) -> list[tuple[float, int, Edge]]:
    """In the order of time; at one time one ends before the next begins."""
    found = sorted(_edges(deploys), key=lambda edge: (edge[0], edge[1].begins))
    return [(at, 0, edge) for at, edge in found if at <= until]


def _edges(deploys: Iterable[DeployShape]) -> Iterator[tuple[float, Edge]]:
    for deploy in deploys:
        yield deploy.from_, Edge(deploy, begins=True)
        if deploy.to is not None:
            yield deploy.to, Edge(deploy, begins=False)
