"""What a person ordered has no rule: its read-back, its checks and that person's word judge it."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.core.decisions.people import contacts, told
from tests.core.decisions.watch import HEALTHY, Watch, a_policy
from watchdog.cli.commands import command
from watchdog.core import entries as e
from watchdog.core.book import Episode
from watchdog.core.standing import MANUAL
from watchdog.core.starting import open_intent
from watchdog.core.states import Event, State
from watchdog.core.words import Direction, Severity, Truth, World


def order(watch: Watch) -> Episode:
    """A person's own rollback, up to its start."""
    with watch.draft() as draft:
        name = draft.book.next_id("E")
        draft.add(e.EpisodeOpened(name, MANUAL, "", Severity.P0, World.LIVE, None, actor="alice"))
        ep = draft.book.episodes[name]
        draft.move(ep, Event.COMMANDED, "bad build", actor="alice")
        action = watch.policy.actions["pause"]
        open_intent(draft, ep, action, Direction.DO, reason="", by="alice")
    return ep


def ordered(outcome: e.Outcome = e.Outcome.DONE) -> tuple[Watch, Episode]:
    watch = told(a_policy(), contacts())
    watch.run(2, HEALTHY)
    ep = order(watch)
    watch.end(outcome)
    return watch, ep


@pytest.mark.parametrize("outcome", [e.Outcome.DONE, e.Outcome.FOUND])
def test_what_was_ordered_and_read_back_calls_nobody(outcome: e.Outcome) -> None:
    watch, ep = ordered(outcome)
    watch.look(None, Truth.UNKNOWN)
    assert ep.state is State.CONTAINED
    assert ep.reason == "as ordered, and no contained_when says more; read back: enabled: false"
    watch.run(130, HEALTHY)
    assert ep.state is State.CONTAINED
    assert not any("a person must look" in page.title for page in watch.pages)


@pytest.mark.parametrize(
    ("says", "after", "why"),
    [
        (Truth.TRUE, State.CONTAINED, "status"),
        (Truth.FALSE, State.LATCHED, "not contained within 20 s: status"),
        (Truth.UNKNOWN, State.LATCHED, "cannot tell whether it helped within 20 s: status"),
    ],
)
def test_what_its_checks_say_of_an_order_names_no_rule(says: Truth, after: State, why: str) -> None:
    watch, ep = ordered()
    watch.run(21, HEALTHY)
    watch.look(says, Truth.UNKNOWN)
    assert (ep.state, ep.reason) == (after, why)


def test_what_a_person_undid_of_an_order_that_latched_is_over() -> None:
    watch, ep = ordered()
    watch.run(21, HEALTHY)
    watch.look(Truth.FALSE, Truth.UNKNOWN)
    watch.undo(ep)
    assert ep.state is State.OK
    assert (ep.reason, watch.book.claims_of(ep.id)) == ("undone: it is done", ())
    assert watch.pages[-1].title == "manual: over: undone: it is done, by alice"


def test_what_somebody_else_changed_of_an_order_that_latched_stays_for_a_person() -> None:
    watch, ep = ordered()
    watch.run(21, HEALTHY)
    watch.look(Truth.FALSE, Truth.UNKNOWN)
    watch.drift()
    assert ep.state is State.LATCHED


def commands(text: str) -> list[str]:
    """The rollbacks that a message says to give."""
    return re.findall(r"slo-watchdog (rollback .*?)(?:$|[.;)])", text)


def test_a_rollback_that_a_message_names_can_be_given_as_it_stands() -> None:
    drifting, _ = ordered()
    drifting.drift()
    left = told(a_policy(), contacts())
    ep = order(left)
    with left.draft() as draft:
        draft.add(e.StepTaken(ep.intent, "prove", "conflict", "v5 by now"))
    left.end(e.Outcome.ABANDONED)
    left.run(61, HEALTHY)
    again = next(page.body for page in left.pages if "To order it again" in page.body)
    bodies = [drifting.pages[-1].body, again]
    for body in bodies:
        (named,) = commands(body)
        name, *words = shlex.split(named)
        typed = command(name).make_context(name, words).params
        assert (typed["action"], typed["reason"]) == ("pause", "WHY")
