"""Whom a rule's blindness calls, and who hears that it is over.

The law: rules that may act and cannot see call people by the steps of their severity, all of one
severity together, since one dead source blinds many: counted from the page that told of the first,
until they see again, or silences say that somebody knows. Steps for want of an end are for what is
broken, and are not taken. An episode that waits for people calls them by itself; one that is rolled
back needs nobody for it.
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
from watchdog.core.telling.contacts import Contacts, Step, Unless
from watchdog.core.telling.due import due_steps
from watchdog.core.telling.notes import CALLS, blindness_of, calls_for
from watchdog.core.telling.routing import names_of
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, Mode, Severity

MOST_NAMED = 10
"""Of the blind rules, in one call."""

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
    for name in [name for name in draft.book.blind if _is_gone(name, policy)]:
        known = blindness_of(name) in draft.book.notes.last
        lasted = draft.now.steady - draft.book.blind[name].since.steady
        draft.add(e.BlindEnded(name, lasted))
        if known:
            title = f"{name} was blind, and is judged no more: the policy has no such rule"
            draft.tell(blindness_of(name), Severity.P3, title, "", whom=_OVER)


def _is_gone(name: str, policy: Policy) -> bool:
    """Also a member of what is a plain rule by now."""
    family = policy.rules.get(family_of(name))
    return family is None or (name != family.name and not family.each)


def let_go(name: str, family: RuleSpec, reason: str, draft: Draft) -> None:
    """The same of a member whose label set is gone."""
    known = blindness_of(name) in draft.book.notes.last
    draft.add(e.MemberRetired(family.name, name, reason))
    if known:
        title = f"{name} was blind, and is judged no more: {reason}"
        draft.tell(blindness_of(name), family.severity, title, "", whom=_OVER)


def tend_blindness(policy: Policy, contacts: Contacts, draft: Draft) -> None:
    """Take the steps that are due, and tell of the end whoever was called."""
    waiting: dict[str, tuple[Severity, list[RuleSpec]]] = {}
    for rule in _blind(policy, draft):
        waiting.setdefault(calls_for(rule.severity), (rule.severity, []))[1].append(rule)
    calling = set()
    for matter, (severity, rules) in waiting.items():
        first = next((rule for rule in rules if not draft.silences_rule(rule, "blind")), None)
        if first is None:
            continue
        calling.add(matter)
        since = {Unless.ACKNOWLEDGED: _since(matter, first, draft)}
        for number, step in due_steps(matter, contacts.ladder(severity).steps, since, draft):
            loud = [rule for rule in rules if not draft.silences_rule(rule, "blind")]
            _call(matter, number, step, loud, draft)
    for matter in [one for one in draft.book.notes.steps if one.startswith(CALLS)]:
        if matter not in calling:
            _call_off(matter, draft)


def _blind(policy: Policy, draft: Draft) -> Iterator[RuleSpec]:
    """The rules that are blind, were told of, and for which no episode calls."""
    for name in draft.book.blind:
        if blindness_of(name) not in draft.book.notes.needed:
            continue
        rule, ep = policy.rule(name), draft.book.open_episode(name)
        attended = ep is not None and ep.state in BLINDS | WAITS_FOR_PEOPLE
        if rule is not None and _may_act(rule, draft) and not attended:
            yield rule


def _may_act(rule: RuleSpec, draft: Draft) -> bool:
    """What only looks on is missed by nobody at night."""
    started = draft.book.started
    ceiling = Mode[started.max_mode.upper()] if started is not None else Mode.ARMED
    return rule.playbook is not None and min(rule.mode, ceiling) > Mode.SHADOW


def _since(matter: str, first: RuleSpec, draft: Draft) -> Instant:
    """From the first that is blind now; or, where people are called already, from the first call:
    it is the same trouble, though the rule that it began with sees again.
    """
    notes = draft.book.notes
    begun = [notes.needed[blindness_of(first.name)], *(at for _, at in notes.steps.get(matter, ()))]
    return min(begun, key=lambda at: at.steady)


def _call(matter: str, number: int, step: Step, rules: list[RuleSpec], draft: Draft) -> None:
    first, tells = rules[0], names_of(step.tell)
    reason = draft.book.blind[first.name].reason
    lasted = duration(step.after_seconds)
    why = f"not answered for {lasted}" if step.after_seconds else "you are called"
    title = f"{why}: {first.name} is blind: {reason}"
    if len(rules) > 1:
        title = f"{why}: {len(rules)} rules are blind, the first is {first.name}: {reason}"
    names = [quote(rule.name) for rule in rules[:MOST_NAMED]]
    more = f" and {len(rules) - MOST_NAMED} more" if len(rules) > MOST_NAMED else ""
    draft.add(e.Escalated("", number, tells, why, step.by, step.unless.value, matter))
    draft.tell(
        matter,
        first.severity,
        title,
        "Nothing is started or ended by a rule that cannot be judged. "
        f"See: slo-watchdog why {names[0]}. Say that you know: "
        f"slo-watchdog silence RULE --for 1h --reason WHY. Blind: {', '.join(names)}{more}",
        whom=Whom(tells, step.by, Topic.ESCALATED, Urgency.NOW),
    )


def _call_off(matter: str, draft: Draft) -> None:
    severity = Severity(matter.removeprefix(CALLS))
    title = f"no rule of {severity.value} calls any more: all can be judged, or somebody knows"
    draft.tell(matter, severity, title, "", whom=_OVER)
