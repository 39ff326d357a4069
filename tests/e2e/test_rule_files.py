"""Files are only watched; applying loads. What may not run, does not start."""

import signal

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PAUSE, PEG, TEAM, peg
from tests.e2e.scenes import break_peg, called, mend_peg
from watchdog.core.entries import IntentOpened, PolicyApplied
from watchdog.sandbox.handle import Sandbox

OTHERS = "other-team"
THEIRS = "their-own-peg"
TYPO = '{"version": 1, "rules": {"peg-collateralised": {"severity": "P0", "modee": "armed"}}}\n'


def two_owners(watchdog: Watchdog) -> None:
    watchdog.rules.platform["grants"][OTHERS] = ["redemption", PAUSE]
    watchdog.rules.owners[OTHERS] = {THEIRS: peg(mode="observe")}


async def in_force(watchdog: Watchdog) -> str:
    return str((await watchdog.read("/v1/status"))["policy"])


async def mode_of(watchdog: Watchdog, rule: str) -> str:
    return str((await watchdog.why(rule))["rule"]["mode"])


async def test_one_owners_slip_keeps_their_last_good_rules_and_stops_nobody_else(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    two_owners(watchdog)
    await watchdog.on_guard()
    watchdog.rules.owners[OTHERS][THEIRS]["mode"] = "shadow"
    watchdog.rules.save()
    watchdog.rules.scribble(TEAM, TYPO)

    told = await watchdog.order("apply")

    kind, word = told["data"]["errors"]
    assert "is of no kind" in kind
    assert "unknown key `modee`. Did you mean mode?" in word
    for error in (kind, word):
        assert error.startswith(f"{TEAM}/rules.yaml:1:")
        assert f"not loaded: {error}" in told["effect"]
    assert await mode_of(watchdog, THEIRS) == "shadow"
    assert await mode_of(watchdog, PEG) == "armed"

    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    await watchdog.episode(THEIRS, state="shadowed")
    assert sandbox.flag_changes() == 1


@pytest.mark.sim
async def test_saving_a_file_arms_nothing_also_across_a_restart_and_apply_does(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["mode"] = "shadow"
    await watchdog.on_guard()
    before = await in_force(watchdog)
    watchdog.rules.rules[PEG]["mode"] = "armed"
    watchdog.rules.save()
    await watchdog.polls(4)
    assert (await in_force(watchdog), await mode_of(watchdog, PEG)) == (before, "shadow")

    await watchdog.restart()

    assert (await in_force(watchdog), await mode_of(watchdog, PEG)) == (before, "shadow")
    break_peg(sandbox)
    await watchdog.episode(PEG, state="shadowed")
    assert sandbox.flag_changes() == 0
    mend_peg(sandbox)
    await watchdog.episode(PEG, state="ok")

    told = await watchdog.command("apply", "--yes")
    assert told.status == 0
    assert f"{PEG} may now do {PAUSE}, once it was clear" in told.output
    await watchdog.clear(PEG)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_a_signal_loads_good_rules_and_keeps_the_old_ones_when_they_are_bad(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    before = await in_force(watchdog)
    (watchdog.rules.folder / "platform.yaml").write_text("sources: [\n", encoding="utf-8")
    watchdog.signal(signal.SIGHUP)
    await watchdog.polls(4)
    assert await in_force(watchdog) == before
    assert len(watchdog.entries(PolicyApplied)) == 1

    watchdog.rules.rules[PEG]["watch"] = "3s"
    watchdog.rules.save()
    watchdog.signal(signal.SIGHUP)

    async def loaded() -> bool:
        return await in_force(watchdog) != before

    await watchdog.until("the new rules are in force", loaded)
    assert watchdog.entries(PolicyApplied)[-1].actor == "SIGHUP"
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")


@pytest.mark.sim
async def test_a_rule_that_is_removed_while_acting_finishes_and_its_episode_stays_until_closed(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    two_owners(watchdog)
    await watchdog.on_guard()
    sandbox.launchctl.hangs(1.5)
    break_peg(sandbox)
    await watchdog.episode(PEG, state="acting")
    await called(sandbox.launchctl)
    watchdog.rules.rules.clear()
    watchdog.rules.save()
    told = await watchdog.order("apply")
    assert f"{PEG} is removed; its open episodes stay until closed" in told["effect"]

    contained = await watchdog.episode(PEG, state="contained")

    assert sandbox.flag_changes() == 1
    await watchdog.restart()
    await watchdog.polls(4)
    assert await watchdog.episode(PEG) == contained
    sandbox.launchctl.is_honest()
    await watchdog.order("undo", what=contained.id, reason="mended")
    assert sandbox.is_enabled()
    await watchdog.order("close", episode=contained.id, reason="the rule is gone")
    assert (await watchdog.episode(PEG)).state == "ok"


@pytest.mark.sim
async def test_a_threshold_changed_in_mid_breach_starts_its_clock_again(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["for"] = "3s"
    await watchdog.on_guard()
    break_peg(sandbox)

    async def well_on() -> bool:
        return bool((await watchdog.why(PEG))["rule"]["held_seconds"] > 1.5)

    await watchdog.until("half of `for` has passed", well_on)
    watchdog.rules.rules[PEG]["integrity"]["breach_when"] = "< 0.95"
    watchdog.rules.save()
    await watchdog.order("apply")

    await watchdog.episode(PEG, state="contained")

    applied = [one.at.steady for one in watchdog.journal() if isinstance(one.entry, PolicyApplied)]
    (acted,) = [one.at.steady for one in watchdog.journal() if isinstance(one.entry, IntentOpened)]
    assert acted - applied[-1] >= 2.9


# -- what does not start ---------------------------------------------------------------------------


async def test_a_policy_of_another_environment_is_refused(watchdog: Watchdog) -> None:
    watchdog.rules.platform["environment"] = "production"
    watchdog.make_journal()

    ended = await watchdog.fails_to_start()

    assert ended.status == 1
    assert "this policy is for production, and the process runs in sandbox" in ended.output


@pytest.mark.sim
async def test_run_never_makes_a_journal_and_init_makes_it_once(watchdog: Watchdog) -> None:
    watchdog.rules.save()
    ended = await watchdog.fails_to_start()
    assert ended.status == 1
    assert "slo-watchdog init" in ended.output
    assert not (watchdog.state / "journal.db").exists()

    assert (await watchdog.init()).status == 0
    again = await watchdog.init()
    assert again.status == 1
    assert "exists already; nothing was changed" in again.output
    await watchdog.start()


@pytest.mark.sim
async def test_a_journal_that_was_touched_or_taken_away_is_refused(watchdog: Watchdog) -> None:
    await watchdog.on_guard()
    await watchdog.stop()
    path = watchdog.state / "journal.db"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"rule.cleared", b"rule.clearer"))
    ended = await watchdog.fails_to_start()
    assert ended.status == 1
    assert "journal.db" in ended.output

    path.unlink()
    ended = await watchdog.fails_to_start()
    assert ended.status == 1
    assert not path.exists()

    path.write_bytes(whole)
    path.chmod(0o600)
    await watchdog.start()


async def test_a_second_instance_on_the_same_state_exits_and_harms_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()

    second = await watchdog.start_another()

    assert second.status == 1
    assert str(watchdog.state) in second.output
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1
