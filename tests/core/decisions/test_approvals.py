"""People are asked before an action: whose yes counts, for what, for how long, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule, an_action
from watchdog.core import entries as e
from watchdog.core.approvals import ApprovalAsked, ApprovalGiven, Means, who_of
from watchdog.core.draft import Draft
from watchdog.core.inputs import Scene, Sight
from watchdog.core.replay import replayed
from watchdog.core.spec import ActionSpec, Policy, Rung, Scope, Step
from watchdog.core.states import Event, State
from watchdog.core.trees import Anchor, RestoreSystem
from watchdog.core.turn import ask_once_more
from watchdog.core.words import Mode, Truth

HOUR = 3600.0
RESTORE = an_action(
    "restore-system",
    "system:/",
    do=Step(RestoreSystem("/backups/*.tar.gz", "/", ("mycelia-*",), 86400.0), "status == 'ok'"),
)


def asking(approvals: int = 1, *, action: ActionSpec | None = None, **rule: object) -> Watch:
    """A breach leads to a rung that asks so many people."""
    watch = Watch(_policy(approvals, action=action, **rule))
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    return watch


def _policy(approvals: int = 1, *, action: ActionSpec | None = None, **rule: object) -> Policy:
    done = action or an_action()
    rung = Rung(done.name, Mode.APPROVE, 20.0, approvals, 60.0)
    return a_policy(a_rule(**rule), actions=(done,), playbooks={"ladder": (rung,)})


def started(watch: Watch) -> list[e.IntentOpened]:
    return [x for x in watch.of(e.IntentOpened) if isinstance(x, e.IntentOpened)]


def asked(watch: Watch) -> list[ApprovalAsked]:
    return [x for x in watch.of(ApprovalAsked) if isinstance(x, ApprovalAsked)]


# -- asking ----------------------------------------------------------------------------------------


def test_the_page_names_what_is_asked_until_when_and_the_commands() -> None:
    watch = asking(2)
    page = watch.pages[-1]
    assert page.title == "errors asks for approval of pause"
    assert "It needs the yes of 2 people until 2026-09-21 14:" in page.body
    for command in ("plan E1", "approve E1 --reason TEXT", "deny E1 --reason TEXT"):
        assert f"slo-watchdog {command}" in page.body
    watch.run(30, BREACHED)
    assert len(asked(watch)) == 1, "asked once, and not at every pass"
    assert started(watch) == []


def test_one_yes_acts_and_the_record_says_whose_it_was() -> None:
    watch = asking()
    assert watch.approve("alice") == "pause is approved by alice, and started"
    (intent,) = started(watch)
    assert (intent.actor, intent.approved_by) == ("approved by alice", ("alice",))
    assert intent.plan == asked(watch)[0].plan
    assert watch.is_now(State.ACTING)
    assert watch.decisions[-1].ruling is e.Ruling.ALLOWED
    assert watch.decisions[-1].decision == intent.decision
    moved = [m for m in watch.moves() if m.event is Event.APPROVED]
    assert [m.actor for m in moved] == ["approved by alice"]


def test_distinct_people_count_and_each_once() -> None:
    watch = asking(2)
    assert watch.approve("alice") == "alice approves pause; 1 more person must"
    assert watch.approve("alice") == ("refused: alice has approved it already; 1 more person must")
    assert watch.is_now(State.AWAITING)
    assert watch.approve("bob") == "pause is approved by alice, bob, and started"


def test_one_person_by_two_means_is_one_person() -> None:
    watch = asking(2)
    watch.approve("alice")
    assert "has approved it already" in watch.approve("alice", means=Means.SSH)
    assert {who_of("alice (uid 1000)"), who_of("alice@example.org (key 3f)")} == {"alice"}
    assert len({who_of("unknown (uid 1)"), who_of("unknown (uid 2)")}) == 2


def test_whoever_let_it_act_does_not_approve_it_too() -> None:
    watch = Watch(_policy())
    hold = watch.hold()
    watch.break_it()
    watch.release(hold)
    watch.act(watch.episode)
    watch.run(1, BREACHED)
    assert watch.is_now(State.AWAITING)
    assert asked(watch)[0].requester == "alice"
    assert "alice asked for it" in watch.approve("alice")
    watch.approve("bob")
    assert watch.is_now(State.ACTING)


# -- no --------------------------------------------------------------------------------------------


def test_one_no_ends_it_and_a_person_must_close() -> None:
    watch = asking(2)
    watch.approve("alice")
    watch.deny("bob")
    assert watch.is_now(State.LATCHED)
    assert watch.pages[-1].title.endswith("pause was denied by bob (uid 1000)")
    assert "nothing waits there" in watch.approve("carol")
    watch.run(100, HEALTHY)
    assert watch.is_now(State.LATCHED)
    assert started(watch) == []


def test_it_expires_latches_and_pages_who_did_not_answer() -> None:
    watch = asking(2)
    watch.approve("alice")
    watch.run(58, BREACHED)
    assert watch.is_now(State.AWAITING)
    watch.run(1, BREACHED)
    assert watch.is_now(State.LATCHED)
    assert watch.episode.reason == "pause was not approved in time: 2 had to, alice did"
    assert "nothing waits there" in watch.approve("bob")
    assert started(watch) == []


def test_a_yes_in_the_very_second_of_expiry_is_too_late() -> None:
    watch = asking()
    watch.now = asked(watch)[0].expires
    assert "the request expired" in watch.approve("alice")
    assert started(watch) == []


def test_a_wall_clock_that_jumps_ahead_ends_what_was_asked() -> None:
    watch = asking()
    watch.now = replace(watch.now, wall=watch.now.wall + HOUR)
    assert "the request expired" in watch.approve("alice")
    watch.run(1, BREACHED)
    assert watch.is_now(State.LATCHED)


def test_recovered_while_asked_the_request_is_withdrawn_and_its_approvals_with_it() -> None:
    watch = asking(2)
    watch.approve("alice")
    watch.run(2, HEALTHY)
    assert watch.is_now(State.OK)
    assert watch.book.requests.open == {}
    watch.run(1200, HEALTHY)
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    assert watch.approve("bob") == "bob approves pause; 1 more person must"


# -- every gate once more --------------------------------------------------------------------------


def test_a_hold_that_came_meanwhile_refuses_and_its_end_starts_nothing() -> None:
    watch = asking()
    hold = watch.hold()
    assert "hold H1 on everything by alice: migration" in watch.approve("alice")
    assert watch.is_now(State.AWAITING)
    assert watch.decisions[-1].ruling is e.Ruling.REFUSED
    assert "approved, and held" in watch.pages[-1].title
    watch.release(hold)
    watch.run(20, BREACHED)
    assert started(watch) == [], "a gate that opens starts nothing by itself"
    assert watch.approve("alice") == "pause is approved by alice, and started"


def test_the_same_refusal_is_recorded_and_paged_once() -> None:
    watch = asking()
    watch.hold()
    for _ in range(3):
        assert "hold H1" in watch.approve("alice")
    assert len([d for d in watch.decisions if d.ruling is e.Ruling.REFUSED]) == 1
    assert len([p for p in watch.pages if "approved, and held" in p.title]) == 1
    assert len(watch.of(ApprovalGiven)) == 3


def test_an_approval_goes_through_a_hold_only_when_it_says_so() -> None:
    watch = asking(2)
    watch.hold()
    watch.approve("alice")
    assert "approved, and held: hold" in watch.approve("bob")
    assert watch.approve("bob", through_hold=True).endswith("and started")
    assert started(watch)[0].through_hold


def test_a_hold_placed_after_that_word_counts_again() -> None:
    watch = asking(2)
    watch.hold()
    watch.approve("alice", through_hold=True)
    watch.run(1, BREACHED)
    watch.hold(Scope("rule", "errors"))
    watch.run(1, BREACHED)
    assert "approved, and held: hold" in watch.approve("bob")
    assert started(watch) == []


def test_blind_or_not_ready_is_refused_however_many_say_yes() -> None:
    watch = asking()
    watch.run(1, BLIND)
    assert "evidence: blind" in watch.approve("alice")
    watch.run(1, BREACHED)
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.FALSE, "no such tool"))
    assert "ready: not ready: no such tool" in watch.approve("alice")
    assert started(watch) == []


def test_an_approved_start_counts_for_cooldown_and_budget_as_every_other() -> None:
    watch = asking()
    watch.approve("alice")
    watch.end(e.Outcome.DONE)
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.run(25, HEALTHY)
    watch.break_it()
    assert watch.is_now(State.HELD)
    assert watch.decisions[-1].reason.startswith("cooldown: until ")


# -- what was asked for is what is done ------------------------------------------------------------


def test_another_text_of_action_or_rule_voids_every_yes_and_asks_anew() -> None:
    for changed in (_policy(2, action=an_action(sha256="new")), _policy(2, sha256="new")):
        watch = asking(2)
        watch.approve("alice")
        watch.policy = changed
        assert "has changed. Every approval of before is void" in watch.approve("bob")
        watch.run(1, BREACHED)
        assert watch.is_now(State.AWAITING)
        changed_text = "the text of pause, or of the rule that asks for it, has changed"
        assert [p.title for p in watch.pages[-2:]] == [
            f"errors: approvals are void: {changed_text}",
            "errors asks for approval of pause",
        ]
        assert "void is what alice approved" in watch.pages[-2].body
        assert watch.approve("bob") == "bob approves pause; 1 more person must"
        assert started(watch) == []


def test_another_anchor_voids_every_yes() -> None:
    watch = Watch(_policy(2))
    _anchored(watch, "a" * 64)
    watch.break_it()
    watch.approve("alice")
    _anchored(watch, "b" * 64)
    said = watch.approve("bob")
    assert f"what pause would restore has changed ({'a' * 12} to {'b' * 12})" in said
    watch.run(1, BREACHED)
    assert asked(watch)[-1].anchor == "b" * 64
    assert watch.approve("alice") == "alice approves pause; 1 more person must"


def test_an_anchor_that_is_not_known_for_a_while_voids_nothing_and_starts_nothing() -> None:
    watch = Watch(_policy())
    _anchored(watch, "a" * 64)
    watch.break_it()
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.UNKNOWN, "hashing, 40%"))
    watch.run(5, BREACHED)
    assert len(asked(watch)) == 1
    assert "ready: not ready: hashing, 40%" in watch.approve("alice")
    _anchored(watch, "a" * 64)
    watch.approve("alice")
    assert watch.is_now(State.ACTING)


def _anchored(watch: Watch, digest: str) -> None:
    with watch.draft() as draft:
        anchor = Anchor(digest, watch.now.wall - 86400.0)
        draft.add(e.ReadinessChanged("pause", Truth.TRUE, "works", anchor))


def test_more_approvals_than_were_asked_for_are_asked_for_anew() -> None:
    watch = asking(1)
    watch.policy = _policy(2)
    assert "needs 2 approvals now, and 1 before" in watch.approve("alice")
    watch.run(1, BREACHED)
    assert asked(watch)[-1].needed == 2


def test_what_is_no_step_of_the_playbook_any_more_is_not_done() -> None:
    watch = asking()
    watch.policy = a_policy(a_rule(playbook=None))
    watch.run(1, BREACHED)
    assert watch.is_now(State.HELD)
    assert "nothing waits there" in watch.approve("alice")


# -- right before the effect -----------------------------------------------------------------------


def _asked_once_more(watch: Watch) -> str:
    (intent,) = started(watch)
    seen = watch.seen["errors"]
    found = watch._sight(watch.policy.rules["errors"], seen)
    sight = Sight(found.verdict, 5.0, 0.0)
    scene = Scene(watch.policy, watch.facts, Draft(watch.book, watch.now))
    return ask_once_more(intent, sight, scene)


def test_right_before_the_effect_the_gates_are_asked_of_what_was_approved_too() -> None:
    watch = asking(2)
    watch.approve("alice")
    watch.approve("bob")
    assert _asked_once_more(watch) == ""
    watch.hold()
    assert _asked_once_more(watch).startswith("hold: hold H1")


def test_right_before_the_effect_it_is_still_what_was_approved() -> None:
    watch = asking()
    watch.approve("alice")
    watch.policy = _policy(action=an_action(sha256="new"))
    assert _asked_once_more(watch) == "pause is not what was approved any more"


def test_given_up_before_the_effect_its_approvals_are_spent() -> None:
    watch = asking()
    watch.approve("alice")
    watch.end(e.Outcome.ABANDONED)
    watch.run(1, BREACHED)
    assert watch.is_now(State.AWAITING)
    assert len(asked(watch)) == 2
    assert watch.book.requests.open["E1"].given == ()


# -- restarts, and the record ----------------------------------------------------------------------


def test_approvals_survive_a_restart() -> None:
    watch = asking(2)
    watch.approve("alice")
    watch.book = watch.refolded()
    assert watch.approve("bob") == "pause is approved by alice, bob, and started"


def test_used_approvals_are_not_there_any_more_after_a_restart() -> None:
    watch = asking()
    watch.approve("alice")
    assert watch.refolded().requests.open == {}


def test_every_decision_made_with_approvals_can_be_made_again() -> None:
    watch = asking(2)
    watch.hold()
    watch.approve("alice")
    watch.approve("bob")
    watch.approve("bob", through_hold=True)
    rulings = [d.ruling.value for d in watch.decisions]
    assert rulings == ["needs_approval", "refused", "allowed"]
    assert [replayed(d) for d in watch.decisions] == [()] * 3


def test_a_request_of_a_version_that_took_no_approvals_is_asked_anew() -> None:
    watch = asking()
    watch.book.requests.open.clear()
    watch.run(1, BREACHED)
    assert watch.is_now(State.AWAITING)
    assert len(asked(watch)) == 2


# -- a whole system --------------------------------------------------------------------------------


def test_who_sits_at_the_socket_does_not_approve_the_restore_of_a_system() -> None:
    watch = asking(2, action=RESTORE)
    assert "by signature" in watch.pages[-1].body
    assert "only signatures count" in watch.approve("alice")
    for who in ("alice", "bob"):
        watch.approve(who, means=Means.SSH)
    assert watch.is_now(State.ACTING)


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_as_many_as_are_needed_and_not_one_less(needed: int) -> None:
    watch = asking(needed)
    people = ["alice", "bob", "carol"][:needed]
    for who in people[:-1]:
        watch.approve(who)
        assert started(watch) == []
    watch.approve(people[-1])
    assert started(watch)[0].approved_by == tuple(people)
