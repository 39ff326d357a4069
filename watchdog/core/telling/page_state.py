"""What a status page is to show at one moment, worked out from the book and the policy alone.

The law: paused is what an episode has rolled back and claims, and nothing is claimed before its
read-back has shown it; what somebody else switched off is theirs to announce. Once it was to be
undone, and nobody knows whether it was, it is not claimed to be verified. Trouble that nothing
is rolled back for is shown only where the policy says so, and not while people have silenced it.
Shadow and drills are never shown. An incident keeps its name from its first showing until its
component does well again, whichever episodes come and go meanwhile, and since when it is paused
for as long as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from watchdog.core.book import Book, Episode
from watchdog.core.naming import family_of
from watchdog.core.standing import Claim
from watchdog.core.states import State
from watchdog.core.telling.status_pages import (
    COURSE_OF,
    Component,
    Condition,
    Course,
    ShownIncident,
    StatusPage,
)
from watchdog.core.words import Instant, World

_BURNS = frozenset(
    {State.HELD, State.AWAITING, State.SHADOWED, State.ACTING, State.VERIFYING, State.LATCHED}
)
_WORST = tuple(Condition)
_DRILL = "drill"


@dataclass(frozen=True, slots=True)
class ComponentNow:
    """How one component does, by which episodes, and since when."""

    component: Component
    condition: Condition
    since: Instant | None = None
    episodes: tuple[str, ...] = ()
    incident: str = ""  # its key, while there is one
    reference: str = ""  # the page's own name of that, where it is known
    estimate: Instant | None = None  # when the pause is expected to be over
    late: bool = False  # that time has passed
    doubted: bool = False  # nobody knows whether it is paused still: an undo's end is unknown

    @property
    def course(self) -> Course:
        return COURSE_OF[self.condition]

    @property
    def digest(self) -> str:
        """Equal for what reads alike. Words that were changed in the policy are news as well."""
        since = self.since.wall if self.since is not None else None
        told = (self.condition.value, self.incident, str(self.late), str(since))
        return _digest(*self.component.words, *told, *(["doubted"] if self.doubted else []))


@dataclass(frozen=True, slots=True)
class PageState:
    """All of it. `ended` are incidents that the page was told of, and that are over."""

    page: StatusPage
    components: tuple[ComponentNow, ...]
    ended: tuple[ShownIncident, ...] = ()

    @property
    def worst(self) -> Condition:
        found = [one.condition for one in self.components]
        return max(found, key=_WORST.index, default=Condition.OPERATIONAL)

    @property
    def open(self) -> tuple[ComponentNow, ...]:
        """Those with an incident."""
        return tuple(one for one in self.components if one.incident)

    @property
    def digest(self) -> str:
        """Equal for states that read alike, and stand at the same place."""
        how = self.page.how
        return _digest(how.place, how.form, *(one.digest for one in self.components))


def _digest(*told: str) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def page_state(page: StatusPage, book: Book, environment: str, now: Instant) -> PageState:
    """What the page is to show now, and which of its incidents are over."""
    shown = book.pages.incidents(page.name)
    known = {one.component: one for one in shown}
    components = []
    for component, about in _sorted_out(page, book, now):
        shown_since = known[component.name].paused_since if component.name in known else None
        found = about.now(component, now, shown_since)
        if found.condition is not Condition.OPERATIONAL:
            found = _with_incident(found, page.name, known.get(component.name), environment)
        components.append(found)
    keys = {one.incident for one in components}
    ended = tuple(one for one in shown if one.key not in keys)
    return PageState(page, tuple(components), ended)


def _with_incident(
    found: ComponentNow, page: str, shown: ShownIncident | None, environment: str
) -> ComponentNow:
    name = found.component.name
    key = shown.key if shown is not None else f"{environment}/{page}/{name}/{found.episodes[0]}"
    return replace(found, incident=key, reference=shown.reference if shown is not None else "")


@dataclass(slots=True)
class _About:
    """What concerns a component: since when, and the episode."""

    paused: list[tuple[Instant, str]] = field(default_factory=list)
    burning: list[tuple[Instant, str]] = field(default_factory=list)
    watched: list[tuple[Instant, str]] = field(default_factory=list)
    doubted: bool = False

    def take(self, ep: Episode, claimed: list[Instant], *, goes_on: bool, silenced: bool) -> None:
        if claimed:
            self.paused.append((min(claimed, key=lambda at: at.steady), ep.id))
            self.doubted |= ep.undo_is_unknown
        elif ep.undone and ep.state in {State.WATCHED, State.LATCHED}:
            self.watched.append((ep.moved, ep.id))
        else:
            if goes_on:  # it was watched before, and is not over because it breached again
                self.watched.append((ep.opened, ep.id))
            if ep.state in _BURNS and not silenced:
                self.burning.append((ep.opened, ep.id))

    def now(self, component: Component, now: Instant, shown: Instant | None) -> ComponentNow:
        """The worst that may be shown of it, an incident apart.

        Since when it is `shown` as paused stays: a claim that passes from one episode to another
        ends no pause, for those who read the page.
        """
        if self.paused:
            since, names = _first(self.paused)
            since = min(since, shown or since, key=lambda at: at.steady)
            ends = component.estimate_seconds
            estimate = since.plus(ends) if ends is not None else None
            late = estimate is not None and now.steady >= estimate.steady
            paused = ComponentNow(component, Condition.PAUSED, since, names, estimate=estimate)
            return replace(paused, late=late, doubted=self.doubted)
        if self.burning and component.burning is not None:
            return ComponentNow(component, component.burning, *_first(self.burning))
        if self.watched:
            return ComponentNow(component, Condition.MONITORING, *_first(self.watched))
        return ComponentNow(component, Condition.OPERATIONAL)


def _sorted_out(page: StatusPage, book: Book, now: Instant) -> Iterator[tuple[Component, _About]]:
    """Every open episode is looked at once: it may be one of a thousand."""
    found = {component.name: _About() for component in page.components}
    by_target: dict[str, set[str]] = {}
    by_rule: dict[str, set[str]] = {}
    for component in page.components:
        for index, names in ((by_target, component.targets), (by_rule, component.rules)):
            for name in names:
                index.setdefault(name, set()).add(component.name)
    claims: dict[str, list[Claim]] = {}
    for claim in book.every_claim():
        if not claim.found:
            claims.setdefault(claim.episode, []).append(claim)
    for ep in book.open_episodes():
        if ep.world is not World.LIVE or ep.mark == _DRILL:
            continue
        before, held = book.episodes.get(ep.reopens), claims.get(ep.id, [])
        seen_before = before is None or before.undone or bool(before.reopens)
        goes_on = bool(ep.reopens) and seen_before
        targets = {ep.target, before.target if before is not None else ""}
        of_rule = by_rule.get(family_of(ep.rule), set())
        of_targets = (by_target.get(one, set()) for one in targets | {c.target for c in held})
        concerned = of_rule.union(*of_targets)
        silenced = bool(concerned) and _silenced(ep, book, now)
        for name in concerned:
            claimed = [c.at for c in held if name in of_rule | by_target.get(c.target, set())]
            found[name].take(ep, claimed, goes_on=goes_on, silenced=silenced)
    return ((component, found[component.name]) for component in page.components)


def _first(found: list[tuple[Instant, str]]) -> tuple[Instant, tuple[str, ...]]:
    """Since when, and by which episodes, the earliest first."""
    ordered = sorted(found, key=lambda one: one[0].steady)
    return ordered[0][0], tuple(name for _, name in ordered)


def _silenced(ep: Episode, book: Book, now: Instant) -> bool:
    return any(
        hold.silence and hold.scope.covers(owner=ep.owner, rule=ep.rule, target=ep.target)
        for hold in book.standing_holds(now)
    )
