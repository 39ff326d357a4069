"""The two long chapters of an incident paper: every decision, and every command."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.lab.incident.signal import windows_of
from watchdog.lab.incident.values import Change, Gathered, Ruled
from watchdog.lab.papers import Clock, Facts, Output, Table, Words, lasted
from watchdog.lab.papers.paper import Block

_WINDOWS = ("Window", "Bad", "Of", "Share", "Burn", "Fires above", "Seen")
_NUMBERS = frozenset(range(1, 7))


def decisions(found: Gathered, clock: Clock) -> Iterator[Block]:
    """Each with what every gate answered."""
    if not found.rulings:
        yield Words("No decision was made: gates are asked once a breach has lasted.", quiet=True)
    for one in found.rulings:
        yield from _decision(one, clock)


def _decision(one: Ruled, clock: Clock) -> Iterator[Block]:
    entry = one.entry
    action = f" on {entry.action}" if entry.action else ""
    said = f"{entry.decision}, {clock.both(one.at)}: {entry.ruling.value}{action}: {entry.reason}"
    yield Words(said)
    rows = tuple(
        (gate.gate, "passed" if gate.passed else "REFUSED", gate.reason) for gate in entry.gates
    )
    yield Table(("Gate", "Answer", "Why"), rows, "No gate was asked.")
    if entry.verdict is not None:
        yield Words(f"On this verdict: {entry.verdict.reason}", quiet=True)
        windows = tuple(windows_of(entry.verdict))
        if windows:
            yield Table(_WINDOWS, windows, numbers=_NUMBERS)
    hashes = f"rules {entry.policy_sha256[:12]}, rule {entry.rule_sha256[:12]}"
    yield Words(f"To make it again: slo-watchdog replay {entry.decision} ({hashes})", quiet=True)


def verifications(found: Gathered, clock: Clock) -> Iterator[Block]:
    """Each with what came of its checks, and what they printed."""
    if not found.verifications:
        yield Words("Nothing was verified beside the read-back.", quiet=True)
    for one in found.verifications:
        asked = f", asked for by {one.began.actor}" if one.began.actor else ""
        yield Words(f"{one.began.verification}, {clock.both(one.at)}{asked}: {one.line}")
        known = [one.known[name] for name in one.began.checks if name in one.known]
        rows = tuple(
            (
                clock.utc(check.at),
                check.entry.check,
                check.entry.truth.value,
                lasted(check.entry.seconds, 3),
                check.entry.reason,
            )
            for check in known
        )
        yield Table(("UTC", "Check", "Holds", "Known after", "Why"), rows, "None has ended.")
        for check in known:
            if check.entry.output.strip():
                title = f"{one.began.verification} {check.entry.check} printed"
                yield Output(title, check.entry.output)


def changes(found: Gathered, clock: Clock) -> Iterator[Block]:
    """Each change with its steps, what they printed, and the action as it was written."""
    if not found.changes:
        yield Words("No command was run.", quiet=True)
    for one in found.changes:
        yield from _change(one, clock)
    written = {one.entry.action: one.written for one in found.changes if one.written}
    for action, text in written.items():
        yield Output(f"{action}, as the rules had it then", text)


def _change(one: Change, clock: Clock) -> Iterator[Block]:
    entry = one.entry
    who = entry.actor or "by itself"
    yield Words(f"{entry.intent}: {entry.direction.value} {entry.action} on {entry.target}, {who}")
    facts = [
        ("decided", clock.both(one.at)),
        ("by decision", entry.decision),
        ("approved by", ", ".join(entry.approved_by)),
        ("through holds", "yes" if entry.through_hold else ""),
        ("why", entry.reason),
    ]
    yield Facts(tuple(fact for fact in facts if fact[1]))
    steps = tuple(
        (clock.utc(at), step.step, step.result, lasted(step.seconds, 3), step.reason)
        for at, step in one.steps
    )
    yield Table(("UTC", "Step", "Result", "Took", "Why"), steps, "It took no step.")
    for _, step in one.steps:
        if step.output.strip():
            yield Output(f"{entry.intent} {step.step} printed", step.output)
