"""Every command that a page gives is one that the command line takes, for every state."""

import shlex
from typing import Any

import pytest

from watchdog.cli.commands import command
from watchdog.core.episode import OPEN
from watchdog.core.states import State
from watchdog.web.advice import (
    HOLD_ALL,
    Advice,
    for_action,
    for_episode,
    for_hold,
    for_policy,
)
from watchdog.web.headline import headline
from watchdog.web.policy_load import PolicyLoad


def episode(state: State, **different: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "E7",
        "rule": "r",
        "state": state.value,
        "action": "pause-redemption",
        "barred": "",
        "world": "live",
        "rung": 0,
        "claims": [],
        "outcome": None,
        "acked_by": "",
        "actor": "",
    }
    return plain | different


def taken(advice: Advice) -> str:
    """The subcommand, after the command line has parsed all of it."""
    words = shlex.split(advice.command)
    assert words[0] == "slo-watchdog"
    command(words[1]).make_context(words[1], words[2:])
    return words[1]


CLAIM = {"claims": [{"target": "flag:x", "found": False, "action": "a"}]}


@pytest.mark.parametrize("state", sorted(OPEN))
@pytest.mark.parametrize(
    "different",
    [{}, CLAIM, {"barred": "already burning"}, {"action": ""}, {"world": "shadow", "rule": "r{a}"}],
)
@pytest.mark.parametrize("rule_exists", [True, False])
def test_every_command_is_one(
    state: State, different: dict[str, Any], *, rule_exists: bool
) -> None:
    for advice in for_episode(episode(state, **different), rule_exists=rule_exists):
        assert not advice.command or taken(advice)


@pytest.mark.parametrize(
    ("state", "different", "first"),
    [
        (State.CONTAINED, CLAIM, "undo"),
        (State.LATCHED, CLAIM, "undo"),
        (State.LATCHED, {}, "close"),
        (State.LATCHED, {"outcome": "failed"}, "close"),
        (State.LATCHED, {"outcome": "unknown"}, "undo"),
        (State.HELD, {"barred": "already burning"}, "act"),
        (State.HELD, {}, "rollback"),
        (State.AWAITING, {}, "plan"),
        (State.SHADOWED, {}, "mark"),
        (State.SHADOWED, {"world": "shadow"}, "mark"),
        (State.HELD, {"world": "shadow"}, "why"),
    ],
)
def test_the_likeliest_command_comes_first(
    state: State, different: dict[str, Any], first: str
) -> None:
    assert taken(for_episode(episode(state, **different))[0]) == first


def test_nobody_is_told_to_let_act_what_has_no_action() -> None:
    held = episode(State.HELD, barred="already burning", action="")
    assert [taken(advice) for advice in for_episode(held)] == ["ack"]


def test_an_episode_whose_rule_is_gone_is_closed() -> None:
    assert taken(for_episode(episode(State.HELD), rule_exists=False)[0]) == "close"


def test_what_is_not_about_an_episode() -> None:
    assert taken(HOLD_ALL) == "hold"
    assert taken(for_hold({"id": "H3"})) == "release"
    assert taken(for_action({"name": "a b", "claimed_by": []})) == "rollback"
    assert taken(for_action({"name": "pause", "claimed_by": ["E1"]})) == "undo"
    assert taken(for_policy(PolicyLoad(pending=True))[0]) == "apply"
    assert "2 errors" in for_policy(PolicyLoad(errors=("a", "b")))[0].what
    assert for_policy(PolicyLoad()) == []


RULE = {
    "name": "r",
    "effective_mode": "armed",
    "verdict": {"status": "healthy"},
    "members": [],
    "rungs": [{"action": "pause", "effective_mode": "armed"}],
}
PAUSE = {"name": "pause", "ready": "true", "ready_reason": "tools work", "claimed_by": []}
OBSERVES = {**RULE, "rungs": [{"action": "pause", "effective_mode": "shadow"}]}
HOLD = {"scope": "everything", "actor": "alice", "reason": "migration"}
SILENCE = {"stands": True, "covers": ["peg"], "author": "alice", "comment": "migration"}


SITE = {
    "name": "site",
    "shows": False,
    "failing_since": "2026-11-23T14:00:00.000Z",
    "reason": "the daemon of there tells it: no daemon was heard of lately that is host there",
}
WELL: dict[str, Any] = {
    "recording": "ok",
    "leader": None,
    "clock": "ok",
    "policy_pending": False,
    "policy_errors": [],
    "holds": [],
    "silences": [],
    "rules": [RULE],
    "actions": [PAUSE],
    "episodes": [],
}


@pytest.mark.parametrize(
    ("changed", "unhealthy", "tone"),
    [
        ({}, "", "calm"),
        ({}, "the last pass was 9 s ago", "dead"),
        ({"recording": "the disk is full"}, "", "dead"),
        ({"holds": [HOLD]}, "", "look"),
        ({"silences": [SILENCE]}, "", "look"),
        ({"silences": [{**SILENCE, "stands": False}]}, "", "calm"),
        ({"silences": [{**SILENCE, "covers": []}]}, "", "calm"),
        ({"rules": [{**RULE, "verdict": None}]}, "", "look"),
        ({"rules": [{**RULE, "verdict": {"status": "breached"}}]}, "", "busy"),
        ({"episodes": [episode(State.PENDING)]}, "", "busy"),
        ({"episodes": [episode(State.ACTING)]}, "", "busy"),
        ({"episodes": [episode(State.CONTAINED)]}, "", "look"),
        ({"episodes": [episode(State.WATCHED)]}, "", "busy"),
        ({"rules": [], "actions": []}, "", "look"),
        ({"actions": [{**PAUSE, "ready": "false"}]}, "", "look"),
        ({"actions": [{**PAUSE, "ready": "unknown"}]}, "", "look"),
        ({"actions": [{**PAUSE, "ready": "false", "claimed_by": ["E1"]}]}, "", "calm"),
        ({"actions": [{**PAUSE, "ready": "false"}], "rules": [OBSERVES]}, "", "calm"),
        ({"episodes": [episode(State.HELD, world="shadow")]}, "", "calm"),
        ({"clock": "not known to be synchronised"}, "", "look"),
        ({"policy_errors": ["a/rules.yaml:1:1: wrong"]}, "", "look"),
        ({"policy_pending": True}, "", "busy"),
        ({"status_pages": [SITE]}, "", "look"),
        ({"status_pages": [{**SITE, "shows": True}]}, "", "calm"),
        ({"status_pages": [{**SITE, "failing_since": None}]}, "", "calm"),
    ],
)
def test_the_headline_says_the_worst(changed: dict[str, Any], unhealthy: str, tone: str) -> None:
    assert headline(WELL | changed, unhealthy).tone == tone


@pytest.mark.parametrize("state", [State.HELD, State.AWAITING, State.LATCHED])
def test_what_was_handed_over_needs_a_person(state: State) -> None:
    well = WELL | {"episodes": [episode(state)]}
    assert headline(well, "").title == "1 episode needs you"
    observed = {**well, "rules": [{**RULE, "effective_mode": "observe"}]}
    held_by_its_mode = state is State.HELD
    assert (headline(observed, "").title == "1 episode is open") is held_by_its_mode
    climbed = {**observed, "episodes": [episode(state, rung=1)]}
    assert headline(climbed, "").title == "1 episode needs you"
