"""A breach that is held is never held in silence, and leave to act is about what stood then."""

from dataclasses import replace
from datetime import UTC, time
from zoneinfo import ZoneInfo

import pytest

from tests.core.decisions.people import contacts, told
from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy, a_rule, an_action
from watchdog.core.entries import Outcome, ReadinessChanged
from watchdog.core.spec import MaintenanceWindow, Rung, Scope
from watchdog.core.states import State
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Mode, Severity, Truth

LADDER = (an_action("pause"), an_action("restore", "tree:config"))


def ready(watch: Watch, action: str, truth: Truth) -> None:
    with watch.draft() as draft:
        draft.add(ReadinessChanged(action, truth, f"it is {truth.value}"))


def titles(watch: Watch) -> list[str]:
    return [page.title for page in watch.pages]


def test_a_rung_that_failed_is_told_although_a_further_one_follows() -> None:
    watch = Watch(a_policy(actions=LADDER))
    watch.break_it()
    watch.end(Outcome.FAILED)
    assert titles(watch) == ["errors: pause failed: it is failed"]
    watch.run(1, BREACHED)
    assert watch.started[-1].action == "restore"


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.SHADOW])
def test_a_failed_rung_before_one_that_may_not_act_calls_a_person(mode: Mode) -> None:
    """Nothing more is done by itself here, and the flag is still on."""
    rungs = (Rung("pause", Mode.ARMED, 20.0), Rung("restore", mode, 20.0))
    watch = Watch(a_policy(actions=LADDER, playbooks={"ladder": rungs}))
    watch.break_it()
    watch.end(Outcome.FAILED)
    watch.run(30, BREACHED)
    assert "errors: pause failed: it is failed" in titles(watch)
    assert len(watch.started) == 1


def test_what_holds_the_next_rung_is_told_once() -> None:
    watch = Watch(a_policy(actions=LADDER))
    ready(watch, "restore", Truth.FALSE)
    watch.break_it()
    watch.end(Outcome.FAILED)
    watch.run(30, BREACHED)
    assert watch.is_now(State.HELD)
    assert titles(watch)[1:] == ["errors is breached and held: ready: not ready: it is false"]


def test_a_rollback_that_did_not_help_is_told_although_a_further_rung_follows() -> None:
    watch = Watch(a_policy(actions=LADDER))
    watch.break_it()
    watch.end(Outcome.DONE)
    watch.run(25, BREACHED)
    watch.look(Truth.FALSE, Truth.FALSE)
    assert titles(watch)[-1].startswith("errors: not contained within 20 s")


def test_a_start_that_a_hold_stopped_at_the_last_moment_is_told_as_held() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.hold()
    watch.end(Outcome.ABANDONED)
    watch.run(30, BREACHED)
    assert watch.is_now(State.HELD)
    assert titles(watch) == [
        "errors is breached and held: hold: hold H1 on everything by alice: migration"
    ]


def test_the_same_refusal_is_recorded_again_for_another_rung() -> None:
    """Else `why` would end with a decision about the rung before."""
    watch = Watch(a_policy(actions=LADDER))
    for action in ("pause", "restore"):
        ready(watch, action, Truth.FALSE)
    watch.break_it()
    ready(watch, "pause", Truth.TRUE)
    watch.run(1, BREACHED)
    watch.end(Outcome.FAILED)
    watch.run(3, BREACHED)
    assert [(d.action, d.ruling.value) for d in watch.decisions] == [
        ("pause", "refused"),
        ("pause", "allowed"),
        ("restore", "refused"),
    ]


@pytest.mark.parametrize("failed", [False, True], ids=["while it waits", "after a failed rung"])
def test_leave_to_act_through_a_hold_does_not_cover_one_placed_later(*, failed: bool) -> None:
    """Somebody else's later stop is a new word: it counts until a person is asked again."""
    watch = Watch(a_policy(actions=LADDER))
    watch.run(2, HEALTHY)
    watch.hold()
    watch.run(9, BREACHED)
    ready(watch, "pause", Truth.of(failed))
    watch.act(watch.episode, through_hold=True)
    watch.run(1, BREACHED)
    if failed:
        watch.end(Outcome.FAILED)
    started = len(watch.started)
    watch.hold(Scope("rule", "errors"))
    ready(watch, "pause", Truth.TRUE)
    watch.run(9, BREACHED)
    assert len(watch.started) == started == int(failed)
    assert "hold H" in watch.episode.barred
    watch.act(watch.episode, through_hold=True)
    watch.run(1, BREACHED)
    assert len(watch.started) == started + 1


def test_leave_to_act_through_a_hold_does_not_cover_a_window_that_begins_later() -> None:
    watch = Watch(a_policy())
    begins = watch.now.plus(120.0).utc.astimezone(UTC).time()
    window = MaintenanceWindow(
        "release",
        Scope("all"),
        tuple(range(1, 8)),
        begins,
        time(23, 59),
        ZoneInfo("UTC"),
        "release",
    )
    watch.policy = replace(watch.policy, windows=(window,))
    watch.run(2, HEALTHY)
    watch.hold()
    watch.run(9, BREACHED)
    ready(watch, "pause", Truth.FALSE)
    watch.act(watch.episode, through_hold=True)
    watch.run(120, BREACHED)
    ready(watch, "pause", Truth.TRUE)
    watch.run(9, BREACHED)
    assert watch.started == []
    assert watch.episode.barred.startswith("already burning: breached under")


@pytest.mark.parametrize(
    ("scope", "silenced"),
    [
        (Scope("target", "flag:redemption"), True),
        (Scope("target", "tree:config"), False),
        (Scope("rule", "errors"), True),
        (Scope("rule", "latency"), False),
    ],
    ids=lambda one: getattr(one, "text", ""),
)
def test_a_silence_keeps_back_the_pages_of_what_it_covers(scope: Scope, *, silenced: bool) -> None:
    watch = Watch(a_policy(actions=LADDER))
    watch.break_it()
    watch.hold(scope, silence=True)
    watch.end(Outcome.DONE)
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.run(25, HEALTHY)
    watch.break_it()
    assert [page.silenced for page in watch.pages] == [silenced] * 4
    assert titles(watch)[-1].startswith("errors is breached and held")


def test_what_goes_on_at_another_target_of_an_episode_is_not_silenced_with_it() -> None:
    """Its first rung is drifted from while the second is silenced, and the other way round."""
    watch = Watch(a_policy(actions=LADDER))
    watch.break_it()
    watch.end(Outcome.DONE)
    watch.run(25, BREACHED)
    watch.look(Truth.FALSE, Truth.FALSE)
    watch.run(1, BREACHED)
    watch.end(Outcome.DONE)
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.hold(Scope("target", "tree:config"), silence=True)
    watch.drift()
    assert "flag:redemption was changed by somebody else" in titles(watch)[-1]
    assert not watch.pages[-1].silenced
    watch.drift("tree:config", "restore")
    assert "tree:config was changed by somebody else" in titles(watch)[-1]
    assert watch.pages[-1].silenced


@pytest.mark.parametrize("severity", [Severity.P0, Severity.P3])
def test_what_breaks_again_after_an_undo_is_told_at_once_and_never_as_over(
    severity: Severity,
) -> None:
    watch = told(a_policy(a_rule(for_seconds=60.0, severity=severity)), contacts())
    watch.break_it(seconds=62)
    watch.end()
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.run(2, HEALTHY)
    watch.undo(watch.episode)
    before = len(watch.pages)
    watch.seen["errors"].since_undo = Truth.FALSE
    watch.run(1, BREACHED)
    assert watch.is_now(State.PENDING)
    again, goes_on = watch.pages[before:]
    assert again.title == "errors is breached again, after the undo of E1"
    assert (again.key, again.topic) == ("episode:E2", Topic.OPENED)
    assert again.urgency is (Urgency.NOW if severity is Severity.P0 else Urgency.SOON)
    assert goes_on.title == "errors: E1 goes on as E2: breached again while watched"
    assert (goes_on.key, goes_on.topic) == ("episode:E1", Topic.RESOLVED)
    assert goes_on.urgency is Urgency.NEWS
    watch.run(5, HEALTHY)
    assert watch.pages[-1].title.startswith("errors: over: "), "who heard of it hears the end"
