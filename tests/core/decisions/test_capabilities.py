"""What a program says that it knows, and which actions it could take over."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from tests.core.decisions.watch import Watch, a_policy
from watchdog.core.acting import ActionSpec, Check, How, HttpCall, Publish, Step
from watchdog.core.asking import Command, Endpoint
from watchdog.core.capabilities import (
    BEFORE_IT_WAS_TOLD,
    CAPABILITIES,
    Fellow,
    needs,
    read,
    unfinished_by,
    written,
)
from watchdog.core.entries import Ruling
from watchdog.core.gates import rule_on_command
from watchdog.core.inputs import Scene, command_inputs
from watchdog.core.releases import DeployRelease, LineOf, Stated
from watchdog.core.states import State

LIVE = Endpoint("http://localhost/status")
PAUSE = ActionSpec(
    name="pause",
    target="flag:redemption",
    read_back=LIVE,
    do=Step(HttpCall("PUT", LIVE), "enabled == `false`"),
    undo=None,
    contained_when=(),
    resume_when=(),
    deadline_seconds=5.0,
    sla_seconds=5.0,
    host="any",
    sha256="text",
)
DEPLOY = DeployRelease(
    Command(("deploy",)), "release:api", LineOf("/now"), Stated("v1"), Check(LIVE, "ok")
)
RELEASE = replace(PAUSE, name="release", do=Step(DEPLOY, "build == 'v1'"))


def older(*unknown: str, name: str = "bob") -> Fellow:
    """A daemon whose program does not have these yet, nor anything that belongs to them."""
    lacks = {word for word in CAPABILITIES if {word, word.partition("/")[0]} & set(unknown)}
    assert lacks, unknown
    return Fellow(name, "0.1.0", CAPABILITIES - lacks)


@pytest.mark.parametrize("way", get_args(How))
def test_every_way_of_changing_a_target_is_among_what_is_known(way: type) -> None:
    assert any(word.replace("-", "") == f"way:{way.__name__.lower()}" for word in CAPABILITIES)


def test_what_was_known_once_is_never_unlearned() -> None:
    """Else a program that calls it otherwise would start nothing beside one that does not."""
    assert read(BEFORE_IT_WAS_TOLD) <= CAPABILITIES
    assert read(None) == read(BEFORE_IT_WAS_TOLD)


def test_what_is_written_is_read_back() -> None:
    newer = CAPABILITIES | {"way:orbit", "way:orbit/height"}
    assert read(written(newer)) == newer
    assert len(written(CAPABILITIES)) < 2000, "it is told four times a second"


def test_an_action_that_all_could_take_over_has_nothing_against_it() -> None:
    assert unfinished_by(PAUSE, ()) == ""
    assert unfinished_by(PAUSE, [Fellow("bob", "0.1.0", CAPABILITIES | {"way:orbit"})]) == ""
    assert unfinished_by(PAUSE, [older("way:deploy-release")]) == "", "it is another way"


def test_a_way_that_an_older_daemon_does_not_know_is_named_with_what_to_do() -> None:
    assert unfinished_by(RELEASE, [older("way:deploy-release")]) == (
        "bob (0.1.0) could not finish it after a takeover: it does not know `deploy-release`. "
        "Install the same version there, or stop it"
    )


def test_one_of_several_is_enough_and_each_is_named() -> None:
    whole = Fellow("ada", "0.2.0", CAPABILITIES)
    bob, cy = older("way:line-of"), older("way:publish", name="cy")
    published = replace(RELEASE, publish=Publish(Command(("publish",)), idempotent=True))
    said = unfinished_by(published, [whole, bob, cy])
    assert "ada" not in said
    assert "bob (0.1.0) could not finish it after a takeover: it does not know `line-of`" in said
    assert "cy (0.1.0) could not finish it after a takeover: it does not know `publish`" in said


def test_a_newer_field_counts_only_where_it_says_something() -> None:
    without = older("way:deploy-release/idempotent")
    assert unfinished_by(RELEASE, [without]) == ""
    again = replace(RELEASE, do=Step(replace(DEPLOY, idempotent=True), "build == 'v1'"))
    assert "`deploy-release/idempotent`" in unfinished_by(again, [without])


def test_what_is_written_on_the_way_must_be_readable_whatever_the_action() -> None:
    """A program refuses an entry with a field that it does not know: it would end instead."""
    for word in ("entry:intent.opened/plan", "entry:intent.step_began", "entry:verdict/bound"):
        assert f"`{word.partition(':')[2]}`" in unfinished_by(PAUSE, [older(word)])


def test_it_is_asked_of_those_who_are_there_at_the_moment_of_the_decision() -> None:
    """An older daemon came after the last look at the actions, which found all ready."""
    watch = Watch(a_policy(), fellows=(older("way:command"),))
    watch.break_it()
    assert watch.is_now(State.HELD)
    assert "not ready: bob (0.1.0) could not finish it" in watch.episode.reason
    with watch.draft() as draft:
        scene = Scene(watch.policy, watch.facts, draft)
        by_hand = command_inputs(watch.policy.actions["pause"], "alice", scene, through_hold=True)
    assert rule_on_command(by_hand).ruling is Ruling.REFUSED, "nor may people leave it half done"

    watch.facts = replace(watch.facts, fellows=())
    watch.run(1)
    assert watch.is_now(State.ACTING)


def test_many_words_are_not_all_told() -> None:
    nothing = Fellow("bob", "0.0.1", frozenset())
    said = unfinished_by(PAUSE, [nothing])
    names = {word.partition("/")[0] for word in needs(PAUSE)}
    assert f"and {len(names) - 3} more" in said
