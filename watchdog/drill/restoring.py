"""Plays the full drill in its room: the ladder fails on its first rung, the system is restored.

A bad deployment went over the live release and the service's data, and the release before is not
whole either. The rule asks for the configuration rollback; that does not verify, and puts back what
it found; the ladder asks for the restore; two people sign; the privileged helper does it.
At the end root undoes it: what the restore had overwritten must lie there again, to the byte.
"""

from __future__ import annotations

import asyncio
import json
import stat
import time
from pathlib import Path
from typing import Any

from watchdog.core.drills import DrillKind
from watchdog.demo.stage import Stage, StageFailed
from watchdog.drill.manager import active, ledger
from watchdog.drill.playing import (
    CLEAR_SECONDS,
    CONTAINED_SECONDS,
    OPENED_SECONDS,
    Course,
    Say,
    cleared,
    in_state,
    opened_by,
    ready,
    verified,
)
from watchdog.drill.scenes import TAMPERED, Scene, digest_of
from watchdog.drill.site import KEYS, PROGRAM, RAN, SIGNERS, ended, is_in_place, parts
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.places import Places

SERVICES = "mycelia-*"
FIRST_RUNG = "restore-mainnet-config"
RESTORES = Path("/var/lib/slo-watchdog-restore")
_UNDONE_SECONDS = 120.0


async def damage(sandbox: Sandbox) -> float | None:
    """What the bad deployment leaves behind."""
    places = sandbox.places
    places.accounts.write_text('{"accounts": [{"bloom": "850')
    file = places.release / "mainnet" / TAMPERED
    file.write_bytes(file.read_bytes() + b" ")
    return time.time()


async def play(stage: Stage, scene: Scene, course: Course, say: Say) -> None:
    """To its end, or to where it goes wrong: raises StageFailed."""
    places = stage.sandbox.places
    for action in (FIRST_RUNG, scene.action):
        await stage.until(f"{action} to be ready", CLEAR_SECONDS, ready(action))
    await stage.until(f"{scene.rule} to be clear", CLEAR_SECONDS, cleared(scene.rule))
    ran = active(SERVICES)
    say(f"{scene.rule} is clear, {scene.action} is ready, {len(ran)} units run.")
    course.injected_at = await scene.inject(stage.sandbox)
    say(f"Injected: {scene.signal}.")

    opened = await stage.until("a breach", OPENED_SECONDS, opened_by(scene.rule))
    course.episode = opened["id"]
    say(f"Detected: {opened['verdict']['reason']}.")
    await stage.until("the question for approval", OPENED_SECONDS, in_state(course, "awaiting"))
    await stage.order("/v1/approve", episode=course.episode, reason="drill")
    say(f"{FIRST_RUNG} is approved, as a person does. It cannot be verified: it must fail.")
    request = await _asked(stage, course, say)
    before = lies_there(places)
    await _sign(request, say)

    last = await stage.until(
        "containment", CONTAINED_SECONDS, in_state(course, "contained", "latched", "ok", "watched")
    )
    if last["state"] != "contained":
        raise StageFailed(f"{course.episode} is {last['state']}: {last['reason']}")
    say(f"Contained: {last['reason']}.")
    course.effect_at = up_again(stage.sandbox)
    _look_at(places, ran, request)
    say("What the archive holds is in its place, and exactly the units run that ran before.")
    await verified(stage, course, say)
    await _undo(stage, course, request, places, before, say)
    if active(SERVICES) != ran:
        raise StageFailed(
            f"after the undo {', '.join(active(SERVICES))} run, and {', '.join(ran)} did"
        )


async def _asked(stage: Stage, course: Course, say: Say) -> str:
    """The request that was left for people to sign."""

    async def look(_: Stage) -> dict[str, Any] | None:
        found = ended((*PROGRAM, "restore", "show", "--json"))
        plans = json.loads(found.stdout) if found.returncode == 0 else []
        return dict(plans[0]) if plans else None

    await stage.until(
        f"{FIRST_RUNG} to fail, and the restore to be asked for",
        OPENED_SECONDS,
        in_state(course, "awaiting"),
    )
    plan = await stage.until("the request to be signed", OPENED_SECONDS, look)
    say(f"The ladder asks for the restore: {plan['decision']}, {plan['approvals']} approvals.")
    return str(plan["id"])


async def _sign(request: str, say: Say) -> None:
    for person in SIGNERS:
        key = ("--key", str(KEYS / person), "--yes")
        done = await asyncio.to_thread(ended, (*PROGRAM, "restore", "sign", request, *key))
        if done.returncode != 0:
            raise StageFailed(f"{person} could not sign: {done.stderr.strip()}")
        say(f"{person} has signed.")


def up_again(_sandbox: Sandbox) -> float | None:
    """When the last of the services was up again, by the service manager's own ledger."""
    notes = ledger()
    went = [one["at"] for one in notes if one["what"] == "stopped" and one["unit"] == RAN[0]]
    came = [one["at"] for one in notes if one["what"] == "started" and went and one["at"] > went[0]]
    return float(came[-1]) if came else None


def _look_at(places: Places, ran: tuple[str, ...], request: str) -> None:
    """What no read-back shows: the helper's own word, the files, the units."""
    said = _result(request)
    if said["outcome"] != "done" or sorted(said["people"]) != sorted(SIGNERS):
        raise StageFailed(f"the helper says {said['outcome']}, approved by {said['people']}")
    if differs := is_in_place(places):
        raise StageFailed(f"in place, not all is what the archive holds: {differs}")
    if active(SERVICES) != ran:
        raise StageFailed(f"{', '.join(active(SERVICES))} run, and {', '.join(ran)} ran before")
    stopped = {one["unit"] for one in ledger() if one["what"] == "stopped"}
    if not stopped >= set(RAN):
        raise StageFailed(f"of {', '.join(RAN)} only {', '.join(sorted(stopped))} were stopped")


async def _undo(
    stage: Stage, course: Course, request: str, places: Places, before: dict[str, str], say: Say
) -> None:
    """By root's word, as docs/restore.md says; nobody but root can."""
    began = time.monotonic()
    done = ended((*PROGRAM, "restore", "undo", request, "--yes"))
    if done.returncode != 0:
        raise StageFailed(f"the undo was not begun: {done.stderr.strip()}")

    async def look(_: Stage) -> dict[str, Any] | None:
        said = _result(request)
        return said if said["outcome"] != "done" else None

    said = await stage.until("the undo to end", _UNDONE_SECONDS, look)
    after = lies_there(places)
    if said["outcome"] != "undone" or after != before:
        other = sorted(one for one in {*before, *after} if before.get(one) != after.get(one))
        raise StageFailed(
            f"the helper says {said['outcome']}; not as it was before: {', '.join(other) or '-'}"
        )
    course.undone_seconds = time.monotonic() - began
    say("Undone by root: what the restore had overwritten lies there again, to the byte.")


def _result(request: str) -> dict[str, Any]:
    """The helper's last word on it; it writes the file whole."""
    return dict(json.loads((RESTORES / request / "result.json").read_text(encoding="utf-8")))


def lies_there(places: Places) -> dict[str, str]:
    """Every file of what the archive holds, with owner, mode, time and content."""
    found = {}
    for part in parts(places):
        for file in (part, *sorted(part.rglob("*"))):
            seen = file.lstat()
            if stat.S_ISREG(seen.st_mode) and ".mainnet.slo-watchdog" not in file.parts:
                told = f"{seen.st_mode:o} {seen.st_uid} {seen.st_gid} {seen.st_mtime_ns}"
                found[str(file)] = f"{told} {digest_of(file)}"
    return found


FULL = Scene(
    what=DrillKind.FULL,
    title="Full system rollback",
    rule="release-files",
    action="restore-system",
    signal="a file of the live release is changed, and the service's data cannot be read",
    inject=damage,
    mend=None,
    effect_at=up_again,
    changes=frozenset({"release/mainnet"}),
    approves=True,
    root_undoes=True,
)
