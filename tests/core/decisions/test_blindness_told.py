"""A rule that cannot see calls people as an episode does, and who was called hears of the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.people import LADDER, a_channel, contacts, escalated, pages, told, wait
from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.core.telling.contacts import AppriseUrl, Person
from watchdog.core.telling.notes import Note, blindness_of
from watchdog.core.telling.routing import lines_for
from watchdog.core.telling.topics import Topic
from watchdog.core.words import Mode

ERRORS = blindness_of("errors")


def blind(**rule: object) -> Watch:
    """Since half a minute, which is its `page_after`."""
    watch = told(a_policy(a_rule(**rule)), contacts(*LADDER))
    watch.run(2, HEALTHY)
    watch.run(31, BLIND)
    return watch


def about_blindness(watch: Watch) -> list[tuple[Topic, tuple[str, ...]]]:
    return [(page.topic, page.to) for page in pages(watch) if page.key == ERRORS]


def ended(watch: Watch) -> Note:
    (note,) = [n for n in watch.book.notes.waiting.values() if n.topic is Topic.RESOLVED]
    return note


def test_it_calls_the_next_until_it_sees_again_and_each_once() -> None:
    watch = blind()
    assert about_blindness(watch) == [(Topic.BLIND, ()), (Topic.ESCALATED, ("on-call",))]
    called = pages(watch)[-1]
    assert called.title.startswith("errors: you are called: it is blind: errors gives no result")
    assert "slo-watchdog silence errors --for 1h --reason WHY" in called.body
    wait(watch, 14 * 60.0)
    assert len(about_blindness(watch)) == 2
    wait(watch, 60.0)
    wait(watch, 5.0)
    assert escalated(watch) == [("on-call",), ("commander",)]
    steps = [one for _, one in watch.journal if isinstance(one, e.Escalated)]
    assert [(one.episode, one.rule, one.step) for one in steps] == [
        ("", "errors", 0),
        ("", "errors", 1),
    ]
    watch.run(1, HEALTHY)
    assert about_blindness(watch)[3:] == [(Topic.RESOLVED, ())]
    assert pages(watch)[-1].title.startswith("errors can be judged again, after 15m")
    wait(watch, 3600.0)
    assert len(about_blindness(watch)) == 4
    assert watch.refolded().notes == watch.book.notes
    assert not watch.book.notes.steps


def test_a_short_blindness_is_told_to_nobody_and_neither_is_its_end() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    watch.run(20, BLIND)
    watch.run(5, HEALTHY)
    assert pages(watch) == []


@pytest.mark.parametrize("rule", [{"mode": Mode.SHADOW}, {"playbook": None}])
def test_a_rule_that_only_looks_on_calls_nobody(rule: dict[str, object]) -> None:
    assert about_blindness(blind(**rule)) == [(Topic.BLIND, ())]


def test_nor_does_one_whose_process_only_looks_on() -> None:
    watch = told(a_policy(), contacts(*LADDER))
    with watch.draft() as draft:
        draft.add(e.Started("0", "here", "boot", "sandbox", "shadow", 0.0))
    watch.run(31, BLIND)
    assert about_blindness(watch) == [(Topic.BLIND, ())]


def test_a_silence_says_that_somebody_knows_and_ends() -> None:
    watch = blind()
    silence = watch.hold(Scope("rule", "errors"), silence=True)
    wait(watch, 20 * 60.0)
    assert escalated(watch) == [("on-call",)]
    watch.release(silence)
    wait(watch, 5.0)
    assert escalated(watch) == [("on-call",), ("commander",)]


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
    assert about_blindness(watch) == []


def test_a_rule_that_is_gone_is_over_for_whoever_heard_of_it() -> None:
    watch = blind()
    watch.policy = a_policy(a_rule("others"))
    watch.seen = {"others": watch.seen["errors"]}
    watch.run(2, HEALTHY)
    assert about_blindness(watch)[2:] == [(Topic.RESOLVED, ())]
    assert pages(watch)[-1].title.endswith("is judged no more: the policy has no such rule")
    assert not watch.book.blind


def test_the_end_is_told_to_whoever_was_called_mildly_and_where_it_closes_something() -> None:
    """By mail and not by phone; a pager closes what it opened."""
    who = contacts(*LADDER)
    pager = a_channel("pager", how=AppriseUrl(secret="pager", phases=(("ended", "resolve"),)))
    ada = Person("ada", "Ada", (("pager", "ada"), ("sms", "+41"), ("mail", "ada@example.org")))
    who = replace(who, channels=who.channels | {"pager": pager}, people=who.people | {"ada": ada})
    for told_of in ("blindness", "episode"):
        watch = told(a_policy(a_rule(mode=Mode.APPROVE)), who)
        watch.run(31, BLIND if told_of == "blindness" else BREACHED)
        assert escalated(watch) == [("on-call",)]
        watch.run(1, HEALTHY)
        lines = lines_for(ended(watch), who, ())
        assert [line.name for line in lines] == [
            "chat",
            "mail team@example.org",
            "pager ada",
            "mail ada@example.org",
        ]
