"""Rules that cannot see call people together, and whoever was called hears of the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.people import (
    HOUR,
    LADDER,
    a_channel,
    contacts,
    escalated,
    pages,
    told,
    wait,
)
from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.spec import Policy, Scope
from watchdog.core.states import State
from watchdog.core.telling.contacts import AppriseUrl, Person
from watchdog.core.telling.notes import Note, blindness_of, calls_for
from watchdog.core.telling.routing import lines_for
from watchdog.core.telling.topics import Topic
from watchdog.core.words import Blind, Mode, Severity

ERRORS, CALLS = blindness_of("errors"), calls_for(Severity.P0)
RESOLVED = (Topic.RESOLVED, ())


def blind(*names: str, **rule: object) -> Watch:
    """Since half a minute, which is their `page_after`."""
    rules = [a_rule(name, **rule) for name in names or ("errors",)]
    watch = told(a_policy(*rules), contacts(*LADDER))
    watch.run(2, HEALTHY)
    watch.run(31, BLIND)
    return watch


def about(watch: Watch, key: str) -> list[tuple[Topic, tuple[str, ...]]]:
    return [(page.topic, page.to) for page in pages(watch) if page.key == key]


def ended(watch: Watch, key: str) -> Note:
    waiting = watch.book.notes.waiting.values()
    (note,) = [one for one in waiting if one.topic is Topic.RESOLVED and one.key == key]
    return note


def applied(watch: Watch, policy: Policy) -> None:
    watch.policy = policy
    watch.seen = {name: next(iter(watch.seen.values())) for name in policy.rules}


def test_it_calls_the_next_until_it_sees_again_and_each_once() -> None:
    watch = blind()
    assert about(watch, ERRORS) == [(Topic.BLIND, ())]
    called = pages(watch)[-1]
    assert called.title.startswith("you are called: errors is blind: errors gives no result")
    assert "slo-watchdog silence RULE --for 1h --reason WHY" in called.body
    wait(watch, 14 * 60.0)
    assert escalated(watch) == [("on-call",)]
    wait(watch, 60.0)
    wait(watch, 5.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    assert pages(watch)[-1].title.startswith("not answered for 15m: errors is blind: ")
    steps = [one for _, one in watch.journal if isinstance(one, e.Escalated)]
    assert [(one.episode, one.about, one.step) for one in steps] == [("", CALLS, 0), ("", CALLS, 1)]
    wait(watch, 3 * HOUR)
    assert len(escalated(watch)) == 2, "nobody is called for want of an end: nothing is broken"
    watch.run(1, HEALTHY)
    assert about(watch, ERRORS)[1:] == about(watch, CALLS)[2:] == [RESOLVED]
    assert "errors can be judged again, after 3h" in pages(watch)[-2].title
    wait(watch, HOUR)
    assert len(about(watch, CALLS)) == 3
    assert watch.refolded().notes == watch.book.notes
    assert not watch.book.notes.steps


def test_many_that_one_source_blinds_call_once_and_until_the_last_of_them_sees() -> None:
    watch = blind("a", "b", "c")
    assert escalated(watch) == [("on-call",)]
    called = pages(watch)[-1]
    assert called.title.startswith("you are called: 3 rules are blind, the first is a: ")
    assert called.body.endswith("Blind: a, b, c")
    watch.run(5, HEALTHY, "a", "b")
    assert len(about(watch, CALLS)) == 1
    wait(watch, 15 * 60.0)
    assert escalated(watch) == [("on-call",), ("commander",)], "it is the same trouble"
    watch.run(1, HEALTHY)
    assert about(watch, CALLS)[2:] == [RESOLVED]


def test_a_short_blindness_is_told_to_nobody_and_neither_is_its_end() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    watch.run(20, BLIND)
    watch.run(5, HEALTHY)
    assert pages(watch) == []


@pytest.mark.parametrize("rule", [{"mode": Mode.SHADOW}, {"playbook": None}])
def test_a_rule_that_only_looks_on_calls_nobody(rule: dict[str, object]) -> None:
    watch = blind(**rule)
    assert [(page.key, page.topic) for page in pages(watch)] == [(ERRORS, Topic.BLIND)]


def test_nor_does_one_whose_process_only_looks_on() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    with watch.draft() as draft:
        draft.add(e.Started("0", "here", "boot", "sandbox", "shadow", 0.0))
    watch.run(31, BLIND)
    assert [page.key for page in pages(watch)] == [ERRORS]


def test_a_silence_says_that_somebody_knows_and_whoever_was_called_hears_that() -> None:
    watch = blind()
    silence = watch.hold(Scope("rule", "errors"), silence=True)
    wait(watch, 20 * 60.0)
    assert about(watch, CALLS) == [(Topic.ESCALATED, ("on-call",)), RESOLVED]
    assert [who for (who, _, _), _ in ended(watch, CALLS).called] == [("on-call",)]
    watch.release(silence)
    wait(watch, 5.0)
    assert about(watch, CALLS)[2:] == [
        (Topic.ESCALATED, ("on-call",)),
        (Topic.ESCALATED, ("commander",)),
    ]


def test_the_end_of_what_people_heard_of_is_told_also_in_a_silence() -> None:
    watch = blind()
    watch.hold(Scope("rule", "errors"), silence=True)
    watch.run(1, HEALTHY)
    assert [(page.silenced, bool(page.note)) for page in pages(watch) if page.key == ERRORS] == [
        (False, True),
        (True, True),
    ]


def test_what_a_silence_kept_back_is_told_once_it_is_over() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    silence = watch.hold(Scope("rule", "errors"), silence=True)
    watch.run(40, BLIND)
    assert [(page.silenced, page.note) for page in pages(watch)] == [(True, "")]
    watch.release(silence)
    watch.run(5)
    assert [(page.silenced, page.topic) for page in pages(watch)] == [
        (True, Topic.BLIND),
        (False, Topic.BLIND),
        (False, Topic.ESCALATED),
    ]


def test_what_was_blind_before_there_were_contacts_is_told_once_there_are() -> None:
    watch = Watch(a_policy())
    watch.run(40, BLIND)
    assert [page.note for page in pages(watch)] == [""]
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha", (), "ada", tells=True))
    watch.policy = replace(watch.policy, contacts=contacts(*LADDER))
    watch.run(5)
    assert [page.topic for page in pages(watch)][1:] == [Topic.BLIND, Topic.ESCALATED]


def test_an_episode_that_waits_for_people_calls_them_by_itself() -> None:
    watch = told(a_policy(a_rule(mode=Mode.APPROVE)), contacts(*LADDER))
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    watch.run(60, BLIND)
    assert {page.key for page in pages(watch) if page.topic is Topic.ESCALATED} == {"episode:E1"}


def test_blind_by_what_was_rolled_back_is_no_reason_to_call() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    watch.break_it()
    watch.end()
    watch.run(60, BLIND)
    assert about(watch, ERRORS) == about(watch, CALLS) == []


def test_a_rule_that_is_gone_is_over_for_whoever_heard_of_it() -> None:
    watch = blind()
    applied(watch, replace(a_policy(a_rule("others")), contacts=watch.policy.contacts))
    watch.run(2, HEALTHY)
    assert about(watch, ERRORS)[1:] == about(watch, CALLS)[1:] == [RESOLVED]
    assert pages(watch)[-2].title.endswith("is judged no more: the policy has no such rule")
    assert not watch.book.blind


def test_so_is_a_member_of_what_is_a_plain_rule_by_now() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    member = 'errors{db="orders"}'
    with watch.draft() as draft:
        draft.add(e.BlindBegan(member, Blind.NO_DATA, "nothing"))
    watch.run(1, HEALTHY)
    assert not watch.book.blind


def test_the_end_is_told_to_whoever_was_called_mildly_and_where_it_closes_something() -> None:
    """By mail and not by phone; a pager closes what it opened."""
    who = contacts(*LADDER)
    pager = a_channel("pager", how=AppriseUrl(secret="pager", phases=(("ended", "resolve"),)))
    ada = Person("ada", "Ada", (("pager", "ada"), ("sms", "+41"), ("mail", "ada@example.org")))
    who = replace(who, channels=who.channels | {"pager": pager}, people=who.people | {"ada": ada})
    for key in (CALLS, "episode:E1"):
        watch = told(a_policy(a_rule(mode=Mode.APPROVE)), who)
        watch.run(31, BLIND if key == CALLS else BREACHED)
        assert escalated(watch) == [("on-call",)]
        watch.run(1, HEALTHY)
        lines = [line.name for line in lines_for(ended(watch, key), who, ())]
        team = ["chat", "mail team@example.org"] if key != CALLS else []
        assert lines == [*team, "pager ada", "mail ada@example.org"]
