"""What was rolled back is switched back by a person only, when it is safe to, and then watched."""

from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.rulebook import ERRORS, PEG
from tests.e2e.scenes import break_peg, mend_peg
from watchdog.core.entries import Drifted, EpisodeOpened, IntentOpened
from watchdog.core.words import Direction
from watchdog.sandbox.handle import Sandbox

FLAG = "flag:btc_mainnet_redemption"


@pytest.mark.parametrize(
    ("health", "truth"),
    [
        ({"status": 200, "body": '{"status": "failing"}'}, "false"),
        ({"status": 503, "body": '{"status": "ok"}'}, "unknown"),
    ],
)
async def test_an_undo_waits_for_resume_when_unless_it_is_forced_with_a_reason(
    sandbox: Sandbox, watchdog: Watchdog, health: dict[str, Any], truth: str
) -> None:
    await watchdog.on_guard()
    break_peg(sandbox)
    episode = await watchdog.episode(PEG, state="contained")
    mend_peg(sandbox)
    sandbox.fault("health", "answer", **health)

    with pytest.raises(Refused, match=f"resume_when of pause-redemption is {truth}"):
        await watchdog.order("undo", what=episode.id, reason="mended")
    with pytest.raises(Refused, match="a reason is needed"):
        await watchdog.order("undo", what=episode.id, force=True)
    assert not sandbox.is_enabled()
    assert (await watchdog.episode(PEG)).state == "contained"

    done = await watchdog.order("undo", what=episode.id, force=True, reason="health is wrong")

    assert done["data"]["outcome"] == "done"
    assert done["data"]["read_back"] == "enabled: true"
    assert sandbox.is_enabled()
    await watchdog.episode(PEG, state="ok")
    assert sandbox.flag_changes() == 2


async def test_an_undo_of_one_of_two_episodes_names_the_other_and_changes_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    break_peg(sandbox)
    first = await watchdog.episode(PEG, state="contained")
    await watchdog.order("rollback", action="pause-redemption", kind="technical", reason="both")
    other = await watchdog.episode("manual", state="contained")
    assert other.outcome == "found"
    assert sandbox.flag_changes() == 1

    told = await watchdog.order("undo", what=first.id, reason="the peg is mended")

    assert f"{FLAG} stays as it is for {other.id}" in told["effect"]
    assert not sandbox.is_enabled()
    assert sandbox.flag_changes() == 1

    mend_peg(sandbox)
    await watchdog.order("undo", what=other.id, reason="all is mended")
    assert sandbox.is_enabled()
    assert sandbox.flag_changes() == 2


@pytest.mark.sim
async def test_a_breach_that_comes_back_reopens_twice_and_then_a_person_must_look(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG].update({"cooldown": "1h", "watch": "30s"})
    await watchdog.on_guard()
    break_peg(sandbox)
    seen: list[str] = []
    for chain in range(3):
        episode = await watchdog.episode(PEG, state="contained")
        assert episode.chain == chain
        assert episode.reopens == (seen[-1] if seen else "")
        seen.append(episode.id)
        await watchdog.order("undo", what=episode.id, reason="hope")
        if chain < 2:

            async def reopened(before: str = episode.id) -> bool:
                return (await watchdog.episode(PEG)).reopens == before

            await watchdog.until("it reopens", reopened)

    latched = await watchdog.episode(PEG, state="latched")

    assert latched.id == seen[-1]
    assert "breached again after 2 reopenings" in latched.reason
    await watchdog.polls()
    assert sandbox.is_enabled()
    assert sandbox.flag_changes() == 6
    assert len(watchdog.entries(EpisodeOpened)) == 3
    assert watchdog.pages("breached again after every undo")


@pytest.mark.sim
async def test_a_long_window_that_still_holds_old_failures_does_not_reopen(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.watch_errors()
    watchdog.rules.rules[ERRORS]["threshold"]["over"] = "6s"
    watchdog.rules.rules[ERRORS]["watch"] = "4s"
    await watchdog.on_guard()
    await sandbox.break_redemption(0.9)
    episode = await watchdog.episode(ERRORS, state="contained")
    await sandbox.mend_redemption()
    await watchdog.order("undo", what=episode.id, reason="mended")

    await watchdog.verdict(ERRORS, "breached")
    watched = await watchdog.episode(ERRORS)
    assert (watched.id, watched.state) == (episode.id, "watched")

    over = await watchdog.episode(ERRORS, state="ok")
    assert over.id == episode.id
    assert len(watchdog.entries(EpisodeOpened)) == 1
    assert sandbox.flag_changes() == 2


@pytest.mark.sim
async def test_a_flag_that_somebody_else_switches_on_is_paged_and_never_forced_back(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["watch"] = "3s"
    await watchdog.on_guard()
    break_peg(sandbox)
    episode = await watchdog.episode(PEG, state="contained")
    mend_peg(sandbox)
    await sandbox.change_flag_behind_its_back(enabled=True)

    watched = await watchdog.episode(PEG, state="watched", within=25)

    assert watched.id == episode.id
    assert watched.claims == ()
    (drift,) = watchdog.entries(Drifted)
    assert (drift.target, drift.episodes, drift.seen) == (FLAG, (episode.id,), "enabled: true")
    (page,) = watchdog.pages("was changed by somebody else")
    assert "It is not forced back" in page.body
    await watchdog.episode(PEG, state="ok")
    assert sandbox.is_enabled()
    assert sandbox.flag_changes(by="somebody-else") == 1
    assert sandbox.flag_changes() == 2


async def test_an_undo_that_does_not_take_is_told_as_such_and_changes_no_belief(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.pause["deadline"] = "1500ms"
    await watchdog.on_guard()
    break_peg(sandbox)
    episode = await watchdog.episode(PEG, state="contained")
    mend_peg(sandbox)
    sandbox.launchctl.pretends_to_pause()

    done = await watchdog.order("undo", what=episode.id, reason="mended")

    assert done["data"]["outcome"] == "failed"
    after = await watchdog.episode(PEG)
    assert after.reason.startswith(f"{episode.reason}; its undo ended failed: ")
    assert replace(after, reason=episode.reason) == episode
    assert watchdog.pages("undo of pause-redemption failed")
    sandbox.launchctl.is_honest()
    again = await watchdog.command("undo", episode.id, "--reason", "mended", "--yes")
    assert again.status == 0
    assert sandbox.is_enabled()


async def test_nothing_is_undone_by_itself_when_the_rule_is_healthy_again(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    mend_peg(sandbox)
    await watchdog.verdict(PEG, "healthy")
    await watchdog.polls()

    assert (await watchdog.episode(PEG)).state == "contained"
    assert not sandbox.is_enabled()
    undone = [i for i in watchdog.entries(IntentOpened) if i.direction is Direction.UNDO]
    assert undone == []
