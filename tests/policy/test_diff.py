"""What a load would change is said before it is loaded: armed, widened, removed, reset."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.policy.texts import PLATFORM, RULES, folder, load
from watchdog.core.spec import ActionSpec, Playbook, Policy, Rung
from watchdog.core.standing import Claim
from watchdog.core.words import Instant, Mode
from watchdog.policy.change import Effect
from watchdog.policy.diff import compare, rearmed, removed


def policy(rules: str = RULES, platform: str = PLATFORM) -> Policy:
    outcome = load(folder(platform, team_a=rules))
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert outcome.policy is not None
    return outcome.policy


SHADOW = RULES.replace("mode: armed", "mode: shadow")
SLO = """\
version: 1
rules:
  availability:
    severity: P0
    source: app
    slo:
      objective: 99.9%
      bad: bad_total
      total: all_total
      burn: [{budget: 2%, long: 1h, short: 5m}]
    minimum_events: 30
    playbook: redemption
    mode: armed
    armed_because: launch decision
"""


def told(old: Policy | None, new: Policy, effect: Effect) -> list[str]:
    return [change.text for change in compare(old, new) if change.effect is effect]


def test_the_same_policy_changes_nothing() -> None:
    assert compare(policy(), policy()) == []
    assert rearmed(policy(), policy()) == ()


def test_the_first_policy_arms_all_that_is_armed() -> None:
    assert rearmed(None, policy()) == ("error-rate",)
    (arms,) = told(None, policy(), Effect.ARM)
    assert arms.startswith("error-rate is new, in armed, and may do pause-redemption, once it was ")
    assert arms.endswith("clear: launch decision")


def test_a_higher_mode_arms() -> None:
    assert told(policy(SHADOW), policy(), Effect.ARM) == [
        "error-rate may now do pause-redemption, once it was clear: launch decision"
    ]
    approve = policy(RULES.replace("mode: armed", "mode: approve"))
    assert "may now ask to do pause-redemption" in told(policy(SHADOW), approve, Effect.ARM)[0]
    assert rearmed(policy(SHADOW), approve) == ("error-rate",)
    assert rearmed(approve, policy()) == ("error-rate",)


def test_that_a_rule_is_declared_armed_is_said_whatever_that_lets_it_do() -> None:
    raised = told(policy(SHADOW), policy(), Effect.CHANGE)
    assert raised == ["error-rate goes from shadow to armed"]
    asking = PLATFORM.replace("mode: armed, within", "mode: approve, within")
    approve = policy(RULES.replace("mode: armed", "mode: approve"), asking)
    armed = policy(RULES, asking)
    assert told(approve, armed, Effect.CHANGE) == ["error-rate goes from approve to armed"]
    assert told(approve, armed, Effect.ARM) == []
    new = "error-rate is new, in armed, and may ask to do pause-redemption"
    assert told(None, armed, Effect.ARM)[0].startswith(new)


def test_what_evidence_and_its_override_allow_is_said() -> None:
    earning = policy(RULES.replace("    armed_because: launch decision\n", ""))
    (arms,) = told(policy(SHADOW), earning, Effect.ARM)
    assert arms.startswith("error-rate may now do pause-redemption, once it has earned it (")
    assert told(policy(), earning, Effect.CHANGE) == [
        "error-rate keeps to shadow until it has earned to act: armed_because is gone"
    ]
    again = policy(RULES.replace("launch decision", "the bound was put right"))
    assert told(policy(), again, Effect.WIDEN) == [
        "error-rate may act without earned evidence: the bound was put right"
    ]
    assert earning.rules["error-rate"].armed_because == ""


def test_a_lower_mode_arms_nothing() -> None:
    assert rearmed(policy(), policy(SHADOW)) == ()
    assert told(policy(), policy(SHADOW), Effect.CHANGE) == ["error-rate goes from armed to shadow"]


def test_a_raised_rung_arms_the_rules_that_reach_it() -> None:
    low = PLATFORM.replace("mode: armed", "mode: observe")
    assert rearmed(policy(platform=low), policy()) == ("error-rate",)
    assert told(policy(platform=low), policy(), Effect.WIDEN) == [
        "the playbook redemption raises pause-redemption to armed"
    ]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("approve", "error-rate must now ask before it does pause-redemption"),
        ("shadow", "error-rate may no longer do pause-redemption"),
    ],
)
def test_a_lowered_rung_is_told_of_each_rule_that_it_stops(mode: str, says: str) -> None:
    low = PLATFORM.replace("mode: armed", f"mode: {mode}")
    assert says in told(policy(), policy(platform=low), Effect.CHANGE)
    assert rearmed(policy(), policy(platform=low)) == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("> 5%", "> 4%", "error-rate breaches at > 4% in place of > 5%"),
        ("> 5%", ">= 5%", "error-rate breaches at >= 5% in place of > 5%"),
        (
            "for: 15s\n    playbook: redemption\n",
            "for: 15s\n    playbook: redemption\n    cooldown: 1m\n",
            "error-rate acts again sooner: cooldown 1m in place of 30m",
        ),
        (
            "minimum_events: 20",
            "minimum_events: 2",
            "error-rate acts on fewer events: 2 in place of 20",
        ),
        (
            "    for: 15s\n",
            "    for: 15s\n    stale_after: 1m\n",
            "error-rate acts on older samples: up to 1m in place of 10s",
        ),
    ],
)
def test_a_rule_that_may_act_more_is_widened_and_the_other_way_is_not(
    old: str, new: str, says: str
) -> None:
    before, after = policy(), policy(RULES.replace(old, new))
    assert told(before, after, Effect.WIDEN) == [says]
    assert told(after, before, Effect.WIDEN) == []
    reset = "error-rate is judged by a new text; its `for` starts again"
    assert told(before, after, Effect.RESET) == told(after, before, Effect.RESET) == [reset]


def test_another_text_of_a_rule_that_acts_by_evidence_is_told_to_have_lost_it() -> None:
    earning = "    armed_because: launch decision\n"
    assert earning in RULES
    before = policy(RULES.replace(earning, ""))
    after = policy(RULES.replace(earning, "").replace("for: 15s", "for: 1m"))
    (told_of,) = told(before, after, Effect.RESET)
    assert "what it has earned in shadow was the old one's" in told_of
    decided = policy(RULES.replace("for: 15s", "for: 1m"))
    assert "earned" not in told(policy(), decided, Effect.RESET)[0], "it acts by decision"


def test_a_shorter_for_widens() -> None:
    longer = policy(RULES.replace("for: 15s", "for: 1m"))
    assert told(longer, policy(), Effect.WIDEN) == [
        "error-rate acts sooner: after 15s in place of 1m of breach"
    ]


def test_a_partner_that_is_no_longer_asked_widens() -> None:
    other = SLO.split("rules:\n")[1]
    asking = RULES.replace("mode: armed", "mode: armed\n    corroborate: [availability]") + other
    assert told(policy(asking), policy(RULES + other), Effect.WIDEN) == [
        "error-rate acts without asking availability"
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("99.9%", "99.95%", "objective 99.95 % in place of 99.9 %"),
        ("budget: 2%", "budget: 1%", "at burn 7.2 in place of 14.4 over 1h and 5m"),
        ("short: 5m}", "short: 5m}, {budget: 5%, long: 6h, short: 30m}", "also at burn 6 over 6h"),
    ],
)
def test_an_slo_that_fires_sooner_is_widened(old: str, new: str, says: str) -> None:
    before, after = policy(SLO), policy(SLO.replace(old, new))
    (text,) = told(before, after, Effect.WIDEN)
    assert says in text
    assert told(after, before, Effect.WIDEN) == []


def test_a_rule_that_only_watches_widens_nothing() -> None:
    before, after = SHADOW.replace("shadow", "observe"), SHADOW.replace("shadow", "observe")
    changed = policy(after.replace("> 5%", "> 1%"))
    assert told(policy(before), changed, Effect.WIDEN) == []


def test_a_removed_rule_is_told() -> None:
    both = policy(RULES + SLO.split("rules:\n")[1])
    assert removed(both, policy()) == ("availability",)
    assert told(both, policy(), Effect.REMOVE) == [
        "availability is removed; its open episodes stay until closed"
    ]


def test_larger_limits_widen() -> None:
    limits = "limits: {budget: {actions: 9, per: 24h}, blast_radius: 9}\n"
    assert told(policy(), policy(platform=PLATFORM + limits), Effect.WIDEN) == [
        "the blast radius grows from 5 to 9 targets",
        "the budget grows from 4 automatic actions in 1d to 9 in 1d",
    ]
    assert told(policy(platform=PLATFORM + limits), policy(), Effect.WIDEN) == []


def test_a_changed_action_is_told_and_resets_no_rule() -> None:
    after = policy(platform=PLATFORM.replace("deadline: 10s", "deadline: 20s"))
    assert [change.text for change in compare(policy(), after)] == [
        "the action pause-redemption is done or proven differently"
    ]


# -- what episodes hold ----------------------------------------------------------------------------

HELD = Claim("E1", "pause-redemption", "flag:btc_mainnet_redemption", found=False, at=Instant(0, 0))


def without_the_action(**standing_in: ActionSpec) -> Policy:
    """Its action is gone, or it has another name now."""
    new = policy()
    rungs = tuple(Rung(name, Mode.ARMED, 120.0) for name in standing_in)
    return replace(
        new, actions=standing_in, playbooks={"redemption": Playbook("redemption", rungs)}
    )


def held_changes(old: Policy, new: Policy) -> list[str]:
    found = compare(old, new, [HELD])
    assert not any("holds" in change.text for change in compare(old, new))
    return [change.text for change in found if "holds" in change.text]


def test_an_action_that_goes_while_an_episode_holds_by_it_is_named() -> None:
    (text,) = held_changes(policy(), without_the_action())
    assert text == (
        "the action pause-redemption holds flag:btc_mainnet_redemption for E1; without "
        "pause-redemption its drift is no longer watched and undo is not possible. Undo E1 "
        "before, or close it afterwards"
    )
    assert held_changes(policy(), policy()) == []
    assert held_changes(without_the_action(), without_the_action()) == []


def test_an_action_that_moves_to_another_target_leaves_what_it_held_alone() -> None:
    moved = replace(policy().actions["pause-redemption"], target="flag:another")
    (text,) = held_changes(policy(), without_the_action(**{"pause-redemption": moved}))
    assert "without pause-redemption its drift is no longer watched" in text


def test_an_action_of_another_name_for_the_same_target_is_said_to_stand_in() -> None:
    renamed = replace(policy().actions["pause-redemption"], name="pause")
    (text,) = held_changes(policy(), without_the_action(pause=renamed))
    assert text == (
        "the action pause-redemption holds flag:btc_mainnet_redemption for E1; from now on pause "
        "watches and undoes it"
    )
    (text,) = held_changes(without_the_action(pause=renamed), without_the_action())
    assert "without pause its drift is no longer watched" in text
