"""A breach that began while the rule was not allowed to act fires nothing by itself, ever."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.household import Episode, Refused, Watchdog
from tests.e2e.rulebook import ERRORS, PEG
from tests.e2e.scenes import break_peg, mend_peg
from watchdog.core.entries import (
    EpisodeUnbarred,
    IntentEnded,
    IntentOpened,
    Outcome,
    PolicyApplied,
)
from watchdog.sandbox.handle import Sandbox


async def stays_held(
    sandbox: Sandbox, watchdog: Watchdog, rule: str = PEG, says: str = "already burning"
) -> Episode:
    """However long it goes on: held, said why, and nothing started."""
    await watchdog.polls()
    held = await watchdog.episode(rule)
    assert held.state == "held"
    assert says in held.barred
    assert watchdog.entries(IntentOpened) == []
    assert sandbox.flag_changes() == 0
    assert says in (await watchdog.why(rule))["not_acting"]
    assert watchdog.pages(f"{rule} is breached and held")
    return held


def window_around(now: datetime) -> dict[str, object]:
    """A maintenance window that has begun and has hours to go, whatever day it is."""
    since, until = now - timedelta(hours=2), now + timedelta(hours=2)
    return {
        "scope": "all",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": f"{since:%H:%M}",
        "to": f"{until:%H:%M}",
        "zone": "UTC",
        "reason": "the deploy",
    }


async def acts_after_once_clear(sandbox: Sandbox, watchdog: Watchdog) -> None:
    """The same breach, after it was once clear, does act."""
    mend_peg(sandbox)
    await watchdog.episode(PEG, state="ok")
    await watchdog.clear(PEG)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ({"scope": "all"}, "hold H1 on everything"),
        pytest.param(
            {"scope": "rule", "name": PEG, "silence": True, "for_seconds": 600},
            "silence H1 on rule peg-collateralised",
            marks=pytest.mark.sim,
        ),
    ],
    ids=["hold on everything", "silence"],
)
async def test_a_stop_that_is_lifted_in_mid_breach_fires_nothing(
    sandbox: Sandbox, watchdog: Watchdog, stop: dict[str, object], says: str
) -> None:
    await watchdog.on_guard()
    await watchdog.order("hold", reason="database migration", **stop)
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert says in held.reason
    assert "database migration" in held.reason

    await watchdog.order("release", hold="H1", reason="migrated")

    await stays_held(sandbox, watchdog)
    assert [page.silenced for page in watchdog.pages("is breached and held")] == [
        bool(stop.get("silence"))
    ]
    await acts_after_once_clear(sandbox, watchdog)


@pytest.mark.sim
async def test_a_hold_on_a_target_that_expires_in_mid_breach_fires_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    await watchdog.order(
        "hold",
        scope="target",
        name="flag:btc_mainnet_redemption",
        reason="launch day",
        for_seconds=2.0,
    )
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert "hold H1 on target flag:btc_mainnet_redemption" in held.reason

    async def expired() -> bool:
        return not (await watchdog.read("/v1/status"))["holds"]

    await watchdog.until("the hold is over", expired)

    await stays_held(sandbox, watchdog)


@pytest.mark.sim
async def test_a_maintenance_window_that_ends_in_mid_breach_fires_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.platform["maintenance"] = {"deploy": window_around(datetime.now(UTC))}
    await watchdog.on_guard()
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert "maintenance window deploy on everything: the deploy" in held.reason

    del watchdog.rules.platform["maintenance"]
    watchdog.rules.save()
    told = await watchdog.order("apply")
    assert "the maintenance window deploy (everything) is removed" in told["effect"]

    await stays_held(sandbox, watchdog)
    await acts_after_once_clear(sandbox, watchdog)


async def test_a_rule_armed_by_apply_in_mid_breach_waits_until_it_was_once_clear(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["mode"] = "observe"
    await watchdog.on_guard()
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert "mode: observe" in held.reason

    watchdog.rules.rules[PEG]["mode"] = "armed"
    watchdog.rules.save()
    dry = await watchdog.order("apply", dry=True)
    told = await watchdog.order("apply")

    assert told["effect"] == dry["effect"]
    assert f"{PEG} may now do pause-redemption, once it was clear" in told["effect"]
    await stays_held(sandbox, watchdog)
    await acts_after_once_clear(sandbox, watchdog)


async def test_a_daemon_first_started_in_the_middle_of_an_outage_holds_until_a_person_says_act(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await sandbox.break_redemption()
    watchdog.rules.watch_errors()
    await watchdog.start()
    await watchdog.episode(ERRORS, state="held")
    held = await stays_held(sandbox, watchdog, ERRORS)
    with pytest.raises(Refused, match="a reason is needed"):
        await watchdog.order("act", episode=held.id)

    await watchdog.order("act", episode=held.id, reason="we want it off")

    episode = await watchdog.episode(ERRORS, state="contained")
    assert episode.id == held.id
    assert sandbox.flag_changes() == 1
    (unbarred,) = watchdog.entries(EpisodeUnbarred)
    assert unbarred.reason == "we want it off"
    assert "uid" in unbarred.actor


@pytest.mark.sim
async def test_closing_a_latched_episode_that_still_burns_starts_nothing_until_a_person_says_act(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    sandbox.launchctl.pretends_to_pause()
    watchdog.rules.pause["deadline"] = "1s"
    await watchdog.on_guard()
    break_peg(sandbox)
    latched = await watchdog.episode(PEG, state="latched")
    sandbox.launchctl.is_honest()
    with pytest.raises(Refused, match="not held as already burning"):
        await watchdog.order("act", episode=latched.id, reason="try again")

    await watchdog.order("close", episode=latched.id, reason="the tool was broken")

    held = await watchdog.episode(PEG, state="held")
    assert held.id != latched.id
    await watchdog.polls()
    assert (await watchdog.episode(PEG)) == held
    assert sandbox.flag_changes() == 0
    assert len(sandbox.launchctl.calls()) == 1

    await watchdog.order("act", episode=held.id, reason="the tool is mended")
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_acting_through_a_hold_must_be_said(sandbox: Sandbox, watchdog: Watchdog) -> None:
    await watchdog.on_guard()
    await watchdog.order("hold", scope="all", reason="freeze")
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    with pytest.raises(Refused, match=r"hold H1 on everything .* covers it.*--through-hold"):
        await watchdog.order("act", episode=held.id, reason="it burns")

    await watchdog.order("act", episode=held.id, reason="it burns", through_hold=True)

    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_a_hold_placed_between_the_decision_and_the_effect_stops_it(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    # The look before the effect takes a while: the decision stands, the tool has not been called.
    sandbox.fault("flag_read", "hang", seconds=1.0)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="acting")
    await watchdog.order("hold", scope="all", reason="wait")

    held = await watchdog.episode(PEG, state="held")

    sandbox.clear_faults("flag_read")
    assert "stopped right before the effect: hold: hold H1" in held.reason
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.outcome is Outcome.ABANDONED
    assert sandbox.launchctl.calls() == []

    await watchdog.order("release", hold="H1", reason="go on")
    await watchdog.polls()
    assert (await watchdog.episode(PEG)).state == "held"
    assert sandbox.flag_changes() == 0


@pytest.mark.sim
async def test_a_restart_with_a_higher_ceiling_arms_nothing_in_mid_breach(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.settings["max_mode"] = "observe"
    await watchdog.on_guard()
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert held.reason == "mode: observe, by process max_mode"

    watchdog.settings["max_mode"] = "armed"
    await watchdog.restart()

    async def judged() -> bool:  # nobody looked for longer than its `for`, which counts anew
        return "already burning" in (await watchdog.why(PEG))["not_acting"]

    await watchdog.until("judged anew", judged)
    assert (await stays_held(sandbox, watchdog)).id == held.id
    await acts_after_once_clear(sandbox, watchdog)


@pytest.mark.sim
async def test_a_restart_with_other_variables_is_recorded_and_arms_nothing_in_mid_breach(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    """The files that were applied mean something else by then, and nobody has applied that."""
    watchdog.rules.rules[PEG]["mode"] = "{{ peg_mode }}"
    watchdog.settings["variables.peg_mode"] = "observe"
    await watchdog.on_guard()
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert held.reason == "mode: observe, by rule peg-collateralised"

    watchdog.settings["variables.peg_mode"] = "armed"
    await watchdog.restart()

    async def judged() -> bool:  # by another text, so that its `for` counts anew
        return "already burning" in (await watchdog.why(PEG))["not_acting"]

    await watchdog.until("the gates refuse it as already burning", judged)
    assert (await stays_held(sandbox, watchdog)).id == held.id
    applied = watchdog.entries(PolicyApplied)
    assert [one.actor for one in applied] == ["first start", "the settings, at a restart"]
    assert applied[-1].rearmed == (PEG,)
    await acts_after_once_clear(sandbox, watchdog)
    await watchdog.restart()
    assert len(watchdog.entries(PolicyApplied)) == len(applied)
