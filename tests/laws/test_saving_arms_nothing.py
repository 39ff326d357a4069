"""Law 8: a bad rule file changes nothing, and saving a file arms nothing: applying does."""

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG, TEAM, peg
from watchdog.core.entries import IntentOpened, PolicyApplied
from watchdog.sandbox.handle import Sandbox

UNARMED = {"mode": "observe"}


def observed() -> dict[str, object]:
    rule = peg(**UNARMED)
    del rule["armed_because"]
    return rule


def policies(watchdog: Watchdog) -> list[str]:
    return [entry.sha256 for entry in watchdog.entries(PolicyApplied)]


async def test_saving_arms_nothing_and_applying_in_mid_breach_fires_nothing(
    watchdog: Watchdog, sandbox: Sandbox
) -> None:
    watchdog.rules.owners[TEAM] = {PEG: observed()}
    await watchdog.on_guard()
    watchdog.rules.owners[TEAM] = {PEG: peg()}
    watchdog.rules.save()
    sandbox.set_status("peg.collateralization", 0.9)
    await watchdog.episode(PEG, state="held")
    await watchdog.polls()
    assert watchdog.entries(IntentOpened) == []
    assert len(policies(watchdog)) == 1
    await watchdog.order("apply", dry=False)
    assert len(policies(watchdog)) == 2
    await watchdog.polls()
    assert watchdog.entries(IntentOpened) == []
    episode = await watchdog.episode(PEG, state="held")
    assert "already burning" in episode.barred
    sandbox.clear_faults("status")
    await watchdog.clear(PEG)
    sandbox.set_status("peg.collateralization", 0.9)
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_a_bad_file_keeps_the_last_good_rules_and_a_restart_keeps_what_was_applied(
    watchdog: Watchdog, sandbox: Sandbox
) -> None:
    await watchdog.on_guard()
    (good,) = policies(watchdog)
    watchdog.rules.scribble(TEAM, "rules: {peg-collateralised: {mode: armed, mood: good}")
    told = await watchdog.order("apply", dry=False)
    assert "rules.yaml:1:" in str(told)
    await watchdog.restart()
    assert set(policies(watchdog)) == {good}
    await watchdog.clear(PEG)
    sandbox.set_status("peg.collateralization", 0.9)
    await watchdog.episode(PEG, state="contained")
