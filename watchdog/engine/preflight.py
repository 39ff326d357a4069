"""Preflight: would each action work, here and now? Asked all the time, not only in trouble.

Looks at tools, folders and credentials, and reads the target's present state; changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.entries import ReadinessChanged
from watchdog.core.filling_in import Lacking, asked_for, filled
from watchdog.core.inputs import last_rung
from watchdog.core.spec import ActionSpec, How, Policy
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import CheckReading, Instant, Mode, Severity, Truth
from watchdog.engine.recorder import Recorder
from watchdog.ports import Actuator, Probe, Readiness

LOOK_SECONDS = 5.0
CHANGED = "changed, and not looked at yet"


class Preflight:
    """Run `look` at the start, after a load, and by the calendar."""

    def __init__(
        self,
        recorder: Recorder,
        actuator: Actuator,
        probe: Probe,
        policy: Callable[[], Policy],
        host: str,
    ) -> None:
        self._recorder = recorder
        self._actuator = actuator
        self._probe = probe
        self._policy = policy
        self._host = host
        self.looked_at: Instant | None = None

    async def look(self) -> None:
        """Ask for every action at once; record what changed, page what armed rules rely on."""
        policy = self._policy()
        found = await asyncio.gather(*(self._one(a) for a in policy.actions.values()))
        draft = self._recorder.draft()
        for action, ready in zip(policy.actions.values(), found, strict=True):
            if self._policy().actions.get(action.name) != action:
                continue  # another policy came while we looked
            reading = ready.reading
            before = draft.book.readiness.get(action.name)
            known = before is not None and before[:2] == (reading.truth, reading.reason)
            if known and draft.book.anchors.now.get(action.name) == ready.anchor:
                continue
            draft.add(ReadinessChanged(action.name, reading.truth, reading.reason, ready.anchor))
            was_ready = before is None or before[0] is Truth.TRUE or before[1] == CHANGED
            if was_ready and reading.truth is not Truth.TRUE and _relied_on(action, policy):
                draft.page_about_action(
                    action,
                    "ready",
                    Severity.P1,
                    f"{action.name} is not ready: {reading.reason}",
                    "Armed rules rely on it and will be held until it is.",
                )
        self.looked_at = draft.now
        self._recorder.commit(draft)

    def doubt(self, old: Policy | None, policy: Policy) -> None:
        """An action that means something else now is not ready before it was looked at."""
        draft = self._recorder.draft()
        for name, action in policy.actions.items():
            was = old.actions.get(name) if old is not None else None
            if old is not None and (was is None or was.sha256 != action.sha256):
                draft.add(ReadinessChanged(name, Truth.UNKNOWN, CHANGED))
        self._recorder.commit(draft)

    async def _one(self, action: ActionSpec) -> Readiness:
        now = self._recorder.clock.now()
        if action.host not in {"any", self._host}:
            reason = f"belongs to host {action.host}, this is {self._host}"
            return Readiness(CheckReading(Truth.FALSE, reason, now))
        return await ready_now(action, self._actuator, self._probe, now)


async def ready_now(
    action: ActionSpec, actuator: Actuator, probe: Probe, now: Instant
) -> Readiness:
    """Whether all that the action uses would work here and now, and what it would restore.

    The anchor is told also where something else is in the way.
    """
    first, *others = await asyncio.gather(
        *(
            actuator.preflight(how, at=now, deadline_seconds=LOOK_SECONDS)
            for how in _used_by(action)
        )
    )
    for tool in (first, *others):
        if tool.reading.truth is not Truth.TRUE:
            return Readiness(tool.reading, first.anchor)
    facts = first.anchor.facts if first.anchor is not None else ()
    wanted = filled(action.do.expect, facts)
    stood = filled(action.do.expect, facts, back=True)
    if isinstance(wanted, Lacking):
        return Readiness(CheckReading(Truth.FALSE, wanted.reason, now), first.anchor)
    if first.anchor is not None and wanted == stood and asked_for(action.do.expect):
        reason = f"the read-back could not tell it from what is live: both show {wanted}"
        return Readiness(CheckReading(Truth.FALSE, reason, now), first.anchor)
    shown = await probe.read(action.read_back, wanted, at=now, deadline_seconds=LOOK_SECONDS)
    if shown.truth is Truth.UNKNOWN:
        reason = f"its state cannot be read back: {shown.reason}"
        return Readiness(CheckReading(Truth.FALSE, reason, now), first.anchor)
    lacking = await _lacking(action, probe, now)
    if lacking:
        return Readiness(CheckReading(Truth.FALSE, lacking, now), first.anchor)
    said = "tools work and the state can be read back"
    if first.anchor is not None:
        said = f"{first.reading.reason}; {said}"
    return Readiness(CheckReading(Truth.TRUE, said, now), first.anchor)


async def _lacking(action: ActionSpec, probe: Probe, now: Instant) -> str:
    """The first of its own conditions that is not proven, in words."""
    looked = await asyncio.gather(
        *(
            probe.read(check.endpoint, check.expect, at=now, deadline_seconds=LOOK_SECONDS)
            for check in action.ready_when
        )
    )
    for reading in looked:
        if reading.truth is not Truth.TRUE:
            seen = f" ({reading.seen})" if reading.seen else ""
            return f"what it needs is not proven: {reading.reason}{seen}"
    return ""


def _used_by(action: ActionSpec) -> list[How]:
    """Every way and command that it may come to; a tree is exchanged back as it came."""
    ways = [step.how for step in (action.do, action.undo) if step is not None]
    ways = [ways[0], *(how for how in ways[1:] if not isinstance(how, SwapTree | RestoreSystem))]
    publish = [action.publish.command] if action.publish is not None else []
    return [*ways, *action.verify, *publish]


def _relied_on(action: ActionSpec, policy: Policy) -> bool:
    """Whether an armed rule could reach the action."""
    return any(
        rung.action == action.name
        for rule in policy.rules.values()
        if rule.mode is Mode.ARMED and rule.playbook is not None
        for rung in policy.playbooks[rule.playbook].rungs[: last_rung(rule, policy) + 1]
    )
