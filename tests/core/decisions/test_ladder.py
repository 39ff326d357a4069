"""The whole ladder: a pause, a configuration, a system; each only after the one below failed.

Also one rung alone as a playbook, and several episodes that share what one of them rolled back.
"""

from __future__ import annotations

from dataclasses import replace

from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy, a_rule, an_action
from watchdog.core import entries as e
from watchdog.core.approvals import Means
from watchdog.core.replay import replayed
from watchdog.core.spec import Rung, Step
from watchdog.core.states import Event, State
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Mode, Truth

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
PAUSE = an_action()
CONFIG = an_action("restore-config", "config:mainnet")
SYSTEM = an_action(
    "restore-system",
    "system:/",
    do=Step(RestoreSystem("/backups/*.tar.gz", "/", ("mycelia-*",), 86400.0), "status == 'ok'"),
)
LADDER = (
    Rung("pause", Mode.ARMED, 20.0),
    Rung("restore-config", Mode.APPROVE, 20.0, 1, 60.0),
    Rung("restore-system", Mode.APPROVE, 20.0, 2, 60.0),
)


def ladder(**rule: object) -> Watch:
    rules = (a_rule(**rule), a_rule("latency", up_to="pause"))
    books = {"ladder": LADDER}
    watch = Watch(a_policy(*rules, actions=(PAUSE, CONFIG, SYSTEM), playbooks=books))
    watch.break_it("errors")
    return watch


def helps(watch: Watch, contained: Truth, *, after: int = 20) -> None:
    """The effect is proven, time passes, and it is looked whether it helped."""
    watch.end(e.Outcome.DONE)
    watch.run(after, BREACHED, "errors")
    watch.look(contained, contained)


def started(watch: Watch) -> list[str]:
    opened = [x for x in watch.of(e.IntentOpened) if isinstance(x, e.IntentOpened)]
    return [intent.action for intent in opened]


def asked_for(watch: Watch) -> list[str]:
    return [x.action for x in watch.of(e.ApprovalAsked) if isinstance(x, e.ApprovalAsked)]


def test_it_is_climbed_to_its_end_by_proven_failures_and_by_people() -> None:
    watch = ladder()
    assert started(watch) == ["pause"]
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    assert watch.is_now(State.AWAITING), "the second step asks"
    assert started(watch) == ["pause"]
    watch.approve("alice")
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    assert watch.is_now(State.AWAITING), "and the third asks for two"
    assert "only signatures count" in watch.approve("alice")
    watch.approve("alice", means=Means.SSH)
    assert started(watch) == ["pause", "restore-config"], "her word for the step before is spent"
    watch.approve("bob", means=Means.SSH)
    assert started(watch) == ["pause", "restore-config", "restore-system"]
    helps(watch, TRUE)
    assert watch.is_now(State.CONTAINED)
    assert {c.target for c in watch.book.claims_of("E1")} == {
        "flag:redemption", "config:mainnet", "system:/",
    }  # fmt: skip
    assert [replayed(one) for one in watch.decisions] == [()] * len(watch.decisions)
    assert [m.event for m in watch.moves()].count(Event.CLIMB) == 2


def test_at_its_end_a_proven_failure_is_for_a_person() -> None:
    watch = ladder()
    for people in ((), ("alice",), ("alice", "bob")):
        for who in people:
            watch.approve(who, means=Means.SSH)
        helps(watch, FALSE)
        watch.run(1, BREACHED, "errors")
    assert started(watch) == ["pause", "restore-config", "restore-system"]
    assert watch.is_now(State.LATCHED)


def test_what_is_not_known_climbs_nothing_on_any_step() -> None:
    watch = ladder()
    helps(watch, UNKNOWN)
    assert watch.is_now(State.LATCHED)
    watch = ladder()
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    watch.approve("alice")
    helps(watch, UNKNOWN)
    assert watch.is_now(State.LATCHED)
    assert asked_for(watch) == ["restore-config"]


def test_a_step_that_helps_ends_the_climb() -> None:
    watch = ladder()
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    watch.approve("alice")
    helps(watch, TRUE, after=1)
    watch.run(60, BREACHED, "errors")
    assert watch.is_now(State.CONTAINED)
    assert started(watch) == ["pause", "restore-config"]


def test_a_recovery_while_the_second_step_asks_leaves_the_first_in_place() -> None:
    watch = ladder()
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    watch.run(2, HEALTHY, "errors")
    assert watch.is_now(State.CONTAINED)
    assert watch.book.requests.open == {}
    assert [c.target for c in watch.book.claims_of("E1")] == ["flag:redemption"]


def test_denied_or_unanswered_the_climb_stops_there() -> None:
    for denied in (True, False):
        watch = ladder()
        helps(watch, FALSE)
        watch.run(1, BREACHED, "errors")
        if denied:
            watch.deny("alice")
        watch.run(100, BREACHED, "errors")
        assert watch.is_now(State.LATCHED)
        assert started(watch) == ["pause"]
        assert asked_for(watch) == ["restore-config"]


def test_every_gate_is_asked_of_every_step() -> None:
    watch = ladder()
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("restore-config", FALSE, "previous is missing"))
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    assert watch.is_now(State.HELD)
    assert watch.decisions[-1].reason == "ready: not ready: previous is missing"
    assert asked_for(watch) == [], "nobody is asked for what would not work"
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("restore-config", TRUE, "works"))
    watch.run(1, BREACHED, "errors")
    assert asked_for(watch) == ["restore-config"]


def test_up_to_ends_the_climb_for_that_rule_alone() -> None:
    watch = ladder(up_to="restore-config")
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    watch.approve("alice")
    helps(watch, FALSE)
    assert watch.is_now(State.LATCHED)
    assert asked_for(watch) == ["restore-config"]


def test_one_step_alone_is_a_playbook_like_others() -> None:
    rung = Rung("restore-config", Mode.ARMED, 20.0)
    watch = Watch(a_policy(a_rule(), actions=(CONFIG,), playbooks={"ladder": (rung,)}))
    watch.break_it()
    assert started(watch) == ["restore-config"]
    helps(watch, FALSE)
    assert watch.is_now(State.LATCHED)


def test_the_restore_of_a_system_asks_whatever_its_mode_says() -> None:
    rung = Rung("restore-system", Mode.ARMED, 20.0, 2)
    watch = Watch(a_policy(a_rule(), actions=(SYSTEM,), playbooks={"ladder": (rung,)}))
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    assert started(watch) == []
    assert watch.decisions[-1].reason == "approve, by a system restore, which is never automatic"


def test_episodes_that_share_a_target_share_its_change_and_each_holds_it() -> None:
    watch = ladder()
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    first = watch.book.episodes["E1"]
    watch.break_it("latency")
    second = watch.book.episodes["E2"]
    assert started(watch) == ["pause", "pause"]
    watch.end(e.Outcome.FOUND)
    watch.look(TRUE, UNKNOWN)
    holders = [claim.episode for claim in watch.book.claimants("flag:redemption")]
    assert holders == [first.id, second.id]
    assert not any(claim.found for claim in watch.book.claimants("flag:redemption"))
    with watch.draft() as draft:
        draft.add(e.ClaimReleased("E2", "flag:redemption", "its cause is mended", "alice"))
    assert [c.episode for c in watch.book.claimants("flag:redemption")] == ["E1"]
    assert watch.book.episodes["E1"].state is State.AWAITING


def test_another_mode_of_a_step_while_it_asks_is_told_by_its_gate() -> None:
    watch = ladder()
    helps(watch, FALSE)
    watch.run(1, BREACHED, "errors")
    watch.facts = replace(watch.facts, max_mode=Mode.OBSERVE)
    assert "mode: observe, by process max_mode" in watch.approve("alice")
    assert started(watch) == ["pause"]
