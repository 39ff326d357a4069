"""The numbers of the procedure: how long it took, how long it was down, who was affected."""

from dataclasses import replace

import pytest

from tests.core.decisions.watch import (
    BLIND,
    BREACHED,
    FOR_SECONDS,
    HEALTHY,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core.entries import ImpactMeasured, Outcome, ServiceTurned
from watchdog.core.impact import Cost
from watchdog.core.measured import Service
from watchdog.core.measures import Ended, Measure
from watchdog.core.spans import seconds_in
from watchdog.core.spec import Impact, Limits
from watchdog.core.states import State
from watchdog.core.trees import Anchor
from watchdog.core.words import Instant, Truth

FLAG = "flag:redemption"


def of(watch: Watch, rule: str = "errors") -> Measure:
    """The measure of a rule's newest episode."""
    found = [one for one in watch.book.measures.episodes.values() if one.rule == rule]
    return found[-1]


def downtime(watch: Watch, rule: str = "errors") -> float:
    kept = watch.book.measures.services.get(rule)
    return seconds_in(kept.kept, 0.0, watch.now.steady) if kept else 0.0


def paused(watch: Watch, target: str = FLAG) -> float:
    kept = watch.book.measures.paused.get(target)
    return seconds_in(kept.kept, 0.0, watch.now.steady) if kept else 0.0


def contained(watch: Watch) -> None:
    """Breached, paused within 2 s of the decision, contained 3 s later."""
    watch.break_it(seconds=int(FOR_SECONDS) + 1)
    watch.now = watch.now.plus(2.0)
    watch.end()
    watch.now = watch.now.plus(3.0)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert watch.is_now(State.CONTAINED)


def resumed(watch: Watch) -> None:
    watch.seen["errors"].status = HEALTHY
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)


def test_a_pause_has_its_times_from_the_breach_and_from_the_decision() -> None:
    watch = Watch(a_policy())
    contained(watch)
    one = of(watch)
    assert one.breached == watch.book.episodes["E1"].opened
    (act,) = one.acts
    assert (act.action, act.outcome, act.sla_seconds) == ("pause", Outcome.DONE, 30.0)
    assert act.seconds == 2.0
    assert act.ended is Ended.IN_TIME
    assert act.effect_at is not None
    assert act.effect_at.steady - one.breached.steady == FOR_SECONDS + 2.0
    assert one.contained is not None
    assert one.contained.steady - one.breached.steady == FOR_SECONDS + 5.0
    assert one.recovered is None


def test_contained_is_not_recovered_until_events_say_so() -> None:
    watch = Watch(a_policy())
    contained(watch)
    watch.run(30, BLIND)  # the pause stops the traffic
    assert of(watch).recovered is None
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, BLIND)
    one = of(watch)
    assert one.service is Service.RECOVERED
    assert one.recovered == watch.now
    assert watch.is_now(State.CONTAINED)  # it decides nothing


def test_a_healthy_window_that_reaches_back_before_the_effect_proves_no_recovery() -> None:
    watch = Watch(a_policy())
    contained(watch)
    watch.run(30, HEALTHY)
    assert of(watch).recovered is None
    resumed(watch)
    watch.run(5, HEALTHY)
    assert of(watch).recovered is None
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, HEALTHY)
    assert of(watch).recovered == watch.now


def test_what_was_contained_and_fails_nevertheless_never_stopped() -> None:
    watch = Watch(a_policy())
    contained(watch)
    began = of(watch).breached.steady
    watch.seen["errors"].recovered = Truth.FALSE
    watch.run(10, BREACHED)
    one = of(watch)
    assert one.service is Service.FAILING
    assert one.downtime(watch.now) == watch.now.steady - began
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, BREACHED)
    assert downtime(watch) == watch.now.steady - began


def test_a_service_that_fails_again_while_it_is_paused_is_down_again() -> None:
    watch = Watch(a_policy())
    contained(watch)
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, HEALTHY)
    before, recovered = downtime(watch), of(watch).recovered
    watch.seen["errors"].recovered = Truth.FALSE
    watch.run(2, BREACHED)
    assert of(watch).service is Service.RECOVERED, "not for as long as the rule's `for`"
    watch.run(10, BREACHED)
    assert of(watch).service is Service.FAILING
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, HEALTHY)
    assert downtime(watch) > before
    assert of(watch).recovered == recovered, "the first recovery is what is told"


def test_a_service_that_flaps_without_end_fills_no_journal() -> None:
    watch = Watch(a_policy(a_rule(for_seconds=0.0)))
    watch.break_it(seconds=1)
    watch.end()
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    for _ in range(100):
        watch.seen["errors"].recovered = Truth.TRUE
        watch.run(1, HEALTHY)
        watch.seen["errors"].recovered = Truth.FALSE
        watch.run(1, BREACHED)
    assert len(watch.of(ServiceTurned)) == 40


def test_without_an_action_the_service_recovers_when_the_rule_does() -> None:
    watch = Watch(a_policy(a_rule(playbook=None)))
    watch.break_it(seconds=20)
    watch.run(1, HEALTHY)
    one = of(watch)
    assert one.ended == one.recovered == watch.now
    assert downtime(watch) == watch.now.steady - one.breached.steady == 20.0


def test_a_breach_that_does_not_last_is_no_downtime() -> None:
    watch = Watch(a_policy())
    watch.break_it(seconds=2)
    watch.run(5, HEALTHY)
    assert not watch.episode.is_open
    assert downtime(watch) == 0.0
    assert watch.of(ImpactMeasured) == []


def test_a_latched_service_recovers_though_nobody_closes_its_episode() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(Outcome.UNKNOWN)
    assert watch.is_now(State.LATCHED)
    watch.run(60, BREACHED)
    watch.run(1, HEALTHY)
    assert of(watch).recovered == watch.now
    assert watch.is_now(State.LATCHED)


def test_blindness_is_not_subtracted() -> None:
    watch = Watch(a_policy(a_rule(playbook=None)))
    watch.break_it(seconds=10)
    watch.run(100, BLIND)
    watch.run(1, HEALTHY)
    assert downtime(watch) == 110.0


def test_downtime_counts_from_the_first_bad_sample() -> None:
    watch = Watch(a_policy(a_rule(playbook=None)))
    watch.run(2, HEALTHY)
    watch.seen["errors"].began = watch.now.plus(-40.0)
    watch.run(20, BREACHED)
    watch.run(1, HEALTHY)
    one = of(watch)
    assert one.first_bad == watch.seen["errors"].began
    assert one.began == one.first_bad
    assert downtime(watch) == 61.0


def test_a_first_bad_sample_of_later_than_the_breach_is_none() -> None:
    """A source whose clock is ahead of ours."""
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    watch.seen["errors"].began = watch.now.plus(2.0)
    watch.run(1, BREACHED)
    assert of(watch).began == watch.episode.opened


def test_what_was_bad_before_an_undo_belongs_to_the_episode_before() -> None:
    watch = Watch(a_policy())
    contained(watch)
    resumed(watch)
    undone = watch.now
    watch.seen["errors"].began = undone.plus(-500.0)
    watch.seen["errors"].since_undo = Truth.FALSE
    watch.run(2, BREACHED)
    assert watch.episode.reopens == "E1"
    assert of(watch).first_bad == undone


# -- features and targets --------------------------------------------------------------------------


def test_a_feature_is_down_until_it_is_resumed() -> None:
    watch = Watch(a_policy())
    contained(watch)
    effect = of(watch).acts[0].effect_at
    assert effect is not None
    watch.run(100, BLIND)
    assert watch.book.measures.paused_since == {FLAG: effect.steady}
    resumed(watch)
    assert watch.book.measures.paused_since == {}
    assert paused(watch) == watch.now.steady - effect.steady


def test_episodes_that_share_a_target_are_counted_once() -> None:
    rules = [a_rule(name) for name in ("errors", "latency", "peg")]
    watch = Watch(a_policy(*rules, limits=Limits(9, 86400.0, 9)))
    watch.run(2, HEALTHY)
    watch.run(5, BREACHED, "errors")
    watch.end()
    first = watch.now
    watch.run(10, BREACHED, "latency", "peg")
    while watch.book.intents:
        watch.end(Outcome.FOUND)
        watch.run(1)
    assert len(watch.book.claimants(FLAG)) == 3
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    ends = watch.now
    watch.run(50, BLIND)
    for seen in watch.seen.values():
        seen.status = HEALTHY
    watch.undo(watch.book.episodes["E1"])
    assert paused(watch) == watch.now.steady - first.steady
    targets = watch.book.measures.targets[FLAG].kept
    assert seconds_in(targets, 0.0, watch.now.steady) == pytest.approx(
        ends.steady - of(watch).began.steady + (of(watch).began.steady - targets[0][0])
    )
    assert len(targets) == 1, "one outage, not three"


def test_a_release_that_was_put_back_runs_and_is_no_downtime() -> None:
    watch = Watch(a_policy(actions=(an_action("rollback", "tree:release"),)))
    watch.book.anchors.now["rollback"] = Anchor("d1" * 32, 1.0)
    contained(watch)
    assert watch.book.claimants("tree:release") != ()
    assert watch.book.measures.paused_since == {}
    assert seconds_in(watch.book.measures.targets["tree:release"].kept, 0, 1e9) == 8.0


def test_drift_ends_the_downtime_of_a_feature() -> None:
    watch = Watch(a_policy())
    contained(watch)
    watch.run(10, BLIND)
    watch.drift()
    assert watch.book.measures.paused_since == {}


# -- actions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "after_seconds", "ended", "proven"),
    [
        (Outcome.DONE, 29.0, Ended.IN_TIME, True),
        (Outcome.DONE, 31.0, Ended.LATE, True),
        (Outcome.FAILED, 1.0, Ended.FAILED, False),
        (Outcome.UNKNOWN, 1.0, Ended.UNKNOWN, False),
        (Outcome.FOUND, 1.0, None, False),
        (Outcome.ABANDONED, 1.0, None, False),
    ],
)
def test_each_end_of_a_rollback_is_counted_as_what_it_is(
    outcome: Outcome, after_seconds: float, ended: Ended | None, *, proven: bool
) -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.now = watch.now.plus(after_seconds)
    watch.end(outcome)
    found = [one.ended for one in watch.book.measures.rollbacks]
    assert found == ([] if ended is None else [ended])
    assert ("pause" in watch.book.measures.proofs) is proven


def test_the_sla_is_the_one_of_when_it_was_decided() -> None:
    watch = Watch(a_policy(actions=(an_action(sla_seconds=5.0, sha256="then"),)))
    watch.break_it()
    watch.policy = a_policy(actions=(an_action(sla_seconds=60.0, sha256="now"),))
    watch.now = watch.now.plus(6.0)
    watch.end()
    (act,) = of(watch).acts
    assert act.ended is Ended.LATE
    assert watch.book.measures.proofs["pause"].action_sha256 == "then"


def test_an_undo_is_no_rollback_and_proves_none() -> None:
    watch = Watch(a_policy())
    contained(watch)
    proof = watch.book.measures.proofs["pause"]
    resumed(watch)
    assert len(watch.book.measures.rollbacks) == 1
    assert watch.book.measures.proofs["pause"] == proof


def test_a_step_of_the_wall_clock_changes_no_number() -> None:
    watch = Watch(a_policy())
    watch.break_it(seconds=int(FOR_SECONDS) + 1)
    watch.now = Instant(watch.now.wall - 7200.0, watch.now.steady + 2.0)
    watch.end()
    assert of(watch).acts[0].seconds == 2.0
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert downtime(watch) == FOR_SECONDS + 2.0


# -- who was affected ------------------------------------------------------------------------------


def impacts(watch: Watch) -> list[ImpactMeasured]:
    return [one for one in watch.of(ImpactMeasured) if isinstance(one, ImpactMeasured)]


def test_what_it_cost_is_recorded_as_the_episode_moves_and_at_its_end() -> None:
    watch = Watch(a_policy())
    watch.seen["errors"].cost = Cost(10.0)
    watch.break_it(seconds=int(FOR_SECONDS) + 1)
    assert [one.failed_events for one in impacts(watch)] == [10.0]
    watch.seen["errors"].cost = Cost(50.0)
    watch.run(2)
    assert len(impacts(watch)) == 1, "nothing moved"
    watch.end()
    watch.run(1)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.seen["errors"].cost = Cost(60.0)
    watch.run(100, BLIND)
    assert [one.failed_events for one in impacts(watch)] == [10.0, 50.0, 60.0]


def test_while_it_may_grow_its_cost_is_told_with_the_time_of_the_count() -> None:
    watch = Watch(a_policy())
    watch.seen["errors"].cost = Cost(10.0)
    watch.break_it(seconds=int(FOR_SECONDS) + 1)
    counted = of(watch).impact_at
    assert counted is not None
    watch.run(60)
    assert of(watch).as_of == f" as of {counted.utc:%H:%M:%SZ}"
    watch.end()
    watch.run(1)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.run(5, BLIND)
    assert watch.is_now(State.CONTAINED)
    assert not of(watch).as_of, "nothing is added to it any more"


def test_a_long_outage_is_recorded_now_and_then() -> None:
    watch = Watch(a_policy(a_rule(playbook=None)))
    watch.seen["errors"].cost = Cost(7.0)
    watch.break_it(seconds=3600)
    assert len(impacts(watch)) == 4
    watch.seen["errors"].cost = Cost(9.0)
    watch.run(1, HEALTHY)
    assert impacts(watch)[-1].failed_events == 9.0


def test_increases_of_a_relapse_come_on_top_and_of_values_the_highest_stays() -> None:
    for grows, expected in ((True, 7.0), (False, 5.0)):
        rule = replace(a_rule(), impact=Impact("users", grows))
        watch = Watch(a_policy(rule))
        watch.seen["errors"].cost = Cost(100.0, 5.0, "users")
        contained(watch)
        watch.seen["errors"].recovered = Truth.TRUE
        watch.run(1, HEALTHY)
        watch.seen["errors"].cost = Cost(3.0, 2.0, "users")
        watch.seen["errors"].recovered = Truth.FALSE
        watch.run(10, BREACHED)
        watch.seen["errors"].recovered = Truth.TRUE
        watch.run(1, HEALTHY)
        assert impacts(watch)[-1].affected == expected
        assert impacts(watch)[-1].failed_events == 103.0


def test_an_impact_without_an_answer_is_unknown_and_no_zero() -> None:
    watch = Watch(a_policy(replace(a_rule(), impact=Impact("users", grows=True))))
    watch.seen["errors"].cost = Cost(None, None, "users", "nothing matches users")
    watch.break_it()
    (told,) = impacts(watch)
    assert (told.affected, told.failed_events) == (None, None)
    assert told.reason == "nothing matches users"


def test_a_rule_that_counts_nothing_records_nothing() -> None:
    watch = Watch(a_policy())
    watch.break_it(seconds=2000)
    assert impacts(watch) == []
