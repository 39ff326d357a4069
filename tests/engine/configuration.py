"""Mycelia's configuration as a target: the action that puts the release before back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.engine.house import House, living, pause, peg, policy
from watchdog.core import entries as e
from watchdog.core.spec import (
    ActionSpec,
    Check,
    Command,
    Endpoint,
    Playbook,
    Policy,
    Publish,
    Rung,
    Step,
)
from watchdog.core.trees import SwapTree
from watchdog.core.words import Mode, Truth
from watchdog.sandbox.executables import Tool
from watchdog.sandbox.handle import Sandbox

BAD_BUILD = "c0ffee0123456789c0ffee0123456789c0ffee01"
GOOD_BUILD = "ba5eba110123456789ba5eba110123456789ba5e"
SERVES = "buildSha == '${anchor.build_sha}'"


def restore(sandbox: Sandbox, **different: Any) -> ActionSpec:
    """Exchange the release folder, verify it, publish it, read back the build that is served."""
    root = sandbox.places.root
    tree = SwapTree(
        str(root / "release/mainnet"),
        str(root / "release/mainnet-previous"),
        ("por.json",),
        facts=(("build_sha", "BUILD_SHA"),),
    )
    status = Endpoint(f"{sandbox.url}/ops/status.json")
    spec = ActionSpec(
        name="restore",
        target=f"config:{tree.current}",
        read_back=status,
        do=Step(tree, SERVES),
        undo=Step(replace(tree, displaced=True), SERVES),
        contained_when=(Check(status, "peg.collateralization >= `1`"),),
        resume_when=(),
        deadline_seconds=12.0,
        sla_seconds=60.0,
        host="any",
        sha256="",
        verify=(_script(sandbox, "release:verify"),),
        publish=Publish(_script(sandbox, "release:publish"), idempotent=True),
        anchor_margin_seconds=0.0,
    )
    return replace(spec, **different)


def _script(sandbox: Sandbox, name: str) -> Command:
    root = sandbox.places.root
    return Command((str(sandbox.places.bin / "pnpm"), "run", name), str(root))


def ladder(sandbox: Sandbox, *rungs: Rung, **different: Any) -> Policy:
    """First the pause, which here does not help, then the configuration."""
    climbed = rungs or (Rung("pause", Mode.ARMED, 0.5), Rung("restore", Mode.ARMED, 5.0))
    base = policy(sandbox, peg(for_seconds=0.3))
    helpless = pause(
        sandbox,
        contained_when=(
            Check(Endpoint(f"{sandbox.url}/ops/status.json"), "peg.collateralization >= `1`"),
        ),
    )
    return replace(
        base,
        actions={"pause": helpless, "restore": restore(sandbox, **different)},
        playbooks={"ladder": Playbook("ladder", climbed)},
    )


@asynccontextmanager
async def ready(
    folder: Path, sandbox: Sandbox, rules: Policy | None = None, *, patience_seconds: float = 5.0
) -> AsyncIterator[House]:
    """A house that is on guard, with the release before staged."""
    rules = rules or ladder(sandbox)
    async with living(folder, sandbox, rules, patience_seconds=patience_seconds) as house:
        await house.until(lambda: _is_ready(house), "staged")
        await house.clear()
        yield house


def _is_ready(house: House) -> bool:
    found = house.engine.book.readiness.get("restore")
    if found is not None and found[0] is Truth.UNKNOWN:
        look_again(house)
    return found is not None and found[0] is Truth.TRUE


def look_again(house: House) -> None:
    """The calendar's next look would come in half a minute."""
    if not house.engine._looks:
        house.engine._look_at_actions()


def build(tree: Path) -> str:
    return (tree / "BUILD_SHA").read_text(encoding="utf-8").strip()


def live(sandbox: Sandbox) -> str:
    return build(sandbox.places.release / "mainnet")


def served(sandbox: Sandbox) -> str:
    return str(json.loads(sandbox.places.published.read_text(encoding="utf-8"))["buildSha"])


def steps(house: House) -> list[tuple[str, str]]:
    return [(taken.step, taken.result) for taken in house.entries(e.StepTaken)]


def verify_of(sandbox: Sandbox) -> Tool:
    return Tool(sandbox.places, "release-verify")


def publish_of(sandbox: Sandbox) -> Tool:
    return Tool(sandbox.places, "release-publish")
