"""Preflight: would each action work, here and now? Asked all the time, not only in trouble.

Looks at tools, folders and credentials, and reads the target's present state; changes nothing.
What is overtaken, by a deploy or by what an attempt found, is looked at anew at once.

What puts a service back on its feet is ready also while that service answers nobody: a whole system
always, a configuration or a release if its state could be read before. Only silence counts: where
something answers, and not as it must, nothing could be proven afterwards, and it is not ready. A
flag lives in the service, and is not ready while it cannot be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchdog.core.anew import DIFFERS, covered, is_in_doubt, is_overtaken
from watchdog.core.deploying import keeping_back
from watchdog.core.draft import Draft
from watchdog.core.entries import DeployEnded, ReadinessChanged, Recorded
from watchdog.core.filling_in import Lacking, asked_for, filled
from watchdog.core.inputs import last_rung
from watchdog.core.releases import DeployRelease
from watchdog.core.spec import ActionSpec, How, Policy
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import CheckReading, Instant, Mode, Severity, Truth
from watchdog.engine.hosts import Hand
from watchdog.engine.recorder import Recorder
from watchdog.ports import Actuator, Probe, Readiness

LOOK_SECONDS = 5.0
DEPLOYER_SECONDS = 10.0
"""The same for a team's own deployer, whose tools often ask others."""

CHANGED = "changed, and not looked at yet"

LOOKS = 3
AGAIN_SECONDS = 0.3
"""A version that is just being deployed shows here and there, and is looked at once more."""

ANEW_SECONDS = 60.0
"""How long it is looked at anew before the calendar's next look has to do."""
LONGEST_PAUSE_SECONDS = 5.0

EVERY: frozenset[str] = frozenset()
"""The names to look at where none is left out."""


class Preflight:
    """Run `look` at the start, after a load, and by the calendar."""

    def __init__(
        self,
        recorder: Recorder,
        hands: Callable[[ActionSpec], Hand],
        policy: Callable[[], Policy],
        unfinished_by: Callable[[ActionSpec], str],
    ) -> None:
        self._recorder = recorder
        self._hands = hands
        self._policy = policy
        self._unfinished_by = unfinished_by
        self._kept_back: set[str] = set()  # actions that are not ready, which nobody was told yet
        self.looked_at: Instant | None = None  # at all of them
        self.look_soon: Callable[[frozenset[str]], None] = lambda _: None

    def heard(self, recorded: Recorded) -> None:
        """A recorder's listener: what is overtaken is looked at anew at once."""
        entry, overtaken = recorded.entry, EVERY
        if isinstance(entry, DeployEnded):
            overtaken = frozenset(one.name for one in covered(entry.target, self._policy()))
        elif isinstance(entry, ReadinessChanged) and entry.reason == DIFFERS:
            overtaken = frozenset({entry.action})
        if overtaken:
            self.look_soon(overtaken)

    async def look_anew(self, names: frozenset[str]) -> None:
        """Look until nothing is in doubt; what takes longer than one look is waited for."""
        until = self._recorder.clock.now().plus(ANEW_SECONDS).steady
        pause, patient = AGAIN_SECONDS, True
        while self._recorder.leads():
            await self.look(names, patient=patient)
            if not patient or not any(is_in_doubt(one, self._recorder.book) for one in names):
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            patient = self._recorder.clock.now().steady + pause < until

    async def look(self, names: frozenset[str] = EVERY, *, patient: bool = False) -> None:
        """Ask for every action at once; record what changed, page what armed rules rely on.

        Who does not lead has nothing to record; what belongs to its host it is asked for. What is
        just being deployed stays ready, or in doubt: half of it is no proof of what will be there
        afterwards. That a rollback left nothing to go back to is told when nobody holds it any
        more. Who is `patient` looks again where nothing could be told yet.
        """
        if not self._recorder.leads():
            return
        policy, began = self._policy(), self._recorder.clock.now()
        asked = [a for a in policy.actions.values() if names is EVERY or a.name in names]
        found = await asyncio.gather(*(self._one(action) for action in asked))
        draft = self._recorder.draft()
        for action, ready in zip(asked, found, strict=True):
            if self._policy().actions.get(action.name) != action:
                continue  # another policy came while we looked
            if is_overtaken(action, began, draft.book):
                continue  # it is looked at anew
            reading = ready.reading
            before = draft.book.readiness.get(action.name)
            in_doubt = is_in_doubt(action.name, draft.book)
            known = before is not None and before[:2] == (reading.truth, reading.reason)
            if known and draft.book.anchors.now.get(action.name) == ready.anchor:
                self._tell(action, reading, draft)
                continue
            was_true = before is not None and before[0] is Truth.TRUE
            standing = was_true or in_doubt
            if standing and reading.truth is not Truth.TRUE and _is_deployed(action, policy, draft):
                continue
            if patient and in_doubt and reading.truth is Truth.UNKNOWN:
                continue
            draft.add(ReadinessChanged(action.name, reading.truth, reading.reason, ready.anchor))
            if before is None or standing or before[1] == CHANGED:
                self._kept_back.add(action.name)
            self._tell(action, reading, draft)
        if names is EVERY:
            self.looked_at = draft.now
        self._recorder.commit(draft)

    def _tell(self, action: ActionSpec, reading: CheckReading, draft: Draft) -> None:
        """Page once that it is not ready, where an armed rule relies on it."""
        if reading.truth is Truth.TRUE or not _relied_on(action, self._policy()):
            self._kept_back.discard(action.name)
        elif action.name in self._kept_back and not _stands(action, draft):
            self._kept_back.discard(action.name)
            draft.page_about_action(
                action,
                "ready",
                Severity.P1,
                f"{action.name} is not ready: {reading.reason}",
                "Armed rules rely on it and will be held until it is.",
            )

    def doubt(self, old: Policy | None, policy: Policy) -> None:
        """An action that means something else now is not ready before it was looked at."""
        draft = self._recorder.draft()
        for name, action in policy.actions.items():
            was = old.actions.get(name) if old is not None else None
            if old is not None and (was is None or was.sha256 != action.sha256):
                draft.add(ReadinessChanged(name, Truth.UNKNOWN, CHANGED))
        self._recorder.commit(draft)

    async def _one(self, action: ActionSpec) -> Readiness:
        now, hand = self._recorder.clock.now(), self._hands(action)
        known = self._recorder.book.readiness.get(action.name)
        was_ready = known is not None and known[0] is Truth.TRUE
        found = await ready_now(action, hand.actuator, hand.probe, now, was_ready=was_ready)
        unfinished = self._unfinished_by(action)
        reading = CheckReading(Truth.FALSE, unfinished, now) if unfinished else found.reading
        return Readiness(reading, found.anchor)


async def ready_now(
    action: ActionSpec, actuator: Actuator, probe: Probe, now: Instant, *, was_ready: bool = False
) -> Readiness:
    """Whether all that the action uses would work here and now, and what it would restore.

    The anchor is told also where something else is in the way. Of a release the read-back must
    know the version that runs, or a rollback could never be proven. `was_ready`: it is on record
    as ready, so its state could be read once.
    """
    for _ in range(LOOKS):
        ready = await _looked(action, actuator, probe, now, was_ready=was_ready)
        if ready.reading.truth is not Truth.TRUE or not isinstance(action.do.how, DeployRelease):
            return ready
        strange = await _strange(action, ready, probe, now)
        if not strange:
            return ready
        await asyncio.sleep(AGAIN_SECONDS)
    return Readiness(CheckReading(Truth.FALSE, strange, now), ready.anchor)


async def _strange(action: ActionSpec, ready: Readiness, probe: Probe, now: Instant) -> str:
    """What the read-back shows, where that is neither what runs nor what would be restored."""
    facts = ready.anchor.facts if ready.anchor is not None else ()
    for back in (True, False):
        known = filled(action.do.expect, facts, back=back)
        if isinstance(known, Lacking):
            return known.reason
        shown = await probe.read(action.read_back, known, at=now, deadline_seconds=LOOK_SECONDS)
        if shown.truth is not Truth.FALSE:
            return ""
    stood = filled(action.do.expect, facts, back=True)
    return f"the read-back does not show what is said to run: not {stood}, but {shown.seen}"


async def _looked(
    action: ActionSpec, actuator: Actuator, probe: Probe, now: Instant, *, was_ready: bool
) -> Readiness:
    first, *others = await asyncio.gather(
        *(
            actuator.preflight(how, at=now, deadline_seconds=_seconds(how))
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
    said = "tools work and the state can be read back"
    if shown.truth is Truth.UNKNOWN:
        unread = f"its state cannot be read back: {shown.reason}"
        if not shown.silent or not _brings_back_what_answers(action, was_ready=was_ready):
            return Readiness(CheckReading(Truth.FALSE, unread, now), first.anchor)
        said = f"tools work, though {unread}"
    lacking = await _lacking(action, probe, now)
    if lacking:
        return Readiness(CheckReading(Truth.FALSE, lacking, now), first.anchor)
    if first.anchor is not None:
        said = f"{first.reading.reason}; {said}"
    return Readiness(CheckReading(Truth.TRUE, said, now), first.anchor)


def _brings_back_what_answers(action: ActionSpec, *, was_ready: bool) -> bool:
    """Whether the silence of its read-back may be the very trouble that it ends."""
    match action.do.how:
        case RestoreSystem():
            return True
        case SwapTree() | DeployRelease():
            return was_ready
        case _:
            return False


async def _lacking(action: ActionSpec, probe: Probe, now: Instant) -> str:
    """The first of its own conditions that is not proven, in words."""
    looked = await asyncio.gather(
        *(
            probe.read(check.endpoint, check.expect, at=now, deadline_seconds=LOOK_SECONDS)
            for check in action.ready_when
        )
    )
    for check, reading in zip(action.ready_when, looked, strict=True):
        if reading.truth is not Truth.TRUE:
            url = check.endpoint.url.partition("?")[0]
            where = "" if reading.reason.startswith(url) else f"{url}: "
            unknown = reading.truth is Truth.UNKNOWN  # else the reason holds the values
            seen = f" ({reading.seen})" if unknown and reading.seen else ""
            return f"what it needs is not proven: {where}{reading.reason}{seen}"
    return ""


def _seconds(how: How) -> float:
    return DEPLOYER_SECONDS if isinstance(how, DeployRelease) else LOOK_SECONDS


def _used_by(action: ActionSpec) -> list[How]:
    """Every way and command that it may come to; a tree is exchanged back as it came."""
    ways = [action.do.how]
    match action.undo.how if action.undo is not None else None:
        case None | SwapTree() | RestoreSystem():
            pass
        case DeployRelease(by=by):
            ways.append(by)
        case how:
            ways.append(how)
    publish = [action.publish.command] if action.publish is not None else []
    return [*ways, *action.verify, *publish]


def _is_deployed(action: ActionSpec, policy: Policy, draft: Draft) -> bool:
    """Whether a deploy of its target is under way, as long as one may be."""
    return bool(keeping_back(action.target, policy, draft.book, draft.now))


def _stands(action: ActionSpec, draft: Draft) -> bool:
    """Whether its own rollback is in place."""
    return any(claim.action == action.name for claim in draft.book.claimants(action.target))


def _relied_on(action: ActionSpec, policy: Policy) -> bool:
    """Whether an armed rule could reach the action."""
    return any(
        rung.action == action.name
        for rule in policy.rules.values()
        if rule.mode is Mode.ARMED and rule.playbook is not None
        for rung in policy.playbooks[rule.playbook].rungs[: last_rung(rule, policy) + 1]
    )
