"""What a status page is to show at any moment, from the book alone."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.spec import Endpoint, Scope
from watchdog.core.states import Event, State
from watchdog.core.telling.page_state import PageState, page_state
from watchdog.core.telling.pages_told import PAGE_KEY
from watchdog.core.telling.status_pages import (
    Component,
    Condition,
    Course,
    ShownIncident,
    StatusCall,
    StatusPage,
    public_parts,
)
from watchdog.core.words import Mode, Severity, Truth, World
from watchdog.engine.status_pages.writing import Telling, sheet

OPERATIONAL, MONITORING, MAJOR, PAUSED = (
    Condition.OPERATIONAL,
    Condition.MONITORING,
    Condition.MAJOR,
    Condition.PAUSED,
)
PART = Component("redemption", "Redemption", ("flag:redemption",), estimate_seconds=60.0)
PAGE = StatusPage("public", StatusCall("PUT", Endpoint("http://a"), "{}"), (PART,))


def showing(component: Component, **different: object) -> StatusPage:
    return replace(PAGE, components=(replace(component, **different),))  # type: ignore[arg-type]  # fields by name


BURNING = showing(PART, burning=MAJOR)
BY_RULE = showing(PART, targets=(), rules=("errors",))


def state(watch: Watch, page: StatusPage = PAGE, book: Book | None = None) -> PageState:
    return page_state(page, book or watch.book, "sandbox", watch.now)


def takes(watch: Watch, page: StatusPage = PAGE) -> PageState:
    """The page accepts what stands, and says by which names it knows its incidents."""
    found = state(watch, page)
    shown = tuple(
        ShownIncident(now.incident, now.component.name, "i1", now.condition.value, now.since)
        for now in found.open
    )
    with watch.draft() as draft:
        draft.add(e.StatusShown(page.name, found.digest, found.worst.value, shown))
    return found


def paused(**rule: object) -> Watch:
    watch = Watch(a_policy(a_rule(**rule)))
    watch.break_it()
    watch.end()
    watch.look(contained=Truth.TRUE, recovered=Truth.UNKNOWN)
    assert watch.is_now(State.CONTAINED)
    return watch


def test_paused_is_said_from_the_read_back_on_and_over_when_it_was_quiet_after_the_undo() -> None:
    watch = Watch(a_policy())
    watch.run(2, HEALTHY)
    seen = [state(watch).worst]
    watch.run(5, BREACHED)
    assert watch.is_now(State.ACTING)
    seen.append(state(watch).worst)  # it was decided, and nothing has been read back
    watch.end()
    seen.append(takes(watch).worst)
    (now,) = state(watch).open
    assert (now.incident, now.course) == ("sandbox/public/redemption/E1", Course.IDENTIFIED)
    assert (now.since, now.estimate) == (watch.now, watch.now.plus(60.0))
    watch.look(contained=Truth.TRUE, recovered=Truth.UNKNOWN)
    assert state(watch).digest == takes(watch).digest  # its users need not know of containment
    watch.run(1, HEALTHY)
    watch.undo(watch.episode)
    found = takes(watch)
    assert [(one.condition, one.reference) for one in found.open] == [(MONITORING, "i1")]
    seen.append(found.worst)
    watch.run(4000, HEALTHY)
    assert watch.is_now(State.OK)
    seen.append(state(watch).worst)
    assert seen == [OPERATIONAL, OPERATIONAL, PAUSED, MONITORING, OPERATIONAL]
    (over,) = state(watch).ended
    assert (over.key, over.reference) == ("sandbox/public/redemption/E1", "i1")
    takes(watch)
    assert state(watch).ended == ()
    assert state(watch, book=watch.refolded()) == state(watch)


def test_after_an_undo_that_nobody_knows_the_end_of_nothing_is_said_to_be_verified() -> None:
    watch = paused()
    before = takes(watch)
    assert not before.components[0].doubted
    watch.undo(watch.episode, outcome=e.Outcome.UNKNOWN)
    found = state(watch)
    assert (found.worst, found.components[0].doubted) == (PAUSED, True)
    assert found.digest != before.digest  # it is news
    told = Telling(found, 0, None, watch.now)
    (shown,) = sheet(told, watch.policy).open
    assert "verified" not in shown.body
    assert "We are finding out whether it is" in shown.body
    watch.undo(watch.episode, outcome=e.Outcome.FAILED)  # read back: it stands as it was
    assert not state(watch).components[0].doubted


def test_trouble_is_shown_where_the_policy_says_so_and_not_while_it_is_silenced() -> None:
    watch = Watch(a_policy(a_rule(mode=Mode.APPROVE)))
    watch.break_it()
    assert watch.is_now(State.AWAITING)
    hidden = state(watch, showing(PART, targets=(), rules=("errors",)))
    by_rule = state(watch, showing(PART, targets=(), rules=("errors",), burning=MAJOR))
    assert (hidden.worst, by_rule.worst) == (OPERATIONAL, MAJOR)
    assert state(watch, BURNING).open[0].course is Course.INVESTIGATING
    silence = watch.hold(Scope("rule", "errors"), silence=True)
    assert state(watch, BURNING).worst is OPERATIONAL
    watch.release(silence)
    watch.run(1, HEALTHY)
    assert state(watch, BURNING).worst is OPERATIONAL


def test_what_is_rolled_back_is_shown_also_in_silence_but_not_of_a_drill_or_in_shadow() -> None:
    watch = paused()
    watch.hold(silence=True)
    assert state(watch).worst is PAUSED
    with watch.draft() as draft:
        draft.add(e.Marked("E1", "drill", "alice"))
    assert state(watch).worst is OPERATIONAL
    shadow = Watch(a_policy(a_rule(mode=Mode.SHADOW)))
    shadow.break_it()
    assert shadow.is_now(State.SHADOWED)
    assert state(shadow, BURNING).worst is OPERATIONAL


def test_what_somebody_else_had_switched_off_is_theirs_to_announce() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.FOUND)
    assert watch.book.claims_of("E1")[0].found
    assert state(watch).worst is OPERATIONAL


def test_what_was_found_so_and_does_not_help_burns_and_is_not_said_to_be_over() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.FOUND)
    watch.run(30, BREACHED)
    watch.look(contained=Truth.FALSE, recovered=Truth.FALSE)
    assert watch.is_now(State.LATCHED)
    assert state(watch, BURNING).worst is MAJOR
    assert state(watch).worst is OPERATIONAL, "nothing was paused, so nothing is watched"
    assert state(watch, BURNING, book=watch.refolded()) == state(watch, BURNING)


def test_what_was_found_so_and_is_switched_back_by_others_was_no_pause_of_ours() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end(e.Outcome.FOUND)
    watch.look(contained=Truth.TRUE, recovered=Truth.UNKNOWN)
    watch.drift("flag:redemption", "pause")
    assert watch.is_now(State.WATCHED)
    assert state(watch).worst is OPERATIONAL


def test_what_latched_and_was_undone_is_watched_until_it_is_closed() -> None:
    watch = Watch(a_policy())
    watch.break_it()
    watch.end()
    watch.run(30, BREACHED)
    watch.look(contained=Truth.FALSE, recovered=Truth.FALSE)
    assert watch.is_now(State.LATCHED)
    assert takes(watch, BURNING).worst is PAUSED
    watch.undo(watch.episode)
    assert (watch.episode.state, state(watch, BURNING).worst) == (State.LATCHED, MONITORING)


def test_a_breach_after_the_undo_goes_on_under_the_same_name() -> None:
    watch = paused()
    first = takes(watch).open[0].incident
    watch.run(1, HEALTHY)
    watch.undo(watch.episode)
    for page in (PAGE, BY_RULE):
        assert state(watch, page).worst is MONITORING
    takes(watch)
    seen = set()
    watch.seen["errors"].since_undo = Truth.FALSE
    for _ in range(8):
        watch.run(1, BREACHED)
        seen.add(takes(watch).worst)
        assert [one.incident for one in state(watch).open] == [first]
    assert watch.episode.reopens == "E1"
    watch.end()
    assert takes(watch).worst is PAUSED
    assert state(watch).open[0].incident == first
    assert seen == {MONITORING}


def test_two_episodes_of_one_target_are_one_incident_until_the_last_lets_go() -> None:
    watch = Watch(a_policy(a_rule("errors"), a_rule("peg")))
    watch.break_it()
    while watch.book.intents:
        watch.end()
        watch.run(1)
    assert len(watch.book.claimants("flag:redemption")) == 2
    (now,) = takes(watch).open
    assert now.episodes == ("E1", "E2")
    with watch.draft() as draft:
        draft.add(e.ClaimReleased("E1", "flag:redemption", "mended", "alice"))
    (after,) = state(watch).open
    assert (after.incident, after.condition) == (now.incident, PAUSED)
    assert (after.since, after.estimate) == (now.since, now.estimate), "it was paused throughout"
    assert state(watch, book=watch.refolded()) == state(watch)


def test_a_pause_after_an_undo_is_a_new_one() -> None:
    watch = paused()
    first = takes(watch).open[0].since
    watch.undo(watch.episode)
    assert takes(watch).worst is MONITORING
    watch.seen["errors"].since_undo = Truth.FALSE
    watch.run(8, BREACHED)
    watch.end()
    again = takes(watch).open[0].since
    assert first is not None
    assert again is not None
    assert again.steady > first.steady


def test_a_pause_that_lasts_longer_than_expected_is_said_once() -> None:
    watch = paused()
    before = state(watch)
    watch.run(59, HEALTHY)
    assert not state(watch).open[0].late
    assert state(watch).digest == before.digest
    watch.run(2)
    assert state(watch).open[0].late
    late = state(watch).digest
    assert late != before.digest
    watch.run(100)
    assert state(watch).digest == late


def test_an_incident_of_a_component_that_is_named_no_more_is_over() -> None:
    watch = paused()
    key = takes(watch).open[0].incident
    other = showing(replace(PART, name="rewards"), targets=("flag:rewards",))
    found = state(watch, other)
    assert found.worst is OPERATIONAL
    assert [one.key for one in found.ended] == [key]


def test_a_page_that_fails_is_known_until_it_accepts_again() -> None:
    watch = paused()
    with watch.draft() as draft:
        draft.add(e.StatusNotShown("public", "HTTP 503"))
    began = watch.now
    watch.run(3)
    with watch.draft() as draft:
        draft.add(e.StatusNotShown("public", "HTTP 401"))
        draft.tell(f"{PAGE_KEY}public", Severity.P2, "it does not show", "")
    failing = watch.book.pages.failing["public"]
    assert (failing.since, failing.reason, failing.paged) == (began, "HTTP 503", True)
    takes(watch)
    assert watch.book.pages.failing == {}
    assert watch.refolded().pages == watch.book.pages


def test_another_place_other_words_and_nothing_else_of_the_policy_are_news() -> None:
    watch = paused()
    before = takes(watch).digest
    elsewhere = replace(PAGE, how=StatusCall("PUT", Endpoint("http://b"), "{}"))
    reworded = showing(PART, summary="Redemptions are paused.")
    slower = replace(PAGE, deadline_seconds=99.0, update_seconds=60.0, again_seconds=1.0)
    assert [state(watch, one).digest == before for one in (elsewhere, reworded, slower)] == [
        False,
        False,
        True,
    ]


def test_the_public_knows_a_target_by_its_component_else_by_that_of_the_rule() -> None:
    target = "flag:redemption"
    assert public_parts((PAGE,), "errors", target) == (PART,)
    assert public_parts((BY_RULE,), 'errors{pool="a"}', target) == BY_RULE.components
    assert public_parts((PAGE, BY_RULE), "others", "flag:other") == ()
    assert public_parts((), "errors", target) == ()
    other = replace(PART, name="cards", title="Cards")
    two = replace(PAGE, name="own", components=(PART, other))
    assert public_parts((BY_RULE, two), "errors", target) == (PART, other)


def test_what_happens_to_one_component_changes_no_incident_of_another() -> None:
    watch = paused()
    both = replace(PAGE, components=(PART, replace(PART, name="other", rules=("peg",))))
    first = state(watch, both).components[0].digest
    other = replace(both, components=(PART, replace(PART, name="other", title="Other")))
    assert state(watch, other).components[0].digest == first
    assert state(watch, other).digest != state(watch, both).digest


def test_a_thousand_open_episodes_are_looked_at_in_no_time() -> None:
    names = [f"r{number}" for number in range(1000)]
    watch = Watch(a_policy(*(a_rule(name) for name in names)))
    for number, name in enumerate(names):
        with watch.draft() as draft:
            opened = e.EpisodeOpened(
                f"E{number + 1}", name, "team", Severity.P0, World.LIVE, verdict=None
            )
            draft.add(opened)
            draft.add(e.EpisodeMoved(opened.episode, State.OK, Event.BREACHED, State.HELD, 0, ""))
    parts = tuple(replace(PART, name=name, rules=(name,), burning=MAJOR) for name in names[:100])
    began = time.process_time()
    found = state(watch, replace(PAGE, components=parts))
    assert time.process_time() - began < 0.2
    assert len(found.open) == 100
