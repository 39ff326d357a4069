"""What others tell us: acted on once, never twice, never late, and explained like the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.decisions.listening import ALERTS, CRITICAL, HOUR, SECURITY, Listening, hears
from watchdog.core import entries as e
from watchdog.core.channels import EventReceived, EventSignal, EventStatus, Matcher
from watchdog.core.heard import MOST_KNOWN, Heard, News, news_of, sorted_out
from watchdog.core.replay import replayed, verdict_again
from watchdog.core.spec import Limits
from watchdog.core.states import State
from watchdog.core.words import Blind, Instant, Mode, Status, Truth
from watchdog.policy.diff import hear_anew
from watchdog.store.codec import decode, encode

FIRING, OVER = EventStatus.FIRING, EventStatus.RESOLVED


def contained(watch: Listening) -> None:
    """The action that was started has worked."""
    watch.end()
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert watch.is_now(State.CONTAINED)


def status_of(watch: Listening, rule: str = "incident") -> Status:
    verdict = watch.evaluation.memory.verdict(rule)
    assert verdict is not None
    return verdict.status


# -- once ------------------------------------------------------------------------------------------


def test_one_event_starts_the_action_in_the_pass_in_which_it_is_told() -> None:
    watch = Listening()
    assert status_of(watch) is Status.HEALTHY
    assert watch.tell("inc-42") is News.NEW
    (intent,) = watch.started
    assert (intent.action, intent.deadline.steady) == ("pause", watch.now.steady + 10.0)
    (decided,) = watch.decisions
    assert decided.verdict is not None
    assert decided.verdict.reason == (
        "inc-42 stands on security since 2026-09-21 14:13:22Z: a key leaked"
    )


def test_what_it_is_told_by_stays_on_one_line() -> None:
    watch = Listening()
    told = EventReceived(
        "security", "inc-42", FIRING, watch.now.wall, labels=(("where", "a\nb"), *CRITICAL)
    )
    watch.receive(told, SECURITY)
    (decided,) = watch.decisions
    assert decided.verdict is not None
    assert decided.verdict.reason.endswith(r': {where="a\nb", severity="critical"}')
    assert replayed(decided) == ()


def test_its_decision_is_the_same_when_it_is_made_again() -> None:
    watch = Listening()
    watch.tell("inc-41", labels=(("region", "eu"), *CRITICAL))
    contained(watch)
    watch.undo(watch.episode)
    watch.run(1)
    watch.tell("inc-42", began=-1.0)
    first, second = (decode(encode(one)) for one in watch.decisions)
    assert isinstance(first, e.Decided)
    assert isinstance(second, e.Decided)
    assert (replayed(first), replayed(second)) == ((), ())
    again = verdict_again(second)
    assert again is not None
    assert "inc-42 stands" in again.reason
    forged = replace(second, basis={**second.basis, "points": []})
    assert any("verdict, status" in one for one in replayed(forged))


def test_what_does_not_match_is_recorded_and_starts_nothing() -> None:
    watch = Listening()
    assert watch.tell("inc-42", labels=(("severity", "minor"),)) is News.NEW
    watch.run(10)
    assert (watch.started, status_of(watch)) == ([], Status.HEALTHY)


@pytest.mark.parametrize("restart", [False, True])
def test_a_signed_event_that_is_told_again_is_no_news(*, restart: bool) -> None:
    watch = Listening()
    watch.tell("inc-42")
    contained(watch)
    if restart:
        watch.restart()
    assert watch.tell("inc-42") is News.LATE
    assert watch.tell("inc-42", began=60.0) is News.LATE  # nor with a time of its own
    assert watch.tell("inc-42", over=True) is News.RESOLVED
    assert watch.tell("inc-42", over=True) is News.LATE
    assert watch.tell("inc-42") is News.LATE
    assert len(watch.started) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_an_alert_that_is_repeated_for_days_opens_one_episode(*, restart: bool) -> None:
    watch = Listening()
    watch.tell("fp", ALERTS, began=-10.0)
    contained(watch)
    watch.undo(watch.episode)
    watch.run(30)
    assert watch.is_now(State.OK)
    began = watch.now.wall - 42.0
    for _ in range(5):
        watch.now = watch.now.plus(4 * HOUR)
        if restart:
            watch.restart()
        news = watch.tell("fp", ALERTS, began=began - watch.now.wall)
        assert news is News.REPEATED
        watch.run(3)
        assert status_of(watch, "alerted") is Status.HEALTHY
    assert watch.book.counts["E"] == 1


def test_repeats_between_two_minutes_are_not_even_recorded() -> None:
    watch = Listening()
    watch.tell("fp", ALERTS)
    entries = len(watch.journal)
    watch.now = watch.now.plus(30.0)
    assert watch.tell("fp", ALERTS, began=-30.0) is None
    assert len(watch.journal) == entries


def test_an_alert_that_begins_anew_is_another_event() -> None:
    watch = Listening()
    watch.tell("fp", ALERTS)
    contained(watch)
    watch.tell("fp", ALERTS, began=0.0, over=True)
    watch.undo(watch.episode)
    watch.run(30)
    assert watch.tell("fp", ALERTS) is News.NEW
    assert watch.book.counts["E"] == 2


@pytest.mark.parametrize(("away", "started"), [(5.0, 1), (120.0, 0)])
def test_an_event_on_record_that_nobody_judged_is_judged_by_the_next_process(
    away: float, started: int
) -> None:
    """Killed between the append and the pass. After a long absence it is held, as any breach is."""
    watch = Listening()
    with watch.draft() as draft:
        draft.add(EventReceived("security", "inc-42", FIRING, watch.now.wall, labels=CRITICAL))
    watch.now = watch.now.plus(away)
    with watch.draft() as draft:
        draft.add(e.Started("0", "here", "boot", "sandbox", "armed", away))
    watch.restart()
    watch.run(3)
    assert len(watch.started) == started
    assert watch.is_now(State.ACTING if started else State.HELD)


# -- order -----------------------------------------------------------------------------------------

_Told = tuple[EventStatus, float, float | None]


@pytest.mark.parametrize(
    ("told", "last", "stands"),
    [
        pytest.param([(FIRING, 10, None), (OVER, 10, 20)], News.RESOLVED, False, id="over"),
        pytest.param([(OVER, 10, 20), (FIRING, 10, None)], News.LATE, False, id="end first"),
        pytest.param(
            [(FIRING, 10, None), (OVER, 10, 20), (FIRING, 10, None)], News.LATE, False, id="late"
        ),
        pytest.param(
            [(FIRING, 30, None), (OVER, 10, 20)], News.LATE, True, id="the end of an earlier one"
        ),
        pytest.param(
            [(FIRING, 30, None), (FIRING, 10, None)], None, True, id="an earlier one, late"
        ),
        pytest.param(
            [(FIRING, 10.5, None), (FIRING, 10, None), (OVER, 10, 60)],
            News.RESOLVED,
            False,
            id="a beginning moved back by a twin",
        ),
        pytest.param(
            [(FIRING, 10, None), (OVER, 10, 20), (FIRING, 30, None)], News.NEW, True, id="again"
        ),
        pytest.param(
            [(FIRING, 10, None), (FIRING, 30, None), (OVER, 30, 40)],
            News.RESOLVED,
            False,
            id="the end of the first never came",
        ),
    ],
)
def test_whatever_the_order_the_latest_beginning_counts(
    told: list[_Told], last: News | None, *, stands: bool
) -> None:
    heard, news = Heard(), None
    for second, (status, began, ended) in enumerate(told):
        now = Instant(100.0 + second, second)
        entry = EventReceived("alerts", "fp", status, began, ended)
        fresh, (news,) = sorted_out(heard, ALERTS, [entry], now)
        for one in fresh:
            heard.take(one, now)
    assert news is last
    assert [event.id for event in heard.standing("alerts")] == (["fp"] if stands else [])


def test_of_two_words_in_one_request_the_later_counts() -> None:
    heard, now = Heard(), Instant(0.0, 0.0)
    both = [EventReceived("alerts", "fp", one, 1.0, 2.0) for one in (FIRING, OVER)]
    fresh, _ = sorted_out(heard, ALERTS, both, now)
    assert [one.status for one in fresh] == [OVER]


# -- dealt with ------------------------------------------------------------------------------------


def test_what_a_person_closed_is_not_opened_again_by_the_same_event() -> None:
    watch = Listening()
    watch.tell("inc-42")
    watch.end(e.Outcome.UNKNOWN)
    assert watch.is_now(State.LATCHED)
    pages = len(watch.pages)
    watch.close(watch.episode)
    watch.run(5)
    watch.restart()
    watch.run(5)
    assert status_of(watch) is Status.HEALTHY
    assert (watch.book.counts["E"], len(watch.pages)) == (1, pages)
    verdict = watch.evaluation.memory.verdict("incident")
    assert verdict is not None
    assert "dealt with before: 1" in verdict.reason


def test_an_unresolved_event_does_not_reopen_what_a_person_undid() -> None:
    watch = Listening()
    watch.tell("inc-42")
    contained(watch)
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)
    watch.run(25)
    assert watch.is_now(State.OK)
    assert len(watch.started) == 1


def test_a_new_event_after_an_undo_is_a_fresh_breach() -> None:
    watch = Listening()
    watch.tell("inc-42")
    contained(watch)
    watch.undo(watch.episode)
    watch.run(3)
    watch.tell("inc-43")
    assert (watch.episode.reopens, watch.is_now(State.ACTING)) == ("E1", True)
    contained(watch)
    watch.run(10)
    assert status_of(watch) is Status.BREACHED  # inc-43 stands, and E2 is about it
    assert len(watch.started) == 2


def test_recovery_is_told_by_what_comes_after_the_effect_alone() -> None:
    watch = Listening()
    watch.tell("inc-42")
    watch.now = watch.now.plus(1.0)
    effect = watch.now
    watch.now = watch.now.plus(1.0)

    def recovered() -> Truth:
        return watch.evaluation.memory.recovered_since("incident", effect, watch.now).truth

    assert recovered() is Truth.UNKNOWN  # nobody says that it is over, nor that it goes on
    watch.tell("inc-43")
    assert recovered() is Truth.FALSE
    watch.tell("inc-43", over=True)
    assert recovered() is Truth.UNKNOWN
    watch.tell("inc-42", over=True)
    assert recovered() is Truth.TRUE


def test_an_event_that_nobody_resolves_is_over_in_its_time() -> None:
    watch = Listening()
    hold = watch.hold()
    watch.tell("inc-42")
    assert watch.is_now(State.HELD)
    watch.release(hold)
    watch.now = watch.now.plus(3590.0)
    watch.run(9)
    assert status_of(watch) is Status.BREACHED
    watch.run(2)
    assert (status_of(watch), watch.is_now(State.OK)) == (Status.HEALTHY, True)


# -- held, deaf, late ------------------------------------------------------------------------------


def test_an_event_under_a_hold_is_held_and_lifting_it_fires_nothing() -> None:
    watch = Listening()
    hold = watch.hold()
    watch.tell("inc-42")
    watch.release(hold)
    watch.run(5)
    watch.tell("inc-43")
    watch.run(5)
    assert (watch.started, watch.is_now(State.HELD)) == ([], True)
    watch.act(watch.episode)
    watch.run(1)
    assert len(watch.started) == 1


def test_an_event_alone_does_not_act_where_company_is_asked_for() -> None:
    alone = hears("incident", SECURITY, corroborate=("alerted",))
    watch = Listening(alone, hears("alerted", ALERTS, playbook=None, mode=Mode.OBSERVE))
    watch.tell("inc-42")
    assert watch.decisions[0].reason == "evidence: not corroborated: alerted is healthy"
    watch.tell("fp", ALERTS)
    watch.run(1)
    assert [one.reason for one in watch.decisions][-1] == "every gate passed"


@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.SHADOW, State.SHADOWED), (Mode.APPROVE, State.AWAITING)]
)
def test_an_event_goes_no_further_than_its_rules_mode(mode: Mode, state: State) -> None:
    watch = Listening(hears("incident", SECURITY, mode=mode))
    watch.tell("inc-42")
    assert (watch.episode.state, watch.started) == (state, [])


def test_the_budget_of_actions_counts_for_events_too() -> None:
    watch = Listening()
    watch.policy = replace(watch.policy, limits=Limits(0, 86_400.0, 5))
    watch.tell("inc-42")
    assert (watch.is_now(State.HELD), watch.started) == (True, [])
    assert watch.decisions[0].reason.startswith("budget: spent")


def test_a_channel_without_its_credential_is_blind_and_pages_and_starts_nothing() -> None:
    watch = Listening()
    watch.deaf.add(SECURITY.name)
    watch.run(5)
    verdict = watch.evaluation.memory.verdict("incident")
    assert verdict is not None
    assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.DEAF)
    assert "security-webhook" in verdict.reason
    watch.run(35)
    assert [page.title for page in watch.pages] == [f"incident is blind: {verdict.reason}"]
    watch.deaf.clear()
    watch.run(5)
    assert status_of(watch) is Status.HEALTHY


def test_a_channel_that_nobody_looks_at_any_more_is_stale() -> None:
    watch = Listening()
    with watch.draft() as draft:
        draft.now = watch.now.plus(11.0)
        watch.evaluation.on_tick(watch.policy, draft)
    verdict = watch.evaluation.memory.verdict("incident")
    assert verdict is not None
    assert verdict.blind is Blind.STALE


@pytest.mark.parametrize(("before", "started"), [(60.0, 1), (880.0, 1), (920.0, 0)])
def test_an_alert_that_burnt_for_long_before_it_was_told_is_held(
    before: float, started: int
) -> None:
    """Whoever connects an Alertmanager must not fire everything that burns in it."""
    watch = Listening()
    watch.tell("fp", ALERTS, began=-before)
    watch.run(3)
    assert len(watch.started) == started
    if not started:
        assert watch.episode.barred == ("already burning: fp began 15m20s before it was first told")


OTHERS = (("severity", "other"),)


def edited(watch: Listening, **different: object) -> None:
    """The rule's text is changed and applied: it hears other events now."""
    signal = EventSignal("security", (Matcher("severity", "=", "other"),), HOUR)
    rule = hears("incident", SECURITY, signal=signal, sha256="another", **different)
    old, watch.policy = watch.policy, replace(watch.policy, rules={"incident": rule})
    with watch.draft() as draft:
        anew = hear_anew(old, watch.policy)
        draft.add(e.PolicyApplied("sha", (), "alice", hear_anew=anew))
    watch.evaluation.memory.adopt(watch.policy)
    watch.run(6)


@pytest.mark.parametrize("restart", [False, True])
def test_an_edit_fires_nothing_that_stood_before_it_and_act_does(*, restart: bool) -> None:
    watch = Listening()
    watch.tell("inc-42", labels=OTHERS)
    watch.run(3)
    edited(watch)
    if restart:
        watch.restart()
        watch.run(6)
    assert (watch.started, watch.is_now(State.HELD)) == ([], True)
    why = "inc-42 was heard before the rule's present text was applied"
    assert watch.episode.barred == f"already burning: {why}"
    (decided,) = watch.decisions
    assert decided.verdict is not None
    assert f"which {why.removeprefix('inc-42 ')}: a key leaked" in decided.verdict.reason
    assert replayed(decided) == ()

    watch.act(watch.episode)
    watch.run(1)
    assert len(watch.started) == 1


def test_an_event_that_is_heard_after_the_edit_acts() -> None:
    watch = Listening()
    edited(watch)
    watch.tell("inc-43", labels=OTHERS)
    assert len(watch.started) == 1


def test_an_episode_that_is_held_when_its_rule_is_edited_acts_on_nothing_from_before() -> None:
    watch = Listening()
    limits, watch.policy = watch.policy.limits, replace(watch.policy, limits=Limits(0, 86_400.0, 5))
    watch.tell("inc-42", labels=(*CRITICAL, ("team", "any")))
    assert watch.decisions[0].reason.startswith("budget: spent")
    watch.tell("inc-43", labels=OTHERS)
    edited(watch)
    watch.policy = replace(watch.policy, limits=limits)
    watch.run(3)
    assert (watch.started, watch.is_now(State.HELD)) == ([], True)
    assert "before the rule's present text" in watch.episode.barred


def test_for_is_counted_while_the_event_stands() -> None:
    watch = Listening(hears("incident", SECURITY, for_seconds=30.0))
    watch.tell("inc-42")
    watch.run(25)
    assert watch.started == []
    watch.run(10)
    assert len(watch.started) == 1


@pytest.mark.parametrize(
    ("matchers", "labels", "meant"),
    [
        ([("severity", "=", "critical")], {"severity": "critical"}, True),
        ([("severity", "=", "critical")], {"severity": "critical!"}, False),
        ([("severity", "=", "critical")], {}, False),
        ([("severity", "=~", "crit.*|page")], {"severity": "critical"}, True),
        ([("severity", "=~", "crit")], {"severity": "critical"}, False),
        ([("env", "!=", "staging")], {}, True),
        ([("env", "!~", "stag.*")], {"env": "staging"}, False),
        ([("a", "=", "1"), ("b", "=", "2")], {"a": "1"}, False),
        ([], {"anything": "at all"}, True),
    ],
)
def test_labels_match_as_in_promql(
    matchers: list[tuple[str, str, str]], labels: dict[str, str], *, meant: bool
) -> None:
    signal = EventSignal("security", tuple(Matcher(*one) for one in matchers), HOUR)
    assert signal.matches(tuple(labels.items())) is meant


# -- bounds ----------------------------------------------------------------------------------------


def heard_of(count: int, *, over: int) -> Heard:
    heard = Heard()
    for number in range(count):
        status = OVER if number < over else FIRING
        entry = EventReceived("alerts", f"fp{number}", status, 0.0)
        heard.take(entry, Instant(number, number))
    return heard


def test_what_is_known_is_bounded_and_what_is_over_goes_first() -> None:
    heard = heard_of(MOST_KNOWN + 2, over=1)
    names = {event.id for event in heard.of("alerts")}
    assert len(names) == MOST_KNOWN
    assert {"fp0", "fp1"} & names == set()


def test_what_nobody_repeats_is_forgotten_after_a_month() -> None:
    heard = heard_of(3, over=0)
    late = Instant(31 * 86_400.0, 31 * 86_400.0)
    heard.take(EventReceived("alerts", "new", FIRING, 0.0), late)
    assert [event.id for event in heard.of("alerts")] == ["new"]


def test_a_late_word_changes_nothing() -> None:
    known = heard_of(1, over=1).find("alerts", "fp0")
    entry = EventReceived("alerts", "fp0", FIRING, 0.0)
    assert news_of(known, entry, Instant(9.0, 9.0)) is News.LATE
