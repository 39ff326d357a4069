"""Who may not load the rules folder is told so first, and sees what loading would change."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cli.conftest import here
from tests.daemon.conftest import Home
from tests.web.policies import ERROR_RATE, pause, policy, source
from tests.web.watching import Watch, watching
from watchdog.core.entries import Paged
from watchdog.core.spec import Endpoint, Scrape
from watchdog.daemon.loading import Loading
from watchdog.engine import OrderRefused, Person, Views
from watchdog.sandbox.handle import Sandbox
from watchdog.web.control import control_app
from watchdog.web.ordering import Control
from watchdog.web.serve import serve_unix

ROOT = Person("root (uid 0)", counts=False)
ALICE = Person("alice (uid 1000)", counts=True)
TOLD = (
    "root (uid 0) does not count as a person here, so nothing is loaded. Order it under your own "
    "name, or set root_is_person"
)


@dataclass
class Desk:
    """A rules folder that says something else than what is in force."""

    watch: Watch
    loading: Loading
    rules: Path

    @property
    def in_force(self) -> str:
        return self.watch.engine.in_force().sha256


@pytest.fixture
async def desk(tmp_path: Path, home: Home) -> AsyncIterator[Desk]:
    async with Sandbox.start(tmp_path / "sandbox") as sandbox:
        sources = {"app": source("app", Scrape(Endpoint(sandbox.metrics_url)))}
        before = policy(sources, (ERROR_RATE,), (pause(sandbox),))
        (tmp_path / "watch").mkdir()
        async with watching(tmp_path / "watch", before, runs=False) as watch:
            yield Desk(watch, Loading(watch.engine, home.settings()), home.rules)


async def test_who_does_not_count_is_told_first_and_then_what_would_change(desk: Desk) -> None:
    before = desk.in_force
    told = await desk.loading.apply(ROOT, dry=True)
    first, *changes = told.effect.splitlines()
    assert first == f"{TOLD}. What it would load:"
    assert changes == (await desk.loading.apply(ALICE, dry=True)).effect.splitlines()
    assert told.data["refused"] == TOLD
    with pytest.raises(OrderRefused, match="does not count as a person here"):
        await desk.loading.apply(ROOT, dry=False)
    assert desk.in_force == before


async def test_who_counts_loads_and_then_nobody_is_refused_what_changes_nothing(
    desk: Desk,
) -> None:
    before = desk.in_force
    told = await desk.loading.apply(ALICE, dry=False)
    assert "refused" not in told.data
    assert desk.in_force != before
    again = await desk.loading.apply(ROOT, dry=True)
    assert again.effect == "nothing changes: the rules folder is in force as it is"


async def test_what_is_rolled_back_and_would_not_be_looked_after_is_named(desk: Desk) -> None:
    engine = desk.watch.engine
    await engine.preflight.look()
    await desk.watch.orders.rollbacks.rollback(
        ALICE, "pause-redemption", "executive", "a drill", through_hold=False, dry=False
    )
    await desk.watch.until(lambda: bool(engine.book.every_claim()))
    (claim,) = engine.book.every_claim()
    for file in desk.rules.rglob("*.yaml"):
        file.write_text(file.read_text().replace("pause-redemption", "stop-redemption"))
    told = await desk.loading.apply(ALICE, dry=True)
    assert f"the action pause-redemption holds {claim.target} for {claim.episode}" in told.effect


@pytest.mark.skipif(os.geteuid() != 0, reason="asks as root, which needs root")
@pytest.mark.parametrize("sure", [(), ("--yes",)])
async def test_root_at_a_shell_is_refused_before_it_is_asked(
    desk: Desk, tmp_path: Path, sure: tuple[str, ...]
) -> None:
    control = Control(
        desk.watch.orders, Views(desk.watch.engine), desk.loading.apply, root_is_person=False
    )
    served = await serve_unix(control_app(control), tmp_path / "s")
    await desk.loading.look()  # it logs what it finds, once, and the command's output is read here
    try:
        told = await asyncio.to_thread(here, "apply", *sure, socket=tmp_path / "s")
    finally:
        await served.stop()
    assert (told.status, told.out) == (4, "")
    assert told.err.startswith(f"Refused: {TOLD}. What it would load:\n")
    assert "Type apply" not in told.err


async def test_a_text_that_only_a_newer_program_reads_stays_in_force_after_a_takeover(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ada, who is newer, has applied it; this one takes over from her."""
    await desk.loading.apply(ALICE, dry=False)
    recorder = desk.watch.engine.recorder
    here = recorder.book.policy
    assert here is not None
    newer = ("orbit-team/rules.yaml", "rules:\n  too-low:\n    orbit: {below: 400km}\n")
    theirs = replace(here, sha256="of hers", files=(*here.files, newer), actor="ada")
    assert recorder.record([theirs], recorder.clock.now())

    desk.loading.took_over()

    assert desk.in_force == here.sha256, "of what it can read, it loses nothing"
    assert recorder.book.policy is not None
    assert newer in recorder.book.policy.files
    assert "orbit-team/rules.yaml:" in capsys.readouterr().out


async def test_who_has_another_variable_judges_by_what_was_applied_and_tells_people(
    desk: Desk, home: Home
) -> None:
    """At a takeover, and at a restart with other settings: nobody's rules are gone for it."""
    await desk.loading.apply(ALICE, dry=False)
    engine = desk.watch.engine
    before, rules = engine.book.policy, set(engine.in_force().rules)
    home.changes["variables"] = {"app": "no address"}
    other = Loading(engine, home.settings())

    other.took_over()

    assert engine.book.policy == before, "nothing was applied"
    assert set(engine.in_force().rules) == rules
    page = [one.entry for one in engine.ports.journal.read() if isinstance(one.entry, Paged)][-1]
    assert "cannot read the rules in force: " in page.title
    assert "as they were applied, with the variables of then" in page.body


async def test_what_another_daemon_applied_from_the_same_folder_pends_no_more(
    desk: Desk, home: Home
) -> None:
    await desk.loading.look()
    engine = desk.watch.engine
    before = desk.loading.pending, engine.rules_folder.pending
    await Loading(engine, home.settings()).apply(ALICE, dry=False)
    assert engine.book.policy is not None

    desk.loading.follow(engine.book.policy)

    assert before == (True, True)
    assert (desk.loading.pending, engine.rules_folder.pending) == (False, False)
