"""Two records of one hour: what agrees, what does not, and only such reasons as are in them."""

import math
from dataclasses import replace

import pytest

from tests.core.decisions.watch import a_rule
from tests.lab.compare.record import NOON, NOW, Story, stale, track, up
from watchdog.core import entries as e
from watchdog.core.states import Event, State
from watchdog.core.words import Blind
from watchdog.lab.compare.alerts import alerts_of
from watchdog.lab.compare.asking import MOST_STEPS, honest_step
from watchdog.lab.compare.names import alert_names
from watchdog.lab.history.tracks import Span


def test_what_both_saw_agrees_and_tells_how_far_apart() -> None:
    story = Story()
    story.episode(600, 660, 900)
    story.tracks = [track("pending", (600, 645)), track("firing", (675, 870))]
    compared = story.compared()
    (one,) = compared.agreed
    assert compared.agrees
    assert (one.start_seconds, one.end_seconds) == (-15, 15)
    assert one.start_reasons == ()
    assert compared.tolerance_seconds == 60


def test_an_alert_that_flaps_beside_one_episode_is_no_disagreement() -> None:
    story = Story()
    story.episode(600, 660, 1800)
    story.tracks = [track("firing", (675, 900), (1200, 1500))]
    compared = story.compared()
    assert len(compared.agreed) == 1
    assert len(compared.agreed[0].meeting.theirs) == 2
    assert compared.agreed[0].end_seconds == 1800 - 1515
    assert [r.kind for r in compared.agreed[0].end_reasons] == ["unknown", "clear_takes_longer"]


def test_blindness_is_the_cause_only_where_too_little_time_was_left() -> None:
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.blind(590, 880)
    assert story.why() == [("blind", True)]
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.blind(600, 630)
    assert story.why() == [("unknown", True), ("blind", False)]


def test_nobody_watched() -> None:
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.say(1000, e.Started("1", "host", "", "production", "armed", 500.0))
    assert story.why() == [("daemon_down", True)]
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.say(950, e.Slept(400.0))
    assert story.why() == [("daemon_asleep", True)]
    story = Story(alive=300)
    story.tracks = [track("firing", (600, 900))]
    assert story.why() == [("daemon_silent", True)]
    story = Story(alive=NOW)
    story.tracks = [track("firing", (600, 900))]
    story.say(500, e.Stopped("asked to"))
    assert story.why() == [("daemon_down", True)]


def test_the_rule_was_not_there_or_became_another() -> None:
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.say(500, e.PolicyApplied("p2", (), "x", files=(("a", "without errors"),)))
    assert story.why() == [("rule_absent", True)]
    story = Story()
    story.tracks = [track("firing", (600, 900))]
    story.say(700, e.PolicyApplied("p2", (), "x", files=(("a", "changed"),)))
    assert story.why() == [("unknown", True), ("rule_changed", False)]
    story = Story()
    story.tracks = [track("firing", (30, 240))]
    story.entries = [(at + 200 if at == 0 else at, entry) for at, entry in story.entries]
    compared = story.compared()
    assert compared.span.start == NOON + 200
    assert compared.only_theirs[0].reasons[0].kind == "before_record"


def test_it_was_breached_here_and_never_for_long_enough() -> None:
    story = Story()
    story.tracks = [track("firing", (600, 630))]
    story.episode(600, None, 650)
    story.alert(for_seconds=0.0)
    assert story.why() == [("pending_here", True), ("for_differs", False)]


def test_it_was_over_between_two_looks() -> None:
    story = Story()
    story.rule = replace(story.rule, every_seconds=120.0)
    story.tracks = [track("firing", (600, 630))]
    assert story.why() == [("between_looks", True)]


def test_an_episode_that_still_stands_takes_no_second_one() -> None:
    story = Story()
    story.episode(300, 360, None)
    story.move(365, "E1", State.SHADOWED, Event.RECOVERED, State.CONTAINED)
    story.tracks = [track("firing", (360, 360), (1200, 1500))]
    compared = story.compared()
    assert len(compared.agreed) == 1
    assert [r.kind for r in compared.only_theirs[0].reasons] == ["still_open"]


def test_a_rollback_ends_the_breach_though_the_episode_stays() -> None:
    story = Story()
    story.episode(300, 360, None)
    story.say(420, e.RuleCleared("errors"))
    story.tracks = [track("firing", (360, 390))]
    (one,) = story.compared().agreed
    assert one.end_seconds == 420 - 405


def test_several_series_are_one_alert_and_that_is_said() -> None:
    story = Story()
    story.tracks = [
        track("firing", (600, 700), instance="a"),
        track("firing", (690, 900), instance="b"),
    ]
    compared = story.compared()
    (theirs,) = compared.only_theirs
    assert (theirs.alert.series, theirs.alert.end) == (2, NOON + 915)
    assert [r.kind for r in theirs.reasons] == ["unknown", "several_series"]


def test_a_prometheus_that_was_dead_did_not_go_on_firing() -> None:
    alive = track("firing", (600, 660))
    (interval,) = alerts_of([stale(alive, 960)], 15.0, NOON + NOW).firing
    assert interval.end == NOON + 675
    story = Story(ups=[up((0, 580), (1000, NOW))])
    story.episode(600, 660, 900)
    assert story.why() == [("prometheus_gap", True)]
    story = Story(ups=[up((0, 700), (800, NOW))])
    story.episode(600, 660, 1900)
    assert story.why() == [("unknown", True), ("prometheus_gap", False)]


def test_times_that_no_sample_can_have_are_none() -> None:
    odd = track("firing", (600, 660))
    odd.values[0], odd.values[1], odd.values[2] = math.nan, math.inf, -1.0
    odd.values[3] = NOON + 9000
    (interval,) = alerts_of([odd], 15.0, NOON + NOW).firing
    assert (interval.start, interval.end) == (NOON + 660, NOON + 675)


def test_their_for_was_longer_or_they_have_no_such_alert() -> None:
    story = Story()
    story.episode(600, 660, 900)
    story.tracks = [track("pending", (600, 885))]
    story.alert(for_seconds=600.0)
    assert story.why() == [("pending_there", True), ("for_differs", False)]
    story = Story(known=())
    story.episode(600, 660, 900)
    assert story.why() == [("alert_unknown", True)]
    story = Story(ups=[])
    story.episode(600, 660, 900)
    assert story.why() == [("unknown", True)]


def test_what_began_later_or_ended_later_has_its_reasons_too() -> None:
    story = Story()
    story.blind(590, 800)
    story.episode(805, 865, None)
    story.move(1500, "E1", State.SHADOWED, Event.CLOSED, State.OK)
    story.tracks = [track("firing", (600, 1200))]
    story.alert()
    story.rule = replace(story.rule, keep_firing_seconds=300.0)
    (one,) = story.compared().agreed
    assert [r.kind for r in one.start_reasons] == ["blind"]
    assert [r.kind for r in one.end_reasons] == ["keep_firing_differs", "closed"]


def test_what_delays_us_does_not_explain_why_they_were_later() -> None:
    story = Story()
    story.blind(300, 500)
    story.episode(540, 600, 1200)
    story.tracks = [track("firing", (900, 1200))]
    (one,) = story.compared().agreed
    assert [r.kind for r in one.start_reasons] == ["unknown"]
    story.alert(for_seconds=300.0)
    (one,) = story.compared().agreed
    assert [r.kind for r in one.start_reasons] == ["for_differs"]


def test_a_window_that_was_partly_seen_took_the_rest_for_good() -> None:
    story = Story()
    story.episode(700, 760, 1200, seen=0.4)
    story.tracks = [track("firing", (600, 1200))]
    (one,) = story.compared().agreed
    (reason,) = one.start_reasons
    assert (reason.kind, "40% of its window" in reason.text) == ("partly_seen", True)


def test_what_was_retired_is_told_by_the_book_that_stands_for_it() -> None:
    story = Story()
    story.say(100, e.BlindBegan("errors", Blind.NO_DATA, "nothing"))
    story.episode(300, 360, 900)
    whole, told = story.record(), story.record(retired=6)
    assert told.span.start == NOON + 360
    assert [a.sha256 for a in told.applied] == [a.sha256 for a in whole.applied]
    assert told.blind["errors"][0].span == whole.blind["errors"][0].span
    (ours,) = told.episodes
    assert (ours.opened, ours.over) == (NOON + 300, NOON + 900)
    assert ours.fired is not None


def test_what_lies_after_the_end_is_not_told_of() -> None:
    story = Story(now=1000.0, alive=2000)
    story.episode(600, 660, 1800)
    story.tracks = [track("firing", (660, 1000))]
    story.say(1500, e.Started("1", "host", "", "production", "armed", 700.0))
    record = story.record()
    assert [(a.how, a.span.start - NOON) for a in record.away] == [("down", 800)]
    (one,) = story.compared().agreed
    assert one.end_seconds is None
    assert one.meeting.ours[0].over is None


@pytest.mark.parametrize(
    ("labels", "given", "alert", "by"),
    [
        ((), {}, "Shop", "from"),
        ((("alertname", "Other"),), {}, "Shop", "from"),
        ((), {"errors": "Mine"}, "Mine", "--map"),
    ],
)
def test_a_rule_says_which_alert_it_is(
    labels: tuple[tuple[str, str], ...], given: dict[str, str], alert: str, by: str
) -> None:
    text = "version: 1\nrules:\n  errors: {from: alerts.yaml#Shop/2, source: p}\n"
    rules = {"errors": a_rule("errors", labels=labels)}
    named = alert_names(rules, [("team/rules.yaml", text)], given)["errors"]
    assert (named.alert, named.by) == (alert, by)
    plain = alert_names(rules, [], {})["errors"]
    assert plain.alert == (dict(labels).get("alertname") or "errors")


def test_a_step_grows_only_where_the_steps_would_be_too_many() -> None:
    assert honest_step(15.0, Span(0, 7 * 86_400)) == 15.0
    assert honest_step(1.0, Span(0, 3 * MOST_STEPS)) == 3.0
