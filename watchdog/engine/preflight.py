"""Preflight: would each action work, here and now? Asked all the time, not only in trouble.

Looks at tools, folders and credentials, and reads the target's present state; changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.entries import ReadinessChanged
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.words import CheckReading, Instant, Mode, Severity, Truth
from watchdog.engine.recorder import Recorder
from watchdog.ports import Actuator, Probe

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
        readings = await asyncio.gather(*(self._one(a) for a in policy.actions.values()))
        draft = self._recorder.draft()
        for action, reading in zip(policy.actions.values(), readings, strict=True):
            if self._policy().actions.get(action.name) != action:
                continue  # another policy came while we looked
            before = draft.book.readiness.get(action.name)
            if before is not None and before[:2] == (reading.truth, reading.reason):
                continue
            draft.add(ReadinessChanged(action.name, reading.truth, reading.reason))
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

    async def _one(self, action: ActionSpec) -> CheckReading:
        now = self._recorder.clock.now()
        if action.host not in {"any", self._host}:
            reason = f"belongs to host {action.host}, this is {self._host}"
            return CheckReading(Truth.FALSE, reason, now)
        steps = [step for step in (action.do, action.undo) if step is not None]
        looks = [
            self._actuator.preflight(step.how, at=now, deadline_seconds=LOOK_SECONDS)
            for step in steps
        ]
        state = self._probe.read(
            action.read_back, action.do.expect, at=now, deadline_seconds=LOOK_SECONDS
        )
        tools, shown = await asyncio.gather(asyncio.gather(*looks), state)
        for reading in (tool.reading for tool in tools):
            if reading.truth is not Truth.TRUE:
                return reading
        if shown.truth is Truth.UNKNOWN:
            reason = f"its state cannot be read back: {shown.reason}"
            return CheckReading(Truth.FALSE, reason, now)
        return CheckReading(Truth.TRUE, "tools work and the state can be read back", now)


def _relied_on(action: ActionSpec, policy: Policy) -> bool:
    """Whether an armed rule's playbook uses the action."""
    books = {
        name
        for name, book in policy.playbooks.items()
        if any(rung.action == action.name for rung in book.rungs)
    }
    return any(rule.playbook in books and rule.mode is Mode.ARMED for rule in policy.rules.values())
