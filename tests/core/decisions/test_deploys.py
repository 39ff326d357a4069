"""Deploys and rollbacks keep out of each other's way, and neither forgets it over a restart."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.core.decisions.watch import (
    BLIND,
    BREACHED,
    HEALTHY,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core import entries as e
from watchdog.core.deploying import frozen, refusal
from watchdog.core.deploys import ALL
from watchdog.core.inputs import Scene
from watchdog.core.replay import replayed
from watchdog.core.spec import Limits, Rung
from watchdog.core.states import State
from watchdog.core.trees import Anchor
from watchdog.core.turn import ask_once_more
from watchdog.core.words import Direction, Mode, Truth

FLAG = "flag:redemption"


def lift(watch: Watch, target: str = FLAG) -> None:
    with watch.draft() as draft:
        episodes = tuple(one.episode for one in frozen(target, draft.book))
        draft.add(e.FreezeLifted(target, episodes, "alice", "this build is another one"))


def same_again(watch: Watch) -> None:
    """Law 10, and that a restart believes the same."""
    assert watch.decisions
    for decided in watch.decisions:
        assert replayed(decided) == ()
    assert watch.refolded().deploys == watch.book.deploys


# -- under a deploy --------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [FLAG, ALL])
def test_nothing_starts_under_a_deploy_and_what_is_still_broken_after_it_is_acted_on(
    target: str,
) -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    assert watch.deploy(target) == ""
    watch.run(60, BREACHED)
    assert watch.started == []
    (decided,) = watch.decisions
    assert decided.reason.startswith(f"deploy: deploy of {target} under way since ")
    assert decided.reason.endswith(" by pipeline ci")
    assert watch.episode.barred == "", "what begins in a deploy is not already burning"
    assert [page.title for page in watch.pages] == [
        f"errors is breached and held: {decided.reason}"
    ]

    watch.deployed(target)
    watch.run(1)
    assert len(watch.started) == 1
    same_again(watch)


def test_what_a_deploy_mends_is_never_acted_on() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.deploy()
    watch.run(20, BREACHED)
    watch.deployed()
    watch.run(30, HEALTHY)
    assert watch.started == []
    assert watch.is_now(State.OK)
    same_again(watch)


def test_what_was_seen_before_the_end_is_no_evidence_after_it() -> None:
    """The end is told between two looks: the last one still saw half of it."""
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.deploy()
    watch.run(20, BREACHED)
    watch.deployed()
    watch.a_pass()  # by the very samples of before
    assert watch.started == []
    assert watch.decisions[-1].reason.endswith("waits for a look after it")
    watch.run(5, HEALTHY)
    assert watch.started == []


def test_a_breach_of_before_the_deploy_waits_for_its_end_too() -> None:
    watch = Watch(a_policy(a_rule(for_seconds=10.0)))
    watch.run(2, HEALTHY)
    watch.run(8, BREACHED)
    watch.deploy()
    watch.run(20)
    assert watch.started == []
    watch.deployed()
    watch.run(1)
    assert len(watch.started) == 1


def test_a_deploy_of_another_target_keeps_nothing_back() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.deploy("config:/srv/elsewhere")
    watch.break_it()
    assert len(watch.started) == 1


def test_one_that_nobody_ends_is_over_when_its_time_is() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.deploy(for_seconds=30.0)
    watch.run(29, BREACHED)
    assert watch.started == []
    watch.run(2)
    (ended,) = watch.of(e.DeployEnded)
    assert isinstance(ended, e.DeployEnded)
    assert (ended.outcome.value, ended.actor) == ("expired", "expiry")
    assert len(watch.started) == 1
    same_again(watch)


def test_no_deploy_keeps_actions_back_for_longer_than_the_policy_lets_it() -> None:
    watch = Watch(a_policy(limits=Limits(4, 86400.0, 5, deploy_max_seconds=60.0)))
    watch.run(2, HEALTHY)
    watch.deploy(for_seconds=7200.0)
    watch.run(59, BREACHED)
    assert watch.started == []
    watch.run(2)
    assert len(watch.started) == 1
    watch.end()
    watch.run(100)
    told = [page for page in watch.pages if page.key == "deploy:P1"]
    assert [page.title for page in told] == [f"a deploy of {FLAG} lasts longer than 1m"]
    assert "slo-watchdog deploy end flag:redemption" in told[0].body
    same_again(watch)


def test_deploys_one_after_the_other_keep_actions_back_no_longer_than_one() -> None:
    """A pipeline in a loop, with no look between its end and its next beginning."""
    watch = Watch(a_policy(limits=Limits(4, 86400.0, 5, deploy_max_seconds=60.0)))
    watch.run(2, HEALTHY)
    for _ in range(20):
        if watch.deploy():
            break  # an action is under way
        watch.run(5, BREACHED)
        watch.deployed()
    (when,) = [at.steady for at, entry in watch.journal if isinstance(entry, e.IntentOpened)]
    assert 60.0 <= when - 5002.0 <= 62.0
    assert len([page for page in watch.pages if page.key.startswith("deploy:")]) == 1
    same_again(watch)


def test_deploys_that_overlap_do_not_prolong_each_other() -> None:
    """One of everything, and one of the target beneath it."""
    watch = Watch(a_policy(limits=Limits(4, 86400.0, 5, deploy_max_seconds=60.0)))
    watch.run(2, HEALTHY)
    watch.deploy(ALL)
    watch.run(50, BREACHED)
    watch.deploy(FLAG)
    watch.deployed(ALL)
    watch.run(9)
    assert watch.started == []
    watch.run(2)
    assert len(watch.started) == 1


def test_shadow_is_kept_back_in_the_same_way() -> None:
    watch = Watch(a_policy(a_rule(mode=Mode.SHADOW)))
    watch.run(2, HEALTHY)
    watch.deploy()
    watch.run(10, BREACHED)
    assert [d.ruling for d in watch.decisions] == [e.Ruling.REFUSED]
    watch.deployed()
    watch.run(1)
    assert watch.decisions[-1].ruling is e.Ruling.WOULD_ACT


def test_blindness_after_a_deploy_starts_nothing() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.deploy()
    watch.run(10, BREACHED)
    watch.deployed()
    watch.run(10, BLIND)
    assert watch.started == []


def test_who_acts_through_a_hold_acts_through_the_deploys_of_that_moment_alone() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    hold = watch.hold()
    watch.run(10, BREACHED)
    watch.act(watch.episode, through_hold=True)
    watch.now = watch.now.plus(0.5)
    watch.deploy()  # after that word
    watch.run(5)
    assert watch.started == []
    watch.act(watch.episode, through_hold=True)
    watch.run(1)
    assert len(watch.started) == 1
    watch.release(hold)


def test_a_deploy_is_asked_once_more_right_before_the_effect() -> None:
    """However it came onto the record after the decision: through another daemon, say."""
    watch = Watch(a_policy())
    watch.break_it()
    (opened,) = watch.started
    until = watch.now.plus(600.0)
    with watch.draft() as draft:
        draft.add(e.DeployBegan("P1", FLAG, "pipeline ci", until))
        scene = Scene(watch.policy, watch.facts, draft)
        sight = watch._sight(watch.policy.rules["errors"], watch.seen["errors"])
        refused = ask_once_more(opened, sight, scene)
    assert refused.startswith(f"deploy: deploy of {FLAG} under way since ")


# -- and a deploy under a rollback -----------------------------------------------------------------


def test_no_deploy_begins_while_an_action_is_under_way() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    for target in (FLAG, ALL):
        refused = watch.deploy(target)
        assert refused == f"I1 (do pause for E1) is under way on {FLAG}: wait until it has ended"
    assert watch.deploy("flag:another") == ""


def test_one_deploy_at_a_time() -> None:
    watch = Watch(a_policy())
    assert watch.deploy() == ""
    assert "P1 (v2) of flag:redemption by pipeline ci" in watch.deploy()
    watch.deployed()
    assert watch.deploy() == ""


def rolled_back(target: str = FLAG) -> Watch:
    watch = Watch(a_policy(actions=(an_action(target=target),)))
    watch.break_it()
    watch.end()
    return watch


def test_what_was_rolled_back_is_not_deployed_again_until_a_person_says_so() -> None:
    watch = rolled_back()
    for target in (FLAG, ALL):
        refused = watch.deploy(target)
        assert "flag:redemption is frozen: E1 rolled it back" in refused
        assert refused.endswith("slo-watchdog deploy unfreeze flag:redemption --reason TEXT")
    assert "frozen" in refusal(FLAG, watch.refolded()), "after a restart, too"
    lift(watch)
    assert refusal(FLAG, watch.refolded()) == ""
    assert watch.deploy() == ""
    watch.deployed()
    assert watch.deploy() == "", "it stays lifted for that episode"
    same_again(watch)


def test_an_undo_by_a_person_ends_the_freeze_of_what_it_gives_back() -> None:
    watch = rolled_back()
    watch.run(5, HEALTHY)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.undo(watch.episode)
    assert watch.deploy() == ""


def test_a_second_rollback_freezes_anew_what_was_lifted() -> None:
    watch = rolled_back()
    lift(watch)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.run(2, HEALTHY)
    watch.undo(watch.episode)
    watch.run(25, HEALTHY)
    watch.run(700, HEALTHY)
    watch.run(5, BREACHED)
    assert len(watch.started) == 2
    watch.end()
    assert "E2 rolled it back" in watch.deploy()


def test_a_latched_episode_freezes_what_it_may_have_changed() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.UNKNOWN)
    assert watch.is_now(State.LATCHED)
    assert "E1 was to roll it back, and a person must look" in watch.deploy()
    watch.close(watch.episode)
    assert watch.deploy() == ""


def test_quarantined_content_freezes_its_target_after_the_episode_is_over() -> None:
    watch = rolled_back("config:/srv/app")
    with watch.draft() as draft:
        ep = draft.book.episodes["E1"]
        name = draft.book.next_id("I")
        draft.add(e.ReadinessChanged("pause", Truth.TRUE, "", Anchor("aa", 1.0)))
        opened = draft.book.last
        assert opened is not None
        draft.add(
            e.IntentOpened(name, ep.id, "pause", "config:/srv/app", Direction.DO, opened.plus(9.0))
        )
        facts = (("displaced_digest", "bad"),)
        draft.add(e.StepTaken(name, "settle", "claimed", "", facts=facts))
        draft.add(e.ClaimReleased(ep.id, "config:/srv/app", "changed by somebody else"))
    watch.end(e.Outcome.FAILED, name)
    watch.close(watch.episode)
    assert "its content is quarantined" in watch.deploy("config:/srv/app")
    lift(watch, "config:/srv/app")
    assert watch.deploy("config:/srv/app") == ""


# -- attribution -----------------------------------------------------------------------------------


def attributed(within: float = 600.0) -> Watch:
    rung = Rung("pause", Mode.ARMED, 20.0, attribute_within_seconds=within)
    return Watch(a_policy(playbooks={"ladder": (rung,)}))


def test_a_rung_that_asks_for_a_deploy_acts_after_one_and_names_it() -> None:
    watch = attributed()
    watch.run(2, HEALTHY)
    watch.deploy(change="v2.1")
    watch.run(30, HEALTHY)
    watch.deployed()
    watch.run(300, HEALTHY)
    watch.run(5, BREACHED)
    assert len(watch.started) == 1
    assert "attributed to P1 (v2.1) of flag:redemption by pipeline ci" in watch.decisions[-1].reason
    same_again(watch)


def test_a_deploy_in_which_the_breach_began_is_what_it_is_attributed_to() -> None:
    watch = attributed(60.0)
    watch.run(2, HEALTHY)
    watch.deploy(change="v2.1")
    watch.run(200, HEALTHY)
    watch.run(30, BREACHED)
    watch.deployed()
    watch.run(2)
    assert len(watch.started) == 1


@pytest.mark.parametrize("deploys", [False, True])
def test_without_one_in_time_it_does_not_act(deploys: bool) -> None:  # noqa: FBT001  # a case
    watch = attributed(60.0)
    if deploys:
        watch.deploy()
        watch.deployed()
    watch.run(100, HEALTHY)
    watch.run(10, BREACHED)
    assert watch.started == []
    assert watch.decisions[-1].reason.startswith(
        "change: nothing was deployed to flag:redemption within 1m before the breach"
    )
    watch.deploy()  # begun after the trouble
    watch.deployed()
    watch.run(5)
    assert watch.started == []


# -- whatever happens ------------------------------------------------------------------------------


def anything(watch: Watch, chance: random.Random) -> None:
    """Something that a pipeline, a person, the runner or the metrics do."""
    match chance.randrange(9):
        case 0:
            watch.deploy(chance.choice((FLAG, ALL)), for_seconds=chance.choice((5, 100)))
        case 1:
            for target in list(watch.book.deploys.open):
                watch.deployed(target)
        case 2 if watch.book.intents:
            watch.end(chance.choice((e.Outcome.DONE, e.Outcome.UNKNOWN, e.Outcome.ABANDONED)))
        case 3 if watch.episode_is(State.LATCHED):
            watch.close(watch.episode)
        case 4:
            lift(watch)
        case 5 if not chance.randrange(4):
            watch.run(301, HEALTHY)
        case _:
            watch.run(chance.randrange(1, 6), chance.choice((HEALTHY, BREACHED, BREACHED)))


def started_under_a_deploy(watch: Watch, most_seconds: float) -> list[str]:
    since: dict[str, float] = {}
    lately: dict[str, tuple[float, float]] = {}  # when it began and ended
    found = []
    for at, entry in watch.journal:
        match entry:
            case e.DeployBegan():
                followed = [
                    began
                    for target, (began, ended) in lately.items()
                    if target in {entry.target, ALL} and at.steady - ended < 300.0
                ]
                followed += [since[ALL]] if ALL in since else []
                since[entry.target] = min(followed, default=at.steady)
            case e.DeployEnded():
                lately[entry.target] = since.pop(entry.target), at.steady
            case e.IntentOpened() if any(at.steady - s < most_seconds for s in since.values()):
                found.append(entry.intent)
            case _:
                pass
    return found


@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_nothing_starts_under_a_deploy_and_a_restart_believes_the_same(
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a story, no secret
    limits = Limits(1000, 60.0, 5, deploy_max_seconds=40.0)
    watch = Watch(a_policy(a_rule(cooldown_seconds=0.0, watch_seconds=3.0), limits=limits))
    watch.run(2, HEALTHY)
    for _ in range(150):
        anything(watch, chance)
    assert watch.of(e.DeployEnded)
    assert started_under_a_deploy(watch, 40.0) == []
    assert watch.refolded().deploys == watch.book.deploys
    assert [d for d in watch.decisions if replayed(d)] == []


def test_what_is_kept_is_bounded() -> None:
    watch = Watch(a_policy())
    for number in range(1100):
        watch.deploy(f"flag:f{number}")
        watch.deployed(f"flag:f{number}")
    with watch.draft() as draft:
        many = tuple(f"E{number}" for number in range(1100))
        draft.add(e.FreezeLifted(FLAG, many, "alice", "all of them"))
    deploys = watch.book.deploys
    assert (len(deploys.past), len(deploys.last), deploys.open) == (1000, 1000, {})
    assert sum(len(held) for held in deploys.lifted.values()) == 1000
    assert deploys.next_name() == "P1101"


def test_a_decision_of_before_deploys_were_known_is_read() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    (decided,) = watch.decisions
    older = {k: v for k, v in decided.inputs.items() if k not in {"deploys", "change"}}
    assert replayed(replace(decided, inputs=older)) == ()
