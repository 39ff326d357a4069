"""Silences made in Alertmanager: they stop starts and pages as our own do, and fire nothing."""

from dataclasses import replace

import pytest

from tests.core.decisions.test_families import HIGH, LOW, NOON, Night, name
from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core.alerting import alert_labels
from watchdog.core.channels import EventSignal, Matcher
from watchdog.core.draft import Draft
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts, SilencesRead
from watchdog.core.memory import Memory
from watchdog.core.replay import replayed
from watchdog.core.silences import Concern, Matching, Silence, SilenceEnded, SilenceSeen
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode, World

RULE = a_rule(labels=(("alertname", "RedemptionErrors"), ("db", "orders")))


def a_silence(now: Instant, *matchers: Matching, begins: float = 0, lasts: float = 600) -> Silence:
    return Silence(
        "s1",
        matchers or (Matching("alertname", "RedemptionErrors"),),
        now.plus(begins),
        now.plus(begins + lasts),
        "alice",
        "migration",
    )


def silence(watch: Watch, *matchers: Matching, begins: float = 0, lasts: float = 600) -> Silence:
    made = a_silence(watch.now, *matchers, begins=begins, lasts=lasts)
    with watch.draft() as draft:
        draft.add(SilenceSeen(made))
    return made


def end(watch: Watch, made: Silence) -> None:
    with watch.draft() as draft:
        draft.add(SilenceEnded(made.id, "expired there"))


def test_a_breach_under_a_silence_is_held_unpaged_and_its_end_fires_nothing() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    made = silence(watch)
    watch.run(5, BREACHED)
    assert watch.is_now(State.HELD)
    assert watch.episode.reason == f"hold: {made.text}"
    assert "by alice until 20" in made.text
    assert made.text.endswith(": migration (s1)")
    assert [page.silenced for page in watch.pages] == [True]
    end(watch, made)
    watch.run(5, BREACHED)
    assert watch.started == []
    assert watch.episode.barred == f"already burning: breached under {made.text}"
    watch.break_it()
    assert len(watch.started) == 1


def test_a_silence_ends_by_its_own_time() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch, lasts=4)
    watch.run(10, BREACHED)
    assert watch.is_now(State.HELD)
    watch.break_it()
    assert len(watch.started) == 1


def test_what_is_over_is_taken_off_the_book_by_the_next_pass() -> None:
    policy, now = a_policy(RULE), Instant(1_790_000_000.0, 50.0)
    memory = Memory()
    memory.adopt(policy)
    draft = Draft(Watch(policy).book, now)
    draft.add(SilenceSeen(a_silence(now, lasts=30)))
    evaluation = Evaluation(memory, lambda: Facts("sandbox", "here", Mode.ARMED))
    evaluation.on_tick(policy, draft)
    assert set(draft.book.outside.silences) == {"s1"}
    draft.now = now.plus(30)
    evaluation.on_tick(policy, draft)
    assert draft.book.outside.silences == {}
    assert SilenceEnded("s1", "its time is over") in draft.entries


def test_a_silence_that_is_to_begin_stops_nothing_before() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch, begins=60)
    watch.run(5, BREACHED)
    assert len(watch.started) == 1


def test_an_acting_person_is_asked_again_when_a_new_silence_begins() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch)
    watch.run(5, BREACHED)
    watch.act(watch.episode, through_hold=True)
    watch.now = watch.now.plus(0.5)
    with watch.draft() as draft:  # it is only made longer: the person knew of it
        known = draft.book.outside.silences["s1"].silence
        draft.add(SilenceSeen(replace(known, ends=known.ends.plus(60))))
    watch.run(1, BREACHED)
    assert watch.is_now(State.ACTING)

    other = Watch(a_policy(RULE))
    other.run(2, HEALTHY)
    silence(other)
    other.run(5, BREACHED)
    other.act(other.episode, through_hold=True)
    other.now = other.now.plus(0.5)
    with other.draft() as draft:
        draft.add(SilenceSeen(replace(a_silence(other.now), id="s2")))
    other.run(2, BREACHED)
    assert other.started == []


@pytest.mark.parametrize(
    ("matcher", "silenced"),
    [
        (Matching("problem", "blind"), True),
        (Matching("problem", "breach"), False),
        (Matching("rule", "errors"), True),
    ],
)
def test_pages_about_blindness_can_be_silenced_alone(matcher: Matching, silenced: bool) -> None:  # noqa: FBT001  # a case's expectation
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch, matcher)
    watch.run(40, BLIND)
    assert [page.silenced for page in watch.pages] == [silenced]


def test_a_silence_on_blindness_alone_stops_no_start() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch, Matching("problem", "blind"))
    watch.run(5, BREACHED)
    assert len(watch.started) == 1


def test_the_labels_of_an_episode_stay_those_that_it_opened_with() -> None:
    """Another policy in mid-breach gives it no other name: silences that hit it go on to."""
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    silence(watch)
    watch.run(1, BREACHED)
    watch.policy = a_policy(replace(RULE, labels=()))
    watch.run(5, BREACHED)
    assert watch.is_now(State.HELD)


def test_the_first_look_is_waited_for_and_an_alertmanager_that_is_gone_is_not() -> None:
    watch = Watch(a_policy(RULE), silences=SilencesRead(awaited="waits for the first look"))
    watch.break_it()
    assert watch.is_now(State.HELD)
    assert watch.episode.reason == "hold: waits for the first look"
    assert watch.episode.barred == ""
    watch.facts = replace(watch.facts, silences=SilencesRead(doubt="not read since noon"))
    watch.run(1, BREACHED)
    assert len(watch.started) == 1
    gate = next(g for g in watch.decisions[-1].gates if g.gate == "hold")
    assert (gate.passed, gate.reason) == (True, "none is known; not read since noon")


def test_a_decision_of_before_there_were_such_silences_is_replayed_as_it_was() -> None:
    watch = Watch(a_policy(RULE))
    watch.break_it()
    decided = watch.decisions[-1]
    old = {k: v for k, v in decided.inputs.items() if not k.startswith("silences_")}
    assert len(old) == len(decided.inputs) - 2
    assert replayed(replace(decided, inputs=old)) == ()


LABELS = dict(alert_labels(RULE, "production", World.LIVE))


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ((Matching("alertname", "RedemptionErrors"),), True),
        ((Matching("alertname", "errors"),), False),
        ((Matching("rule", "errors"), Matching("severity", "P0")), True),
        ((Matching("rule", "errors"), Matching("severity", "P1")), False),
        ((Matching("instance", "host-1"),), False),
        ((Matching("instance", ""), Matching("rule", "errors")), True),
        ((Matching("instance", "host-1", equal=False), Matching("rule", "errors")), True),
        ((Matching("alertname", "Redemption", regex=True),), False),
        ((Matching("alertname", "Redemption.*", regex=True),), True),
        ((Matching("db", "orders|users", regex=True),), True),
        ((Matching("db", "orders|users", regex=True, equal=False),), False),
        ((Matching("alertname", r"(?=Redemption).*", regex=True),), True),  # not known: in doubt
        ((Matching("alertname", r"(?=Redemption).*", regex=True, equal=False),), True),
        ((Matching("world", "shadow"), Matching("rule", "errors")), False),
        ((Matching("watchdog", "slo-watchdog"),), True),
    ],
)
def test_whom_a_silence_covers(matchers: tuple[Matching, ...], covered: bool) -> None:  # noqa: FBT001  # a case's expectation
    made = a_silence(Instant(0, 0), *matchers)
    assert made.covers(LABELS) is covered
    assert not covered or Concern([LABELS, {"rule": "another"}]).has(made)
    assert ("not known here" in made.text) is any("(?=" in one.value for one in matchers)


def test_what_fits_no_rule_is_no_concern() -> None:
    concern = Concern([LABELS, {"rule": "another"}])
    assert not concern.has(a_silence(Instant(0, 0), Matching("rule", "third")))
    assert not concern.has(a_silence(Instant(0, 0), Matching("instance", "host-1")))
    assert concern.has(a_silence(Instant(0, 0), Matching("db", "")))  # the other one has none
    members = Concern([LABELS], frozenset({"instance"}))
    assert members.has(a_silence(Instant(0, 0), Matching("instance", "host-1")))
    assert not Concern([]).has(a_silence(Instant(0, 0), Matching("instance", "")))


def test_our_own_labels_cannot_be_written_over() -> None:
    forged = a_rule(labels=(("rule", "x"), ("world", "x"), ("watchdog", "x"), ("severity", "page")))
    labels = dict(alert_labels(forged, "production", World.SHADOW, "blind"))
    assert labels == {
        "alertname": "errors",
        "rule": "errors",
        "owner": "team",
        "environment": "production",
        "severity": "page",
        "world": "shadow",
        "problem": "blind",
        "watchdog": "slo-watchdog",
    }


def test_our_own_alert_that_comes_back_breaches_no_event_rule() -> None:
    """Whatever its matchers are: an episode that breaches a rule would keep itself open."""
    everything = EventSignal("alerts", (Matcher("alertname", "=~", ".*"),), 600.0)
    ours = alert_labels(RULE, "production", World.LIVE)
    assert not everything.matches(ours)
    assert everything.matches(tuple(pair for pair in ours if pair[0] != "watchdog"))


@pytest.mark.parametrize(
    ("matcher", "held"),
    [
        (Matching("db", "orders"), {"orders"}),
        (Matching("db", "orders|users", regex=True), {"orders", "users"}),
        (Matching("alertname", "saturated"), {"orders", "users"}),
        (Matching("db", ""), set()),
    ],
)
def test_a_silence_on_a_member_holds_that_member_alone(matcher: Matching, held: set[str]) -> None:
    night = Night()
    night.goes_on(3, orders=LOW, users=LOW)
    at = NOON.plus(night.second)
    night.rehearsal.book.apply(
        SilenceSeen(a_silence(at, Matching("rule", "saturated"), matcher)), at
    )
    night.goes_on(6, orders=HIGH, users=HIGH)
    states = {db: night.state(name(db)) for db in ("orders", "users")}
    assert {db for db, state in states.items() if state is State.HELD} == held
    assert {db for db, state in states.items() if state is State.CONTAINED} == set(states) - held


def test_inputs_hold_the_silences_that_stopped_it() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    made = silence(watch)
    watch.run(5, BREACHED)
    decided = watch.decisions[-1]
    assert decided.inputs["holds"] == (made.text,)
    assert replayed(decided) == ()
