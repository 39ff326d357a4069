"""A report as a paper, in the order of the procedure's own metrics and criteria."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from watchdog.core.measures import Ended
from watchdog.core.text import number, percent
from watchdog.core.words import Instant
from watchdog.lab.papers import (
    Clock,
    Facts,
    Items,
    Paper,
    Picture,
    Section,
    Table,
    Words,
    lasted,
)
from watchdog.lab.papers.paper import Block
from watchdog.lab.review.numbers import Review
from watchdog.lab.review.practice import Practised
from watchdog.lab.review.spreads import Spread
from watchdog.lab.review.trends import Period, Step
from watchdog.plots import Line, Plot

Trends = Mapping[Step, tuple[Period, ...]]

_HOW = {
    Ended.IN_TIME: "within the SLA",
    Ended.LATE: "late",
    Ended.UNTIMED: "done, when no SLA was kept",
    Ended.FAILED: "failed",
    Ended.UNKNOWN: "nobody knows",
}

NO_DRILLS = (
    "Nobody practised anything. What is due is planned in the platform file: see docs/drills.md."
)


def review_paper(found: Review, trends: Trends, clock: Clock) -> Paper:
    return Paper(
        f"Rollbacks of {found.environment or 'an empty record'}, "
        f"{found.since.utc:%Y-%m-%d} to {found.until.utc:%Y-%m-%d}",
        tuple(_below(found, clock)),
        (
            Section("Success criteria", tuple(_criteria(found))),
            Section("Rollbacks", tuple(_rollbacks(found))),
            Section("Times", tuple(_times(found))),
            Section("Downtime", tuple(_downtime(found))),
            Section("User impact and satisfaction", tuple(_impact(found))),
            Section("False actions and blind time", tuple(_doubts(found))),
            Section("Drills", tuple(_drills(found, clock))),
            Section("Follow-ups", tuple(_follow_ups(found))),
            Section("Trends", tuple(_trends(trends))),
        ),
    )


def _below(found: Review, clock: Clock) -> Iterator[str]:
    yield f"From {clock.both(found.since)} to {clock.both(found.until)}"
    if found.begins_at is not None:
        yield f"The record begins only at {clock.both(found.begins_at)}"
    if found.retired:
        yield (
            f"The entries up to {found.retired} were retired: of the time before them only what "
            "the daemon still had at hand is counted"
        )


def _criteria(found: Review) -> Iterator[Block]:
    rollbacks, impact = found.rollbacks, found.impact
    judged = found.episodes - found.by_hand
    share = "" if rollbacks.in_time_ratio is None else f" ({percent(rollbacks.in_time_ratio)})"
    in_time = f"{rollbacks.ended['in_time']} of {rollbacks.count}{share}"
    yield Facts(
        (
            ("Rollback completed within SLA", in_time if rollbacks.count else "no rollback"),
            ("No data loss", _loss(found)),
            ("Minimal user impact", _affected(found)),
            (
                "Successful recovery",
                f"{found.recovered} of {judged} episodes proven to have recovered"
                if judged
                else "no episode",
            ),
            ("System stability", _stability(found)),
        )
    )
    if impact.data_loss:
        yield Items(impact.data_loss)


def _loss(found: Review) -> str:
    impact = found.impact
    if not found.episodes:
        return "no episode"
    lost = f"LOST in {len(impact.data_loss)}, " if impact.data_loss else ""
    return (
        f"{lost}none in {impact.no_data_loss}, not said of {impact.data_loss_unsaid} "
        f"of {found.episodes} episodes"
    )


def _affected(found: Review) -> str:
    impact = found.impact
    parts = [f"{number(count, 15)} {of}" for of, count in impact.affected.items()]
    if impact.failed_events:
        parts.append(f"{number(impact.failed_events, 15)} failed events")
    if impact.unknown:
        parts.append(f"not known of {impact.unknown} episodes")
    return ", ".join(parts) or "nobody that was counted"


def _stability(found: Review) -> str:
    return (
        f"episodes: {found.episodes} ({found.open_now} open); down for "
        f"{lasted(found.downtime_seconds)}; urgent pages: {found.calls}"
    )


def _rollbacks(found: Review) -> Iterator[Block]:
    rollbacks = found.rollbacks
    if not rollbacks.count:
        yield Words("Nothing was rolled back.")
    else:
        ends = {_HOW[Ended(word)]: count for word, count in rollbacks.ended.items()}
        yield _counts(("How it ended", "Rollbacks"), ends)
        yield _counts(("By whose word", "Rollbacks"), rollbacks.by)
        yield _counts(("Action", "Rollbacks"), rollbacks.actions)
    yield Facts(
        (
            ("Undone", str(found.undone)),
            ("Would have acted, in shadow", str(found.would_act)),
            ("Breaches that did not last", str(found.passing)),
        )
    )
    yield _counts(("Rule", "Episodes"), found.rules)
    yield _counts(("Severity", "Episodes"), found.severities)


def _times(found: Review) -> Iterator[Block]:
    rows = (
        _spread("Time to detect: first bad sample to the breach", found.detect),
        _spread("Time to effect: breach to the read-back", found.effect),
        _spread("Rollback time: decision to the read-back", found.rollbacks.seconds),
        _spread("Time to contain: breach to the proof", found.contain),
        _spread("Recovery time: breach to the proof", found.recover),
    )
    head = ("", "Of", "Median", "90 %", "Highest")
    yield Table(head, rows, numbers=frozenset({1, 2, 3, 4}))


def _spread(name: str, one: Spread) -> tuple[str, ...]:
    return name, str(one.count), _took(one.median), _took(one.p90), _took(one.highest)


def _downtime(found: Review) -> Iterator[Block]:
    yield Facts((("Total, overlaps counted once", lasted(found.downtime_seconds)),))
    yield _durations(("Service of the rule", "Failed for"), found.services)
    yield _durations(("Feature of the target", "Stood as rolled back for"), found.features)


def _impact(found: Review) -> Iterator[Block]:
    impact = found.impact
    content = "nobody said"
    if impact.satisfaction is not None:
        content = f"{impact.satisfaction:.1f} of 5, said of {impact.satisfaction_said} episodes"
    yield Facts(
        (
            ("Affected, as measured", _affected(found)),
            ("Support tickets", _tickets(found)),
            ("User satisfaction", content),
            ("Data loss", _loss(found)),
        )
    )


def _tickets(found: Review) -> str:
    impact = found.impact
    if not found.episodes:
        return "no episode"
    if impact.tickets is None:
        return "not known: nobody said. Say it: slo-watchdog impact EPISODE --tickets N"
    return f"{impact.tickets}, said of {impact.tickets_said} of {found.episodes} episodes"


def _doubts(found: Review) -> Iterator[Block]:
    false = f"{len(found.false_actions)} of {found.acted} that acted"
    named = f": {', '.join(found.false_actions)}" if found.false_actions else ""
    yield Facts(
        (
            ("False actions", false + named),
            ("Nobody said whether it was right", f"{found.acted_unmarked} of {found.acted}"),
            ("Nobody watched for", lasted(found.unwatched_seconds)),
        )
    )
    yield _durations(("Rule", "Blind for"), found.blind_seconds)


def _drills(found: Review, clock: Clock) -> Iterator[Block]:
    """Results, times, and what was missed; the trend of them stands with the others."""
    one = found.drills
    if not one.drills:
        yield Words(NO_DRILLS)
    if one.kinds:
        rows = tuple(
            (
                kind.what, str(kind.run), str(kind.passed), str(kind.run - kind.passed),
                str(kind.missed), _took(kind.rollback.median), _took(kind.rollback.highest),
                _took(kind.seconds.median),
            )
            for kind in one.kinds
        )  # fmt: skip
        head = ("Kind", "Run", "Passed", "Failed", "Became overdue")
        times = ("Rollback time, median", "highest", "Whole drill, median")
        yield Table((*head, *times), rows, numbers=frozenset(range(1, 8)))
    if one.drills:
        yield Table(_DRILL_HEAD, tuple(_drill(each, clock) for each in one.drills), "")
    if one.episodes:
        yield Words("Episodes that somebody marked as a drill, counted in nothing but downtime:")
        yield Items(one.episodes)


_SHOWN_STAGES = ("detect", "decide", "read-back")
_DRILL_HEAD = ("", "Kind", "Ended", "Result", *_SHOWN_STAGES, "By", "What was said")


def _drill(one: Practised, clock: Clock) -> tuple[str, ...]:
    said = "; ".join((*one.reasons, *([one.note] if one.note else [])))
    times = (one.stages.get(stage) for stage in _SHOWN_STAGES)
    result = "passed" if one.passed else "FAILED"
    ended = clock.utc(Instant(one.ended_at, 0.0))
    return one.name, one.what, ended, result, *map(_took, times), one.by, said


def _follow_ups(found: Review) -> Iterator[Block]:
    one = found.follow_ups
    yield Facts(
        (
            ("Added", str(one.added)),
            ("Closed", f"{one.closed}, {one.closed_late} of them late"),
            ("Open at the end", f"{one.open}, {one.overdue} of them overdue"),
            ("Time to close, median", _took(one.seconds_to_close.median) or "none was closed"),
        )
    )


_CURVES: tuple[tuple[str, Callable[[Period], float | None], Callable[[float], str]], ...] = (
    ("Rollbacks", lambda one: one.rollbacks, number),
    ("Downtime", lambda one: one.downtime_seconds, lasted),
    ("Median time to effect", lambda one: one.effect_median, lasted),
    ("Median recovery time", lambda one: one.recover_median, lasted),
    ("False actions", lambda one: one.false_actions, number),
    ("Blind time", lambda one: one.blind_seconds, lasted),
    ("Median rollback time in drills", lambda one: one.drill_median, lasted),
)


def _trends(trends: Trends) -> Iterator[Block]:
    for step, periods in trends.items():
        yield Words(f"By {step.value}. A star: not all of it lies in the time asked for.")
        yield Table(
            ("", "Episodes", "Rollbacks", "Not in time", "False", "Urgent pages", "Down", "Blind",
             "To detect", "To effect", "To recover", "Satisfaction", "Drills", "Failed",
             "Rolled back in a drill within"),
            tuple(map(_row, periods)),
            "No time to tell of.",
            frozenset(range(1, 15)),
        )  # fmt: skip
        if len(periods) > 1:
            yield from (Picture(plot) for plot in _plots(step, periods))


def _plots(step: Step, periods: tuple[Period, ...]) -> Iterator[Plot]:
    """Each period is a step of its own length; what has no number leaves a gap."""
    for name, of, written in _CURVES:
        points = []
        for one in periods:
            value = of(one)
            points += [(one.since.wall, value), (one.until.wall - 1.0, value)]
        plot = Plot(
            f"{name} by {step.value}",
            periods[0].since.wall,
            periods[-1].until.wall,
            (Line(name.lower(), points),),
            written=written,
        )
        if any(plot.lines[0].values):
            yield plot


def _row(one: Period) -> tuple[str, ...]:
    return (
        one.name + ("*" if one.cut else ""),
        str(one.episodes),
        str(one.rollbacks),
        str(one.not_in_time),
        str(one.false_actions),
        str(one.calls),
        lasted(one.downtime_seconds, 0),
        lasted(one.blind_seconds, 0),
        _took(one.detect_median),
        _took(one.effect_median),
        _took(one.recover_median),
        "" if one.satisfaction is None else f"{one.satisfaction:.1f}",
        str(one.drills),
        str(one.drills_failed),
        _took(one.drill_median),
    )


def _counts(head: tuple[str, str], counts: Mapping[str, int]) -> Table:
    rows = tuple((name, str(count)) for name, count in counts.items())
    return Table(head, rows, numbers=frozenset({1}))


def _durations(head: tuple[str, str], sums: Mapping[str, float]) -> Table:
    rows = tuple((name, lasted(seconds)) for name, seconds in sums.items())
    return Table(head, rows, f"{head[0]}: none.", frozenset({1}))


def _took(seconds: float | None) -> str:
    return "" if seconds is None else lasted(seconds)
