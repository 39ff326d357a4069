"""One breach, driven for real once for all that look at it: redemption fails, is paused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web.policies import (
    AVAILABILITY,
    ERROR_RATE,
    OBSERVED,
    ODD,
    QUIET,
    pause,
    policy,
    source,
)
from tests.web.watching import Watch, watching
from tests.wire.raw_server import RawServer, answering
from watchdog.core.drills import DrillKind, DrillPlan, DrillStage, DrillTold, Timed
from watchdog.core.probes import CommandProbe, HttpProbe
from watchdog.core.spec import Command, Endpoint, JsonDocument, Scope, Scrape
from watchdog.core.verification import NamedCheck
from watchdog.core.words import Direction, Status
from watchdog.engine import Person
from watchdog.sandbox.handle import Sandbox

MARKUP = "<script>alert(1)</script>"
TURNED = "\u202e\x1b[31m"
"""Turns a line's direction, and colours a terminal."""


@dataclass
class Paused:
    """A watch whose only armed rule has paused redemption; three others look on."""

    watch: Watch
    sandbox: Sandbox
    episode: str

    async def is_awake(self) -> None:
        """Wait until what can be judged is judged by samples of now."""
        passes = self.watch.engine.passes.count

        def judged() -> bool:
            verdicts = [self.watch.engine.memory.verdict(r.name) for r in (QUIET, AVAILABILITY)]
            return self.watch.engine.passes.count > passes and all(
                verdict is not None and verdict.status is not Status.BLIND for verdict in verdicts
            )

        await self.watch.until(judged)

    async def markup_is_read(self) -> None:
        """Wait until the odd document's own words are the verdict's reason."""

        def read() -> bool:
            verdict = self.watch.engine.memory.verdict(ODD.name)
            return verdict is not None and MARKUP in verdict.reason

        await self.watch.until(read)


@pytest_asyncio.fixture(loop_scope="session")
async def paused(_paused_once: Paused) -> Paused:
    """The session's loop stands still while tests on other loops run: let the watch catch up."""
    await _paused_once.is_awake()
    return _paused_once


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _paused_once(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Paused]:
    folder: Path = tmp_path_factory.mktemp("paused")
    document = answering(f'{{"timestamp": "{MARKUP}"}}', "application/json")
    async with Sandbox.start(folder / "sandbox") as sandbox, RawServer(document) as odd:
        sources = {
            "app": source("app", Scrape(Endpoint(sandbox.metrics_url))),
            "odd": source("odd", JsonDocument(Endpoint(odd.url), "timestamp", ())),
        }
        rules = (ERROR_RATE, AVAILABILITY, OBSERVED, QUIET, ODD)
        plan = (DrillPlan(DrillKind.FEATURE_FLAG, 30 * 86_400.0),)
        planned = replace(policy(sources, rules, (pause(sandbox),)), drills=plan)
        planned = replace(planned, verification={pause(sandbox).name: (SERVED, UNKIND)})
        async with watching(folder, planned) as watch:
            await watch.until(lambda: ERROR_RATE.name in watch.engine.book.cleared)
            await sandbox.break_redemption()
            episode = await watch.episode(ERROR_RATE.name, state="contained")
            scope = Scope("owner", QUIET.owner)
            watch.orders.stops.hold(
                Person("alice (uid 1000)", counts=True),
                scope,
                f"a migration {TURNED}{MARKUP}",
                for_seconds=3600.0,
                silence=False,
                dry=False,
            )
            practised(watch, pause(sandbox).name)
            yield Paused(watch, sandbox, episode.id)


_LOOK = HttpProbe(Endpoint("http://127.0.0.1:9/"), None, "")
SERVED = NamedCheck(
    name="served", how=_LOOK, about="GET http://127.0.0.1:9/", after=tuple(Direction),
    deadline_seconds=1.0, within_seconds=0.1, page=False, says="somebody answers",
)  # fmt: skip
UNKIND = replace(
    SERVED,
    name="unkind",
    says=f"it is well {MARKUP}",
    how=CommandProbe(Command(("/bin/sh", "-c", f"echo '{MARKUP}'; exit 1")), (1,)),
)


def practised(watch: Watch, action: str) -> None:
    """It was, longer ago than planned; the note comes from somebody who does not mean well."""
    ended = watch.engine.ports.clock.now().wall - 40 * 86_400.0
    stages = (Timed(DrillStage.READ_BACK, 2.5, 30.0, "the action's `sla`"),)
    kind = DrillKind.FEATURE_FLAG
    told = DrillTold(kind, True, ended, action, 25.0, stages, note=f"{TURNED}{MARKUP}")  # noqa: FBT003  # passed
    watch.orders.drills.record(Person("alice (uid 1000)", counts=True), told, dry=False)
