"""Plays a drill on its stage: wait until the rule is clear, inject, let it act, mend, undo.

Only orders that a person would give are given, over the drill's own control socket. What is not
as it should be raises StageFailed with the reason; what was reached until then stands in the
journal and is judged all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchdog.demo.stage import Stage, StageFailed
from watchdog.drill.scenes import Deploy, Scene

CLEAR_SECONDS = 60.0
OPENED_SECONDS = 60.0
CONTAINED_SECONDS = 600.0
LOOK_SECONDS = 300.0
"""For the looks of named checks that are under way when the time of theirs is over."""
WATCHED = frozenset({"watched", "ok"})

Say = Callable[[str], None]


@dataclass(slots=True)
class Course:
    """How far it came; times are wall time, `effect_at` by the target's own ledger."""

    injected_at: float | None = None
    effect_at: float | None = None
    episode: str = ""
    repaired_at: float | None = None  # when what is deployed in its place was served
    undone_seconds: float | None = None  # where the undo is not the drill's daemon's


async def play(stage: Stage, scene: Scene, course: Course, say: Say) -> None:
    """To its end, or to where it goes wrong: raises StageFailed."""
    await stage.until(f"{scene.action} to be ready", CLEAR_SECONDS, ready(scene.action))
    await stage.until(f"{scene.rule} to be clear", CLEAR_SECONDS, cleared(scene.rule))
    say(f"{scene.rule} is clear, {scene.action} is ready. Injected: {scene.signal}.")
    course.injected_at = await scene.inject(stage.sandbox)

    opened = await stage.until("a breach", OPENED_SECONDS, opened_by(scene.rule))
    course.episode = opened["id"]
    say(f"Detected: {opened['verdict']['reason']}.")
    if scene.approves:
        await stage.until("the question for approval", OPENED_SECONDS, in_state(course, "awaiting"))
        await stage.order("/v1/approve", episode=course.episode, reason="drill")
        say("Approved, as a person does.")
    ended = await stage.until(
        "containment", CONTAINED_SECONDS, in_state(course, "contained", "latched", "ok", "watched")
    )
    if ended["state"] != "contained":
        raise StageFailed(f"{course.episode} is {ended['state']}: {ended['reason']}")
    say(f"Contained: {ended['reason']}.")

    course.effect_at = scene.effect_at(stage.sandbox)
    await verified(stage, course, say)
    if scene.repair is not None:
        await _deployed(stage, scene.repair, course, say)
    if scene.mend is None:
        return
    await scene.mend(stage.sandbox)
    done = await stage.order("/v1/undo", what=course.episode, reason="drill: mended")
    if done["data"].get("outcome") != "done":
        raise StageFailed(f"the undo did not succeed: {done['effect']}")
    say(f"Undone: {done['effect']}.")
    await verified(stage, course, say)


async def verified(stage: Stage, course: Course, say: Say) -> None:
    """Wait until what the action's named checks say is known: the next change of the target, and
    the end of the drill's daemon, would leave them unknown. They decide nothing here either.
    """
    seconds = LOOK_SECONDS + max(
        (
            check["within_seconds"]
            for action in (await stage.read("/v1/status"))["actions"]
            for check in action["verification"]
        ),
        default=0.0,
    )
    for one in (await stage.until("the named checks", seconds, _known(course)))["runs"]:
        say(f"{one['told'][0].upper()}{one['told'][1:]}.")


def _known(course: Course) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        runs = [
            run
            for one in await stage.read("/v1/episodes")
            for run in one["verification"]
            if one["id"] == course.episode
        ]
        known = all(check["truth"] is not None for run in runs for check in run["checks"])
        return {"runs": runs[-1:]} if known else None

    return look


async def _deployed(stage: Stage, repair: Deploy, course: Course, say: Say) -> None:
    """The way on of what must not come back, as a person and a pipeline go it (docs/deploys.md)."""
    target = repair.target(stage.sandbox)
    await stage.order("/v1/deploy/unfreeze", target=target, reason="drill: the fix is ready")
    await stage.order(
        "/v1/deploy/begin", target=target, for_seconds=60.0, change="drill", reason="drill"
    )
    try:
        await repair.run(stage.sandbox)
    finally:
        await stage.order("/v1/deploy/end", target=target, reason="drill")
    course.repaired_at = repair.served_at(stage.sandbox)
    await stage.until("the repaired release to be seen", CLEAR_SECONDS, in_state(course, *WATCHED))
    say("Repaired: a release that is whole was deployed and published, and the watchdog let go.")


def ready(action: str) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        found = {one["name"]: one for one in (await stage.read("/v1/status"))["actions"]}
        if action not in found:
            raise StageFailed(f"the rules have no action {action}, which this drill practises")
        return dict(found[action]) if found[action]["ready"] == "true" else None

    return look


def cleared(rule: str) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        found = (await stage.read(f"/v1/why/{rule}"))["rule"]
        return dict(found) if found["cleared"] else None

    return look


def opened_by(rule: str) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        for one in await stage.read("/v1/episodes"):
            if one["rule"] == rule:
                return dict(one)
        return None

    return look


def in_state(course: Course, *states: str) -> Callable[[Stage], Any]:
    async def look(stage: Stage) -> dict[str, Any] | None:
        for one in await stage.read("/v1/episodes"):
            if one["id"] == course.episode and one["state"] in states:
                return dict(one)
        return None

    return look
