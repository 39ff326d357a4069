"""One drill from its empty folder to its result: staged, fenced, played, read from its journal."""

from __future__ import annotations

import tempfile
import time
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from watchdog.core.drills import DrillKind, DrillStage, Timed
from watchdog.core.spec import Policy
from watchdog.demo.loading import staged
from watchdog.demo.stage import Stage, StageFailed, stage
from watchdog.drill.fence import Target, outside
from watchdog.drill.judging import bounds_of, reasons_of, stages_of
from watchdog.drill.playing import Course, Say, play
from watchdog.drill.scenes import Scene, state_of
from watchdog.lab.incident import Gathered, gather
from watchdog.ports import JournalError
from watchdog.sandbox.handle import Sandbox
from watchdog.store import Where, open_reader

_SHOWN = 3

Playing = Callable[[Stage, Scene, Course, Say], Awaitable[None]]


class DrillRefused(Exception):
    """It was not begun: nothing was injected, nothing was changed."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a drill went. `found` is its episode's record; None where there never was one."""

    what: DrillKind
    title: str
    rule: str
    action: str
    signal: str
    began_at: float  # wall
    ended_at: float
    stages: tuple[Timed, ...]
    reasons: tuple[str, ...]
    found: Gathered | None

    @property
    def passed(self) -> bool:
        return not self.reasons

    @property
    def seconds(self) -> float:
        return self.ended_at - self.began_at


async def practise(
    scene: Scene,
    rules: Path,
    say: Say,
    wall: Callable[[], float] = time.time,
    *,
    playing: Playing = play,
    prepare: Callable[[Path, Sandbox], None] = lambda _settings, _sandbox: None,
) -> Result:
    """Raises DrillRefused where it was not begun; whatever happens later is in the result.

    `prepare` sets up what the scene needs beside, behind the fence and before the drill's daemon.
    """
    began = wall()
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-drill-") as name:
        folder = Path(name)
        policies: list[Policy] = []

        def fence(settings: Path, sandbox: Sandbox) -> None:
            policies.append(_fenced(settings, sandbox))
            prepare(settings, sandbox)

        course = Course()
        trouble, before, after = "", {}, {}
        try:
            async with stage(
                folder, rules, watch="1m", given=scene.variables, before=fence
            ) as set_up:
                before = state_of(set_up.sandbox)
                trouble = await _played(playing(set_up, scene, course, say), course, say)
                after = state_of(set_up.sandbox)
        except StageFailed as error:
            if course.injected_at is None:
                raise DrillRefused(str(error)) from None
            trouble = str(error)
        found = _recorded(folder, course)
        stages = _timed(policies[-1], scene, course, found)
        reasons = reasons_of(stages, before, after, scene.changes)
        if trouble:
            reasons = (trouble, *reasons)
        return Result(
            scene.what, scene.title, scene.rule, scene.action, scene.signal,
            began, wall(), tuple(stages.values()), reasons, found,
        )  # fmt: skip


async def _played(playing: Awaitable[None], course: Course, say: Say) -> str:
    """What went wrong; "" where nothing did."""
    try:
        await playing
    except StageFailed as error:
        if course.injected_at is None:
            raise
        say(f"This did not go as it should: {error}")
        return str(error)
    return ""


def _fenced(settings: Path, sandbox: Sandbox) -> Policy:
    """The policy as the drill's daemon will load it. Raises DrillRefused."""
    given = tomllib.loads(settings.read_text(encoding="utf-8"))
    load = staged(settings)
    if load.policy is None or load.errors:
        raise DrillRefused(
            "the rules cannot be practised as they are: "
            + "; ".join(str(one) for one in load.errors[:_SHOWN])
        )
    held = frozenset(one.name for one in Path(given["secrets_dir"]).iterdir())
    found = outside(load.policy, Target(sandbox.url, sandbox.root, held))
    if found:
        more = f", and {len(found) - _SHOWN} more" if found[_SHOWN:] else ""
        raise DrillRefused(
            "a drill must reach nothing but its own target, and "
            f"{'; '.join(found[:_SHOWN])}{more}. "
            "Let it stand in a variable that the drill gives: see docs/drills.md"
        )
    return load.policy


def _recorded(folder: Path, course: Course) -> Gathered | None:
    """The episode, from the drill's own journal."""
    if not course.episode:
        return None
    try:
        with open_reader(Where(folder / "state")) as reader:
            return gather(reader.read(0), course.episode)
    except JournalError:
        return None


def _timed(
    policy: Policy, scene: Scene, course: Course, found: Gathered | None
) -> dict[DrillStage, Timed]:
    rule, action = policy.rules[scene.rule], policy.actions[scene.action]
    gathered = found or Gathered("")
    bounds = bounds_of(policy, rule, action)
    return stages_of(gathered, bounds, course, action.name, scene.stages)
