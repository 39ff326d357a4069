"""Rule by rule: what both sides saw, what only one did, and why; values, and a document of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from watchdog.core.spec import RuleSpec
from watchdog.lab.compare.alerts import Interval
from watchdog.lab.compare.edges import why_began_apart, why_ended_apart
from watchdog.lab.compare.pairing import Meeting, meetings, our_span
from watchdog.lab.compare.record import OurEpisode, Record
from watchdog.lab.compare.stretches import common
from watchdog.lab.compare.why import (
    Judged,
    Reason,
    Sides,
    why_only_ours,
    why_only_theirs,
)
from watchdog.lab.history.tracks import Span
from watchdog.policy import Load, load_files


@dataclass(frozen=True, slots=True)
class Agreed:
    """Both saw it. Seconds are ours minus theirs; None where one side has no such edge in there."""

    meeting: Meeting
    start_seconds: float | None
    end_seconds: float | None
    start_reasons: tuple[Reason, ...] = ()
    end_reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class OnlyOurs:
    episode: OurEpisode
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class OnlyTheirs:
    alert: Interval
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One rule beside its alert. `tolerance_seconds` is how far apart two may be and still meet."""

    rule: str
    alert: str
    by: str
    span: Span
    step_seconds: float
    tolerance_seconds: float
    agreed: tuple[Agreed, ...]
    only_ours: tuple[OnlyOurs, ...]
    only_theirs: tuple[OnlyTheirs, ...]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not self.only_ours and not self.only_theirs


def judged_by(record: Record, variables: Mapping[str, str]) -> dict[str, Load]:
    """Every policy of the record, by its hash, loaded as it was applied."""
    found: dict[str, Load] = {}
    for one in record.applied:
        if one.sha256 not in found:
            files = dict(one.files)
            found[one.sha256] = load_files(files, record.environment, variables=variables)
    return found


def rules_of(record: Record, loads: Mapping[str, Load], span: Span) -> dict[str, RuleSpec]:
    """Every rule that was in force within the span, as it was last."""
    found: dict[str, RuleSpec] = {}
    for one in record.applied:
        policy = loads[one.sha256].policy
        if policy is not None and common(one.span, span):
            found |= policy.rules
    return found


def judged(record: Record, loads: Mapping[str, Load], rule: str) -> tuple[Judged, ...]:
    """The rule as it was by each policy; before the first one there was none."""
    found = []
    for one in record.applied:
        load = loads[one.sha256]
        if load.policy is None:
            why = load.errors[0].text if load.errors else "it has no platform"
            found.append(Judged(one, None, why))
        else:
            found.append(Judged(one, load.policy.rule(rule)))
    return tuple(found)


def compare_rule(
    sides: Sides, by: str, span: Span, tolerance_seconds: float | None, notes: Sequence[str] = ()
) -> Compared:
    """The rule's episodes that fired within the span beside the alert's stretches there."""
    now, step = sides.record.span.end, sides.alerts.step_seconds
    tolerance = tolerance_seconds
    if tolerance is None:
        tolerance = 2 * (step + sides.rule.every_seconds)
    ours = [
        ep
        for ep in sides.record.episodes
        if ep.rule == sides.rule.name and ep.fired is not None and _within(our_span(ep, now), span)
    ]
    theirs = [one for one in sides.alerts.firing if _within(Span(one.start, one.until(now)), span)]
    agreed: list[Agreed] = []
    only_ours: list[OnlyOurs] = []
    only_theirs: list[OnlyTheirs] = []
    for meeting in meetings(ours, theirs, tolerance, now):
        if meeting.ours and meeting.theirs:
            agreed.append(_agreed(meeting, sides, tolerance))
        elif meeting.ours:
            wholes = [(ep, Span(ep.opened, our_span(ep, now).end)) for ep in meeting.ours]
            only_ours += [OnlyOurs(ep, why_only_ours(whole, sides)) for ep, whole in wholes]
        else:
            only_theirs += [OnlyTheirs(one, why_only_theirs(one, sides)) for one in meeting.theirs]
    return Compared(
        sides.rule.name,
        sides.alert,
        by,
        span,
        step,
        tolerance,
        tuple(agreed),
        tuple(only_ours),
        tuple(only_theirs),
        tuple(notes),
    )


def _within(one: Span, span: Span) -> bool:
    return one.start <= span.end and one.end >= span.start


def _agreed(meeting: Meeting, sides: Sides, tolerance: float) -> Agreed:
    ours, theirs = meeting.ours, meeting.theirs
    began_here, began_there = ours[0].fired, theirs[0].start
    ended_here = _last([ep.over for ep in ours])
    ended_there = _last([one.end for one in theirs])
    start = end = None
    start_reasons: tuple[Reason, ...] = ()
    end_reasons: tuple[Reason, ...] = ()
    if began_here is not None:
        start = began_here - began_there
        if abs(start) > tolerance:
            between = Span(min(began_here, began_there), max(began_here, began_there))
            start_reasons = why_began_apart(ours, between, sides, ours_later=start > 0)
    if ended_here is not None and ended_there is not None:
        end = ended_here - ended_there
        if abs(end) > tolerance:
            between = Span(min(ended_here, ended_there), max(ended_here, ended_there))
            end_reasons = why_ended_apart(ours, between, sides, ours_later=end > 0)
    return Agreed(meeting, start, end, start_reasons, end_reasons)


def _last(ends: Sequence[float | None]) -> float | None:
    """The last end; None while one has not ended."""
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


# -- as a document ---------------------------------------------------------------------------------


def document(compared: Sequence[Compared], left_out: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Plain data; times are ISO 8601 in UTC."""
    return {
        "agrees": all(one.agrees for one in compared),
        "rules": [_rule(one) for one in compared],
        "not_compared": [{"rule": rule, "why": why} for rule, why in left_out],
    }


def _rule(one: Compared) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "alert": one.alert,
        "named_by": one.by,
        "from": iso(one.span.start),
        "to": iso(one.span.end),
        "uncertain_seconds": one.step_seconds,
        "tolerance_seconds": one.tolerance_seconds,
        "agrees": one.agrees,
        "agreed": [
            {
                "episodes": [_episode(ep) for ep in each.meeting.ours],
                "alerts": [_interval(alert) for alert in each.meeting.theirs],
                "start_seconds": each.start_seconds,
                "end_seconds": each.end_seconds,
                "start_reasons": [asdict(reason) for reason in each.start_reasons],
                "end_reasons": [asdict(reason) for reason in each.end_reasons],
            }
            for each in one.agreed
        ],
        "only_ours": [
            {"episode": _episode(each.episode), "reasons": [asdict(r) for r in each.reasons]}
            for each in one.only_ours
        ],
        "only_theirs": [
            {"alert": _interval(each.alert), "reasons": [asdict(r) for r in each.reasons]}
            for each in one.only_theirs
        ],
        "notes": list(one.notes),
    }


def _episode(ep: OurEpisode) -> dict[str, Any]:
    return {
        "episode": ep.id,
        "world": ep.world,
        "state": ep.state.value,
        "opened": iso(ep.opened),
        "fired": None if ep.fired is None else iso(ep.fired),
        "over": None if ep.over is None else iso(ep.over),
        "ended": None if ep.ended is None else iso(ep.ended),
        "refusals": list(ep.refusals),
    }


def _interval(one: Interval) -> dict[str, Any]:
    return {
        "start": iso(one.start),
        "end": None if one.end is None else iso(one.end),
        "series": one.series,
        "labels": dict(one.labels),
    }


def iso(at: float) -> str:
    """UTC, to the millisecond."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
