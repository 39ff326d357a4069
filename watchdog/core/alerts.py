"""What Alertmanager is told at one moment, worked out from the book and nothing else.

Fires: a live or shadow episode whose `for` is reached, until it is over, or undone and quiet;
and a rule's blindness that people were told of. Both as long as no silence of our own keeps their
pages back. What ended within an alert's life is told as ended, also by a process that did not see
it begin; what ended before that has expired by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from watchdog.core.alerting import Alert, alert_labels, strangers_labels
from watchdog.core.book import Book
from watchdog.core.samples import Labels
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.standing import MANUAL, Blindness, Episode
from watchdog.core.states import State
from watchdog.core.words import Instant, World

LONGEST_TEXT = 1000
_QUIET = frozenset({State.OK, State.PENDING, State.WATCHED})


@dataclass(frozen=True, slots=True)
class Told:
    """Alerts by their labels: those that fire now, and those that ended lately."""

    firing: dict[Labels, Alert]
    ended: dict[Labels, Alert]


def alerts_of(book: Book, policy: Policy, now: Instant, lives_seconds: float) -> Told:
    """Everything that should be known, so that telling it all again mends whatever went wrong."""
    told = Told({}, {})
    for ep in book.episodes.values():
        labels, page = labels_of(ep, policy), "" if ep.rule == MANUAL else ep.rule
        if ep.state not in _QUIET:
            if not _silenced(book, ep.owner, ep.rule, ep.target, now):
                texts, ends = _of_episode(ep, policy), now.wall + lives_seconds
                told.firing[labels] = Alert(labels, texts, ep.opened.wall, ends, page)
        elif _was_told(ep) and now.steady - ep.moved.steady < lives_seconds:
            texts, ends = _of_episode(ep, policy), max(ep.moved.wall, ep.opened.wall)
            told.ended[labels] = Alert(labels, texts, ep.opened.wall, ends, page)
    for name, blindness in book.blind.items():
        rule = policy.rule(name)
        if rule is None or not blindness.paged or _silenced(book, rule.owner, name, "", now):
            continue
        labels = alert_labels(rule, policy.environment, World.LIVE, "blind")
        ends = now.wall + lives_seconds
        since = blindness.since.wall
        told.firing[labels] = Alert(labels, _of_blindness(rule, blindness), since, ends, name)
    for labels in told.firing:
        told.ended.pop(labels, None)
    return told


def labels_of(ep: Episode, policy: Policy) -> Labels:
    """Those of its alert: as they were when it opened."""
    if ep.labels:
        return ep.labels
    rule = policy.rule(ep.rule)
    if rule is not None:
        return alert_labels(rule, policy.environment, ep.world)
    # Any number of people's orders may stand at a time: each has a name of its own.
    name = f"{MANUAL}-{ep.id}" if ep.rule == MANUAL else ep.rule
    return strangers_labels(name, ep.owner, ep.severity.value, policy.environment, ep.world)


def _was_told(ep: Episode) -> bool:
    """Whether its `for` was reached: then the gates were asked, and people may know of it."""
    return bool(ep.action or ep.refusals)


def _silenced(book: Book, owner: str, rule: str, target: str, now: Instant) -> bool:
    return any(
        hold.silence and hold.scope.covers(owner=owner, rule=rule, target=target)
        for hold in book.standing_holds(now)
    )


def _of_episode(ep: Episode, policy: Policy) -> Labels:
    rule = policy.rule(ep.rule)
    since = f"{ep.moved.utc:%Y-%m-%d %H:%M:%SZ}"
    seen = ep.verdict.reason if ep.verdict is not None else ep.why
    held = ep.state is State.HELD and ep.refusals
    return _texts(
        ("summary", (rule.summary if rule else "") or f"{ep.rule}: {seen}"),
        ("episode", ep.id),
        ("state", f"{ep.state.value} since {since}"),
        ("action", f"{ep.action} on {ep.target}" if ep.action else ""),
        ("reason", ep.refusals[-1] if held else ep.reason),
        ("seen", seen),
        ("read_back", ep.read_back),
        ("acknowledged_by", ep.acked_by),
        *_what_to_do(rule, ep.rule),
    )


def _of_blindness(rule: RuleSpec, blindness: Blindness) -> Labels:
    return _texts(
        ("summary", f"{rule.name} is blind: nothing is started or ended for it until it can see"),
        ("state", f"blind since {blindness.since.utc:%Y-%m-%d %H:%M:%SZ}"),
        ("reason", blindness.reason),
        *_what_to_do(rule, rule.name),
    )


def _what_to_do(rule: RuleSpec | None, name: str) -> Iterator[tuple[str, str]]:
    if rule is not None:
        yield "runbook", rule.runbook
        yield "look", f"slo-watchdog why {quote(name)}"
    else:
        yield "look", "slo-watchdog status"


def _texts(*pairs: tuple[str, str]) -> Labels:
    return tuple((name, text[:LONGEST_TEXT]) for name, text in pairs if text)
