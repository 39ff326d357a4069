"""What is overtaken is looked at, and decided, anew; who keeps changing it is left to a person."""

from __future__ import annotations

import pytest

from tests.core.decisions.watch import BREACHED, Watch, a_policy, an_action
from watchdog.core import entries as e
from watchdog.core.anew import DEPLOYED, DIFFERS, after_deploy, is_in_doubt, is_overtaken
from watchdog.core.deploys import ALL
from watchdog.core.replay import replayed
from watchdog.core.standing import MANUAL
from watchdog.core.starting import Approval, open_intent
from watchdog.core.states import Event, State
from watchdog.core.trees import Anchor
from watchdog.core.words import Direction, Severity, Truth, World

ACTIONS = (an_action(), an_action("restore", "config:mainnet"))


def anchored(watch: Watch, action: str = "pause", digest: str = "aa") -> None:
    """As preflight records that it looked."""
    with watch.draft() as draft:
        anchor = Anchor(digest, watch.now.wall - 9000.0, (("version", digest),))
        draft.add(e.ReadinessChanged(action, Truth.TRUE, f"{digest} is there", anchor))


def overtaken(watch: Watch) -> None:
    """The open intent finds something else than it was decided for, and tries nothing."""
    with watch.draft() as draft:
        intent = next(iter(draft.book.intents))
        draft.add(e.StepTaken(intent, "prove", "conflict", "v5 runs by now, and not v4"))
    watch.end(e.Outcome.ABANDONED)


def acting() -> Watch:
    watch = Watch(a_policy())
    anchored(watch)
    watch.break_it()
    assert watch.is_now(State.ACTING)
    return watch


def test_what_is_not_as_it_was_decided_for_is_looked_at_and_decided_by_what_is_there_then() -> None:
    watch = acting()
    told = len(watch.pages)
    overtaken(watch)
    watch.run(3, BREACHED)
    assert watch.is_now(State.HELD)
    assert watch.decisions[-1].reason == f"ready: not ready: {DIFFERS}"
    assert len(watch.pages) == told, "nobody is called for what the next look may settle"

    anchored(watch, digest="bb")
    watch.run(1, BREACHED)
    assert watch.is_now(State.ACTING)
    (opened,) = (one.entry for one in watch.book.intents.values())
    assert dict(opened.facts) == {"version": "bb", "digest": "bb"}
    assert watch.decisions[-1].inputs["anchor"] == "bb"
    assert all(replayed(one) == () for one in watch.decisions)
    assert watch.refolded().episodes["E1"] == watch.book.episodes["E1"]


def test_that_there_is_nothing_to_go_back_to_when_it_is_looked_at_anew_is_told() -> None:
    watch = acting()
    overtaken(watch)
    watch.run(1, BREACHED)
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.FALSE, "nothing to go back to"))
    watch.run(1, BREACHED)
    assert "held: ready: not ready: nothing to go back to" in watch.pages[-1].title


def test_it_is_decided_anew_twice_and_then_a_person_looks() -> None:
    watch = acting()
    for _ in range(2):
        overtaken(watch)
        anchored(watch)
        watch.run(1, BREACHED)
        assert watch.is_now(State.ACTING)
    overtaken(watch)
    assert watch.is_now(State.LATCHED)
    assert "pause was decided 3 times, and overtaken" in watch.pages[-1].title


def ordered(watch: Watch, *, approved: bool = False) -> None:
    """A person's own rollback."""
    with watch.draft() as draft:
        draft.add(e.EpisodeOpened("E1", MANUAL, "", Severity.P0, World.LIVE, None, actor="alice"))
        ep = draft.book.episodes["E1"]
        draft.move(ep, Event.COMMANDED, "bad build", actor="alice")
        by = Approval(("bob",), "plan", through_hold=False) if approved else "alice"
        open_intent(draft, ep, watch.policy.actions["pause"], Direction.DO, reason="", by=by)


def state(watch: Watch) -> State:
    return watch.book.episodes["E1"].state


def test_an_order_that_nobody_waits_for_any_more_is_told_and_over() -> None:
    watch = Watch(a_policy())
    anchored(watch)
    ordered(watch)
    overtaken(watch)
    watch.run(59)
    assert state(watch) is State.HELD, "who ordered it may go on"
    watch.run(2)
    assert state(watch) is State.OK
    assert "pause was ordered by alice and not started" in watch.pages[-1].title


def test_what_others_had_approved_is_not_gone_on_with_by_who_ordered_it() -> None:
    watch = Watch(a_policy())
    anchored(watch)
    ordered(watch, approved=True)
    overtaken(watch)
    assert state(watch) is State.LATCHED
    assert "pause was not started" in watch.pages[-1].title


# -- after a deploy --------------------------------------------------------------------------------


def in_doubt(watch: Watch) -> list[str]:
    return [name for name in watch.policy.actions if is_in_doubt(name, watch.book)]


@pytest.mark.parametrize(
    ("target", "doubted"),
    [("flag:redemption", ["pause"]), (ALL, ["pause", "restore"]), ("config:other", [])],
)
def test_what_was_ready_to_restore_something_is_in_doubt_when_a_deploy_of_it_is_over(
    target: str, doubted: list[str]
) -> None:
    watch = Watch(a_policy(actions=ACTIONS))
    for action in ACTIONS:
        anchored(watch, action.name)
    with watch.draft() as draft:
        for doubt in after_deploy(target, watch.policy, draft.book):
            draft.add(doubt)
    assert in_doubt(watch) == doubted
    assert all(watch.book.readiness[name][1] == DEPLOYED for name in doubted)


def test_what_restores_nothing_or_was_not_ready_stays_as_it_is_known() -> None:
    watch = Watch(a_policy(actions=ACTIONS))
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("restore", Truth.FALSE, "it is missing", Anchor("aa", 1.0)))
    assert after_deploy(ALL, watch.policy, watch.book) == ()


def test_a_deploy_that_nobody_ended_leaves_it_in_doubt_as_well() -> None:
    watch = Watch(a_policy())
    anchored(watch)
    watch.deploy(for_seconds=5.0)
    watch.run(6)
    assert in_doubt(watch) == ["pause"]


def test_a_look_that_began_before_saw_what_is_there_no_more() -> None:
    watch = Watch(a_policy())
    anchored(watch)
    watch.deploy()
    began, action = watch.now, watch.policy.actions["pause"]
    watch.run(2)
    assert not is_overtaken(action, began, watch.book)
    watch.deployed()
    assert is_overtaken(action, began, watch.book)
    assert not is_overtaken(action, watch.now, watch.book)
