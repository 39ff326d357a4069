"""Whom a rule's blindness calls, and who hears that it is over.

The law: a rule that may act and cannot see calls people by the steps of its severity, counted from
the page that told of it, until it sees again, or a silence says that somebody knows. An episode
that waits for people calls them by itself; one that is rolled back needs nobody for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from watchdog.core import entries as e
from watchdog.core.draft import Draft
from watchdog.core.naming import family_of
from watchdog.core.paging import Whom
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.states import BLINDS, WAITS_FOR_PEOPLE
from watchdog.core.telling.contacts import Step
from watchdog.core.telling.notes import blindness_of
from watchdog.core.telling.routing import names_of
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration
from watchdog.core.urgency import Urgency
from watchdog.core.words import Mode, Severity

_OVER = Whom(topic=Topic.RESOLVED, urgency=Urgency.NEWS)


def sees_again(rule: RuleSpec, reason: str, draft: Draft) -> None:
    """Its blindness is over; whoever heard of it hears that."""
    matter = blindness_of(rule.name)
    known = matter in draft.book.notes.last
    lasted = draft.now.steady - draft.book.blind[rule.name].since.steady
    draft.add(e.BlindEnded(rule.name, lasted))
    if known:
        title = f"{rule.name} can be judged again, after {duration(lasted)}: {reason}"
        draft.page_about_rule(rule, "blind", title, "", whom=_OVER)


def forget_strangers(policy: Policy, draft: Draft) -> None:
    """Rules that are gone cannot see again: what was told of their blindness is over as well."""
    for name in [name for name in draft.book.blind if family_of(name) not in policy.rules]:
        known = blindness_of(name) in draft.book.notes.last
        lasted = draft.now.steady - draft.book.blind[name].since.steady
        draft.add(e.BlindEnded(name, lasted))
        if known:
            title = f"{name} was blind, and is judged no more: the policy has no such rule"
            draft.tell(blindness_of(name), Severity.P3, title, "", whom=_OVER)


def let_go(name: str, family: RuleSpec, reason: str, draft: Draft) -> None:
    """The same of a member whose label set is gone."""
    known = blindness_of(name) in draft.book.notes.last
    draft.add(e.MemberRetired(family.name, name, reason))
    if known:
        title = f"{name} was blind, and is judged no more: {reason}"
        draft.tell(blindness_of(name), family.severity, title, "", whom=_OVER)


def calling(policy: Policy, draft: Draft) -> Iterator[RuleSpec]:
    """The rules that are blind, were told of, and for which nobody else is called."""
    for name in draft.book.blind:
        if blindness_of(name) not in draft.book.notes.first:
            continue
        rule = policy.rule(name)
        if rule is not None and _may_act(rule, draft) and not _is_attended(rule, draft):
            yield rule


def _may_act(rule: RuleSpec, draft: Draft) -> bool:
    """What only looks on is missed by nobody at night."""
    started = draft.book.started
    ceiling = Mode[started.max_mode.upper()] if started is not None else Mode.ARMED
    return rule.playbook is not None and min(rule.mode, ceiling) > Mode.SHADOW


def _is_attended(rule: RuleSpec, draft: Draft) -> bool:
    ep = draft.book.open_episode(rule.name)
    waits = ep is not None and ep.state in BLINDS | WAITS_FOR_PEOPLE
    return waits or draft.silences_rule(rule, "blind")


def call_about_blindness(number: int, step: Step, rule: RuleSpec, draft: Draft) -> None:
    """Take a step."""
    tells, reason = names_of(step.tell), draft.book.blind[rule.name].reason
    draft.add(e.Escalated("", number, tells, "it is blind", step.by, step.unless.value, rule.name))
    draft.page_about_rule(
        rule,
        "blind",
        f"{rule.name}: you are called: it is blind: {reason}",
        "It cannot be judged, and nothing is started or ended for it until it can. "
        f"See: slo-watchdog why {quote(rule.name)}. Say that you know: "
        f"slo-watchdog silence {quote(rule.name)} --for 1h --reason WHY",
        whom=Whom(tells, step.by, Topic.ESCALATED, Urgency.NOW),
    )
