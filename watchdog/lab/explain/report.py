"""A rule explained: every number of it, as values. How they are shown is the command's business."""

from __future__ import annotations

import math
from dataclasses import dataclass

from watchdog.core.channels import EventSignal
from watchdog.core.judge.value import reach_seconds
from watchdog.core.probes import Probed
from watchdog.core.spec import (
    ActionSpec,
    Liveness,
    Policy,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.text import duration
from watchdog.lab.explain.formulae import Span, smallest_ratio
from watchdog.lab.explain.needs import Need, RungTold, ladder_of, needs_of
from watchdog.lab.explain.ratios import Asked, Ratios, Told, acts
from watchdog.lab.explain.subject import Rhythm, pairs_of, rhythm_of, rule_of

_LONGEST_GAPS = 2.1  # intervals; a longer one adds nothing to `for`
_OF_EVENTS = (
    (
        "It is judged when it is told. What happens before that, at the sender and on the way, is "
        "not known here."
    ),
    (
        "It has no signal history: there is nothing to plot, and backtest and tune leave it out. "
        "Try it with `events` in a test file: slo-watchdog test."
    ),
    "An event counts once: told again, also after a restart, it opens nothing.",
)


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: str
    where: str
    environment: str
    kind: str
    mode: str
    says: str
    asked: Asked
    rhythm: Rhythm
    for_seconds: float
    keep_firing_seconds: float
    stale_after_seconds: float
    page_after_seconds: float
    acts: Span  # a value rule: from the value's change; a ratio rule: `for` alone
    notes: tuple[str, ...]
    ratios: Ratios | None
    gates: tuple[Need, ...]
    ladder: tuple[RungTold, ...]


def explain(policy: Policy, name: str, asked: Asked) -> Explanation:
    """Everything about the rule `name` of the policy. KeyError: there is no such rule."""
    rule, source = rule_of(policy, name)
    rhythm = rhythm_of(rule, source)
    pairs = pairs_of(rule)
    action = _first_action(policy, rule)
    return Explanation(
        rule=rule.name,
        where=rule.where,
        environment=policy.environment,
        kind=rule.kind,
        mode=rule.mode.word,
        says=_says(rule),
        asked=asked,
        rhythm=rhythm,
        for_seconds=rule.for_seconds,
        keep_firing_seconds=rule.keep_firing_seconds,
        stale_after_seconds=rule.stale_after_seconds,
        page_after_seconds=rule.page_after_seconds,
        acts=acts(_shown_after(rule), rhythm),
        notes=(
            *_of_members(policy.rules[name]),
            *_notes(rule, rhythm, asked),
            *_of_impact(rule),
        ),
        ratios=Told(rule, pairs, rhythm, asked, action).table() if pairs else None,
        gates=needs_of(policy, rule),
        ladder=ladder_of(policy, rule),
    )


def _of_impact(rule: RuleSpec) -> tuple[str, ...]:
    """Who is said to be affected; it is asked of the rule's source and judges nothing."""
    if rule.impact is None:
        return ()
    how = "the increase of" if rule.impact.grows else "the highest"
    of, expr = rule.impact.of, rule.impact.expr
    return (f"Affected {of}: {how} {expr} since the first bad sample. It never breaches.",)


def _of_members(rule: RuleSpec) -> tuple[str, ...]:
    """What is told here is of one label set."""
    if not rule.each:
        return ()
    which = ", ".join(rule.each)
    return (f"This is of each {which} by itself; at most {rule.limit} of them are watched.",)


def _shown_after(rule: RuleSpec) -> Span:
    """From what breaches to what shows it: the next poll, or at once where somebody tells it.

    What is told is looked at again at polls while `for` runs.
    """
    at_once = isinstance(rule.signal, EventSignal) and not rule.for_seconds
    return Span(0.0, 0.0 if at_once else rule.every_seconds)


def _first_action(policy: Policy, rule: RuleSpec) -> ActionSpec | None:
    if rule.playbook is None:
        return None
    return policy.actions[policy.playbooks[rule.playbook].rungs[0].action]


def _says(rule: RuleSpec) -> str:
    signal = rule.signal
    match signal:
        case RatioThreshold():
            over = duration(signal.over_seconds)
            return f"breached while the share of bad events over {over} is {signal.bound.text}"
        case Slo():
            pairs = " or ".join(
                f"{duration(p.long_seconds)} and {duration(p.short_seconds)} both burn above "
                f"{p.factor:g}"
                for p in signal.pairs
            )
            return f"breached while {pairs}"
        case Liveness():
            return f"breached while any {signal.expr} is 0"
        case ValueThreshold():
            return f"breached while {signal.expr} {signal.bound.text}"
        case EventSignal():
            lasts = duration(signal.lasts_seconds)
            return (
                f"breached while an event of {signal.about} stands that it has not dealt with: "
                f"until it is resolved, or for {lasts} after it was last told"
            )
        case _:
            return f"breached while {signal.about} fails, {signal.fails} of {signal.looks} looks"


def _notes(rule: RuleSpec, rhythm: Rhythm, asked: Asked) -> list[str]:
    """What the numbers leave out, and what else holds."""
    if isinstance(rule.signal, EventSignal):
        return list(_OF_EVENTS)
    answer = duration(rhythm.answer)
    notes = [f"Times count to the poll that shows it; its answer takes up to {answer} more."]
    if isinstance(rule.signal, Slo | RatioThreshold):
        notes.append(
            "Failures and traffic are taken as steady. A part of a window that was not observed "
            "counts as good at the same traffic, so a fresh start changes none of this."
        )
        if asked.base >= smallest_ratio(pairs_of(rule)):
            notes.append("At this base rate the rule is breached without any fault.")
        if asked.traffic is None:
            notes.append("Say --traffic RATE to be told of events, and of alarms by chance.")
        return notes
    if isinstance(rule.signal, Probed) and rule.signal.looks > 1:
        looks, held = rule.signal.looks, rule.signal.looks - rule.signal.fails + 1
        notes.append(f"It is healthy, also at first, when {held} of the last {looks} looks held.")
        return notes
    reach = reach_seconds(getattr(rule.signal, "expr", ""))
    if reach:
        notes.append(
            f"The expression looks back {duration(reach)}: what it shows may follow the truth only "
            f"after as long."
        )
    hung = _hung_gap(rhythm)
    if (
        isinstance(rule.signal, Liveness)
        and rule.for_seconds
        and hung > _LONGEST_GAPS * rhythm.every
    ):
        notes.append(
            f"A target that hangs is polled every {duration(hung)} only (deadline "
            f"{answer}), too seldom for `for` to add up: it would never act. Write a deadline "
            f"below {duration(2 * rhythm.every)}."
        )
    return notes


def _hung_gap(rhythm: Rhythm) -> float:
    """Polls that run into their deadline skip those that fall due meanwhile."""
    if rhythm.answer < rhythm.every:
        return rhythm.every
    return rhythm.every * (math.floor(rhythm.answer / rhythm.every) + 1)
