"""Why the two sides disagree, from what was recorded of either; never from a guess.

A reason is a *cause* only where it is enough by the rule's own law: what is left of the stretch
beside blindness, absence and gaps is shorter than what firing takes. Everything else that was
found there is told beside it, and where no cause is found the reason is `unknown`, with what was
looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watchdog.core.naming import labelled
from watchdog.core.samples import Labels
from watchdog.core.spec import RuleSpec
from watchdog.core.text import duration
from watchdog.lab.compare.alerts import Alerts, Interval, Pulse
from watchdog.lab.compare.record import Applied, Blinded, Record
from watchdog.lab.compare.stretches import common, seconds_in, without
from watchdog.lab.history.tracks import Span
from watchdog.sources.prometheus_lookup import AlertingRule


@dataclass(frozen=True, slots=True)
class Reason:
    """`kind` is for machines. A reason that is no cause is only what was also the case."""

    kind: str
    text: str
    cause: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule's policies: each time in force, with the rule as it was then.

    `rule` is None where the policy had none; `unread` where its text cannot be loaded here.
    """

    applied: Applied
    rule: RuleSpec | None
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Sides:
    """All that is known of one rule and its alert."""

    rule: RuleSpec
    alert: str
    record: Record
    judged: Sequence[Judged]
    alerts: Alerts
    pulse: Pulse
    known: Sequence[AlertingRule] | None  # alerts of this name, now; None where that is not told
    narrowed: Labels = ()  # beside its name, which labels its series had to carry to be looked at


# -- only theirs -----------------------------------------------------------------------------------


def why_only_theirs(one: Interval, sides: Sides) -> tuple[Reason, ...]:
    """An alert fired, and no episode did."""
    now = sides.record.span.end
    end = one.until(now)
    pending = [
        p for p in sides.alerts.pending if p.start <= one.start <= p.until(now) + _edge(sides)
    ]
    start = min([one.start, *(p.start for p in pending)])
    span = Span(start, max(end, start))
    found = [*not_judged(span, sides)]
    found += _episodes_beside(span, sides)
    if span.seconds < sides.rule.every_seconds and not found:
        text = (
            f"the alert lasted {duration(span.seconds)}, and the rule looks every "
            f"{duration(sides.rule.every_seconds)}"
        )
        found.append(Reason("between_looks", text))
    left_over = bool(found)
    if one.series > 1:
        text = f"the alert fired for {one.series} series together; the rule is one"
        found.append(Reason("several_series", text, cause=False))
    found += for_differs(sides)
    if not any(reason.cause for reason in found):
        found.insert(0, Reason("unknown", _unknown(sides, also=left_over)))
    return tuple(found)


def _unknown(sides: Sides, *, also: bool) -> str:
    rule, record = sides.rule, sides.record
    named = {ep.rule for ep in record.episodes} | set(record.blind)
    if rule.member and rule.name not in named:
        return f"whether {rule.family} watched this member at all is not in its record"
    if also:
        return "enough time was left to see it, by our record; why we did not is not in it"
    return (
        "the rule was in the policy, judged and healthy, by our record; why Prometheus saw it "
        "otherwise is not in it"
    )


def not_judged(span: Span, sides: Sides) -> list[Reason]:
    """Absent, down, asleep, blind: enough only if too little time is left to fire in."""
    rule, record = sides.rule, sides.record
    found: list[tuple[Reason, list[Span]]] = []
    if span.start < record.span.start:
        text = f"our record begins only {duration(record.span.start - span.start)} after it began"
        found.append((Reason("before_record", text), [Span(span.start, record.span.start)]))
    absent = [one for one in sides.judged if one.rule is None and not one.unread]
    gone = [one.applied.span for one in absent]
    if (seconds := seconds_in(span, gone)) > 0:
        text = f"the rule was not in the policy for {duration(seconds)} of {the_whole(span)}"
        found.append((Reason("rule_absent", text), gone))
    for how in ("down", "asleep", "silent"):
        away = [one.span for one in record.away if one.how == how]
        if (seconds := seconds_in(span, away)) > 0:
            text = f"{_AWAY[how]} for {duration(seconds)} of {the_whole(span)}"
            found.append((Reason(f"daemon_{how}", text), away))
    of_it = [*record.blind.get(rule.name, ()), *_of_family(rule, record)]
    blind = [one for one in of_it if common(one.span, span)]
    if blind:
        spans = [one.span for one in blind]
        kinds = ", ".join(dict.fromkeys(kind.value for one in blind for kind in one.kinds))
        text = (
            f"the rule was blind ({kinds}) for {duration(seconds_in(span, spans))} of "
            f"{the_whole(span)}: {blind[-1].reason}"
        )
        found.append((Reason("blind", text), spans))
    enough = _too_little_left(span, [one for _, spans in found for one in spans], rule)
    reasons = [Reason(reason.kind, reason.text, cause=enough) for reason, _ in found]
    return [*reasons, *_changed(span, sides)]


def _of_family(rule: RuleSpec, record: Record) -> Sequence[Blinded]:
    """A member is blind with its whole family too."""
    return record.blind.get(rule.family, ()) if rule.member else ()


_AWAY = {
    "down": "the daemon was down",
    "asleep": "the daemon was asleep, without a pass,",
    "silent": "nothing tells that the daemon lived (no entry and no checkpoint)",
}


def _too_little_left(span: Span, holes: Sequence[Span], rule: RuleSpec) -> bool:
    """Whether what is left of the stretch is shorter than firing takes.

    A hole longer than `for` sets the rule's clock back, so then the longest piece counts alone.
    """
    left = without(span, holes)
    inside = [piece.seconds for hole in holes if (piece := common(hole, span)) is not None]
    needed = rule.for_seconds + rule.every_seconds
    if inside and max(inside) > rule.for_seconds:
        return max((piece.seconds for piece in left), default=0.0) < needed
    return sum(piece.seconds for piece in left) < needed


def _changed(span: Span, sides: Sides) -> Iterable[Reason]:
    unread = [one for one in sides.judged if one.unread and common(one.applied.span, span)]
    for one in unread[:1]:
        text = f"the policy of then cannot be loaded here: {one.unread}"
        yield Reason("policy_unreadable", text, cause=False)
    inside = [one for one in sides.judged if span.start < one.applied.span.start < span.end]
    shas = {one.rule.sha256 for one in sides.judged if one.rule and common(one.applied.span, span)}
    if inside and len(shas) > 1:
        text = "the rule's text was changed meanwhile, which starts its `for` again"
        yield Reason("rule_changed", text, cause=False)


def _episodes_beside(span: Span, sides: Sides) -> Iterable[Reason]:
    """Episodes there that never fired, or that had fired before and still stood."""
    now = sides.record.span.end
    for ep in sides.record.episodes:
        ended = now if ep.ended is None else ep.ended
        if ep.rule != sides.rule.name or not common(Span(ep.opened, ended), span):
            continue
        if ep.fired is None:
            text = (
                f"{ep.id} was breached for {duration(ended - ep.opened)} and never fired: "
                f"`for` is {duration(sides.rule.for_seconds)} here"
            )
            yield Reason("pending_here", text)
        elif ep.over is not None and ep.over <= span.start:
            text = (
                f"{ep.id} had fired before and was not closed yet ({ep.state.value}): an open "
                "episode takes no second one beside it"
            )
            yield Reason("still_open", text)


# -- only ours -------------------------------------------------------------------------------------


def why_only_ours(span: Span, sides: Sides) -> tuple[Reason, ...]:
    """An episode fired, and no alert did. `span` is from its opening until it was over."""
    found: list[Reason] = []
    needed = max((one.for_seconds for one in sides.known or ()), default=0.0)
    silent = seconds_in(span, sides.pulse.gaps)
    if silent > 0:
        left = max((one.seconds for one in without(span, sides.pulse.gaps)), default=0.0)
        text = f"Prometheus has no sample of `up` for {duration(silent)} of {the_whole(span)}"
        enough = left < needed + 2 * sides.alerts.step_seconds
        found.append(Reason("prometheus_gap", text, cause=enough))
    now = sides.record.span.end
    for one in sides.alerts.pending:
        if common(Span(one.start - _edge(sides), one.until(now) + _edge(sides)), span):
            lasted = duration(one.until(now) - one.start)
            told = f": its `for` is {duration(needed)} there now" if needed else ""
            found.append(Reason("pending_there", f"the alert was pending for {lasted}{told}"))
    if sides.known is not None and not sides.known:
        text = f"Prometheus has no alerting rule {sides.alert} now"
        found.append(Reason("alert_unknown", text, cause=not _ever(sides)))
    found += [
        Reason("evaluation_failed", f"its last evaluation failed: {one.problem}", cause=False)
        for one in sides.known or ()
        if one.problem
    ]
    found += for_differs(sides)
    if not any(reason.cause for reason in found):
        tells = "was at work" if sides.pulse.known else "has no `up`, so nothing tells that it was"
        looked_at = labelled(sides.alert, sides.narrowed) if sides.narrowed else sides.alert
        text = f"ALERTS has no sample of {looked_at} there, and Prometheus {tells}"
        found.insert(0, Reason("unknown", text))
    return tuple(found)


def _ever(sides: Sides) -> bool:
    return bool(sides.alerts.firing or sides.alerts.pending)


def for_differs(sides: Sides) -> list[Reason]:
    ours = sides.rule.for_seconds
    theirs = sorted({one.for_seconds for one in sides.known or ()})
    if not theirs or theirs == [ours]:
        return []
    there = " and ".join(duration(one) for one in theirs)
    text = f"`for` is {duration(ours)} here and {there} there now"
    return [Reason("for_differs", text, cause=False)]


def _edge(sides: Sides) -> float:
    return 2 * sides.alerts.step_seconds


def the_whole(span: Span) -> str:
    return f"the {duration(span.seconds)}"
