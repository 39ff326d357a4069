"""Why one side began, or ended, later than the other, where both saw the same trouble.

Only what delays the side that was later counts: our blindness explains that we began later, and
never that we began sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchdog.core.text import duration, percent
from watchdog.lab.compare.record import OurEpisode
from watchdog.lab.compare.stretches import seconds_in
from watchdog.lab.compare.why import Reason, Sides, for_differs, not_judged, the_whole
from watchdog.lab.history.tracks import Span

_WHOLLY_SEEN = 0.95
"""Of a window; a missed sample is no lack of history."""


def why_began_apart(
    ours: Sequence[OurEpisode], span: Span, sides: Sides, *, ours_later: bool
) -> tuple[Reason, ...]:
    """`span` is from the first side's beginning to the other's."""
    longer = max((one.for_seconds for one in sides.known or ()), default=0.0)
    found: list[Reason] = []
    if ours_later:
        found += _delayed(span, sides)
        found += _partly_seen(ours)
        longer_here = sides.rule.for_seconds > longer
    else:
        found += _gaps(span, sides)
        longer_here = sides.rule.for_seconds < longer
    if longer_here:
        found += [Reason(reason.kind, reason.text) for reason in for_differs(sides)]
    return _or_unknown(found)


def why_ended_apart(
    ours: Sequence[OurEpisode], span: Span, sides: Sides, *, ours_later: bool
) -> tuple[Reason, ...]:
    """`span` is from the first side's end to the other's."""
    here = sides.rule.keep_firing_seconds
    there = max((one.keep_firing_seconds for one in sides.known or ()), default=0.0)
    found: list[Reason] = []
    if sides.known and (here > there if ours_later else here < there):
        text = f"`keep_firing_for` is {duration(here)} here and {duration(there)} there now"
        found.append(Reason("keep_firing_differs", text))
    closed = [ep for ep in ours if ep.closed_by]
    found += [Reason("closed", f"{ep.id} was closed by {ep.closed_by}") for ep in closed]
    if ours_later:
        found += _delayed(span, sides)
        found += _gaps(span, sides)
        if not closed:
            text = (
                f"{ours[-1].id} ends only when the rule is healthy with its whole short window "
                "seen; an alert ends at the first evaluation that finds nothing"
            )
            found.append(Reason("clear_takes_longer", text, cause=False))
    return _or_unknown(found)


def _or_unknown(found: Sequence[Reason]) -> tuple[Reason, ...]:
    if any(reason.cause for reason in found):
        return tuple(found)
    return (Reason("unknown", "nothing on either side's record tells why"), *found)


def _delayed(span: Span, sides: Sides) -> Iterator[Reason]:
    for reason in not_judged(span, sides):
        yield Reason(reason.kind, reason.text)


def _gaps(span: Span, sides: Sides) -> Iterator[Reason]:
    if (silent := seconds_in(span, sides.pulse.gaps)) > 0:
        text = f"Prometheus has no sample of `up` for {duration(silent)} of {the_whole(span)}"
        yield Reason("prometheus_gap", text)


def _partly_seen(ours: Sequence[OurEpisode]) -> Iterator[Reason]:
    """Where history is missing, our windows take it for good; Prometheus leaves it out."""
    for ep in ours[:1]:
        if ep.seen < _WHOLLY_SEEN:
            text = (
                f"{ep.id} opened with {percent(ep.seen)} of its window seen: the rest counted as "
                "good, which Prometheus leaves out"
            )
            yield Reason("partly_seen", text)
