"""A rule rises by what it has earned in shadow, and falls by a false action, and not otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core import promotions as p
from watchdog.core.evidence import MOST_TEXTS, MOST_WOULD_ACTS, Evidence, WouldAct
from watchdog.core.gates import lowest
from watchdog.core.inputs import earned_limit, mode_limits
from watchdog.core.promotion import lacks, marked, news, policy_changed, take_results
from watchdog.core.spec import RuleSpec
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode, Truth, World

NEEDED = 100.0
"""Seconds of shadow, in these stories."""

ASKING = {"shadow_seconds": NEEDED}


def earning(**different: object) -> RuleSpec:
    """Declared armed, without a reason."""
    return a_rule(cooldown_seconds=0.0, **different)


def a_watch(rule: RuleSpec | None = None, **facts: object) -> Watch:
    return Watch(a_policy(rule or earning()), **{**ASKING, **facts})


def rule_of(watch: Watch) -> RuleSpec:
    return next(iter(watch.policy.rules.values()))


def evidence(watch: Watch) -> Evidence:
    return watch.book.merits.evidence[rule_of(watch).proof]


def mode(watch: Watch) -> Mode:
    rule = rule_of(watch)
    return lowest(mode_limits(rule, None, 0, watch.policy, watch.facts, watch.book, watch.now)).mode


def missing(watch: Watch) -> tuple[str, ...]:
    return lacks(rule_of(watch), watch.policy, watch.book, NEEDED, watch.now)


def run_tests(watch: Watch, *, passed: bool = True, reason: str = "3 checks") -> None:
    rule = rule_of(watch)
    with watch.draft() as draft:
        result = p.RuleTested(rule.name, rule.proof, passed, reason, "alice")
        take_results(news([result], draft.book), watch.policy, draft)


def mark(watch: Watch, episode: str, said: str) -> None:
    with watch.draft() as draft:
        rule = watch.policy.rules.get(watch.book.episodes[episode].rule)
        marked(watch.book.episodes[episode], said, rule, "alice", draft)
        draft.add(e.Marked(episode, said, "alice", "I looked"))  # type: ignore[arg-type]  # one of the four


def applied(watch: Watch, *rules: RuleSpec) -> None:
    """A person applies another text, as the engine takes it on."""
    new = a_policy(*rules)
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha", (), "alice"))
        policy_changed(watch.policy, new, draft, NEEDED)
    watch.policy = new


def would_act(watch: Watch) -> str:
    """A breach in shadow, and its end."""
    watch.break_it()
    assert watch.is_now(State.SHADOWED)
    episode = watch.episode.id
    watch.run(2, HEALTHY)
    return episode


def armed_by_evidence() -> Watch:
    watch = a_watch()
    run_tests(watch)
    watch.run(105, HEALTHY)
    assert mode(watch) is Mode.ARMED
    return watch


# -- rising ----------------------------------------------------------------------------------------


def test_declared_armed_it_keeps_to_shadow_until_it_has_earned_to_act() -> None:
    watch = a_watch()
    run_tests(watch)
    episode = would_act(watch)
    assert watch.book.episodes[episode].world is World.SHADOW
    assert watch.decisions[-1].reason == "shadow, by earned evidence"
    assert watch.pages == []
    assert watch.started == []
    mark(watch, episode, "explained")
    watch.run(100, HEALTHY)
    assert mode(watch) is Mode.ARMED
    (promoted,) = watch.of(p.RulePromoted)
    assert isinstance(promoted, p.RulePromoted)
    assert "in shadow, its unit tests pass, its actions are ready" in promoted.reason
    watch.break_it()
    assert len(watch.started) == 1
    assert watch.episode.world is World.LIVE
    assert watch.refolded() == watch.book


def test_a_reason_in_the_file_overrides_and_other_processes_ask_for_no_evidence() -> None:
    watch = a_watch(earning(armed_because="launch decision"))
    watch.break_it()
    assert len(watch.started) == 1
    watch = Watch(a_policy(earning()))
    watch.break_it()
    assert len(watch.started) == 1


def test_shadow_counts_whether_declared_or_set_by_the_process_and_observing_does_not() -> None:
    declared = earning(mode=Mode.SHADOW)
    for watch in (a_watch(declared), a_watch(max_mode=Mode.SHADOW)):
        watch.run(50, HEALTHY)
        assert evidence(watch).watched_seconds(watch.now) == pytest.approx(50, abs=2)
    for watch in (a_watch(earning(mode=Mode.OBSERVE)), a_watch(max_mode=Mode.OBSERVE)):
        watch.run(50, HEALTHY)
        assert watch.book.merits.evidence == {}


def test_what_was_watched_in_shadow_counts_when_it_is_armed_and_it_must_be_clear_first() -> None:
    shadow = earning(mode=Mode.SHADOW, sha256="as shadow", proof_sha256="without mode")
    watch = a_watch(shadow)
    run_tests(watch)
    watch.run(120, HEALTHY)
    applied(watch, replace(shadow, mode=Mode.ARMED, sha256="as armed"))
    assert mode(watch) is Mode.SHADOW, "a pass lets it rise, and only while it is healthy"
    watch.run(3, BREACHED)
    assert mode(watch) is Mode.SHADOW
    watch.run(2, HEALTHY)
    assert mode(watch) is Mode.ARMED


LACKS: dict[str, tuple[Callable[[Watch], None], str]] = {
    "the test": (lambda _: None, "a passing unit test: none was run"),
    "a passing test": (
        lambda watch: run_tests(watch, passed=False, reason="1 of 3 checks fails"),
        "a passing unit test: 1 of 3 checks fails",
    ),
}


@pytest.mark.parametrize("what", LACKS)
def test_without_a_passing_unit_test_days_are_not_enough(what: str) -> None:
    does, says = LACKS[what]
    watch = a_watch()
    does(watch)
    watch.run(130, HEALTHY)
    assert mode(watch) is Mode.SHADOW
    assert [one for one in missing(watch) if says in one] == list(missing(watch))
    run_tests(watch)
    watch.run(1)
    assert mode(watch) is Mode.ARMED


def test_a_test_of_another_text_proves_nothing_of_this_one() -> None:
    watch = a_watch()
    with watch.draft() as draft:
        other = p.RuleTested("errors", "another text", passed=True, reason="", actor="alice")
        take_results([other], watch.policy, draft)
    watch.run(130, HEALTHY)
    assert mode(watch) is Mode.SHADOW


def test_an_action_that_is_not_ready_holds_the_rise_and_never_ends_it() -> None:
    watch = a_watch()
    run_tests(watch)
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.FALSE, "no such command"))
    watch.run(130, HEALTHY)
    assert missing(watch) == ("pause ready: no such command",)
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.TRUE, "works"))
    watch.run(2)
    assert mode(watch) is Mode.ARMED
    with watch.draft() as draft:
        draft.add(e.ReadinessChanged("pause", Truth.FALSE, "gone again"))
    watch.run(2)
    assert mode(watch) is Mode.ARMED, "its own gate holds it"


# -- what counts -----------------------------------------------------------------------------------


def test_days_count_from_the_newest_would_act_that_nobody_explained() -> None:
    watch = a_watch()
    watch.run(60, HEALTHY)
    episode = would_act(watch)
    before = evidence(watch)
    assert before.clean_seconds(watch.now) < 10
    assert before.watched_seconds(watch.now) > 60
    assert any(f"mark {episode} true, explained or drill" in one for one in missing(watch))
    for said, counts in (("explained", True), ("false", False), ("drill", True), ("true", True)):
        mark(watch, episode, said)
        assert (evidence(watch).clean_seconds(watch.now) > 60) is counts, said
    mark(watch, episode, "false")
    assert any(f"{episode} was marked false" in one for one in missing(watch))
    run_tests(watch)
    watch.run(100, HEALTHY)
    assert mode(watch) is Mode.ARMED, "after as many days again"


def test_blind_asleep_or_down_it_watches_nothing() -> None:
    watch = a_watch()
    watch.run(20, HEALTHY)
    seen = evidence(watch).watched_seconds(watch.now)
    watch.run(50, BLIND)
    watch.run(1, HEALTHY)
    assert evidence(watch).watched_seconds(watch.now) <= seen + 1
    for unseen in (e.Slept(70.0), e.Started("0", "here", "boot", "sandbox", "armed", 70.0)):
        seen = evidence(watch).watched_seconds(watch.now)
        watch.now = watch.now.plus(70.0)
        with watch.draft() as draft:
            draft.add(unseen)
        assert evidence(watch).watched_seconds(watch.now) == pytest.approx(seen)
    watch.run(10)
    assert evidence(watch).watched_seconds(watch.now) == pytest.approx(seen + 10)
    assert watch.refolded() == watch.book


def test_a_comment_resets_nothing_another_text_begins_and_going_back_finds_the_old() -> None:
    watch = a_watch()
    watch.run(50, HEALTHY)
    first = rule_of(watch)
    applied(watch, replace(first, where="rules.yaml:7:3", summary="more words"))
    watch.run(5)
    assert evidence(watch).watched_seconds(watch.now) == pytest.approx(55, abs=2)
    applied(watch, replace(first, sha256="another text"))
    watch.run(5)
    assert evidence(watch).watched_seconds(watch.now) == pytest.approx(5, abs=2)
    for number in range(MOST_TEXTS - 2):
        applied(watch, replace(first, sha256=f"text {number}"))
        watch.run(2)
    applied(watch, first)
    watch.run(5)
    assert evidence(watch).watched_seconds(watch.now) == pytest.approx(60, abs=3)
    applied(watch, replace(first, sha256="one more"))
    watch.run(2)
    assert len(watch.book.merits.evidence) == MOST_TEXTS


def test_a_removed_rule_earns_nothing() -> None:
    watch = a_watch()
    watch.run(10, HEALTHY)
    rule = rule_of(watch)
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha", (), "alice", removed=("errors",)))
    watch.now = watch.now.plus(500.0)
    kept = watch.book.merits.evidence[rule.proof]
    assert kept.watched_seconds(watch.now) == pytest.approx(10, abs=2)


def test_of_many_would_acts_the_forgotten_ones_keep_their_weight() -> None:
    at = Instant(0.0, 0.0)
    kept = Evidence("errors", "sha", at, since=at)
    for number in range(MOST_WOULD_ACTS + 1):
        seconds = float(number)
        explained = "" if number == 0 else "drill"
        kept = kept.with_would_act(WouldAct(f"E{number}", "D", "pause", at, seconds, explained))
    kept = kept.with_would_act(WouldAct("E999", "D", "pause", at, 150.0, "true"))
    assert len(kept.would_acts) == MOST_WOULD_ACTS
    assert kept.clean_seconds(at.plus(200.0)) == 200.0
    lost = replace(kept, would_acts=(WouldAct("E1", "D", "pause", at, 90.0), *kept.would_acts[1:]))
    lost = lost.with_would_act(WouldAct("E1000", "D", "pause", at, 160.0, "true"))
    assert lost.clean_seconds(at.plus(200.0)) == 110.0


# -- falling ---------------------------------------------------------------------------------------


def acted(watch: Watch) -> str:
    watch.break_it()
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.run(25, HEALTHY)
    assert watch.is_now(State.OK)
    return watch.episode.id


@pytest.mark.parametrize("because", ["", "launch decision"])
def test_a_false_action_drops_the_rule_to_shadow_whatever_armed_it(because: str) -> None:
    watch = a_watch(earning(armed_because=because)) if because else armed_by_evidence()
    episode = acted(watch)
    pages = len(watch.pages)
    mark(watch, episode, "false")
    assert mode(watch) is Mode.SHADOW
    assert len(watch.pages) == pages + 1
    assert watch.pages[-1].key == "rule:errors:demoted"
    assert f"{episode} was a false action, alice says" in watch.pages[-1].title
    mark(watch, episode, "true")
    run_tests(watch)
    watch.run(300, HEALTHY)
    assert mode(watch) is Mode.SHADOW, "neither another word nor time brings it back"
    started = len(watch.started)
    watch.break_it()
    assert len(watch.started) == started
    assert watch.decisions[-1].reason == (
        f"shadow, by earned evidence, lost when {episode} was marked false"
    )
    assert watch.refolded() == watch.book


def test_other_words_in_armed_because_bring_it_back_and_it_must_be_clear_first() -> None:
    watch = a_watch(earning(armed_because="launch decision"))
    mark(watch, acted(watch), "false")
    fallen = rule_of(watch)
    applied(watch, replace(fallen, where="rules.yaml:9:9"))
    assert mode(watch) is Mode.SHADOW
    applied(watch, replace(fallen, armed_because="the bound was put right"))
    assert mode(watch) is Mode.ARMED
    started = len(watch.started)
    watch.run(6, BREACHED)
    assert watch.is_now(State.HELD)
    assert len(watch.started) == started
    watch.run(3, HEALTHY)
    watch.run(6, BREACHED)
    assert len(watch.started) == started + 1


def test_another_text_may_earn_it_again_though_the_old_words_stand() -> None:
    watch = a_watch(earning(armed_because="launch decision"))
    mark(watch, acted(watch), "false")
    applied(watch, replace(rule_of(watch), sha256="another bound"))
    run_tests(watch)
    watch.run(90, HEALTHY)
    assert mode(watch) is Mode.SHADOW
    watch.run(20)
    assert mode(watch) is Mode.ARMED


def test_an_asking_rule_falls_as_well() -> None:
    watch = a_watch(earning(mode=Mode.APPROVE))
    episode = "E1"
    with watch.draft() as draft:
        draft.add(p.RuleDemoted("errors", rule_of(watch).proof, "false", "alice", episode))
    assert mode(watch) is Mode.SHADOW


def test_a_promoted_text_falls_when_its_test_fails_or_its_would_act_was_false() -> None:
    watch = armed_by_evidence()
    run_tests(watch, passed=False, reason="1 of 3 checks fails")
    assert mode(watch) is Mode.SHADOW
    assert "its unit tests fail: 1 of 3 checks fails" in watch.pages[-1].title
    run_tests(watch)
    watch.run(2, HEALTHY)
    assert mode(watch) is Mode.ARMED, "its days still stand"

    watch = a_watch()
    run_tests(watch)
    episode = would_act(watch)
    mark(watch, episode, "true")
    watch.run(110, HEALTHY)
    assert mode(watch) is Mode.ARMED
    mark(watch, episode, "false")
    assert mode(watch) is Mode.SHADOW
    assert "on which its evidence rests" in watch.pages[-1].title


def test_a_change_of_the_text_or_the_end_of_the_reason_is_paged_as_the_fall_that_it_is() -> None:
    watch = armed_by_evidence()
    applied(watch, replace(rule_of(watch), sha256="another text"))
    assert mode(watch) is Mode.SHADOW
    assert "its text is another one" in watch.pages[-1].title
    watch = a_watch(earning(armed_because="launch decision"))
    applied(watch, earning())
    assert mode(watch) is Mode.SHADOW
    assert "armed_because is gone" in watch.pages[-1].title


def test_a_mark_of_what_never_acted_costs_an_armed_rule_nothing() -> None:
    watch = a_watch(earning(armed_because="launch decision"))
    watch.run(2, HEALTHY)
    watch.run(1, BREACHED)
    watch.run(2, HEALTHY)
    mark(watch, watch.episode.id, "false")
    assert mode(watch) is Mode.ARMED
    assert earned_limit(rule_of(watch), watch.book, watch.facts) is None


def test_a_false_action_of_a_removed_rule_is_paged_and_kept() -> None:
    watch = a_watch(earning(armed_because="launch decision"))
    episode = acted(watch)
    fallen = rule_of(watch)
    watch.policy = a_policy(a_rule("another"))
    mark(watch, episode, "false")
    assert "was a false action" in watch.pages[-1].title
    assert earned_limit(fallen, watch.book, watch.facts) is not None
