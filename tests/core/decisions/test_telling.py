"""Who is told what, when: notes, lines, escalation, and what the first line says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.core.decisions.people import (
    HOUR,
    LADDER,
    a_channel,
    contacts,
    escalated,
    latched,
    pages,
    told,
    wait,
)
from tests.core.decisions.watch import (
    BREACHED,
    HEALTHY,
    NOON,
    Watch,
    a_policy,
    a_rule,
    an_action,
)
from watchdog.core import entries as e
from watchdog.core.book import MANUAL, Book
from watchdog.core.paging import Whom
from watchdog.core.spec import Command, Rung
from watchdog.core.states import State
from watchdog.core.telling.contacts import (
    Step,
    Told,
)
from watchdog.core.telling.first_line import first_line
from watchdog.core.telling.next_step import NOTHING, NextStep, next_step
from watchdog.core.telling.notes import Fate, Note
from watchdog.core.telling.routing import Line, lines_for
from watchdog.core.telling.topics import Topic
from watchdog.core.telling.untold import KEPT_SECONDS, MOST_WAITING
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, Mode, Severity, Truth
from watchdog.engine.retention import _BOOK, snapshot


def a_note(*to: str, by: tuple[str, ...] = (), at: float = NOON) -> Note:
    now = Instant(at, 5000.0)
    topic = Topic.OPENED
    return Note("N1", "episode:E1", Severity.P0, topic, Urgency.NOW, "t", "b", now, to, by)


def names(lines: Iterable[Line]) -> list[str]:
    return [line.name for line in lines]


def test_a_note_for_nobody_by_name_is_for_the_team() -> None:
    assert names(lines_for(a_note(), contacts(), ())) == ["chat", "mail team@example.org"]


@pytest.mark.parametrize(
    ("to", "by", "wanted"),
    [
        ("ada", (), ["mail ada@example.org", "sms +41"]),
        ("ada", ("sms",), ["sms +41"]),
        ("bob", ("sms",), ["mail bob@example.org"]),  # better read late than nowhere
        ("commander", ("mail",), ["mail ada@example.org", "mail bob@example.org"]),
        ("mail", (), ["mail all@example.org"]),
        ("mail x@example.org", (), ["mail x@example.org"]),
        ("on-call", ("mail",), ["mail ada@example.org"]),
        ("next-on-call", (), ["mail bob@example.org"]),
        ("nobody", (), ["chat", "mail team@example.org"]),  # the team: who left, or was renamed
    ],
)
def test_names_lead_to_lines(to: str, by: tuple[str, ...], wanted: list[str]) -> None:
    assert names(lines_for(a_note(to, by=by), contacts(), ())) == wanted


def test_whose_turn_it_is_changes_with_the_week_and_also_before_the_first() -> None:
    for weeks, wanted in ((0, "ada"), (1, "bob"), (2, "ada"), (-1, "bob")):
        at = Instant(NOON + weeks * 7 * 24 * HOUR + 1, 0.0)
        assert contacts().on_call.at(at) == wanted


def test_beside_a_line_that_fails_the_channel_named_there_is_told_of_the_same_people() -> None:
    who = replace(contacts(), channels={**contacts().channels})
    who.channels["sms"] = a_channel("sms", fallback="mail")
    found = lines_for(a_note("ada", by=("sms",)), who, {Line("sms", "+41")})
    assert names(found) == ["sms +41", "mail ada@example.org"]
    found = lines_for(a_note("chat"), who, {Line("chat")})
    assert names(found) == ["chat", "mail all@example.org"]


def test_beside_a_channel_that_fails_as_well_the_next_is_told() -> None:
    who = contacts()
    chain = {
        "a": a_channel("a", fallback="b"),
        "b": a_channel("b", fallback="c"),
        "c": a_channel("c", fallback="a"),
    }
    who = replace(who, channels=chain)
    note, a, b = a_note("a"), Line("a"), Line("b")
    assert names(lines_for(note, who, {a})) == ["a", "b"]
    assert names(lines_for(note, who, {a, b})) == ["a", "b", "c"]
    assert names(lines_for(replace(note, missed=("a", "b")), who, ())) == ["a", "b", "c"]


def test_nobody_is_noted_where_the_policy_tells_nobody_and_what_is_silenced_is_not() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.UNKNOWN)
    assert pages(watch)
    assert not watch.book.notes.waiting

    watch = told(a_policy(), contacts())
    watch.hold(silence=True)
    watch.break_it()
    assert [page.silenced for page in pages(watch)] == [True]
    assert not watch.book.notes.waiting


def test_an_episode_is_told_from_the_effect_to_its_end_each_note_by_its_topic() -> None:
    watch = told(a_policy(), contacts())
    watch.break_it()
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    with watch.draft() as draft:
        draft.add(e.ClaimReleased("E1", "flag:redemption", "undone"))
    watch.run(3, HEALTHY)

    assert watch.book.episodes["E1"].state is State.OK
    assert [(page.note, page.topic) for page in pages(watch)] == [
        ("N1", Topic.ANNOUNCED),
        ("N2", Topic.COMPLETE),
        ("N3", Topic.RESOLVED),
    ]
    assert pages(watch)[-1].urgency is Urgency.NEWS
    assert not watch.book.notes.last
    assert not watch.book.notes.first


def test_a_rollback_that_takes_its_time_is_told_before_it_begins() -> None:
    slow = an_action(deadline_seconds=300.0)
    watch = told(a_policy(actions=(slow,)), contacts())
    watch.break_it()
    (page,) = pages(watch)
    assert (page.topic, page.title) == (
        Topic.ANNOUNCED,
        "errors: pause begins on flag:redemption",
    )


def test_a_note_waits_until_every_line_is_done_also_across_a_snapshot() -> None:
    watch = told(a_policy(), contacts())
    watch.break_it()
    watch.end()
    with watch.draft() as draft:
        draft.add(e.NoteTold(("N1",), "chat", Fate.SENT))
    book = _BOOK.validate_json(snapshot(watch.book))
    assert book == watch.book
    assert book.notes.waiting["N1"].done == ("chat",)
    book.apply(e.NoteTold(("N1",), "mail team@example.org", Fate.SENT, over=("N1",)), watch.now)
    assert not book.notes.waiting


def test_what_waits_is_bounded_by_age_and_by_number_and_dropped_on_the_record() -> None:
    watch = told(a_policy(), contacts())
    with watch.draft() as draft:
        for number in range(MOST_WAITING + 3):
            draft.tell("policy:refused", Severity.P2, f"page {number}", "")
    watch.run(1)
    dropped = [entry for _, entry in watch.journal if isinstance(entry, e.NoteTold)]
    assert [(one.notes, one.fate) for one in dropped] == [(("N1", "N2", "N3"), Fate.DROPPED)]
    watch.now = watch.now.plus(KEPT_SECONDS)
    watch.run(1)
    assert not watch.book.notes.waiting


def test_of_too_many_the_mild_ones_go_first_however_young() -> None:
    watch = told(a_policy(), contacts())
    with watch.draft() as draft:
        draft.tell("one", Severity.P0, "the worst", "")
        for number in range(MOST_WAITING):
            draft.tell("policy:refused", Severity.P2, f"page {number}", "")
    watch.run(1)
    dropped = [entry for _, entry in watch.journal if isinstance(entry, e.NoteTold)]
    assert [one.notes for one in dropped] == [("N2",)]


# -- escalation ------------------------------------------------------------------------------------


def test_nobody_who_answers_leads_to_the_next_and_each_is_told_once() -> None:
    watch = latched(*LADDER)
    assert escalated(watch) == [("on-call",)]
    wait(watch, 14 * 60.0)
    assert escalated(watch) == [("on-call",)]
    wait(watch, 60.0)
    wait(watch, 600.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    page = pages(watch)[-1]
    assert page.by == ("sms",)
    assert page.title.startswith("errors: not answered for 15m: latched: ")
    assert [step.step for _, step in watch.journal if isinstance(step, e.Escalated)] == [0, 1]


def test_an_answer_stops_it_and_only_the_end_stops_what_waits_for_the_end() -> None:
    watch = latched(*LADDER)
    with watch.draft() as draft:
        draft.add(e.Acked("E1", "ada"))
    wait(watch, HOUR)
    assert escalated(watch) == [("on-call",)]
    wait(watch, HOUR)
    assert escalated(watch) == [("on-call",), ("eve",)]


def test_steps_survive_a_restart() -> None:
    watch = latched(*LADDER)
    again = Book()
    for at, entry in watch.journal:
        again.apply(entry, at)
    assert again.notes == watch.book.notes
    watch.book = again
    wait(watch, 5.0)
    assert escalated(watch) == [("on-call",)]


def test_a_step_is_known_by_what_it_is_when_contacts_change_in_mid_episode() -> None:
    """By its number, the step before the others would hide the last, which nobody would take."""
    watch = latched(*LADDER)
    wait(watch, 15 * 60.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    later = Step(30 * 60.0, (Told("commander"),), ("sms",))  # the same once more: a second time
    watch.policy = replace(
        watch.policy, contacts=contacts(Step(60.0, (Told("ada"),)), LADDER[1], later, LADDER[2])
    )
    wait(watch, 60.0)
    assert escalated(watch)[2:] == [("ada",)]
    wait(watch, 15 * 60.0)
    assert escalated(watch)[3:] == [("commander",)]
    wait(watch, 2 * HOUR)
    wait(watch, 5.0)
    assert escalated(watch)[4:] == [("eve",)]


def test_a_step_that_was_taken_hides_none_that_is_due_later_when_it_is_removed() -> None:
    watch = latched(*LADDER)
    wait(watch, 15 * 60.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    watch.policy = replace(
        watch.policy, contacts=contacts(LADDER[0], replace(LADDER[1], after_seconds=30 * 60.0))
    )
    wait(watch, 14 * 60.0)
    assert escalated(watch)[2:] == []
    wait(watch, 60.0)
    wait(watch, 60.0)
    assert escalated(watch)[2:] == [("commander",)]
    sooner = replace(LADDER[1], after_seconds=20 * 60.0)  # is over by now, and was told
    watch.policy = replace(watch.policy, contacts=contacts(LADDER[0], sooner))
    wait(watch, 60.0)
    assert len(escalated(watch)) == 3


def test_who_is_called_about_a_request_learns_how_to_answer_it() -> None:
    watch = told(a_policy(a_rule(mode=Mode.APPROVE)), contacts(*LADDER))
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    wait(watch, 16 * 60.0)
    called = [page.body for page in pages(watch) if page.topic is Topic.ESCALATED]
    assert called
    for body in called:
        assert "What would run: slo-watchdog plan E1. Yes: slo-watchdog approve E1" in body
        assert body.endswith("Say that you are looking: slo-watchdog ack E1")


def test_steps_are_counted_from_when_somebody_must_answer_and_not_from_the_announcement() -> None:
    slow = {"ladder": (Rung("pause", Mode.ARMED, 1200.0),)}
    watch = told(a_policy(playbooks=slow), contacts(*LADDER))
    watch.break_it()
    watch.end()
    wait(watch, 1300.0)
    watch.look(contained=Truth.FALSE, recovered=Truth.FALSE)
    assert watch.is_now(State.LATCHED)
    watch.run(2)
    assert escalated(watch) == [("on-call",)]
    wait(watch, 15 * 60.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    wait(watch, 2 * HOUR - 1300.0 - 15 * 60.0)
    assert escalated(watch)[2:] == [("eve",)], "for want of an end: since it was told"


def test_a_rollback_that_helps_calls_nobody() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    watch.break_it()
    watch.end()
    watch.run(5)
    watch.look(Truth.TRUE, Truth.TRUE)
    wait(watch, HOUR)
    assert escalated(watch) == []
    wait(watch, HOUR)
    assert escalated(watch) == [("eve",)]  # it is not over: the flag is still off


def test_what_is_silenced_escalates_to_nobody_until_the_silence_ends() -> None:
    watch = latched(*LADDER)
    hold = watch.hold(silence=True)
    wait(watch, HOUR)
    assert escalated(watch) == [("on-call",)]
    watch.release(hold)
    watch.run(1)
    assert escalated(watch) == [("on-call",), ("commander",)]


def test_what_a_silence_kept_back_is_told_once_it_is_over_and_people_are_called() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    hold = watch.hold(silence=True)
    watch.break_it()
    watch.run(5)
    assert not watch.book.notes.waiting
    watch.release(hold)
    watch.run(3)
    heard = [page for page in pages(watch) if page.note and page.topic is not Topic.ESCALATED]
    assert [(page.topic, page.urgency) for page in heard] == [(Topic.OPENED, Urgency.NOW)]
    assert heard[0].title.startswith("errors: held: already burning: breached under silence H1")
    wait(watch, HOUR)
    assert escalated(watch) == [("on-call",), ("commander",)]
    watch.run(3, HEALTHY)
    assert pages(watch)[-1].topic is Topic.RESOLVED


def test_of_several_pages_that_were_kept_back_only_how_it_stands_now_is_told() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    watch.break_it()
    hold = watch.hold(silence=True)
    watch.end(e.Outcome.UNKNOWN)
    watch.run(1)
    kept = [page.silenced for page in pages(watch)]
    assert kept[-1], "that a person must look"
    watch.release(hold)
    watch.run(2)
    page, call = pages(watch)[len(kept) :]
    assert (call.topic, call.to) == (Topic.ESCALATED, ("on-call",))
    assert (page.topic, page.urgency) == (Topic.UPDATE, Urgency.NOW)
    assert page.title.startswith("errors: latched: ")


def test_what_was_over_before_the_silence_was_is_told_to_nobody() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    hold = watch.hold(silence=True)
    watch.break_it()
    watch.run(3, HEALTHY)
    watch.release(hold)
    watch.run(3, HEALTHY)
    assert not [page for page in pages(watch) if page.note]


def test_whoever_came_to_be_told_later_hears_of_what_is_open_then() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.UNKNOWN)
    watch.run(2)
    assert not watch.book.notes.waiting
    watch.policy = replace(a_policy(), contacts=contacts(*LADDER))
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha", (), "ada", tells=True))
    watch.run(2)
    assert [(page.note, page.topic) for page in pages(watch) if page.note] == [
        ("N1", Topic.UPDATE),
        ("N2", Topic.ESCALATED),
    ]


def test_those_who_know_are_told_again_as_often_as_was_promised() -> None:
    watch = latched(update_seconds=30 * 60.0)
    wait(watch, 29 * 60.0)
    assert not [page for page in pages(watch) if page.title.startswith("errors: still")]
    wait(watch, 60.0)
    (update,) = [page for page in pages(watch) if page.title.startswith("errors: still")]
    assert (update.topic, update.urgency) == (Topic.UPDATE, Urgency.NEWS)


# -- what a phone shows ----------------------------------------------------------------------------


def shown(watch: Watch) -> str:
    note = watch.book.notes.waiting[next(reversed(watch.book.notes.waiting))]
    ep = watch.book.episodes.get(note.episode)
    return first_line(note, ep, watch.book, watch.policy)


def test_the_first_line_says_what_was_read_back_what_is_next_and_how_to_stop_it() -> None:
    slower = an_action("slow", "flag:rewards", do=replace(an_action().do, how=Command(("slow",))))
    watch = told(a_policy(actions=(an_action(), slower)), contacts())
    watch.break_it()
    watch.end()
    ends = watch.book.episodes["E1"].effect_at
    assert ends is not None
    assert shown(watch) == (
        "[sandbox] P0 flag:redemption: verifying, rolled back (read back: enabled: false). "
        f"Next: slow starts at {ends.plus(20.0).utc:%H:%M:%SZ} unless it helps. "
        "Stop: slo-watchdog hold --rule errors --for 1h --reason WHY"
    )
    watch.look(Truth.TRUE, Truth.TRUE)
    assert "contained, rolled back" in shown(watch)
    assert shown(watch).endswith("Next: nothing by itself. Stop: slo-watchdog undo E1")


def test_it_never_says_of_a_target_what_was_not_read_back() -> None:
    watch = told(a_policy(), contacts())
    watch.break_it()
    watch.end(e.Outcome.UNKNOWN)
    line = shown(watch)
    assert "latched, read back: enabled: false" in line
    assert "rolled back" not in line


def test_the_next_step_is_known_in_every_state() -> None:
    watch = told(a_policy(), contacts())
    watch.run(2, HEALTHY)
    watch.run(1, BREACHED)
    ep = watch.episode
    for state in State:
        ep.state = state
        step = next_step(ep, watch.book, watch.policy)
        assert step.text
        assert "  " not in step.stop


def test_what_never_acts_by_itself_does_not_promise_to() -> None:
    watch = told(a_policy(), contacts())
    watch.run(2, HEALTHY)
    watch.run(1, BREACHED)
    ep = watch.episode
    ep.state = State.HELD
    assert next_step(ep, watch.book, watch.policy).text == "it acts once no gate refuses"
    silent = {"errors": replace(watch.policy.rules["errors"], playbook=None)}
    assert next_step(ep, watch.book, replace(watch.policy, rules=silent)).text == NOTHING
    ep.state, ep.rule = State.WATCHED, MANUAL
    assert next_step(ep, watch.book, watch.policy) == NextStep(NOTHING)


def test_only_whoever_is_named_is_told_of_a_page_for_somebody() -> None:
    watch = told(a_policy(), contacts())
    with watch.draft() as draft:
        draft.tell("x:y", Severity.P3, "title", "", whom=Whom(("ada",), ("sms",), Topic.NOTICE))
    (note,) = watch.book.notes.waiting.values()
    assert names(lines_for(note, contacts(), ())) == ["sms +41"]
