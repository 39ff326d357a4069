"""The numbers of a report: sums, shares and spreads over one time.

Of a family's member the family counts, as everywhere. A spread is told by its median, its 90th
percentile (the nearest rank) and its highest: an average would hide the worst night.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.hindsight import NO_LOSS
from watchdog.core.measures import Act, Ended
from watchdog.core.naming import family_of
from watchdog.core.periods import in_time_ratio
from watchdog.core.spans import Span
from watchdog.core.standing import MANUAL
from watchdog.core.words import Instant, World
from watchdog.lab.incident.times import times_of
from watchdog.lab.review.ledger import Case, Ledger
from watchdog.lab.review.practice import Practice, practice
from watchdog.lab.review.spreads import Spread, Window, spread

DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """`ended` and `by` count them by how they ended, and by whose word they were."""

    count: int
    ended: Mapping[str, int]
    by: Mapping[str, int]
    actions: Mapping[str, int]
    in_time_ratio: float | None  # of those whose SLA is known
    seconds: Spread


@dataclass(frozen=True, slots=True)
class Impact:
    """`affected` and `failed_events` as measured; the rest as people said, the newest of each."""

    affected: Mapping[str, float]  # what is counted -> how many
    failed_events: float
    unknown: int  # episodes of which neither is known
    tickets: int | None  # None: nobody said, which is not none
    tickets_said: int  # episodes of which somebody did
    satisfaction: float | None  # the mean of what was said
    satisfaction_said: int
    data_loss: tuple[str, ...]  # episodes with their loss
    no_data_loss: int  # episodes of which somebody looked, and nothing was lost
    data_loss_unsaid: int


@dataclass(frozen=True, slots=True)
class FollowUps:
    added: int
    closed: int
    closed_late: int
    open: int  # at the end
    overdue: int
    seconds_to_close: Spread


@dataclass(frozen=True, slots=True)
class Review:
    """All of one time."""

    since: Instant
    until: Instant
    environment: str
    retired: int
    begins_at: Instant | None  # the record's first entry, where that is later than `since`
    episodes: int
    severities: Mapping[str, int]
    rules: Mapping[str, int]
    passing: int  # breaches that did not last for their `for`
    open_now: int
    by_hand: int  # of the episodes, a person's own rollbacks: no service is judged by them
    recovered: int
    rollbacks: Rollbacks
    undone: int
    would_act: int
    detect: Spread
    effect: Spread
    contain: Spread
    recover: Spread
    downtime_seconds: float
    services: Mapping[str, float]
    features: Mapping[str, float]
    blind_seconds: Mapping[str, float]
    unwatched_seconds: float
    impact: Impact
    false_actions: tuple[str, ...]
    acted: int
    acted_unmarked: int
    calls: int
    drills: Practice
    follow_ups: FollowUps


def review(ledger: Ledger, window: Window) -> Review:
    of_rules = [case for case in cases_in(ledger, window) if case.mark != DRILL]
    lasting = [case for case in of_rules if case.measure.lasted]
    acts = acts_in(ledger, window)
    times = [times_of(case.measure) for case in lasting]
    acted = [case for case in lasting if of_a_rule(case) and has_acted(case)]
    begins = ledger.first
    return Review(
        since=window.since,
        until=window.until,
        environment=ledger.environment,
        retired=ledger.retired,
        begins_at=begins if begins is not None and begins.steady > window.since.steady else None,
        episodes=len(lasting),
        severities=_counted(case.measure.severity.value for case in lasting),
        rules=_counted(family_of(case.measure.rule) for case in lasting),
        passing=len(of_rules) - len(lasting),
        open_now=sum(case.measure.ended is None for case in lasting),
        by_hand=sum(not of_a_rule(case) for case in lasting),
        recovered=sum(case.measure.recovered is not None for case in lasting),
        rollbacks=_rollbacks(ledger, acts),
        undone=sum(window.holds(at) for at in ledger.undone),
        would_act=sum(window.holds(at) for at in ledger.would_act),
        detect=spread(one.first_bad_to_breach for one in times),
        effect=spread(one.breach_to_effect for one in times),
        contain=spread(one.breach_to_contained for one in times),
        recover=spread(one.breach_to_recovered for one in times),
        downtime_seconds=window.seconds_of(down(ledger, window.until)),
        services=_lasting(services(ledger, window.until), window),
        features=_lasting(features(ledger, window.until), window),
        blind_seconds=_lasting(blindness(ledger, window.until), window),
        unwatched_seconds=window.seconds_of(ledger.unwatched),
        impact=impact_of(ledger, lasting),
        false_actions=tuple(c.measure.episode for c in acted if c.mark == "false"),
        acted=len(acted),
        acted_unmarked=sum(not case.mark for case in acted),
        calls=sum(window.holds(at) for at in ledger.calls),
        drills=practice(ledger, window, _marked_drills(ledger, window)),
        follow_ups=_follow_ups(ledger, window),
    )


def _marked_drills(ledger: Ledger, window: Window) -> list[str]:
    return [case.measure.episode for case in cases_in(ledger, window) if case.mark == DRILL]


def cases_in(ledger: Ledger, window: Window) -> list[Case]:
    """The live episodes that began in it."""
    return [
        case
        for case in ledger.cases.values()
        if case.measure.world is World.LIVE and window.holds(case.measure.breached)
    ]


def acts_in(ledger: Ledger, window: Window) -> list[tuple[Case, Act]]:
    """The rollbacks that were decided in it and are over; of no drill."""
    return [
        (case, act)
        for case in ledger.cases.values()
        if case.mark != DRILL
        for act in case.measure.acts
        if act.ended is not None and window.holds(act.at)
    ]


def of_a_rule(case: Case) -> bool:
    """Whether a rule saw it; a person's own rollback is the other kind."""
    return case.measure.rule != MANUAL


def has_acted(case: Case) -> bool:
    return any(act.outcome is e.Outcome.DONE for act in case.measure.acts)


def services(ledger: Ledger, now: Instant) -> dict[str, list[Span]]:
    """Rule or family -> when its service failed, drills among them: it did fail."""
    found: dict[str, list[Span]] = {}
    for case in ledger.cases.values():
        one = case.measure
        if one.world is not World.LIVE:
            continue
        spans = list(one.failed)
        if one.failing_since is not None and one.lasted:
            spans.append((one.failing_since, now.steady))
        if spans:
            found.setdefault(family_of(one.rule), []).extend(spans)
    return found


def features(ledger: Ledger, now: Instant) -> dict[str, list[Span]]:
    """Target -> when it stood as an action had set it."""
    found = {name: list(spans) for name, spans in ledger.paused.items()}
    for name, since in ledger.paused_since.items():
        found.setdefault(name, []).append((since, now.steady))
    return found


def blindness(ledger: Ledger, now: Instant) -> dict[str, list[Span]]:
    found = {rule: list(spans) for rule, spans in ledger.blind.items()}
    for rule, since in ledger.blind_since.items():
        found.setdefault(rule, []).append((since, now.steady))
    return found


def down(ledger: Ledger, now: Instant) -> list[Span]:
    """When any service failed, or a feature stood as an action had set it."""
    every = (*services(ledger, now).values(), *features(ledger, now).values())
    return [span for spans in every for span in spans]


def impact_of(ledger: Ledger, cases: list[Case]) -> Impact:
    """Of these episodes: what was counted, and the newest of what people said of each."""
    names = {case.measure.episode for case in cases}
    affected: dict[str, float] = {}
    failed, unknown = 0.0, 0
    for case in cases:
        told = case.measure.impact
        if told is not None and told.affected is not None:
            affected[told.of] = affected.get(told.of, 0.0) + told.affected
        if told is not None:
            failed += told.failed_events or 0.0
        counted = told is not None and (told.affected, told.failed_events) != (None, None)
        unknown += not counted and of_a_rule(case)
    tickets: dict[str, int] = {}
    content: dict[str, float] = {}
    lost: dict[str, str] = {}
    for _, said in ledger.impacts:
        if said.episode not in names:
            continue
        if said.tickets is not None:
            tickets[said.episode] = said.tickets
        if said.satisfaction is not None:
            content[said.episode] = said.satisfaction
        if said.data_loss:
            lost[said.episode] = said.data_loss
    return Impact(
        affected=affected,
        failed_events=failed,
        unknown=unknown,
        tickets=sum(tickets.values()) if tickets else None,
        tickets_said=len(tickets),
        satisfaction=statistics.fmean(content.values()) if content else None,
        satisfaction_said=len(content),
        data_loss=tuple(f"{ep}: {what}" for ep, what in lost.items() if what != NO_LOSS),
        no_data_loss=sum(what == NO_LOSS for what in lost.values()),
        data_loss_unsaid=len(names - lost.keys()),
    )


def _rollbacks(ledger: Ledger, acts: list[tuple[Case, Act]]) -> Rollbacks:
    ends = Counter(act.ended for _, act in acts if act.ended is not None)
    return Rollbacks(
        count=len(acts),
        ended={ended.value: ends[ended] for ended in Ended},
        by=_counted(ledger.by_whom.get(act.intent, "not on record") for _, act in acts),
        actions=_counted(act.action for _, act in acts),
        in_time_ratio=in_time_ratio(ends),
        seconds=spread(act.seconds for _, act in acts),
    )


def _follow_ups(ledger: Ledger, window: Window) -> FollowUps:
    every = ledger.follow_ups.values()
    closed = [one for one in every if one.closed_at is not None and window.holds(one.closed_at)]
    standing = [one for one in every if one.closed is None]
    return FollowUps(
        added=sum(window.holds(one.at) for one in every),
        closed=len(closed),
        closed_late=sum(
            one.closed_at is not None and one.closed_at.wall >= one.due_at for one in closed
        ),
        open=len(standing),
        overdue=sum(one.is_overdue(window.until) for one in standing),
        seconds_to_close=spread(
            one.closed_at.steady - one.at.steady for one in closed if one.closed_at is not None
        ),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _lasting(spans: Mapping[str, list[Span]], window: Window) -> dict[str, float]:
    """The longest first; names of which nothing lies in the window are not."""
    sums = {name: window.seconds_of(some) for name, some in spans.items()}
    kept = [(name, lasted) for name, lasted in sums.items() if lasted > 0]
    return dict(sorted(kept, key=lambda pair: (-pair[1], pair[0])))
