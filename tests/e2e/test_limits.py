"""How far a rule may go: modes, ceilings, budget, cooldown, `up_to`, company, blast radius."""

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import ERRORS, PAUSE, PEG, SLOW, TEAM, error_rate, peg
from tests.e2e.scenes import break_peg, mend_peg
from watchdog.core.entries import Decided, IntentOpened, Ruling
from watchdog.core.words import World
from watchdog.sandbox.handle import Sandbox


async def nothing_is_done(sandbox: Sandbox, watchdog: Watchdog) -> None:
    await watchdog.polls()
    assert watchdog.entries(IntentOpened) == []
    assert (sandbox.flag_changes(), sandbox.launchctl.calls()) == (0, [])


async def test_shadow_records_what_it_would_have_done_and_does_nothing(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["mode"] = "shadow"
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="shadowed")

    await nothing_is_done(sandbox, watchdog)
    assert episode.world == "shadow"
    (would,) = watchdog.decisions(PEG)
    assert (would.ruling, would.world, would.action) == (Ruling.WOULD_ACT, World.SHADOW, PAUSE)
    assert would.reason == f"shadow, by rule {PEG}"
    assert all(gate.passed for gate in would.gates)
    assert watchdog.pages() == []
    mend_peg(sandbox)
    await watchdog.episode(PEG, state="ok")


async def test_shadow_neither_spends_the_budget_nor_hides_a_live_decision(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.platform["limits"]["budget"] = {"actions": 1, "per": "1h"}
    watchdog.rules.platform["limits"]["blast_radius"] = 1
    watchdog.rules.rules["peg-in-shadow"] = peg(mode="shadow", **{"for": "500ms"})
    await watchdog.on_guard()
    break_peg(sandbox)

    assert (await watchdog.episode(PEG, state="contained")).world == "live"
    assert (await watchdog.episode("peg-in-shadow", state="shadowed")).world == "shadow"
    assert sandbox.flag_changes() == 1


@pytest.mark.parametrize(
    ("lowered", "reason"),
    [
        ("rule", f"mode: observe, by rule {PEG}"),
        pytest.param(
            "rung", "mode: observe, by rung 1 of redemption", marks=pytest.mark.sim, id="rung"
        ),
    ],
)
async def test_the_lowest_mode_counts_and_says_whose_it_is(
    sandbox: Sandbox, watchdog: Watchdog, lowered: str, reason: str
) -> None:
    if lowered == "rule":
        watchdog.rules.rules[PEG]["mode"] = "observe"
    else:
        watchdog.rules.platform["playbooks"]["redemption"][0]["mode"] = "observe"
    await watchdog.on_guard()
    break_peg(sandbox)

    held = await watchdog.episode(PEG, state="held")

    assert held.reason == reason
    await nothing_is_done(sandbox, watchdog)
    (refused,) = watchdog.decisions(PEG)
    assert (refused.ruling, refused.reason) == (Ruling.REFUSED, reason)


async def test_a_ceiling_of_shadow_makes_an_armed_rule_only_say_what_it_would_do(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.settings["max_mode"] = "shadow"
    await watchdog.on_guard()
    break_peg(sandbox)

    await watchdog.episode(PEG, state="shadowed")

    await nothing_is_done(sandbox, watchdog)
    shown = (await watchdog.why(PEG))["rule"]
    assert (shown["mode"], shown["effective_mode"]) == ("armed", "shadow")
    assert shown["mode_reason"] == "lowered by max_mode = shadow"


@pytest.mark.sim
async def test_a_rung_in_shadow_lowers_what_an_armed_rule_is_shown_to_do(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    """What is shown is what the gate then rules by, rung for rung."""
    watchdog.rules.add_rung(within="5s")
    books = watchdog.rules.platform["playbooks"]
    books["redemption"][0]["mode"] = "shadow"
    await watchdog.on_guard()
    shown = (await watchdog.why(PEG))["rule"]
    break_peg(sandbox)
    await watchdog.episode(PEG, state="shadowed")

    assert (shown["mode"], shown["effective_mode"]) == ("armed", "shadow")
    assert shown["mode_reason"] == "lowered by rung 1 of redemption = shadow"
    assert [(r["action"], r["effective_mode"], r["by"]) for r in shown["rungs"]] == [
        (PAUSE, "shadow", "rung 1 of redemption"),
        (SLOW, "armed", "process max_mode"),
    ]
    (decided,) = watchdog.decisions(PEG)
    assert decided.reason == "shadow, by rung 1 of redemption"
    await nothing_is_done(sandbox, watchdog)


@pytest.mark.sim
async def test_approve_asks_people_and_takes_the_question_back_when_all_is_well(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["mode"] = "approve"
    await watchdog.on_guard()
    break_peg(sandbox)

    await watchdog.episode(PEG, state="awaiting")

    await nothing_is_done(sandbox, watchdog)
    (asked,) = watchdog.decisions(PEG)
    assert (asked.ruling, asked.reason) == (Ruling.NEEDS_APPROVAL, f"approve, by rule {PEG}")
    assert len(watchdog.pages(f"{PEG} asks for approval of {PAUSE}")) == 1
    mend_peg(sandbox)
    await watchdog.episode(PEG, state="ok")


@pytest.mark.parametrize("limit", ["cooldown", pytest.param("budget", marks=pytest.mark.sim)])
@pytest.mark.sim
async def test_a_second_pause_too_soon_is_held_and_people_are_told(
    sandbox: Sandbox, watchdog: Watchdog, limit: str
) -> None:
    watchdog.rules.rules[PEG]["watch"] = "1s"
    if limit == "cooldown":
        watchdog.rules.rules[PEG]["cooldown"] = "1h"
    else:
        watchdog.rules.platform["limits"]["budget"] = {"actions": 1, "per": "1h"}
    await watchdog.on_guard()
    break_peg(sandbox)
    first = await watchdog.episode(PEG, state="contained")
    mend_peg(sandbox)
    await watchdog.order("undo", what=first.id, reason="mended")
    await watchdog.episode(PEG, state="ok")
    await watchdog.clear(PEG)
    break_peg(sandbox)

    held = await watchdog.episode(PEG, state="held")

    assert held.id != first.id
    said = {"cooldown": "cooldown: until ", "budget": "budget: spent: 1 of 1 in 1h"}[limit]
    assert held.reason.startswith(said)
    await watchdog.polls()
    assert sandbox.flag_changes() == 2, "the pause and its undo"
    assert len(watchdog.pages(f"{PEG} is breached and held: {limit}")) == 1
    refusals = [d for d in watchdog.decisions(PEG) if d.ruling is Ruling.REFUSED]
    assert len(refusals) == 1, "recorded once per reason, not at every pass"


@pytest.mark.sim
async def test_a_rule_that_asks_for_company_acts_only_when_it_has_it(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.rules[PEG]["corroborate"] = [ERRORS]
    watchdog.rules.rules[ERRORS] = error_rate()
    watchdog.rules.rules[ERRORS]["mode"] = "observe"
    await watchdog.on_guard()
    break_peg(sandbox)
    held = await watchdog.episode(PEG, state="held")
    assert held.reason == f"evidence: not corroborated: {ERRORS} is healthy"
    await nothing_is_done(sandbox, watchdog)

    await sandbox.break_redemption()

    await watchdog.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


@pytest.mark.sim
async def test_more_targets_at_once_than_the_blast_radius_are_all_held(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.add_rung(within="5s")
    books = watchdog.rules.platform["playbooks"]
    books["rewards"] = [books["redemption"].pop()]
    watchdog.rules.platform["grants"][TEAM].append("rewards")
    watchdog.rules.platform["limits"]["blast_radius"] = 1
    watchdog.rules.rules["peg-and-rewards"] = peg(playbook="rewards")
    await watchdog.on_guard()
    break_peg(sandbox)

    for rule in (PEG, "peg-and-rewards"):
        held = await watchdog.episode(rule, state="held")
        assert held.reason.startswith("blast_radius: 2 targets breach at once, more than 1: ")
    await nothing_is_done(sandbox, watchdog)


# -- the ladder ------------------------------------------------------------------------------------


async def test_the_next_rung_is_climbed_once_the_first_is_proven_not_to_have_helped(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.add_rung(within="1500ms")
    watchdog.rules.pause["contained_when"] = [_peg_holds(sandbox)]
    await watchdog.on_guard()
    break_peg(sandbox)

    await sandbox.flag_becomes("rewards_slow_mode", enabled=True, deadline_seconds=15)

    first, second = watchdog.entries(IntentOpened)
    assert [first.action, second.action] == [PAUSE, SLOW]
    assert first.episode == second.episode
    one, two = (one.at.steady for one in watchdog.journal() if isinstance(one.entry, IntentOpened))
    assert two - one >= 1.5, "not before `within` is over"
    assert (sandbox.flag_changes(), sandbox.flag_changes("rewards_slow_mode")) == (1, 1)
    allowed = [d for d in watchdog.entries(Decided) if d.ruling is Ruling.ALLOWED]
    assert [d.rung for d in allowed] == [0, 1]

    latched = await watchdog.episode(PEG, state="latched")
    assert "not contained within 1.5 s" in latched.reason
    assert not sandbox.is_enabled(), "a rung that did not help is not taken back by itself"


async def test_a_first_rung_that_failed_for_sure_is_followed_by_the_second(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.add_rung(within="1500ms")
    watchdog.rules.pause["deadline"] = "1s"
    sandbox.fault("flag_write", "answer", status=503, times=50)
    await watchdog.on_guard()
    break_peg(sandbox)

    await watchdog.until("the first rung failed", lambda: _ended(watchdog))
    sandbox.clear_faults("flag_write")

    await sandbox.flag_becomes("rewards_slow_mode", enabled=True, deadline_seconds=15)
    assert sandbox.flag_changes() == 0
    assert [i.action for i in watchdog.entries(IntentOpened)] == [PAUSE, SLOW]


async def test_what_cannot_be_told_latches_and_never_climbs(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.add_rung(within="1500ms")
    check = _peg_holds(sandbox)
    watchdog.rules.pause["contained_when"] = [{**check, "expect": "peg.nowhere == `1`"}]
    await watchdog.on_guard()
    break_peg(sandbox)

    latched = await watchdog.episode(PEG, state="latched")

    assert "cannot tell whether it helped within 1.5 s" in latched.reason
    await watchdog.polls()
    assert [i.action for i in watchdog.entries(IntentOpened)] == [PAUSE]
    assert sandbox.flag_changes("rewards_slow_mode") == 0
    assert len(watchdog.pages("a person must look")) == 1


@pytest.mark.sim
async def test_up_to_ends_the_ladder_for_a_rule(sandbox: Sandbox, watchdog: Watchdog) -> None:
    watchdog.rules.add_rung(within="1s")
    watchdog.rules.pause["contained_when"] = [_peg_holds(sandbox)]
    watchdog.rules.rules[PEG]["up_to"] = PAUSE
    await watchdog.on_guard()
    break_peg(sandbox)

    latched = await watchdog.episode(PEG, state="latched")

    assert "not contained within 1 s" in latched.reason
    await watchdog.polls()
    assert [i.action for i in watchdog.entries(IntentOpened)] == [PAUSE]
    assert sandbox.flag_changes("rewards_slow_mode") == 0


def _peg_holds(sandbox: Sandbox) -> dict[str, str]:
    return {"get": f"{sandbox.url}/ops/status.json", "expect": "peg.collateralization >= `1`"}


async def _ended(watchdog: Watchdog) -> bool:
    return bool((await watchdog.episode(PEG)).outcome)
