"""A person's rollback of what was overtaken, or turns out to be: looked at, and gone on with.

Law: it goes on only as the gates answer by what is there now, at most as often as an episode is
decided anew; what was not started is told to who ordered it, with what is different.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from watchdog.core.anew import is_in_doubt
from watchdog.core.deciding import decided_on
from watchdog.core.draft import Draft
from watchdog.core.entries import IntentEnded, Ruling
from watchdog.core.gates import rule_on_command
from watchdog.core.inputs import command_inputs
from watchdog.core.spec import ActionSpec
from watchdog.core.starting import open_intent
from watchdog.core.states import Event, State
from watchdog.core.words import Direction
from watchdog.engine.orders.desk import Desk, OrderRefused, Person

LOOK_ANEW_SECONDS = 30.0
"""The longest that who ordered it waits until it is looked at."""


async def seen_anew(desk: Desk, spec: ActionSpec) -> None:
    """Wait for the look that it needs: what comes of it the gates say."""
    if not is_in_doubt(spec.name, desk.book):
        return
    try:
        async with asyncio.timeout(LOOK_ANEW_SECONDS):
            await desk.engine.preflight.look_anew(frozenset({spec.name}))
    except TimeoutError:
        pass  # the gates say that it was not looked at yet


async def decided_anew(
    desk: Desk, ended: IntentEnded, person: Person, *, through_hold: bool
) -> tuple[Draft, str] | None:
    """What is to be recorded, with the intent's name; None where it ended for good.

    Raises OrderRefused.
    """
    if not _waits(desk, ended):
        return None
    spec = desk.action(ended.action)
    await seen_anew(desk, spec)
    if not _waits(desk, ended):
        raise OrderRefused(f"{ended.reason}. It was not started. See: slo-watchdog status")
    draft = desk.wish()
    scene, ep = desk.scene_of(draft), draft.book.episodes[ended.episode]
    inputs = command_inputs(spec, person.name, scene, through_hold=through_hold)
    judgement = rule_on_command(inputs)
    decided = decided_on(ep, spec.name, judgement, asdict(inputs), scene, None, None)
    draft.add(decided)
    if judgement.ruling is not Ruling.ALLOWED:
        why = f"not started: {judgement.reason}"
        draft.move(ep, Event.CLOSED, why, actor=person.name)
        desk.record(draft)
        raise OrderRefused(f"{ended.reason}. Looked at anew, it is {why}")
    draft.move(ep, Event.ALLOWED, f"looked at anew: {judgement.reason}", actor=person.name)
    by, decision = person.name, decided.decision
    intent = open_intent(draft, ep, spec, Direction.DO, reason=ep.why, decision=decision, by=by)
    return draft, intent


def _waits(desk: Desk, ended: IntentEnded) -> bool:
    """Whether its episode was left to who ordered it."""
    ep = desk.book.episodes.get(ended.episode)
    return ep is not None and ep.state is State.HELD
