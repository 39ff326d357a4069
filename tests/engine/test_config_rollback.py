"""A configuration is put back: whole, verified, published and read back, or not at all."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.configuration import (
    BAD_BUILD,
    GOOD_BUILD,
    build,
    ladder,
    live,
    look_again,
    publish_of,
    ready,
    restore,
    served,
    steps,
    verify_of,
)
from tests.engine.house import ALICE, House, living
from watchdog.core import entries as e
from watchdog.core.replay import replayed
from watchdog.core.spec import How, Rung, Scope
from watchdog.core.standing import MANUAL
from watchdog.core.starting import open_intent
from watchdog.core.states import Event, State
from watchdog.core.trees import SwapTree
from watchdog.core.words import Direction, Mode, Severity, Truth, World
from watchdog.engine import Done, OrderRefused
from watchdog.ports import Actuator, Attempt, Attempted
from watchdog.sandbox.handle import Sandbox


@pytest.fixture
async def mycelia(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        yield sandbox


async def command(house: House) -> Done:
    return await house.orders.rollbacks.rollback(
        ALICE, "restore", "technical", "bad build", through_hold=False, dry=False
    )


def outcome(done: Done) -> str:
    return str(done.data["outcome"])


async def test_a_person_puts_the_release_before_back_and_takes_it_back_again(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        done = await command(house)

        assert outcome(done) == "done", done.effect
        assert live(mycelia) == GOOD_BUILD
        assert served(mycelia) == GOOD_BUILD
        (backup,) = mycelia.places.release.glob("mainnet-backup-*")
        assert build(backup) == BAD_BUILD
        assert build(mycelia.places.release / "mainnet-previous") == GOOD_BUILD
        assert steps(house) == [
            ("read_before", "false"),
            ("change", "claimed"),
            ("verify 1", "claimed"),
            ("publish", "claimed"),
            ("read_back", "true"),
            ("settle", "claimed"),
        ]

        undone = await house.orders.rollbacks.undo(
            ALICE, "restore", "the build was fine", force=True, dry=False
        )

        assert outcome(undone) == "done", undone.effect
        assert live(mycelia) == BAD_BUILD
        assert served(mycelia) == BAD_BUILD
        assert house.engine.book.anchors.bad == {}, "whoever undoes it vouches for it"


async def test_a_release_that_silences_the_service_is_rolled_back_although_nothing_answers(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        await mycelia.refuse_connections()
        look_again(house)
        readiness = house.engine.book.readiness
        await house.until(lambda: "though its state" in readiness["restore"][1], "the look")
        assert readiness["restore"][0] is Truth.TRUE
        await house.until(lambda: readiness["pause"][0] is Truth.FALSE, "a flag lives there")

        rollback = asyncio.create_task(command(house))
        await house.until(lambda: publish_of(mycelia).calls(), "published")
        await mycelia.accept_connections()
        done = await rollback

        assert outcome(done) == "done", done.effect
        assert live(mycelia) == served(mycelia) == GOOD_BUILD
        assert steps(house)[0] == ("read_before", "unknown")


async def test_only_silence_excuses_a_state_that_cannot_be_read(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    """Where something answers, and not as it must, nothing could be proven afterwards."""
    async with ready(tmp_path, mycelia) as house:
        readiness = house.engine.book.readiness

        def says(words: str) -> bool:
            look_again(house)
            return words in readiness["restore"][1]

        for status, body, truth in (
            (503, "", Truth.TRUE),
            (401, "{}", Truth.FALSE),
            (404, "", Truth.FALSE),
            (200, '{"status": "operational"}', Truth.FALSE),
        ):
            mycelia.fault("status", "answer", status=status, body=body)
            await house.until(lambda: says("cannot be read back"), str(status))
            assert readiness["restore"][0] is truth, (status, readiness["restore"][1])
            mycelia.clear_faults("status")
            await house.until(lambda: says("can be read back"), "all is well")


async def test_what_does_not_verify_is_exchanged_back_and_never_published(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        verify_of(mycelia).fails()
        done = await command(house)

        assert outcome(done) == "failed", done.effect
        assert "release:verify" in done.effect
        assert "it was put back, and what stood before is served" in done.effect
        assert live(mycelia) == BAD_BUILD
        assert publish_of(mycelia).calls() == []
        assert house.engine.book.anchors.bad == {}
        assert [name for name, _ in steps(house)][-2:] == ["back: change", "back: read_back"]


async def test_what_cannot_be_published_is_exchanged_back_and_what_stood_is_published_again(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia, ladder(mycelia, deadline_seconds=6.0)) as house:
        publish_of(mycelia).has_fault("pretend")
        done = await command(house)

        assert outcome(done) == "failed", done.effect
        assert "read-back" in done.effect
        assert live(mycelia) == BAD_BUILD
        assert served(mycelia) == BAD_BUILD
        assert ("back: publish", "claimed") in steps(house)


async def test_a_pause_that_does_not_help_is_climbed_over_and_the_configuration_contains(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        house.break_peg()
        await house.until(mycelia.flag_changes, "paused")
        await house.until(lambda: live(mycelia) == GOOD_BUILD, "swapped")
        house.mend_peg()  # the release before has what this one lacked
        ep = await house.reaches(State.CONTAINED)

        assert ep.effected == ("pause", "restore")
        assert (ep.rung, mycelia.flag_changes()) == (1, 1)
        bad = house.engine.book.anchors.bad
        assert [one.episode for one in bad.values()] == [ep.id]


async def test_content_that_was_rolled_back_is_never_restored(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        assert outcome(await command(house)) == "done"
        (backup,) = mycelia.places.release.glob("mainnet-backup-*")
        previous = mycelia.places.release / "mainnet-previous"
        shutil.rmtree(previous)
        shutil.copytree(backup, previous, ignore=shutil.ignore_patterns(".slo-watchdog*"))
        (bad,) = house.engine.book.anchors.bad

        def staged() -> bool:
            look_again(house)
            anchor = house.engine.book.anchors.now.get("restore")
            return anchor is not None and anchor.digest == bad

        await house.until(staged, "the bad one is what lies there now")
        with pytest.raises(OrderRefused, match="quarantined"):
            await command(house)
        assert live(mycelia) == GOOD_BUILD


async def test_an_anchor_that_may_hold_the_trouble_itself_is_not_restored(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia, ladder(mycelia, anchor_margin_seconds=3600.0)) as house:
        house.break_peg()
        ep = await house.reaches(State.HELD)
        await house.until(lambda: ep.refusals, "refused")

        assert ep.rung == 1
        assert ep.refusals[0].startswith("anchor: content ")
        assert "1h before what may be the first bad sample" in ep.refusals[0]
        assert live(mycelia) == BAD_BUILD
        house.mend_peg()


async def test_without_anything_to_restore_it_is_not_ready_and_says_so(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    shutil.rmtree(mycelia.places.release / "mainnet-previous")
    async with living(tmp_path, mycelia, ladder(mycelia)) as house:
        await house.until(lambda: "restore" in house.engine.book.readiness, "looked at")
        _, reason, _ = house.engine.book.readiness["restore"]
        assert "mainnet-previous" in reason
        with pytest.raises(OrderRefused, match="not ready"):
            await command(house)


async def test_that_nothing_is_left_to_go_back_to_is_told_when_nobody_holds_it_any_more(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        await command(house)
        book = house.engine.book
        await looked_at(house)
        assert "nothing to go back to" in book.readiness["restore"][1]
        assert not [page for page in house.entries(e.Paged) if "is not ready" in page.title]

        (claim,) = book.every_claim()
        draft = house.engine.recorder.draft()
        draft.add(e.ClaimReleased(claim.episode, claim.target, "closed"))
        house.engine.recorder.commit(draft)
        await looked_at(house)
        await looked_at(house)
        (told,) = [page for page in house.entries(e.Paged) if "is not ready" in page.title]
        assert told.title.startswith("restore is not ready: ")


async def looked_at(house: House) -> None:
    before = house.engine.preflight.looked_at
    look_again(house)
    await house.until(lambda: house.engine.preflight.looked_at != before, "looked at")


async def test_a_watchdog_that_ends_in_the_middle_goes_on_when_it_is_back(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    rules = ladder(mycelia, deadline_seconds=60.0)
    async with ready(tmp_path, mycelia, rules, patience_seconds=0.1) as house:
        verify_of(mycelia).hangs()
        asked = house.orders.rollbacks.rollback(
            ALICE, "restore", "technical", "bad build", through_hold=False, dry=False
        )
        order = asyncio.create_task(asked)
        await house.until(lambda: verify_of(mycelia).calls(), "it verifies")
        order.cancel()
    assert live(mycelia) == GOOD_BUILD, "swapped, and not verified yet"

    verify_of(mycelia).is_honest()
    async with living(tmp_path, mycelia, rules) as house:
        await house.until(lambda: house.entries(e.IntentEnded), "it ended")
        (ended,) = house.entries(e.IntentEnded)
        assert ended.outcome is e.Outcome.DONE, ended.reason
        assert served(mycelia) == GOOD_BUILD
        assert [name for name, _ in steps(house)].count("change") == 1, "exchanged once"


class Unsure:
    """A real actuator behind a line that breaks: the first change is not done, or is and is not
    heard of."""

    def __init__(self, real: Actuator, answer: Attempted, *, does: bool) -> None:
        self.real = real
        self.answer = answer
        self.does = does
        self.changes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def attempt(self, how: How, **given: Any) -> Attempt:
        if not isinstance(how, SwapTree):
            return await self.real.attempt(how, **given)
        self.changes += 1
        if self.changes > 1:
            return await self.real.attempt(how, **given)
        if self.does:
            await self.real.attempt(how, **given)
        return Attempt(self.answer, "the line broke")


@pytest.mark.parametrize(
    ("answer", "does"),
    [(Attempted.NOT_DONE, False), (Attempted.UNKNOWN, False), (Attempted.UNKNOWN, True)],
)
async def test_a_hold_after_a_try_in_vain_lets_no_other_follow_and_what_came_is_brought_to_an_end(
    tmp_path: Path, mycelia: Sandbox, answer: Attempted, *, does: bool
) -> None:
    rules = ladder(mycelia, Rung("restore", Mode.ARMED, 5.0))
    async with ready(tmp_path, mycelia, rules) as house:
        runner, loop = house.engine.runner, asyncio.get_running_loop()
        hands = runner._hands
        unsure = Unsure(hands(rules.actions["restore"]).actuator, answer, does=does)
        runner._hands = lambda action: replace(hands(action), actuator=unsure)

        def hold() -> None:
            house.orders.stops.hold(
                ALICE, Scope("all"), "wait", for_seconds=None, silence=False, dry=False
            )

        def heard(one: e.Recorded) -> None:
            tried = isinstance(one.entry, e.StepTaken) and one.entry.step == "change"
            if tried and unsure.changes == 1:
                loop.call_soon(hold)

        house.engine.recorder.listen(heard)
        house.break_peg()
        await house.until(lambda: house.entries(e.IntentEnded), "the end")
        (ended,) = house.entries(e.IntentEnded)
        if does:
            assert ended.outcome is e.Outcome.DONE, ended.reason
            assert (live(mycelia), served(mycelia)) == (GOOD_BUILD, GOOD_BUILD)
        else:
            tried = answer is Attempted.UNKNOWN  # it may have come: that is no start in vain
            assert ended.outcome is (e.Outcome.FAILED if tried else e.Outcome.ABANDONED)
            stopped = "no other try: hold: " if tried else "stopped right before the effect: hold: "
            assert stopped in ended.reason
            assert (live(mycelia), unsure.changes) == (BAD_BUILD, 1)
        house.mend_peg()


async def test_ordered_twice_it_is_found_as_it_should_be_the_second_time(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        assert outcome(await command(house)) == "done"
        assert outcome(await command(house)) == "found"
        assert len(publish_of(mycelia).calls()) == 1


async def test_the_way_back_must_show_what_was_live_just_before_and_not_at_the_last_preflight(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        hotfix = "f0f0" * 10
        (mycelia.places.release / "mainnet/BUILD_SHA").write_text(hotfix + "\n", encoding="utf-8")
        published = json.loads(mycelia.places.published.read_text("utf-8"))
        text = json.dumps({**published, "buildSha": hotfix})
        mycelia.places.published.write_text(text, encoding="utf-8")
        verify_of(mycelia).fails()

        done = await command(house)

        assert outcome(done) == "failed", done.effect
        assert "what stood before is served" in done.effect
        assert live(mycelia) == hotfix


def deploys(mycelia: Sandbox, new: str) -> None:
    """The team's pipeline: what is live comes before by now, and another build is live."""
    release = mycelia.places.release
    shutil.rmtree(release / "mainnet-previous")
    shutil.copytree(release / "mainnet", release / "mainnet-previous")
    (release / "mainnet/BUILD_SHA").write_text(new + "\n", encoding="utf-8")


async def test_what_was_deployed_since_the_last_preflight_is_gone_back_from_one_step_and_not_two(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    async with ready(tmp_path, mycelia) as house:
        deploys(mycelia, "d" * 40)

        done = await command(house)

        assert outcome(done) == "done", done.effect
        assert (live(mycelia), served(mycelia)) == (BAD_BUILD, BAD_BUILD)
        overtaken, went_on = house.entries(e.IntentEnded)
        assert overtaken.outcome is e.Outcome.ABANDONED
        assert f"is {'d' * 40} by now, and not {BAD_BUILD}" in overtaken.reason
        opened = house.entries(e.IntentOpened)
        assert [dict(one.facts)["build_sha"] for one in opened] == [GOOD_BUILD, BAD_BUILD]
        decided = house.entries(e.Decided)
        assert [replayed(one) for one in decided] == [(), ()]
        assert went_on.episode == overtaken.episode


def cut_off(house: House, step: str, times: int, *, changed: bool = True) -> None:
    """As a process leaves it that died so often in a step of a change, which was made."""
    engine = house.engine
    draft = engine.recorder.draft()
    name = draft.book.next_id("E")
    draft.add(e.EpisodeOpened(name, MANUAL, "", Severity.P0, World.LIVE, None, actor="alice"))
    draft.move(draft.book.episodes[name], Event.COMMANDED, "technical: bad build", actor="alice")
    action = engine.in_force().actions["restore"]
    intent = open_intent(
        draft, draft.book.episodes[name], action, Direction.DO, reason="", by="alice"
    )
    if changed:
        draft.add(e.StepTaken(intent, "change", "claimed", "swapped"))
    for _ in range(times):
        draft.add(e.StepBegan(intent, step))
    engine.recorder._listeners.remove(engine.runner.heard)
    engine.recorder.commit(draft)
    engine.recorder.listen(engine.runner.heard)


@pytest.mark.parametrize(
    ("step", "times", "idempotent", "says"),
    [
        ("verify 1", 3, True, "'verify 1' was begun 3 times and never ended: it is left to people"),
        ("publish", 1, False, "publish was cut off, and may not be repeated"),
    ],
)
async def test_what_cannot_be_gone_on_with_is_left_to_people(
    tmp_path: Path, mycelia: Sandbox, step: str, times: int, *, idempotent: bool, says: str
) -> None:
    publish = restore(mycelia).publish
    assert publish is not None
    rules = ladder(mycelia, publish=replace(publish, idempotent=idempotent))

    def died(house: House) -> None:
        cut_off(house, step, times)

    async with living(tmp_path, mycelia, rules, before=died) as house:
        ep = await house.reaches(State.LATCHED)

        (ended,) = house.entries(e.IntentEnded)
        assert (ended.outcome, ep.outcome) == (e.Outcome.UNKNOWN, e.Outcome.UNKNOWN)
        assert says in ended.reason
        assert publish_of(mycelia).calls() == []


async def test_a_tree_that_is_not_there_yet_after_a_restart_is_asked_about_until_the_deadline(
    tmp_path: Path, mycelia: Sandbox
) -> None:
    """Its host starts as well: what lies there is told as soon as it is there again."""
    async with ready(tmp_path, mycelia):
        pass
    release = mycelia.places.release
    away = release.with_name("not-mounted-yet")

    def died(house: House) -> None:
        cut_off(house, "change", 1, changed=False)
        release.rename(away)

    async with living(tmp_path, mycelia, ladder(mycelia), before=died) as house:
        await asyncio.sleep(0.6)
        assert house.entries(e.IntentEnded) == [], "nothing can be told yet"
        away.rename(release)
        await house.until(lambda: house.entries(e.IntentEnded), "it ended")

        (ended,) = house.entries(e.IntentEnded)
        assert ended.outcome is e.Outcome.ABANDONED
        assert "after a restart nothing is changed" in ended.reason
