"""One entry in a line of a timeline: what it was, in a word, and what happened.

An entry of the episode for which there is no sentence here tells itself by its kind and values: so
nothing that happened is left out.
"""

from __future__ import annotations

from dataclasses import fields
from functools import singledispatch

from watchdog.core import entries as e
from watchdog.core.hindsight import in_words
from watchdog.core.text import number, shortened
from watchdog.core.verification import (
    VerificationBegan,
    VerificationChecked,
    told_began,
    told_checked,
)
from watchdog.lab.papers import lasted

Told = tuple[str, str]

_MOST = 400
_KNOWN = frozenset({"kind", "episode", "actor"})
_SHORT = str | int | float


def told(entry: e.Entry) -> Told | None:
    """The word and the sentence; None for what a timeline has no use for."""
    return _told(entry)


@singledispatch
def _told(entry: e.Entry) -> Told | None:
    """By its kind and its short values."""
    named = ((f.name, getattr(entry, f.name)) for f in fields(entry) if f.name not in _KNOWN)
    said = [f"{name} {value}" for name, value in named if value and isinstance(value, _SHORT)]
    return entry.kind, shortened(", ".join(said), _MOST) or "on record"


@_told.register(e.StepBegan)
@_told.register(e.Unread)
@_told.register(e.Paged)
@_told.register(e.NoteTold)
def _silent(entry: e.Entry) -> None:
    """Told elsewhere, or of no use."""


@_told.register
def _opened(entry: e.EpisodeOpened) -> Told:
    why = entry.verdict.reason if entry.verdict is not None else entry.why
    reopens = f" (reopens {entry.reopens})" if entry.reopens else ""
    barred = f". {entry.barred}" if entry.barred else ""
    return "breach", f"{entry.rule}{reopens}: {why}{barred}"


@_told.register
def _moved(entry: e.EpisodeMoved) -> Told:
    return entry.after.value, f"from {entry.before.value}: {entry.reason}"


@_told.register
def _barred(entry: e.EpisodeBarred) -> Told:
    return "barred", f"may not act by itself: {entry.reason}"


@_told.register
def _unbarred(entry: e.EpisodeUnbarred) -> Told:
    through = ", through the holds that stand" if entry.through_hold else ""
    return "let act", f"{entry.reason}{through}"


@_told.register
def _asks(entry: e.ApprovalAsked) -> Told:
    until = f"{entry.expires.utc:%H:%M:%S}Z"
    return "asked", f"{entry.needed} must approve {entry.action} until {until}"


@_told.register
def _approved(entry: e.ApprovalGiven) -> Told:
    return "approval", f"of {entry.action}, by {entry.means.value}: {entry.reason}"


@_told.register
def _decided(entry: e.Decided) -> Told:
    action = f" {entry.action}" if entry.action else ""
    return "decision", f"{entry.decision}{action} {entry.ruling.value}: {entry.reason}"


@_told.register
def _intent(entry: e.IntentOpened) -> Told:
    why = f": {entry.reason}" if entry.reason else ""
    what = f"{entry.direction.value} {entry.action} on {entry.target}"
    return "change", f"{entry.intent}: {what}{why}"


@_told.register
def _step(entry: e.StepTaken) -> Told:
    why = f": {entry.reason}" if entry.reason else ""
    return "step", f"{entry.intent} {entry.step}: {entry.result}{why}"


@_told.register
def _intent_ended(entry: e.IntentEnded) -> Told:
    return "read-back", (
        f"{entry.intent} {entry.outcome.value} after {lasted(entry.seconds, 3)}: {entry.reason}"
    )


@_told.register
def _came_late(entry: e.CameLate) -> Told:
    return "read-back", f"{entry.intent} had been given up, and by now shows: {entry.seen}"


@_told.register
def _released(entry: e.ClaimReleased) -> Told:
    why = f": {entry.reason}" if entry.reason else ""
    return "claim given up", f"{entry.target}{why}"


@_told.register
def _drifted(entry: e.Drifted) -> Told:
    return "drift", f"somebody else changed {entry.target}: {entry.seen}"


@_told.register
def _acked(entry: e.Acked) -> Told:
    return "acknowledged", entry.reason or "somebody is looking"


@_told.register
def _marked(entry: e.Marked) -> Told:
    return "marked", f"{entry.mark}{f': {entry.reason}' if entry.reason else ''}"


@_told.register
def _service(entry: e.ServiceTurned) -> Told:
    return "service", f"{entry.service.value}: {entry.reason}"


@_told.register
def _cost(entry: e.ImpactMeasured) -> Told:
    parts = []
    if entry.failed_events is not None:
        parts.append(f"{number(entry.failed_events)} failed events")
    if entry.affected is not None:
        parts.append(f"{number(entry.affected)} {entry.of}")
    return "impact", ", ".join(parts) or f"not known: {entry.reason}"


@_told.register
def _impact(entry: e.ImpactTold) -> Told:
    return "found out", "; ".join(in_words(entry))


@_told.register
def _task(entry: e.FollowUpAdded) -> Told:
    who = f"{entry.task.value}, {entry.owner}, due {entry.due}"
    return "follow-up", f"{entry.follow_up} ({who}): {entry.text}"


@_told.register
def _task_closed(entry: e.FollowUpClosed) -> Told:
    return "follow-up closed", f"{entry.follow_up}: {entry.reason}"


@_told.register
def _blind(entry: e.BlindBegan) -> Told:
    return "blind", f"{entry.rule}: {entry.reason}"


@_told.register
def _sees(entry: e.BlindEnded) -> Told:
    return "sees again", f"{entry.rule}, after {lasted(entry.seconds, 1)}"


@_told.register
def _hold(entry: e.HoldPlaced) -> Told:
    what = "silence" if entry.silence else "hold"
    return what, f"{entry.hold} on {entry.scope.text}: {entry.reason}"


@_told.register
def _hold_ended(entry: e.HoldEnded) -> Told:
    return "released", f"{entry.hold}: {entry.reason}"


@_told.register
def _deploy(entry: e.DeployBegan) -> Told:
    change = f" ({entry.change})" if entry.change else ""
    return "deploy", f"{entry.deploy} of {entry.target}{change} begins"


@_told.register
def _deployed(entry: e.DeployEnded) -> Told:
    return "deploy", f"{entry.deploy} of {entry.target} is over: {entry.outcome.value}"


@_told.register
def _unfrozen(entry: e.FreezeLifted) -> Told:
    return "unfrozen", f"{entry.target} may be deployed again: {entry.reason}"


@_told.register
def _ready(entry: e.ReadinessChanged) -> Told:
    return "readiness", f"{entry.action}: {entry.ready.value}: {entry.reason}"


@_told.register
def _policy(entry: e.PolicyApplied) -> Told:
    return "rules applied", "; ".join(entry.changes) or entry.sha256[:12]


@_told.register
def _verified(entry: VerificationBegan) -> Told:
    return "verification", told_began(entry)


@_told.register
def _checked(entry: VerificationChecked) -> Told:
    return "check", told_checked(entry)


@_told.register
def _escalated(entry: e.Escalated) -> Told:
    return "escalated", f"step {entry.step + 1}, to {', '.join(entry.tells)}: {entry.reason}"


@_told.register
def _announced(entry: e.Announced) -> Told:
    return "announced", f"to {', '.join(entry.audiences)}: {entry.subject}"


@_told.register
def _begun(entry: e.Started) -> Told:
    away = f" after {lasted(entry.down_seconds, 0)} away" if entry.down_seconds else ""
    return "watchdog", f"begins{away}: {entry.version} on {entry.host}, up to {entry.max_mode}"


@_told.register
def _stopped(entry: e.Stopped) -> Told:
    return "watchdog", f"stops: {entry.reason}"


@_told.register
def _slept(entry: e.Slept) -> Told:
    return "watchdog", f"did not run for {lasted(entry.seconds, 0)}"
