"""The way forward: which step is done, which is next, and what keeps one from being taken."""

from __future__ import annotations

from typing import Any

from watchdog.cli.recovering import Stands, way

TARGET = "flag:redemption"
NO_DEPLOYS: dict[str, Any] = {"past": [], "frozen": []}
DONE, NEXT, WAITS, LATER = Stands.DONE, Stands.NEXT, Stands.WAITS, Stands.LATER


def episode(state: str = "contained", *, held: bool = True) -> dict[str, Any]:
    return {
        "id": "E4",
        "rule": "errors",
        "state": state,
        "reason": "because",
        "since": "2026-11-23T12:10:00.000Z",
        "opened": "2026-11-23T12:00:00.000Z",
        "claims": [{"target": TARGET, "found": False}] if held else [],
    }


def deployed(ended: str, outcome: str = "ok", target: str = TARGET) -> dict[str, Any]:
    one = {"target": target, "outcome": outcome, "ended": ended, "change": "git 2f1c9d4"}
    return {"past": [one], "frozen": []}


def stands(*given: Any) -> list[Stands]:
    return [step.stands for step in way(*given)]


def test_what_is_contained_waits_for_a_fix_and_may_be_switched_on() -> None:
    steps = way(episode(), NO_DEPLOYS, "", "", "flag:redemption is switched back")
    assert [step.stands for step in steps] == [NEXT, LATER, LATER, LATER], "one is next"
    assert steps[1].why == "it may be: flag:redemption is switched back"
    assert steps[1].command == "slo-watchdog undo E4 --reason WHY"


def test_a_condition_that_does_not_hold_keeps_it_off_and_says_so() -> None:
    steps = way(episode(), NO_DEPLOYS, "resume_when of pause is false: status is degraded")
    assert steps[1].stands is WAITS
    assert "status is degraded" in steps[1].why


def test_a_frozen_target_is_not_deployed_before_a_person_lifts_it() -> None:
    frozen = {
        "past": [],
        "frozen": [{"target": TARGET, "why": "E4 rolled it back", "lifted_by": "slo-watchdog x"}],
    }
    steps = way(episode(), frozen, "")
    assert (steps[0].stands, steps[0].command) == (NEXT, "slo-watchdog x")
    assert steps[0].why.startswith(f"{TARGET} is frozen: E4 rolled it back. When what is to be")


def test_what_is_deployed_comes_back_by_the_deploy_of_the_fix_and_not_by_the_undo() -> None:
    claims = [{"target": "config:/srv/release/mainnet", "found": False}]
    steps = way(episode() | {"claims": claims}, NO_DEPLOYS, "")
    assert [step.stands for step in steps] == [NEXT, LATER, LATER, LATER]
    assert "the deploy of the fix does it" in steps[1].why
    assert steps[1].command == ""


def test_only_a_deploy_of_it_that_ended_well_since_is_the_fix() -> None:
    assert stands(episode(), deployed("2026-11-23T12:30:00.000Z"), "")[0] is DONE
    for none in (
        deployed("2026-11-23T11:30:00.000Z"),
        deployed("2026-11-23T12:30:00.000Z", "failed"),
        deployed("2026-11-23T12:30:00.000Z", target="flag:other"),
    ):
        assert stands(episode(), none, "")[0] is NEXT


def test_watched_over_and_closed_by_a_person() -> None:
    mended = deployed("2026-11-23T12:30:00.000Z")
    assert stands(episode("watched", held=False), mended, "", TARGET) == [DONE, DONE, NEXT, LATER]
    assert stands(episode("ok", held=False), mended, "", TARGET) == [DONE, DONE, DONE, NEXT]
    latched = way(episode("latched", held=False), NO_DEPLOYS, "")
    assert latched[2].command == "slo-watchdog close E4 --reason WHY"


def test_what_ended_without_a_deploy_is_not_called_deployed() -> None:
    fix, *_ = steps = way(episode("ok", held=False), NO_DEPLOYS, "")
    assert [step.stands for step in steps] == [Stands.SKIPPED, DONE, DONE, NEXT]
    assert fix.why == "the episode is over, and no deploy was told since"


def test_what_a_person_ordered_names_no_rule_and_one_step_that_is_next() -> None:
    watched = way(episode("watched", held=False) | {"rule": "manual"}, NO_DEPLOYS, "")
    assert [step.stands for step in watched] == [Stands.SKIPPED, DONE, NEXT, LATER]
    assert watched[2].command == "slo-watchdog status"
    for state, held in (("contained", True), ("watched", False), ("latched", False), ("ok", False)):
        steps = way(episode(state, held=held) | {"rule": "manual"}, NO_DEPLOYS, "")
        assert [step.stands for step in steps].count(NEXT) == 1
        assert not any("why manual" in step.command for step in steps)


def verified(direction: str, *truths: str | None) -> dict[str, Any]:
    checks = [{"check": f"c{n}", "truth": truth} for n, truth in enumerate(truths)]
    told, began = f"verified after {direction}", "2026-11-23T12:10:00.000Z"
    about = {"action": "pause", "direction": direction, "by": "", "began": began}
    return {**about, "told": told, "checks": checks}


def test_what_its_checks_said_is_a_condition_of_the_way() -> None:
    for truths, expected in (
        (("true", "true"), DONE),
        (("true", "false"), WAITS),
        (("true", "unknown"), NEXT),
        (("true", None), NEXT),
    ):
        found = episode() | {"verification": [verified("do", *truths)]}
        first, second, *_ = way(found, NO_DEPLOYS, "")
        assert (first.name, first.stands) == ("Verify the rollback", expected)
        assert first.command == "slo-watchdog verify E4"
        assert second.name == "Deploy the fix"
    both = [verified("do", "true"), verified("undo", "false")]
    steps = way(episode("watched", held=False) | {"verification": both}, NO_DEPLOYS, "")
    assert [(step.name, step.stands) for step in steps][1:3] == [
        ("Switch on again", DONE),
        ("Verify the undo", WAITS),
    ]
