"""An incident record as a paper, in the order in which a post-mortem is read and written.

What people have to find out stands at its end with the procedure's own headings, to be filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchdog.core.hindsight import Task as Kind
from watchdog.core.standing import MANUAL
from watchdog.core.text import duration
from watchdog.core.words import Instant
from watchdog.lab.incident.chapters import changes, decisions, verifications
from watchdog.lab.incident.impact import Found, measured, newest
from watchdog.lab.incident.signal import pictures
from watchdog.lab.incident.times import first_effect, times_of
from watchdog.lab.incident.values import Gathered, Message, Task
from watchdog.lab.papers import (
    Blank,
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

_SAID = {
    "tickets": "support tickets",
    "satisfaction": "satisfaction, 1 to 5",
    "feedback": "user feedback",
    "community": "community channels",
    "metrics": "system metrics",
    "data_loss": "data loss",
}
_TO_FIND_OUT = "To be filled in."


def incident_paper(found: Gathered, clock: Clock) -> Paper:
    return Paper(
        f"Incident {found.episode}: {found.rule or 'its rule is not on record any more'}",
        tuple(_below(found, clock)),
        (
            Section("Summary", tuple(_summary(found, clock))),
            Section("Timeline", tuple(_timeline(found, clock))),
            Section("Signal", tuple(_signal(found))),
            Section("Impact", tuple(_impact(found, clock))),
            Section("Decisions", tuple(decisions(found, clock))),
            Section("Commands and what they printed", tuple(changes(found, clock))),
            Section("Verification after the rollback", tuple(verifications(found, clock))),
            Section("Rolled back, and undone", tuple(_effects(found, clock))),
            Section("Messages", tuple(_messages(found, clock))),
            Section("What people did", tuple(_people(found, clock))),
            Section("Root cause analysis", tuple(_root_cause(found))),
            Section("Follow-up", tuple(_follow_up(found, clock))),
        ),
    )


def _below(found: Gathered, clock: Clock) -> Iterator[str]:
    opened = found.opened[1] if found.opened is not None else None
    if opened is not None and found.started is not None:
        shadow = ", in shadow: nothing was done" if opened.world.value == "shadow" else ""
        whose = f", {opened.owner}" if opened.owner else ""
        yield f"{opened.severity.value}, {found.started.environment}{whose}{shadow}"
    yield f"Made from the record as it was at {clock.both(found.last)}"
    if found.retired:
        yield (
            f"The entries up to {found.retired} were retired: what happened before them is not here"
        )


def _summary(found: Gathered, clock: Clock) -> Iterator[Block]:
    one = found.measure
    began = one.first_bad if one is not None else None
    effect = first_effect(one) if one is not None else None
    times = times_of(one) if one is not None else None
    opened = found.opened[1] if found.opened is not None else None
    rows = [
        ("state", f"{found.state.value}: {found.reason}" if found.reason else found.state.value),
        ("first bad sample", clock.both(began)),
        ("breach seen", clock.both(found.opened[0]) if found.opened else ""),
        ("time to detect", _took(times.first_bad_to_breach if times else None)),
        ("rolled back", clock.both(effect)),
        ("time to effect, from the breach", _took(times.breach_to_effect if times else None)),
        ("contained", clock.both(one.contained) if one is not None else ""),
        ("recovered", clock.both(one.recovered) if one is not None else ""),
        ("time to recover, from the breach", _took(times.breach_to_recovered if times else None)),
        ("ended", clock.both(found.ended) or "it is open"),
        ("ordered by", f"{opened.actor}: {opened.why}" if opened and opened.actor else ""),
        ("acknowledged by", found.acked_by or "nobody"),
        ("marked", found.mark or "not marked: was it right to act?"),
    ]
    yield Facts(tuple(row for row in rows if row[1]))


def _timeline(found: Gathered, clock: Clock) -> Iterator[Block]:
    one = found.measure
    began = one.began if one is not None else found.opened[0] if found.opened else None
    rows = [
        (clock.utc(m.at), clock.local(m.at), _after(began, m.at), m.what, m.actor, m.text)
        for m in found.moments
    ]
    if one is not None and one.first_bad is not None:
        bad = one.first_bad
        rows.insert(0, (clock.utc(bad), clock.local(bad), "0s", "first bad sample", "", found.rule))
    yield _timed(("UTC", "Local", "After", "What", "Who", ""), rows, "Nothing is on record.")


def _timed(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], empty: str) -> Table:
    """A table that begins with UTC and local times; without the second where they are the same."""
    if all(local.removesuffix(" UTC") == utc.removesuffix("Z") for utc, local, *_ in rows):
        return Table((heads[0], *heads[2:]), tuple((row[0], *row[2:]) for row in rows), empty)
    return Table(heads, tuple(rows), empty)


def _signal(found: Gathered) -> Iterator[Block]:
    made = pictures(found)
    if not made:
        yield Words("No entry of the episode holds a number to be plotted.", quiet=True)
        return
    yield Words("The verdicts that stand on the record; between them nothing is known.", quiet=True)
    yield from (Picture(plot) for plot in made)


def _impact(found: Gathered, clock: Clock) -> Iterator[Block]:
    yield Facts(measured(found))
    rows = tuple(
        (_named(one), f"{one.value:g}" if isinstance(one.value, float) else str(one.value),
         one.actor, clock.utc(one.at))
        for one in newest(found.impacts)
    )  # fmt: skip
    how = f"slo-watchdog impact {found.episode} --tickets N --feedback TEXT --data-loss none"
    none = f"Nobody has said yet what users met with. To record it: {how}"
    yield Table(("Found out", "", "By", "At"), rows, none)


def _named(one: Found) -> str:
    return f"{one.of} affected" if one.what == "affected" else _SAID[one.what]


def _effects(found: Gathered, clock: Clock) -> Iterator[Block]:
    rows = []
    for one in found.changes:
        ended, entry = one.ended, one.entry
        promised = "" if entry.sla_seconds is None else duration(entry.sla_seconds)
        took = "" if ended is None else lasted(ended.seconds, 3)
        outcome, seen = (ended.outcome.value, ended.read_back) if ended else ("not ended", "")
        at = clock.utc(ended.effect_at or one.ended_at) if ended else ""
        rows.append(
            (entry.intent, entry.direction.value, entry.action, entry.target, outcome, at, seen,
             took, promised)
        )  # fmt: skip
    head = ("", "", "Action", "Target", "Outcome", "Effect at", "Read back", "Took", "Promised")
    yield Table(head, tuple(rows), "Nothing was changed.")
    standing = [f"{claim.target}, by {claim.action}" for claim in found.claims]
    if standing:
        yield Words("Stays rolled back at the end of this record:")
        yield Items(tuple(standing))


def _messages(found: Gathered, clock: Clock) -> Iterator[Block]:
    rows = tuple(
        (clock.utc(m.at), f"{m.severity} {m.urgency}".strip(), _whom(m), m.title, m.body, _fate(m))
        for m in found.messages
    )
    head = ("UTC", "", "To", "Title", "Text", "What became of it")
    yield Table(head, rows, "Nobody was told.")


def _whom(message: Message) -> str:
    by = f", announced by {message.by}" if message.by else ""
    return (", ".join(message.to) or ("team" if message.note else "")) + by


def _fate(message: Message) -> str:
    if message.silenced:
        return "kept back: silenced"
    if not message.note:
        return "" if message.by else "in the record and the log alone"
    return "; ".join(message.fates) or "nothing is on record yet"


def _people(found: Gathered, clock: Clock) -> Iterator[Block]:
    rows = tuple(
        (clock.utc(m.at), clock.local(m.at), m.actor, m.what, m.text)
        for m in found.moments
        if m.actor
    )
    yield _timed(("UTC", "Local", "Who", "What", ""), rows, "Nobody did anything.")


def _root_cause(found: Gathered) -> Iterator[Block]:
    known = [] if found.rule == MANUAL else [f"The rule that saw it: {found.rule}"]
    for ruled in found.rulings[:1]:
        deploys = [g.reason for g in ruled.entry.gates if g.reason.startswith("attributed to ")]
        known += [f"A change that may have led to it: {reason}" for reason in deploys]
    yield Blank("Investigate cause", _TO_FIND_OUT, tuple(known))
    yield Blank("Document findings", _TO_FIND_OUT)
    yield Blank("Implement fixes", _TO_FIND_OUT, _tasks(found, Kind.FIX))
    yield Blank("Test solutions", _TO_FIND_OUT, _tasks(found, Kind.TEST))


def _follow_up(found: Gathered, clock: Clock) -> Iterator[Block]:
    yield Blank("Update procedures", _TO_FIND_OUT, _tasks(found, Kind.PROCEDURE))
    yield Blank("Train team members", _TO_FIND_OUT, _tasks(found, Kind.TRAINING))
    rows = tuple(_row(task, clock) for task in found.tasks)
    add = f"slo-watchdog follow-up add {found.episode} --kind fix --owner NAME --due 14d TEXT"
    head = ("", "Kind", "Owner", "Due", "What", "State")
    yield Table(head, rows, f"No follow-up is on record. To add one: {add}")


def _row(task: Task, clock: Clock) -> tuple[str, ...]:
    entry, closed = task.entry, task.closed
    state = "open"
    if closed is not None:
        state = f"closed {clock.utc(task.closed_at)} by {closed.actor}: {closed.reason}"
    return entry.follow_up, entry.task.value, entry.owner, entry.due, entry.text, state


def _tasks(found: Gathered, kind: Kind) -> tuple[str, ...]:
    mine = (one for one in found.tasks if one.entry.task is kind)
    return tuple(
        f"{one.entry.follow_up}: {one.entry.text} ({one.entry.owner}, due {one.entry.due}, "
        f"{'done: ' + one.closed.reason if one.closed else 'open'})"
        for one in mine
    )


def _after(began: Instant | None, at: Instant) -> str:
    return "" if began is None else lasted(at.steady - began.steady, 1)


def _took(seconds: float | None) -> str:
    return "" if seconds is None else lasted(seconds, 3)
