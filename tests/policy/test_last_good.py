"""One owner's slip stops nobody else, and nothing in force is lost by somebody else's change."""

from __future__ import annotations

from tests.policy.texts import PLATFORM, RULES, VARS, folder, load
from watchdog.core.spec import RatioThreshold
from watchdog.policy import PLATFORM as PLATFORM_PART
from watchdog.policy import Load, PartState, load_files

OTHER = RULES.replace("error-rate", "latency").replace("> 5%", "> 10%")
BROKEN = "version: 1\nrules:\n  a: {"
LOOSER = OTHER.replace("> 10%", "> 20%")


def states(outcome: Load) -> dict[str, PartState]:
    return {part.owner: part.state for part in outcome.parts}


def bound(outcome: Load, rule: str) -> str:
    assert outcome.policy is not None
    signal = outcome.policy.rules[rule].signal
    assert isinstance(signal, RatioThreshold)
    return signal.bound.text


def test_a_broken_owner_keeps_its_last_good_rules_and_the_others_go_on() -> None:
    good = load(folder(team_a=RULES, team_b=OTHER))
    after = load(folder(team_a=BROKEN, team_b=LOOSER), good.files)
    assert states(after) == {
        PLATFORM_PART: PartState.LOADED, "team-a": PartState.KEPT, "team-b": PartState.LOADED,
    }  # fmt: skip
    assert bound(after, "error-rate") == "> 5%"
    assert bound(after, "latency") == "> 20%"
    assert after.files["team-a/rules.yaml"] == RULES
    assert after.files["team-b/rules.yaml"] == LOOSER
    assert not after.complete


def test_what_is_in_force_loads_again_as_it_is() -> None:
    good = load(folder(team_a=RULES, team_b=OTHER))
    after = load(folder(team_a=BROKEN, team_b=LOOSER), good.files)
    assert load(after.files).policy == after.policy
    assert load(after.files).complete


def test_an_owner_that_never_loaded_is_refused_alone() -> None:
    after = load(folder(team_a=BROKEN, team_b=OTHER))
    assert states(after)["team-a"] is PartState.REFUSED
    assert after.policy is not None
    assert set(after.policy.rules) == {"latency"}


def test_a_broken_platform_keeps_the_last_good_one_and_owners_are_judged_against_it() -> None:
    good = load(folder(team_a=RULES, team_b=OTHER))
    after = load(folder(PLATFORM + "x: 1\n", team_a=RULES, team_b=LOOSER), good.files)
    assert states(after)[PLATFORM_PART] is PartState.KEPT
    assert bound(after, "latency") == "> 20%"
    assert after.files["platform.yaml"] == PLATFORM
    assert [problem.what for problem in after.errors] == ["unknown key `x`"]


def test_broken_variables_keep_the_platform() -> None:
    good = load(folder())
    after = load(folder(variables="app: [\n"), good.files)
    assert after.policy == good.policy
    assert after.files["vars/production.yaml"] == VARS


def test_a_policy_of_another_environment_is_refused_and_the_present_one_stays() -> None:
    good = load(folder())
    after = load(folder(PLATFORM.replace("production", "sandbox", 1)), good.files)
    assert after.policy == good.policy
    assert len(after.errors) == 1


def test_a_platform_may_not_pull_the_ground_from_under_rules_in_force() -> None:
    good = load(folder(team_a=RULES))
    without = PLATFORM.replace("  app: {scrape", "  web: {scrape")
    after = load(folder(without, team_a=RULES), good.files)
    assert states(after) == {PLATFORM_PART: PartState.KEPT, "team-a": PartState.LOADED}
    assert after.policy == good.policy
    (problem,) = after.errors
    assert problem.file == "platform.yaml"
    assert "the rules of team-a" in problem.what
    together = load(folder(without, team_a=RULES.replace("app", "web", 1)), good.files)
    assert together.complete, "both at once are welcome"


def test_an_owner_whose_folder_is_gone_is_gone() -> None:
    good = load(folder(team_a=RULES, team_b=OTHER))
    after = load(folder(team_b=OTHER), good.files)
    assert after.complete
    assert after.policy is not None
    assert set(after.policy.rules) == {"latency"}


def test_whoever_has_a_rules_name_in_force_keeps_it() -> None:
    good = load(folder(team_b=RULES))
    after = load(folder(team_a=RULES, team_b=RULES), good.files)
    assert after.policy is not None
    assert after.policy.rules["error-rate"].owner == "team-b"
    (problem,) = after.errors
    assert problem.text.startswith(
        "team-a/rules.yaml:3:3: the rule error-rate stands also at team-b/rules.yaml:3:3"
    )


def test_a_name_that_two_owners_want_at_once_goes_to_nobody() -> None:
    after = load(folder(team_a=RULES, team_b=RULES))
    assert after.policy is not None
    assert not after.policy.rules
    assert {problem.file for problem in after.errors} == {"team-a/rules.yaml", "team-b/rules.yaml"}


def test_a_newcomer_with_a_taken_name_falls_back_to_its_own_last_good_rules() -> None:
    good = load(folder(team_a=OTHER, team_b=RULES))
    after = load(folder(team_a=RULES, team_b=RULES), good.files)
    assert after.policy is not None
    assert {r.name: r.owner for r in after.policy.rules.values()} == {
        "latency": "team-a", "error-rate": "team-b",
    }  # fmt: skip


def test_a_rule_in_force_outlives_the_rule_that_it_asks() -> None:
    asking = RULES.replace("mode: armed", "mode: armed\n    corroborate: [latency]")
    good = load(folder(team_a=asking, team_b=OTHER))
    assert good.complete
    after = load(folder(team_a=asking), good.files)
    assert after.policy is not None
    assert "error-rate" in after.policy.rules, "it stays, and its missing partner counts as blind"
    assert [problem.what for problem in after.errors] == ["there is no rule latency"]


def test_the_same_texts_give_the_same_load() -> None:
    files = folder(team_a=RULES, team_b=BROKEN)
    assert load_files(files, "production") == load_files(
        dict(reversed(files.items())), "production"
    )
