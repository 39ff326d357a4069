"""Stopped or killed at any moment: the next process goes on, and the target changes once."""

import asyncio

import pytest

from tests.e2e.household import Refused, Watchdog
from tests.e2e.rulebook import ERRORS, PAUSE, PEG, SLOW, slo
from tests.e2e.scenes import break_peg, called, gone, mend_peg
from watchdog.core.entries import (
    EpisodeOpened,
    IntentEnded,
    IntentOpened,
    Outcome,
    Paged,
    RuleCleared,
    Stopped,
)
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox


async def test_a_stop_in_the_middle_of_an_action_lets_it_end(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    sandbox.launchctl.hangs(1.5)
    break_peg(sandbox)
    await called(sandbox.launchctl)

    assert await watchdog.stop() == 0

    assert sandbox.flag_changes() == 1
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.outcome is Outcome.DONE
    assert isinstance(watchdog.journal()[-1].entry, Stopped)
    await watchdog.start()
    await watchdog.episode(PEG, state="contained")
    assert (sandbox.flag_changes(), len(sandbox.launchctl.calls())) == (1, 1)


async def test_what_is_ordered_while_it_stops_is_refused_at_once(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.add_rung(within="5s")
    await watchdog.on_guard()
    sandbox.launchctl.hangs_after_applying(2.5)
    break_peg(sandbox)
    await called(sandbox.launchctl)

    stopping = asyncio.create_task(watchdog.stop())
    await asyncio.sleep(1)
    with pytest.raises(Refused, match="the watchdog is stopping, and begins nothing any more"):
        await watchdog.order("rollback", action=SLOW, kind="technical", reason="that as well")
    assert await stopping == 0

    assert [one.action for one in watchdog.entries(IntentOpened)] == [PAUSE]
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.outcome is Outcome.DONE
    assert len(sandbox.launchctl.calls()) == 1


@pytest.mark.sim
async def test_a_stop_right_before_the_effect_begins_nothing_and_the_next_process_acts(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    sandbox.fault("flag_read", "hang", seconds=1.0)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="acting")

    assert await watchdog.stop() == 0

    assert sandbox.launchctl.calls() == []
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.outcome is Outcome.ABANDONED
    assert "the watchdog is stopping" in ended.reason
    sandbox.clear_faults("flag_read")
    await watchdog.start()
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_a_death_after_the_action_was_moved_to_another_flag_claims_nothing_of_either(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    """By its name, what was begun would be read where nobody changed anything."""
    await watchdog.on_guard()
    sandbox.launchctl.hangs_after_applying(4)
    break_peg(sandbox)
    await called(sandbox.launchctl)
    pause, other = watchdog.rules.pause, "rewards_slow_mode"
    pause["flag"] = other
    pause["read_back"] = {"get": f"{sandbox.url}/api/feature-flags/{other}"}
    watchdog.rules.save()
    await watchdog.order("apply")

    await watchdog.kill()
    await gone(sandbox.launchctl)
    sandbox.launchctl.is_honest()
    await watchdog.start()

    await watchdog.episode(PEG, state="latched")
    (ended,) = watchdog.entries(IntentEnded)
    assert (ended.outcome, ended.target) == (Outcome.UNKNOWN, f"flag:{REDEMPTION}")
    assert f"otherwise, and changes flag:{other} now" in ended.reason
    assert not [page for page in watchdog.entries(Paged) if "rolled back by" in page.title]


@pytest.mark.parametrize("how", [pytest.param("stopped", marks=pytest.mark.sim), "killed"])
async def test_a_restart_in_mid_breach_goes_on_with_episode_and_clock(
    sandbox: Sandbox, watchdog: Watchdog, how: str
) -> None:
    watchdog.rules.rules[PEG]["for"] = "30s"
    await watchdog.on_guard()
    break_peg(sandbox)
    await watchdog.until("the clock runs", lambda: held(watchdog, PEG, 2.7))
    if how == "stopped":
        assert await watchdog.stop() == 0
    else:
        await watchdog.kill()  # the newest checkpoint is half a second old

    await watchdog.start()

    await watchdog.verdict(PEG, "breached")
    assert await held(watchdog, PEG, 1.9), "from the first look on, what was held before counts"
    again = await watchdog.episode(PEG)
    assert (again.id, again.state) == ("E1", "pending")
    assert len(watchdog.entries(EpisodeOpened)) == 1
    assert len(watchdog.entries(RuleCleared)) == 1


@pytest.mark.sim
async def test_a_restart_keeps_what_the_windows_have_counted(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules.clear()
    watchdog.rules.rules[ERRORS] = slo(budget="20%", period="200s", long="40s", short="2s")
    await watchdog.on_guard()
    await sandbox.set_traffic(error_ratio=0.04)  # fewer than breach, and a count that stands out
    before = await watchdog.until("failures are counted", lambda: bad_in_long(watchdog, 20))

    await watchdog.restart()

    after = await watchdog.until("the window is read", lambda: bad_in_long(watchdog, 1))
    assert after >= before, "a window begun anew would hold the last moment's alone"
    assert (await watchdog.episodes()) == []


async def bad_in_long(watchdog: Watchdog, least: float) -> float:
    """How many failures the longest window holds, once these are at least so many."""
    verdict = (await watchdog.why(ERRORS))["rule"]["verdict"]
    windows = verdict["windows"] if verdict else []
    bad = max((w["bad"] for w in windows if w["seconds"] == 40), default=0.0)
    return bad if bad >= least else 0.0


async def held(watchdog: Watchdog, rule: str, least: float) -> float:
    """For how long the rule has been breached, once that is at least so long."""
    seconds = float((await watchdog.why(rule))["rule"]["held_seconds"])
    return seconds if seconds >= least else 0.0


@pytest.mark.parametrize("when", ["before the tool", "before its effect", "after its effect"])
@pytest.mark.sim
async def test_a_kill_between_intent_and_outcome_is_settled_by_reading(
    sandbox: Sandbox, watchdog: Watchdog, when: str
) -> None:
    await watchdog.on_guard()
    match when:
        case "before the tool":
            sandbox.fault("flag_read", "hang", seconds=1.0)
        case "before its effect":
            sandbox.launchctl.hangs(4)
        case _:
            sandbox.launchctl.hangs_after_applying(4)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="acting")
    if when == "after its effect":
        await sandbox.flag_becomes(enabled=False)
    elif when == "before its effect":
        await called(sandbox.launchctl)
    await watchdog.kill()
    sandbox.clear_faults("flag_read")
    sandbox.launchctl.is_honest()

    await watchdog.start()

    episode = await watchdog.episode(PEG, state="contained")
    await gone(sandbox.launchctl)
    assert episode.id == "E1"
    assert sandbox.flag_changes() == 1, "whatever still ran of the first try"
    opened, ended = watchdog.entries(IntentOpened), watchdog.entries(IntentEnded)
    assert [one.intent for one in ended] == [one.intent for one in opened]
    assert "after a restart" in ended[0].reason
    assert ended[-1].outcome is Outcome.DONE
    if when == "before the tool":
        assert ended[0].outcome is Outcome.ABANDONED


@pytest.mark.sim
async def test_a_tool_that_outlives_its_daemon_and_pauses_late_is_not_lost_sight_of(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.pause["deadline"] = "12s"
    await watchdog.on_guard()
    sandbox.launchctl.hangs(8)
    break_peg(sandbox)
    await called(sandbox.launchctl)
    await watchdog.kill()
    mend_peg(sandbox)
    await watchdog.start()
    await watchdog.verdict(PEG, "healthy")
    assert sandbox.is_enabled(), "the tool is still at it"

    episode = await watchdog.episode(PEG, state="contained")

    assert not sandbox.is_enabled()
    assert episode.claims == (("flag:btc_mainnet_redemption", False),)
    assert sandbox.flag_changes() == 1
